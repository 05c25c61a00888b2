"""Does the whole loop work for the people who use it, over real HTTP and on a real file?

Import, train, decide, a case, two analysts who disagree, adjudication, disposition, retrain, promoted or refused.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from casework.app import App
from casework.quality.agreement.intervals import INSUFFICIENT, UNDEFINED
from casework.workspace import Workspace
from data.errors import LedgerBusyError
from data.simulator.config import InstitutionConfig
from data.simulator.institution import Simulated, simulate
from tests.http.institution import add_people, large_payment, make_workspace, proposals
from tests.http.test_cli import Shell
from tests.http.test_cli import shell as shell  # a fixture
from tests.journeys.running import Running, secondlook, serving

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def simulated() -> Simulated:
    start = (NOW - timedelta(days=125)).date()
    config = InstitutionConfig(
        seed=3, start=start, days=120, transactions=9_000, customers=400, merchants=80, fraud_rate=0.03
    )
    return simulate(config)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, simulated: Simulated) -> Iterator[Running]:
    folder: Path = tmp_path_factory.mktemp("journey")
    workspace = make_workspace(folder / "bank", small_policy())
    history = folder / "history.parquet"
    pq.write_table(simulated.transactions, history)
    imported = secondlook("import", history, "--workspace", workspace.root, "--json")
    assert '"accepted": 9000' in imported.stdout
    app = App.open(workspace)
    add_people(app)
    app.close()
    with serving(workspace) as up:
        yield up


def small_policy() -> dict[str, bytes]:
    """The repository's policy, but few labels and trees are enough, and a person decides instead of a decline."""
    files = proposals()
    policy = files["policy.yaml"].decode()
    for pattern, wanted in (
        (r"min_new_labels: \d+", "min_new_labels: 1"),
        (r"min_frauds: \d+", "min_frauds: 5"),
        (r"autonomy: \w+", "autonomy: in_the_loop"),
        (r"\nmodel: {}", "\nmodel: {rounds: 60}"),
    ):
        policy, changed = re.subn(pattern, wanted, policy)
        assert changed, pattern
    return {**files, "policy.yaml": policy.encode()}


