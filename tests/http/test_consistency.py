"""Are the parts of the consistency report there for the right people, and is each look at a person recorded?"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from casework.cases.revealing import UNDO_WITHIN
from data.events import EventDraft
from tests.http.institution import Institution, large_payment

READ_BY_REVIEWERS = ("", "/slices", "/trend", "/second-looks", "/display", "/pace", "/people/analyst-1")


@pytest.mark.parametrize(
    "path",
    [
        *(
            f"/v1/consistency/slices?by={by}"
            for by in ("week", "queue", "reason", "rule", "guideline", "arm")
        ),
        "/v1/consistency/trend",
        "/v1/consistency/second-looks",
        "/v1/consistency/display",
        *(f"/v1/consistency/disputes?against={whom}" for whom in ("each_other", "model", "outcome")),
        "/v1/consistency/pace",
        "/v1/consistency/people",
        "/v1/consistency/pilots",
    ],
)
def test_every_part_answers_before_anybody_has_judged_anything(institution: Institution, path: str) -> None:
    assert institution.ask("team-lead-1", "GET", path).status_code == 200


def test_an_unknown_slice_is_refused(institution: Institution) -> None:
    assert institution.ask("auditor-1", "GET", "/v1/consistency/slices?by=mood").status_code == 422


def test_a_person_sees_the_own_figures_and_who_looked_at_them(institution: Institution) -> None:
    path = "/v1/consistency/people/analyst-2"
    assert institution.ask("team-lead-1", "GET", path).status_code == 200
    seen = institution.ask("analyst-2", "GET", path).json()["looked"]
    assert {"team-lead-1"} == {look["seen_by"] for look in seen}
    assert "pace and steadiness" in {look["what"] for look in seen}


def test_nobody_else_sees_them(institution: Institution) -> None:
    answer = institution.ask("analyst-1", "GET", "/v1/consistency/people/analyst-2")
    assert answer.status_code == 404
    assert "there are no figures of such a person for you" in answer.json()["detail"]
    assert institution.ask("auditor-1", "GET", "/v1/consistency/people/analyst-2").status_code == 403


def test_examples_of_disputes_are_not_for_those_who_may_judge_them(institution: Institution) -> None:
    assert institution.ask("analyst-1", "GET", "/v1/consistency/disputes").status_code == 403


def test_a_pilot_without_past_cases_or_with_too_many_is_refused(institution: Institution) -> None:
    path = "/v1/consistency/pilots"
    assert institution.ask("team-lead-1", "POST", path, json={"name": "p"}).status_code == 409
    assert institution.ask("team-lead-1", "POST", path, json={"name": "p", "cases": 501}).status_code == 422
    assert institution.ask("analyst-1", "POST", path, json={"name": "p"}).status_code == 403
    assert institution.ask("team-lead-1", "GET", f"{path}/nothing").status_code == 404


def say(institution: Institution, kind: str, at: datetime) -> None:
    """analyst-1 says of the payment `twice` that it is legitimate, on a task of this kind."""
    of = {"task_kind": kind, "lane": kind, "transaction_seq": institution.app.ledger.seq_of("twice")}
    words = ("typology", "reason_code", "note", "confidence", "guideline_version", "case_id")
    row = {
        **of, **dict.fromkeys(words, ""), "verdict_id": kind, "task_id": kind, "reviewer": "analyst-1",
        "value": "legitimate", "seconds": 30.0, "arm": "score_shown", "corrections": "{}", "flags": [],
        "given_at": at, "event_seq": 1,
    }  # fmt: skip
    with institution.app.ledger.writing() as w:
        w.insert("verdicts", [row])
        w.event(EventDraft("analyst-1", "test.verdict", f"verdict:{kind}"), at)


def figures(institution: Institution, user: str, year: int) -> dict[str, Any]:
    """What somebody reads of agreement, display and pace since a year; another year is worked out anew."""
    since = {"since": f"{year}-01-01T00:00:00Z"}
    found = {
        path: institution.ask(user, "GET", f"/v1/consistency{path}", params=since).json()
        for path in READ_BY_REVIEWERS
    }
    found[""].pop("since")
    return found


def test_what_a_reviewer_can_still_take_back_moves_no_figure_that_reviewers_read(
    institution: Institution,
) -> None:
    institution.decide(large_payment(1, transaction_id="twice"))
    at = datetime.now(UTC)
    say(institution, "primary", at - timedelta(days=40))
    before = figures(institution, "analyst-1", 2020)
    say(institution, "re_serve", at)
    assert figures(institution, "analyst-1", 2021) == before
    assert figures(institution, "team-lead-1", 2021)["/second-looks"]["n_looks"] == 1
    earlier = UNDO_WITHIN // timedelta(microseconds=1)
    with institution.app.ledger.writing() as w:
        w.execute(f"UPDATE verdicts SET given_at = given_at - to_microseconds({earlier})", [])
        w.event(EventDraft("test", "test.later", "verdicts"), at)
    after = figures(institution, "analyst-1", 2022)
    assert after["/second-looks"]["n_looks"] == after["/people/analyst-1"]["second_looks"]["n_looks"] == 1
