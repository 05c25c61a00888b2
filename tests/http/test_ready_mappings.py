"""Does each ready mapping take a file of its shape all the way to a decision?"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from casework.app import App
from casework.cli import learning
from casework.deciding.transactions import Sent, checked
from casework.workspace import Workspace
from data.incoming.mapping import Mapping
from data.mappings import text
from tests.data.shapes import SHAPES, write_shape
from tests.http.test_cli import Shell
from tests.http.test_cli import shell as shell  # a fixture

_DAYS = {  # where the made-up rows lie: training from, to, test from, to
    "handbook": ("2018-04-01", "2018-04-15", "2018-04-15", "2018-04-28"),
    "ulb": ("2013-09-01", "2013-09-02", "2013-09-02", "2013-09-04"),
    "ieee-cis": ("2017-12-02", "2018-01-15", "2018-01-25", "2018-02-20"),
    "paysim": ("2025-01-01", "2025-01-12", "2025-01-12", "2025-01-21"),
    "baf": ("2025-01-01", "2025-03-01", "2025-03-01", "2025-05-01"),
}


def one_more(mapping: Mapping) -> Sent:
    """A transaction of today with the names of that mapping, half of its entities unknown."""
    numbers = {"number": 1.5, "category": "never seen before", "flag": True}
    attributes: dict[str, Any] = {name: numbers[each.type] for name, each in mapping.attributes.items()}
    entities = {name: "e1" if n % 2 == 0 else None for n, name in enumerate(mapping.entities)}
    return Sent("today-1", datetime.now(UTC) - timedelta(hours=1), None, "", entities, attributes, {})


@pytest.fixture(autouse=True)
def looks_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """`secondlook train` without a server builds its HTTP interface anew for each look at how far it is."""
    monkeypatch.setattr(learning, "_POLL_SECONDS", 1.0)


# One shape goes all the way with every `make test`; the others take the same way in `make soak`.
EVERY_TIME = ("handbook",)


@pytest.mark.parametrize(
    "shape", [s if s in EVERY_TIME else pytest.param(s, marks=pytest.mark.soak) for s in SHAPES]
)
def test_a_ready_mapping_is_enough_to_import_train_judge_and_decide(
    shell: Shell, tmp_path: Path, shape: str
) -> None:
    bank, file = tmp_path / "bank", write_shape(tmp_path / "rows.csv", shape)
    assert shell("init", bank, "--mapping", shape)[0] == 0
    code, out, err = shell("import", file, "--workspace", bank, "--json")
    report = json.loads(out)["imports"][0]
    assert (code, report["accepted"], report["labels"]) == (0, 1000, 1000), (report["reasons"], err)
    code, out, err = shell("import", file, "--workspace", bank, "--json")
    assert json.loads(out)["imports"][0]["duplicate"] == 1000
    code, out, err = shell("train", "--workspace", bank, "--json")
    assert (code, json.loads(out)["result"]) == (0, "promoted"), (out, err)
    names = ("--train-from", "--train-to", "--test-from", "--test-to")
    days = [word for pair in zip(names, _DAYS[shape], strict=True) for word in pair]
    code, out, err = shell("backtest", *days, "--delay-days", "0", "--workspace", bank, "--json")
    assert code == 0, err
    assert json.loads(out)["auc"]["value"] > 0.7
    app = App.open(Workspace(bank))
    try:
        made = orjson.loads(app.decide([checked(one_more(app.mapping), app.mapping)], datetime.now(UTC))[0])
        assert isinstance(made, dict), made
        assert made["outcome"] in ("approve", "review", "decline")
        assert made["probability"] is not None
    finally:
        app.close()


def test_without_a_label_a_mapping_is_enough_to_decide_by_rules_and_novelty(
    shell: Shell, tmp_path: Path
) -> None:
    bank, file = tmp_path / "bank", write_shape(tmp_path / "rows.csv", "ulb")
    words = "".join(line for line in text("ulb").splitlines(keepends=True) if not line.startswith("label:"))
    (tmp_path / "mapping.yaml").write_text(words)
    assert shell("init", bank, "--mapping", tmp_path / "mapping.yaml")[0] == 0
    assert shell("import", file, "--workspace", bank, "--json")[0] == 0
    lines = file.read_text().splitlines()
    today = [line.split(",") for line in lines[1:41]]
    for place, row in enumerate(today):
        row[0] = str(900_000 + place)
        row[5] = "25.0" if place % 10 == 0 else row[5]  # V5 is a standard normal everywhere else
    (tmp_path / "today.csv").write_text("\n".join([lines[0], *(",".join(row) for row in today)]) + "\n")
    code, out, err = shell("score", tmp_path / "today.csv", "--workspace", bank, "--json")
    told = json.loads(out)
    assert (code, told["unreadable"]) == (0, 0), err
    odd = [row for row in told["rows"] if row["outcome"] == "review"]
    assert len(odd) >= 4
    assert sum("unusual: v5: 25 (more than was ever seen)" in row["reasons"] for row in odd) >= 4
    code, out, _ = shell("train", "--workspace", bank, "--json")
    assert (code, json.loads(out)["result"]) == (1, "failed")
