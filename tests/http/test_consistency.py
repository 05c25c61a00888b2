"""Are the parts of the consistency report there for the right people, and is each look at a person recorded?"""

import pytest

from tests.http.institution import Institution


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