def good(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def test_the_whole_loop(running: Running, simulated: Simulated) -> None:
    system = running.client("integrator-1")
    report_chargebacks(system, simulated)
    first = train(running)
    assert first["result"] == "promoted", first["sentence"]

    decision = good(system.post("/v1/decisions", json=large_payment(1, transaction_id="journey")))
    assert decision["outcome"] == "review"
    assert decision["model_id"] == first["challenger_id"]
    shap = decision["explanation"]
    assert shap["base"] + sum(shap["contributions"].values()) == pytest.approx(decision["margin"], abs=1e-5)

    disagree(running, decision)
    adjudicate(running, decision)
    settled(running, system, decision)

    again = train(running)
    assert again["result"] in ("promoted", "refused")
    assert again["sentence"].endswith(".")
    the_record_holds(running, decision)


def report_chargebacks(system: httpx.Client, simulated: Simulated) -> None:
    rows = [row for row in simulated.chargebacks.to_pylist() if aware(row["known_at"]) <= NOW]
    outcomes = [
        {
            "transaction_id": row["transaction_id"],
            "is_fraud": True,
            "known_at": aware(row["known_at"]).isoformat(),
            "reason_code": row["reason_code"],
        }
        for row in rows
    ]
    assert good(system.post("/v1/outcomes", json={"outcomes": outcomes}))["recorded"] == len(rows)


def aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def train(running: Running) -> dict[str, Any]:
    client = running.client("risk-manager-1")
    started = client.post("/v1/retrains", json={"reason": "the journey asks for it"})
    assert started.status_code == 202, started.text
    path = f"/v1/retrains/{started.json()['run_id']}"
    seen = []
    while (run := good(client.get(path)))["result"] == "running":
        seen.append(run["share"])
        sleep(0.2)
    assert seen == sorted(seen)
    return dict(run)


def disagree(running: Running, decision: dict[str, Any]) -> None:
    """Two analysts get the case without seeing each other, and say different things."""
    for analyst, value in (("analyst-1", "confirmed_fraud"), ("analyst-2", "legitimate")):
        client = running.client(analyst)
        unseen = client.get("/v1/decisions/journey")
        assert unseen.status_code == 404
        page = good(client.post("/v1/tasks/next"))
        assert page["transaction"]["transaction_id"] == "journey"
        assert page["kind_shown"] == "review"
        assert not page["previous_verdicts"]
        assert client.get(f"/v1/cases/{decision['case_id']}").status_code == 404
        good(client.put(f"/v1/tasks/{page['task_id']}/draft", json={"note": "thinking"}))
        assert good(client.get(f"/v1/tasks/{page['task_id']}"))["draft"]["note"] == "thinking"
        body = {"value": value, "note": f"{analyst} says so", "confidence": "high"}
        given = good(client.post(f"/v1/tasks/{page['task_id']}/verdict", json=body))
        assert given["verdict"]["value"] == value
        assert client.post("/v1/tasks/next").status_code == 204


def adjudicate(running: Running, decision: dict[str, Any]) -> None:
    """A team lead, who is neither of them, reads both and decides."""
    lead = running.client("team-lead-1")
    assert good(lead.get(f"/v1/cases/{decision['case_id']}"))["status"] == "in_adjudication"
    page = good(lead.post("/v1/tasks/next"))
    assert page["kind_shown"] == "adjudication"
    assert {v["value"] for v in page["previous_verdicts"]} == {"confirmed_fraud", "legitimate"}
    assert "analyst" not in str([v["reviewer"] for v in page["previous_verdicts"]])
    good(lead.post(f"/v1/tasks/{page['task_id']}/verdict", json={"value": "confirmed_fraud"}))
    case = good(lead.get(f"/v1/cases/{decision['case_id']}"))
    assert (case["status"], case["verdict"]) == ("closed", "confirmed_fraud")


def settled(running: Running, system: httpx.Client, decision: dict[str, Any]) -> None:
    """The payment system hears of it; a person may still correct it, and only along the ways that are open."""
    heard = good(system.get("/v1/dispositions"))
    assert [d["value"] for d in heard["dispositions"]] == ["declined"]
    lead = running.client("team-lead-1")
    path = f"/v1/cases/{decision['case_id']}/disposition"
    refused = lead.post(path, json={"value": "reversed", "reason": "cannot be"})
    assert refused.status_code == 409
    good(lead.post(path, json={"value": "released", "reason": "the customer called"}))
    later = good(system.get("/v1/dispositions", params={"since": heard["last"]}))
    assert [d["value"] for d in later["dispositions"]] == ["released"]


def the_record_holds(running: Running, decision: dict[str, Any]) -> None:
    auditor = running.client("auditor-1")
    assert good(auditor.get("/v1/audit/verification"))["ok"]
    assert good(auditor.get("/v1/replays/journey"))["differences"] == []
    kinds = [e["kind"] for e in good(auditor.get("/v1/events", params={"limit": 1000}))["events"]]
    for kind in ("case.opened", "task.claimed", "verdict.given", "disposition.recorded", "model.promoted"):
        assert kind in kinds
    consistency = good(auditor.get("/v1/consistency"))
    assert consistency["state"] in (INSUFFICIENT, UNDEFINED)
    summary = good(auditor.get("/v1/summary"))
    assert summary["decisions"]["total"] == 1
    assert summary["subgroups"]["attribute"] == "age_band"


def test_commands_go_through_the_server_that_owns_the_ledger(running: Running, shell: Shell) -> None:
    """Run in this process, which cannot open the ledger: the server's has it."""
    root = running.workspace.root
    with pytest.raises(LedgerBusyError):
        App.open(running.workspace)
    assert "unaltered" in shell("audit", "verify", "--workspace", root)[1]
    assert "Nothing differs" in shell("rules", "diff", "--workspace", root)[1]
    exported = root.parent / "events.jsonl"
    assert shell("audit", "export", exported, "--workspace", root)[0] == 0
    assert exported.read_text().count("\n") > 10
    code, out, err = shell("import", root.parent / "history.parquet", "--workspace", root, "--json")
    assert (code, '"duplicate": 9000' in out) == (0, True), err


def test_a_second_server_on_the_workspace_is_refused_in_a_sentence(running: Running) -> None:
    refused = secondlook(
        "serve", "--workspace", running.workspace.root, "--port", "0", "--no-console", expect=2
    )
    assert f"in use by process {running.process.pid}" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_port_in_use_is_refused_before_anything_is_loaded(running: Running, tmp_path: Path) -> None:
    port = running.url.rsplit(":", 1)[1]
    other = make_workspace(tmp_path / "other")
    refused = secondlook("serve", "--workspace", other.root, "--port", port, "--no-console", expect=2)
    assert refused.stderr == (
        f"secondlook: 127.0.0.1:{port}: this port is in use. "
        "Stop what listens there, or choose another with --port PORT.\n"
    )
    assert not Workspace(other.root).server_file.exists()
