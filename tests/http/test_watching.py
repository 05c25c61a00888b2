"""Do digest, drift, labels and labelling campaigns work over HTTP, for those who may?"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from casework.outbox import endpoints
from casework.safety import alarms
from casework.serving.jobs import sweep
from tests.http.institution import Institution, make_workspace, payment, served

PAYMENTS = 12


def ok(answer, status: int = 200):
    assert answer.status_code == status, answer.text
    return answer.json()


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Institution]:
    root: Path = tmp_path_factory.mktemp("watching") / "bank"
    with served(make_workspace(root)) as running:
        for number in range(PAYMENTS):
            running.decide(payment(number))
        with running.app.ledger.writing() as w:
            url = "http://127.0.0.1:9/hook"
            endpoints.add(w, url, ("127.0.0.1",), "admin-1", running.app.key, running.app.clock())
        yield running


def told(bank: Institution, kind: str) -> list[dict]:
    rows = bank.app.ledger.read("SELECT body FROM deliveries")
    return [body["data"] for body in map(json.loads, (row["body"] for row in rows)) if body["type"] == kind]


def test_a_digest_is_written_by_its_job_read_in_three_forms_and_told_to_webhooks(bank: Institution) -> None:
    assert bank.ask("risk-manager-1", "GET", "/v1/watch/digests/latest").status_code == 404
    done = ok(bank.ask("risk-manager-1", "POST", "/v1/jobs/digest/run"))
    assert done["result"] == "done", done
    digest = ok(bank.ask("risk-manager-1", "GET", "/v1/watch/digests/latest"))
    assert digest["decisions"]["now"]["total"] == PAYMENTS
    assert done["detail"] == digest["headline"]
    assert "Nobody has looked for drift yet. Run the job 'drift'." in [
        item["sentence"] for item in digest["todo"]
    ]
    listed = ok(bank.ask("auditor-1", "GET", "/v1/watch/digests"))["digests"]
    assert [row["digest_id"] for row in listed] == [digest["digest_id"]]
    page = bank.ask("auditor-1", "GET", f"/v1/watch/digests/{digest['digest_id']}?form=html")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert digest["headline"] in page.text
    text = bank.ask("auditor-1", "GET", f"/v1/watch/digests/{digest['digest_id']}?form=md").text
    assert text.startswith("# The week to ")
    assert "## What to do" in text
    assert [row["headline"] for row in told(bank, "digest.ready")] == [digest["headline"]]


def test_drift_says_that_there_are_too_few_decisions(bank: Institution) -> None:
    done = ok(bank.ask("risk-manager-1", "POST", "/v1/jobs/drift/run"))
    assert done["detail"] == "Fewer than 200 decisions to compare."
    assert ok(bank.ask("auditor-1", "GET", "/v1/watch/drift")) == {"latest": None, "reports": []}
    assert bank.ask("auditor-1", "GET", "/v1/watch/drift/none").status_code == 404
    assert ok(bank.ask("auditor-1", "GET", "/v1/watch/widenings")) == {"widenings": []}


def test_an_alarm_is_told_to_webhooks_once(bank: Institution) -> None:
    app = bank.app
    with app.ledger.writing() as w:
        alarm_id = alarms.raise_alarm(w, "drift", "default", "Since Monday amounts have moved.", app.clock())
    sweep(app)
    sweep(app)
    assert [row["alarm_id"] for row in told(bank, "alarm.raised") if row["kind"] == "drift"] == [alarm_id]


def test_ending_what_is_not_widened_is_refused_and_analysts_may_not_ask(bank: Institution) -> None:
    body = {"reason": "it was a sale"}
    assert bank.ask("risk-manager-1", "POST", "/v1/watch/widenings/default/end", json=body).status_code == 404
    assert bank.ask("analyst-1", "GET", "/v1/watch/digests").status_code == 403


def test_a_campaign_draws_unlabelled_payments_has_people_judge_them_blind_and_closes_into_labels(
    bank: Institution,
) -> None:
    form = {"name": "first labels", "design": "stratified", "wanted": 5}
    assert bank.ask("risk-manager-1", "POST", "/v1/campaigns", json=form).status_code == 403
    opened = ok(bank.ask("team-lead-1", "POST", "/v1/campaigns", json=form), 201)
    assert opened["result"]["drawn"] == 5
    assert sum(row["drawn"] / row["probability"] for row in opened["result"]["by_stratum"]) == pytest.approx(
        opened["population"]
    )
    again = bank.ask("team-lead-1", "POST", "/v1/campaigns", json=form)
    assert again.status_code == 409
    task = _next_of_campaign(bank)
    assert (task["why"]["reason"], task["lane_shown"], task["rules"]) == ("review", "review", [])
    said = {"value": "legitimate", "confidence": "high"}
    ok(bank.ask("analyst-1", "POST", f"/v1/tasks/{task['task_id']}/verdict", json=said), 201)
    path = f"/v1/campaigns/{opened['campaign_id']}/close"
    closed = ok(bank.ask("team-lead-1", "POST", path, json={"reason": "enough"}))
    assert closed["result"]["labels"] == {"single_verdict": 1}
    assert closed["result"]["open"] == 0
    assert closed["result"]["sentence"].startswith(
        "1 of 5 payments are judged; reviewers confirmed 0 % of them"
    )
    assert bank.ask("team-lead-1", "POST", path, json={"reason": "enough"}).status_code == 409
    name = task["transaction"]["transaction_id"]
    label = ok(bank.ask("auditor-1", "GET", f"/v1/labels/{name}"))["label"]
    assert (label["source"], label["value"], label["derivation"]) == (
        "single_verdict",
        False,
        "single_verdict weighs 0.40",
    )
    _void(bank)


def _next_of_campaign(bank: Institution) -> dict:
    """The analyst's next task that the campaign opened; others are given back."""
    for _ in range(20):
        task = ok(bank.ask("analyst-1", "POST", "/v1/tasks/next"))
        lane = bank.app.ledger.read("SELECT lane FROM tasks WHERE task_id = ?", [task["task_id"]])[0]["lane"]
        if lane == "campaign":
            return task
        bank.ask("analyst-1", "POST", f"/v1/tasks/{task['task_id']}/release", json={"reason": "not mine"})
    raise AssertionError("no task of the campaign was handed out")


