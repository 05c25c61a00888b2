"""Can an auditor read a decision's whole story, any past moment and the state of the chain, and change nothing?"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from casework.app import App
from casework.auditing import replay_runs
from casework.auditing.walking import Walk, Walks
from casework.cli import audit
from casework.cli.reach import Reach
from casework.deciding import replay_samples
from data.errors import MemoryShortError, NotFoundError, SecondLookError
from data.integrity import chain
from data.ledger import Ledger
from tests.http.institution import START, Institution, large_payment, make_workspace, served

AUDITOR = "auditor-1"
FIRST_RULE = "card_testing_burst"


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Institution]:
    """One payment that two people looked at, one of them first without the score."""
    with served(make_workspace(tmp_path_factory.mktemp("auditing") / "bank")) as running:
        running.decide(large_payment(1, personal={"email": "astrid.lindqvist@example.org"}))
        yield running


def asked(bank: Institution, path: str, user: str = AUDITOR, **query: Any) -> dict[str, Any]:
    answer = bank.ask(user, "GET", path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_decisions_story_names_set_rules_and_those_who_approved_them(bank: Institution) -> None:
    told = asked(bank, "/v1/audit/decisions/t1")
    assert told["set"]["set_id"] == told["decision"]["set_id"]
    assert told["set"]["approval"]["approved_by"] == "admin-1"
    rules = {rule["id"]: rule for rule in told["rules"]}
    first = rules[FIRST_RULE]
    assert (first["approved_by"], len(first["sha256"])) == ("admin-1", 64)
    assert first["version"] >= 1
    assert first["state"] == "no_hit"
    assert told["model"] is None  # rules decided alone
    assert told["learned_by"] == []


def test_a_decisions_story_says_what_each_reviewer_was_shown_and_opened(bank: Institution) -> None:
    task = bank.ask("analyst-1", "POST", "/v1/tasks/next").json()
    bank.ask("analyst-1", "GET", f"/v1/tasks/{task['task_id']}/parts/links")
    bank.ask(
        "analyst-1",
        "POST",
        f"/v1/tasks/{task['task_id']}/unmasked",
        json={"field": "email", "reason": "to call"},
    )
    review = asked(bank, "/v1/audit/decisions/t1")["reviews"][0]
    assert review["task_id"] == task["task_id"]
    assert len(review["dossier_sha256"]) == 64
    assert review["shown"]["guideline_version"] == task["guideline"]["version"]
    assert review["shown"]["masked"] == ["email"]
    assert [part["part"] for part in review["parts"]] == ["links"]
    assert [(step["kind"], step.get("field", "")) for step in review["steps"]] == [
        ("task.claimed", ""),
        ("dossier.extended", ""),
        ("personal.unmasked", "email"),
    ]
    shown = asked(bank, f"/v1/audit/displays/{task['task_id']}")
    assert shown["shown"]["transaction"]["personal_masked"] == {"email": "a***@example.org"}
    assert shown["sha256"] == review["dossier_sha256"]
    assert "astrid" not in str(shown)


def test_a_day_of_the_past_shows_the_set_that_held_then_and_who_was_there(bank: Institution) -> None:
    before = datetime.now(UTC)
    policy = bank.app.live.settings.files["policy.yaml"].decode()
    changed = (
        policy.replace("review_at: 0.05", "review_at: 0.06") if "review_at: 0.05" in policy else policy + "\n"
    )
    made = bank.propose("risk-manager-1", files={"policy.yaml": changed})
    form = {
        "proposal_id": made["proposal_id"],
        "content_sha256": made["content_sha256"],
        "set_id": made["resulting_set_id"],
        "reason": "looked at it",
    }
    assert bank.ask("risk-manager-2", "POST", "/v1/approvals", json=form).status_code in (200, 201)

    then = asked(bank, "/v1/audit/as-of", at=before.isoformat())
    today = asked(bank, "/v1/audit/as-of")
    assert then["set"]["approved_by"] == "admin-1"
    assert today["set"]["approved_by"] == "risk-manager-2"
    assert then["set"]["set_id"] != today["set"]["set_id"]
    assert {"analyst-1", "auditor-1"} <= {who["user_id"] for who in then["people"]}
    assert then["kill_switch"]["is_on"] is False
    assert then["last_event"]["seq"] < today["last_event"]["seq"]
    assert {rule["id"] for rule in then["rules"]} == {rule["id"] for rule in today["rules"]}


def test_before_the_first_approval_the_answer_says_when_that_was(bank: Institution) -> None:
    answer = bank.ask(
        AUDITOR, "GET", "/v1/audit/as-of", params={"at": (START - timedelta(days=9)).isoformat()}
    )
    assert answer.status_code == 404
    assert f"{START:%Y-%m-%d}" in answer.json()["hint"]


@pytest.mark.parametrize(("wanted", "kind"), [("t1", "decision"), ("analyst-1", "person")])
def test_an_id_is_found_whatever_it_names(bank: Institution, wanted: str, kind: str) -> None:
    (row,) = asked(bank, f"/v1/audit/ids/{wanted}")["found"]
    assert row["kind"] == kind
    assert asked(bank, "/v1/events", subject=row["subject"])["events"]


def test_a_case_found_by_its_id_leads_to_its_payments(bank: Institution) -> None:
    case_id = asked(bank, "/v1/cases")["cases"][0]["case_id"]
    (row,) = asked(bank, f"/v1/audit/ids/{case_id}")["found"]
    assert (row["kind"], row["transactions"]) == ("case", ["t1"])
    assert asked(bank, "/v1/audit/ids/nothing-of-that-name")["found"] == []


def test_events_are_searched_by_person_and_time(bank: Institution) -> None:
    mine = asked(bank, "/v1/events", actor="analyst-1")["events"]
    assert mine
    assert {event["actor"] for event in mine} == {"analyst-1"}
    middle = mine[-1]["recorded_at"]
    later = asked(bank, "/v1/events", since=middle)["events"]
    earlier = asked(bank, "/v1/events", until=middle)["events"]
    assert later[0]["recorded_at"] >= middle > earlier[-1]["recorded_at"]


def test_the_walk_over_the_chain_says_how_far_it_is_and_then_what_it_found(bank: Institution) -> None:
    events = bank.app.ledger.last_event.seq
    begun = bank.ask(AUDITOR, "POST", "/v1/audit/verifications")
    assert begun.status_code == 202
    assert begun.json()["total"] == events
    for _ in range(200):
        told = asked(bank, "/v1/audit/verifications/last")
        if not told["running"]:
            break
        time.sleep(0.05)
    assert told["report"]["ok"] is True
    assert told["report"]["events"] == events
    assert bank.app.ledger.last_event.seq == events  # it changed nothing


def test_two_who_ask_at_once_share_one_walk(bank: Institution) -> None:
    walks = Walks()
    with bank.app.ledger.writing():
        first = walks.begin(bank.app, AUDITOR)
        second = walks.begin(bank.app, "risk-manager-1")
    assert first.wait(30)
    assert second is first or first.finished_at is not None


def test_reading_as_an_auditor_leaves_no_trace_in_the_record(bank: Institution) -> None:
    before = bank.app.ledger.last_event.seq
    for path in (
        "audit/decisions/t1",
        "audit/as-of",
        "audit/ids/t1",
        "events",
        "audit/verifications/last",
        "cases",
    ):
        asked(bank, f"/v1/{path}")
    assert bank.app.ledger.last_event.seq == before


def test_a_walk_that_nobody_waits_for_has_let_go_of_the_ledger_when_it_is_closed(bank: Institution) -> None:
    walks = Walks()
    walk = walks.begin(bank.app, AUDITOR)
    walks.stop()
    assert walk.wait(0)
    assert walk.report is not None or "stopped" in walk.problem


def test_who_asks_for_the_chain_while_it_is_walked_shares_the_walk(
    bank: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    walked: list[int] = []
    joined: list[Walk] = []
    go_on, begin, verify = threading.Event(), bank.app.walks.begin, chain.verify

    def slowly(ledger: Ledger, **how: Any) -> chain.ChainReport:
        walked.append(1)
        go_on.wait(30)
        return verify(ledger, **how)

    def joining(app: App, by: str) -> Walk:
        joined.append(begin(app, by))
        return joined[-1]

    monkeypatch.setattr(chain, "verify", slowly)
    monkeypatch.setattr(bank.app.walks, "begin", joining)
    bank.token(AUDITOR)
    with ThreadPoolExecutor(3) as pool:
        told = [pool.submit(asked, bank, "/v1/audit/verification") for _ in range(3)]
        while len(joined) < 3:
            time.sleep(0.01)
        go_on.set()
    assert [each.result()["ok"] for each in told] == [True] * 3
    assert len(walked) == 1


def test_what_stops_a_walk_is_told_to_whoever_waits_for_it(
    bank: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(*_: Any, **__: Any) -> None:
        raise MemoryShortError("no memory", hint="Ask for less.")

    monkeypatch.setattr(chain, "verify", short)
    assert bank.ask(AUDITOR, "GET", "/v1/audit/verification").status_code == 503


def test_a_replay_of_very_many_goes_on_beside_the_request(
    bank: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_runs, "AT_ONCE", 2)
    monkeypatch.setattr(replay_samples, "_PAGE", 2)
    for number in (2, 3, 4):
        bank.decide(large_payment(number))
    bank.token(AUDITOR)
    with (
        bank.app.ledger.writing()
    ):  # what came of a replay cannot be recorded meanwhile, so that it is not over
        first, again = [bank.ask(AUDITOR, "POST", "/v1/replays", json={"sample": 0}) for _ in range(2)]
        other = bank.ask(AUDITOR, "POST", "/v1/replays", json={"sample": 3, "seed": "other"})
    assert [each.status_code for each in (first, again, other)] == [202, 202, 409]
    assert first.json()["started_at"] == again.json()["started_at"]
    assert "another replay is under way" in other.json()["detail"]
    assert bank.app.replays.last is not None and bank.app.replays.last.wait(30)
    told = asked(bank, "/v1/replays")
    assert (told["last"]["running"], told["last"]["checked"], told["last"]["total"]) == (False, 4, 4)
    assert told["last"]["report"]["same"] == told["last"]["report"]["decisions"] == 4
    assert told["replays"][0]["replayed"] == 4
    few = bank.ask(AUDITOR, "POST", "/v1/replays", json={"sample": 2})
    assert (few.status_code, few.json()["replayed"]) == (200, 2)


def test_the_command_line_waits_for_a_replay_of_very_many(
    bank: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_runs, "AT_ONCE", 0)
    reach = Reach(bank.token(AUDITOR), url=bank.url)
    begun = reach.post("/v1/replays", {"sample": 1, "seed": "x"})
    assert begun["running"] in (True, False)
    assert audit._waited_for(reach, begun, quiet=True)["replayed"] == 1


def test_the_command_line_shows_the_replay_it_asked_for_and_no_later_one(
    bank: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_runs, "AT_ONCE", 0)
    reach = Reach(bank.token(AUDITOR), url=bank.url)
    begun = []
    for seed in ("mine", "later"):
        begun.append(reach.post("/v1/replays", {"sample": 1, "seed": seed}))
        assert bank.app.replays.last is not None and bank.app.replays.last.wait(30)
    asked_for = {
        **begun[0],
        "running": True,
        "report": None,
    }  # it had not ended when the command line last looked
    assert audit._waited_for(reach, asked_for, quiet=True)["seed"] == "mine"
    never = {**asked_for, "started_at": "2020-01-01T00:00:00Z"}
    with pytest.raises(SecondLookError, match="another replay was begun since"):
        audit._waited_for(reach, never, quiet=True)


def test_a_replay_keeps_few_of_those_that_cannot_be_read_and_counts_all() -> None:
    told: list[int] = []
    tally = replay_samples._Tally(told.append)
    for seq in range(replay_samples.SHOWN + 5):
        tally.leave(seq, NotFoundError("the model is gone"))
    found = tally.as_json()
    assert (len(found["unread"]), found["unread_count"]) == (replay_samples.SHOWN, replay_samples.SHOWN + 5)
    assert told[-1] == replay_samples.SHOWN + 5
