"""Can work wait, move, go up and be shared out, without anything being lost or given away?"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest

from tests.http.institution import RULES, Institution, large_payment, make_workspace, proposals, served

ALONE = ("second_review: 0.25", "second_review: 0.0")
SEEN = ("blind_first: 0.30", "blind_first: 0.0")


@pytest.fixture
def institution(tmp_path: Path) -> Iterator[Institution]:
    """A fresh one for each test: what is in the queues is what the test put there."""
    policy = (RULES / "policy.yaml").read_text().replace(*ALONE).replace(*SEEN)
    policy = policy.replace("joining: {", "joining: {most: 2, ").replace(", most: 20}", "}")
    policy = policy.replace("within: 24h", "within: 1s")
    files = {**proposals(), "policy.yaml": policy.encode()}
    with served(make_workspace(tmp_path / "bank", files)) as running:
        yield running


def ask(institution: Institution, user: str, method: str, path: str, **body: Any) -> httpx.Response:
    return institution.ask(user, method, f"/v1{path}", **({"json": body} if body else {}))


def alert(institution: Institution, name: str, **attributes: str) -> dict[str, Any]:
    body = large_payment(1, transaction_id=name, amount="2000.00", attributes=attributes)
    return institution.decide(body | {"entities": {**body["entities"], "customer": name}})


def take(institution: Institution, user: str) -> dict[str, Any] | None:
    answer = ask(institution, user, "POST", "/tasks/next")
    assert answer.status_code in (200, 204), answer.text
    return answer.json() if answer.status_code == 200 else None


def taken(institution: Institution, user: str) -> str:
    page = take(institution, user)
    assert page is not None
    return str(page["task_id"])


def soon(**span: float) -> str:
    return (datetime.now(UTC) + timedelta(**span)).isoformat()


def test_a_queue_of_a_team_is_for_its_members_only(institution: Institution) -> None:
    alert(institution, "abroad", merchant_country="NL")
    assert take(institution, "analyst-1") is None
    place = {"teams": ["cross_border"], "languages": [], "held_limit": 0}
    assert ask(institution, "analyst-1", "PUT", "/reviewers/analyst-1", **place).status_code == 403
    assert ask(institution, "team-lead-1", "PUT", "/reviewers/nobody", **place).status_code == 404
    assert ask(institution, "team-lead-1", "PUT", "/reviewers/analyst-1", **place).status_code == 200
    page = take(institution, "analyst-1")
    assert page is not None
    assert page["transaction"]["transaction_id"] == "abroad"
    queues = ask(institution, "team-lead-1", "GET", "/team").json()["queues"]
    assert [(q["queue"], q["claimed"], q["served_by"]) for q in queues] == [("cross_border", 1, 1)]


def test_a_task_set_aside_comes_back_first_to_the_same_person_and_to_nobody_else(
    institution: Institution,
) -> None:
    alert(institution, "waits")
    task_id = taken(institution, "analyst-1")
    path = f"/tasks/{task_id}/snooze"
    late = ask(institution, "analyst-1", "POST", path, until=soon(days=30), reason="waiting for the bank")
    assert (late.status_code, "before its deadline" in late.json()["detail"]) == (422, True)
    put = ask(institution, "analyst-1", "POST", path, until=soon(seconds=1.2), reason="waiting for the bank")
    assert put.status_code == 204, put.text
    alert(institution, "other")
    assert taken(institution, "analyst-2") != task_id
    queue = ask(institution, "analyst-1", "GET", "/queue").json()
    assert [brief["task_id"] for brief in queue["set_aside"]] == [task_id]
    with institution.app.ledger.writing() as w:  # time passes
        w.execute("UPDATE tasks SET snoozed_until = created_at WHERE task_id = ?", [task_id])
    institution.app.__dict__.pop("desk", None)  # a restart forgets the memory, not the record
    assert take(institution, "analyst-2") is not None  # still the other one
    assert taken(institution, "analyst-1") == task_id


def test_an_escalated_task_ends_and_opens_an_adjudication_with_the_note(institution: Institution) -> None:
    made = alert(institution, "hard")
    task_id = taken(institution, "analyst-1")
    path = f"/tasks/{task_id}/escalate"
    assert ask(institution, "analyst-1", "POST", path, note="").status_code == 422
    note = "The customer is a colleague's sister"
    assert ask(institution, "analyst-1", "POST", path, note=note).status_code == 204
    assert take(institution, "analyst-1") is None
    assert take(institution, "analyst-2") is None
    page = take(institution, "team-lead-1")
    assert page is not None
    assert (page["kind_shown"], page["escalation_notes"]) == ("adjudication", [note])
    assert page["why"]["sentence"].startswith("A reviewer escalated it. Your verdict settles it.")
    again = ask(institution, "team-lead-1", "POST", f"/tasks/{page['task_id']}/escalate", note="me neither")
    assert again.status_code == 409
    verdict = ask(
        institution, "team-lead-1", "POST", f"/tasks/{page['task_id']}/verdict",
        value="confirmed_fraud", version=page["version"],
    )  # fmt: skip
    assert verdict.status_code == 201, verdict.text
    case = ask(institution, "team-lead-1", "GET", f"/cases/{made['case_id']}").json()
    assert (case["status"], case["verdict"]) == ("closed", "confirmed_fraud")
    assert "Escalated the task to a team lead." in str(case["timeline"])
    raw = institution.app.ledger.read("SELECT payload FROM events WHERE kind = 'task.escalated'")
    assert note.encode() not in raw[0]["payload"]  # the words are a commitment, so that they can be erased


def test_a_team_lead_moves_tasks_and_each_that_cannot_move_says_why(institution: Institution) -> None:
    alert(institution, "one")
    held = taken(institution, "analyst-2")
    alert(institution, "two")
    open_tasks = ask(institution, "team-lead-1", "GET", "/tasks").json()["tasks"]
    ids = [open_tasks[0]["task_id"], held, "task_unknown"]
    body = {"task_ids": ids, "assignee": "analyst-1", "reason": "she knows this merchant"}
    assert ask(institution, "analyst-1", "POST", "/task-moves", **body).status_code == 403
    results = ask(institution, "team-lead-1", "POST", "/task-moves", **body).json()["results"]
    assert [r["moved"] for r in results] == [True, False, False]
    assert [r["why"] for r in results[1:]] == ["it is claimed", "there is no such task"]
    ask(institution, "analyst-2", "POST", f"/tasks/{held}/release", reason="lunch")
    assert take(institution, "analyst-2") is None
    assert taken(institution, "analyst-1") == ids[0]
    unknown = ask(institution, "team-lead-1", "POST", "/task-moves", task_ids=ids, queue="vip", reason="no")
    assert unknown.status_code == 422
    lead = ask(
        institution,
        "team-lead-1",
        "POST",
        "/task-moves",
        task_ids=[held],
        assignee="team-lead-1",
        reason="mine",
    )
    assert lead.json()["results"][0]["why"] == "it is not for this person's role"


def test_whoever_goes_away_gives_everything_back_and_gets_nothing(institution: Institution) -> None:
    alert(institution, "left")
    task_id = taken(institution, "analyst-1")
    gone = ask(institution, "analyst-1", "PUT", "/me/away", until=soon(days=3))
    assert gone.json()["tasks_given_back"] == 1
    refused = ask(institution, "analyst-1", "POST", "/tasks/next")
    assert (refused.status_code, "you are away until" in refused.json()["detail"]) == (409, True)
    assert taken(institution, "analyst-2") == task_id
    ask(institution, "analyst-2", "POST", f"/tasks/{task_id}/release", reason="not mine")
    back = institution.ask("team-lead-1", "PUT", "/v1/reviewers/analyst-1/away", json={"until": None})
    assert back.json()["away_until"] is None
    assert taken(institution, "analyst-1") == task_id  # being away was no skip


def test_nobody_holds_more_than_the_personal_limit(institution: Institution) -> None:
    for name in ("a", "b", "c"):
        alert(institution, name)
    ask(institution, "team-lead-1", "PUT", "/reviewers/analyst-1", teams=[], languages=[], held_limit=2)
    known = ask(institution, "team-lead-1", "GET", "/tasks?status=open").json()["tasks"]
    ids = [task["task_id"] for task in known if task["kind"] == "primary"]
    statuses = [ask(institution, "analyst-1", "POST", f"/tasks/{each}/claim").status_code for each in ids]
    assert statuses == [200, 200, 409]


def test_flags_and_corrections_land_with_whoever_can_put_them_right(institution: Institution) -> None:
    alert(institution, "flagged")
    task_id = taken(institution, "analyst-1")
    given = ask(
        institution, "analyst-1", "POST", f"/tasks/{task_id}/verdict", value="legitimate", deserved="no",
        loss_minor=12_345, note="the country is wrong", flags=["data_wrong", "guideline_gap"],
        corrections={"merchant_country": "AT"},
    )  # fmt: skip
    assert given.status_code == 201, given.text
    said = given.json()["verdict"]
    assert (said["deserved"], said["loss_minor"]) == ("no", 12_345)
    assert [f["kind"] for f in ask(institution, "team-lead-1", "GET", "/inbox").json()["flags"]] == [
        "guideline_gap"
    ]
    admins = ask(institution, "admin-1", "GET", "/inbox").json()["flags"]
    assert {(f["kind"], f["detail"]) for f in admins} == {
        ("correction", "merchant_country should be AT"),
        ("data_wrong", "the country is wrong"),
    }
    path = f"/inbox/{admins[0]['flag_id']}/answer"
    assert ask(institution, "team-lead-1", "POST", path, answer="fixed").status_code == 404
    assert ask(institution, "admin-1", "POST", path, answer="mapping corrected").status_code == 204
    assert ask(institution, "admin-1", "POST", path, answer="twice").status_code == 409
    assert len(ask(institution, "admin-1", "GET", "/inbox").json()["flags"]) == 1
    team = ask(institution, "team-lead-1", "GET", "/team").json()
    assert [(row["asked"], row["no"]) for row in team["deserved"]] == [(1, 1)]
    undone = ask(institution, "analyst-1", "POST", f"/verdicts/{said['verdict_id']}/undo")
    assert undone.status_code == 200
    assert ask(institution, "admin-1", "GET", "/inbox").json()["flags"] == []


def test_pauses_count_apart_from_handling_time(institution: Institution) -> None:
    alert(institution, "paused")
    began = monotonic()
    task_id = taken(institution, "analyst-1")
    with institution.app.ledger.writing() as w:  # ten minutes pass without a sign of life
        w.execute(
            "UPDATE tasks SET claimed_at = claimed_at - INTERVAL 10 MINUTE, active_at = active_at - INTERVAL 10 MINUTE "
            "WHERE task_id = ?",
            [task_id],
        )
    kept = ask(institution, "analyst-1", "PUT", f"/tasks/{task_id}/draft", note="back")
    page = ask(institution, "analyst-1", "GET", f"/tasks/{task_id}").json()
    assert kept.json() == {"lock_expires_at": page["lock_expires_at"]}
    said = ask(institution, "analyst-1", "POST", f"/tasks/{task_id}/verdict", value="legitimate").json()[
        "verdict"
    ]
    took = monotonic() - began + 1
    assert 600 <= said["seconds"] <= 600 + took
    assert 420 <= said["idle_seconds"] <= 420 + took  # the first three minutes of a pause are thinking


def test_reading_who_needs_training_is_recorded(institution: Institution) -> None:
    assert ask(institution, "analyst-1", "GET", "/training-needs").status_code == 403
    assert ask(institution, "team-lead-1", "GET", "/training-needs").json() == {"needs": [], "least": 10}
    kinds = institution.app.ledger.read("SELECT actor FROM events WHERE kind = 'figures.read'")
    assert kinds == [{"actor": "team-lead-1"}]