def _void(bank: Institution) -> None:
    """Voiding all that the analyst said takes the label away again."""
    form = {
        "reviewer": "analyst-1",
        "since": "2020-01-01T00:00:00Z",
        "until": "2100-01-01T00:00:00Z",
        "reason": "on the wrong page",
    }
    assert ok(bank.ask("team-lead-1", "POST", "/v1/voided-verdicts", json=form), 201) == {"voided": 1}
    listed = ok(bank.ask("auditor-1", "GET", "/v1/voided-verdicts"))["voided"]
    assert [(row["reviewer"], row["value"], row["reason"]) for row in listed] == [
        ("analyst-1", "legitimate", "on the wrong page")
    ]
    found = ok(bank.ask("auditor-1", "GET", "/v1/labels"))
    assert {row["source"]: row["labels"] for row in found["sources"]}["single_verdict"] == 0


def test_voiding_needs_verdicts_or_a_reviewer_with_a_stretch(bank: Institution) -> None:
    bad = {"reviewer": "analyst-1", "reason": "no stretch"}
    assert bank.ask("team-lead-1", "POST", "/v1/voided-verdicts", json=bad).status_code == 422
    assert (
        bank.ask("team-lead-1", "POST", "/v1/voided-verdicts", json={"reason": "nobody"}).status_code == 422
    )


def test_changes_between_snapshots_need_a_snapshot(bank: Institution) -> None:
    answer = bank.ask("auditor-1", "GET", "/v1/labels/changes")
    assert answer.status_code == 422
    assert "there is no snapshot yet" in answer.json()["detail"]
