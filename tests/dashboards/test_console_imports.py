"""Does the page for files say what came in, what did not and why, and send a file where it belongs?"""

from __future__ import annotations

import tomllib
from pathlib import Path

import fake_imports
import pytest
import streamlit as st
from conftest import Opened
from fake_api import FakeApi
from fake_asking import Refused
from page_text import seen
from streamlit.testing.v1 import AppTest
from test_page_states import app_of

from casework.http.bounds import LARGEST_UPLOAD
from dashboards.calls.client import Client, open_pool
from tests.http.institution import make_workspace, served
from tests.http.test_import_reports import HEADER, row

CONFIG = Path(__file__).parents[2] / "dashboards" / ".streamlit" / "config.toml"
FILE = ("payments.csv", b"transaction_id,amount\nt1,12.50\n", "text/csv")


def sent(app: AppTest) -> AppTest:
    app.file_uploader[0].set_value(FILE).run()
    return app.button(key="import").click().run()


@pytest.mark.parametrize("user", ["integrator-1", "admin"])
def test_a_chosen_file_is_sent_as_it_is_and_what_became_of_it_is_shown(
    opened: Opened, api: FakeApi, user: str
) -> None:
    app = opened(user, "imports")
    assert app.button(key="import").disabled
    app = sent(app)
    assert api.done == [("imp_1", "payments.csv", {"name": "payments.csv", "content": FILE[1].decode()})]
    assert app.query_params["id"] == "imp_1"
    text = seen(app)
    assert "Came in: 61,240" in text
    assert "Quarantined: 3" in text


def test_a_file_of_outcomes_goes_where_outcomes_go(opened: Opened, api: FakeApi) -> None:
    app = opened("integrator-1", "imports")
    assert "Payments are decided meanwhile" in seen(app)
    app.segmented_control(key="holds").set_value("outcomes").run()
    assert "Decisions wait until" in seen(app)
    text = seen(sent(app))
    assert [what for what, _, _ in api.done] == ["imp_2"]
    assert "7 say fraud" in text
    assert "Of another reason: 4" in text
    assert "Every line could be used." in text


def test_a_file_that_does_not_fit_is_refused_with_the_hint_and_stays_chosen(
    opened: Opened, api: FakeApi
) -> None:
    api.fail["POST /imports"] = Refused(
        422, "Not valid", "the mapping asks for 'amount'", "Did you mean 'sum'?"
    )
    app = sent(opened("integrator-1", "imports"))
    assert "Did you mean 'sum'?" in seen(app)
    assert app.file_uploader[0].value is not None
    assert not app.button(key="import").disabled


def test_the_limit_that_the_page_names_is_the_one_that_the_console_and_the_api_have(opened: Opened) -> None:
    text = opened("integrator-1", "imports").file_uploader[0].label + seen(opened("integrator-1", "imports"))
    most = tomllib.loads(CONFIG.read_text())["server"]["maxUploadSize"]
    assert f"at most {most} MB" in text
    assert f"take {LARGEST_UPLOAD // 1024**3} GB" in text


@pytest.mark.parametrize("user", ["risk-manager-1", "auditor-1"])
def test_whoever_may_only_read_sees_who_brought_what_and_when_and_sends_nothing(
    opened: Opened, user: str
) -> None:
    app = opened(user, "imports")
    assert not app.file_uploader
    assert not [button for button in app.button if button.key == "import"]
    listed = app.dataframe[0].value
    assert list(listed["Who"]) == ["integrator-1", "admin"]
    assert list(listed["Holds"]) == ["Outcomes", "Transactions"]
    assert list(listed["Came in"]) == ["9", "61,240"]
    assert list(listed["To know"]) == ["–", "31 older than features remember; 1 fraud taken back"]


def test_an_import_shows_its_warnings_in_words_and_its_quarantined_lines_with_a_download(
    opened: Opened,
) -> None:
    app = opened("auditor-1", "imports", id="imp_1")
    assert [warning.value.replace("\\", "") for warning in app.warning] == fake_imports.WARNINGS
    reasons, lines = (table.value for table in app.dataframe)
    assert list(reasons["Lines"]) == ["2", "1"]
    assert list(lines["Line"]) == [7, 9, 40]
    assert list(lines["Reason"])[2] == "5 cells where the header has 6"
    assert app.get("download_button")[0].proto.label == "Download quarantine.csv"
    assert "The first" not in seen(app)


def test_more_quarantined_lines_than_are_shown_are_told(opened: Opened, api: FakeApi) -> None:
    api.answers["GET /imports/imp_1"] = {
        **fake_imports.HISTORY, "quarantined": 4_000, "warnings": [], "reasons": fake_imports.REASONS,
        "lines": fake_imports.LINES,
    }  # fmt: skip
    assert "The first 3 of 4,000." in seen(opened("auditor-1", "imports", id="imp_1"))


def test_an_import_that_is_not_on_record_says_so(opened: Opened) -> None:
    assert "no import of that id is on record" in seen(opened("auditor-1", "imports", id="imp_9"))


def test_a_file_given_on_the_page_is_on_the_real_record_and_its_bad_line_is_read_by_an_auditor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(row(number, amount) for number, amount in ((1, "12.50"), (2, "a lot"), (3, "7.00")))
    with served(make_workspace(tmp_path / "bank")) as bank:
        monkeypatch.setenv("SECONDLOOK_API", bank.url)
        app = app_of(bank.token("integrator-1"), "imports")
        app.file_uploader[0].set_value(("history.csv", (HEADER + rows).encode(), "text/csv")).run()
        app.button(key="import").click().run()
        text = seen(app)
        assert "Came in: 2" in text
        assert "Quarantined: 1" in text
        assert bank.app.ledger.seq_of("h3") is not None
        reader = app_of(bank.token("auditor-1"), "imports")
        assert list(reader.dataframe[0].value["Who"]) == ["integrator-1"]
        reader.query_params["id"] = app.query_params["id"]
        reader.run()
        assert list(reader.dataframe[0].value.iloc[0][["Line", "Field"]]) == [3, "transaction.amount"]
        with open_pool(bank.url) as pool:
            held = Client(pool, bank.token("auditor-1")).imports.quarantine(str(app.query_params["id"]))
        assert held.decode().splitlines()[1].startswith("3,transaction.amount,")
        st.cache_resource.clear()  # closes the connections, for whose ends the server would wait
