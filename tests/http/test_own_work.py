"""Does the API tell people of their own work, and others only what they may read, when they may?"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from casework.quality.consensus import of_ledger
from tests.http.institution import Institution, large_payment


@pytest.fixture(scope="module")
def scored(institution: Institution) -> str:
    """A scorecard of analyst-1, who has answered three tasks; its id."""
    for number in range(3):
        institution.decide(large_payment(number + 1))
    for _ in range(3):
        task = institution.ask("analyst-1", "POST", "/v1/tasks/next").json()["task_id"]
        body = {"value": "legitimate", "confidence": "high"}
        assert institution.ask("analyst-1", "POST", f"/v1/tasks/{task}/verdict", json=body).status_code == 201
    name, now = "scorecard_0", datetime.now(UTC)
    with institution.app.ledger.writing() as w:
        row = {"scorecard_id": name, "reviewer": "analyst-1", "since": now, "issued_at": now, "flagged": True}
        w.insert("scorecards", [{**row, "content": '{"signals": {"flags": []}}'}])
    return name


def test_my_work_counts_what_was_just_answered(institution: Institution, scored: str) -> None:
    found = institution.ask("analyst-1", "GET", "/v1/me/work").json()
    assert found["session"]["n"] == 3
    assert found["session"]["by_value"]["legitimate"] == 3
    assert found["disagreements"] == found["golden"] == []
    assert [card["scorecard_id"] for card in found["scorecards"]] == [scored]
    assert "content" not in found["scorecards"][0]


def test_a_colleague_reads_neither_ones_work_nor_ones_scorecard(
    institution: Institution, scored: str
) -> None:
    assert institution.ask("analyst-2", "GET", "/v1/me/work").json()["session"]["n"] == 0
    assert institution.ask("analyst-2", "GET", f"/v1/me/scorecards/{scored}").status_code == 404
    assert institution.ask("analyst-2", "GET", f"/v1/scorecards/{scored}").status_code == 403
    for user in ("risk-manager-1", "auditor-1", "admin-1"):
        assert institution.ask(user, "GET", "/v1/scorecards").status_code == 403


def test_a_team_lead_reads_it_after_its_reviewer(institution: Institution, scored: str) -> None:
    [listed] = institution.ask("team-lead-1", "GET", "/v1/scorecards").json()["scorecards"]
    assert (listed["readable"], listed["flagged"]) == (False, None)
    refused = institution.ask("team-lead-1", "GET", f"/v1/scorecards/{scored}")
    assert refused.status_code == 409
    assert refused.json()["hint"] == "Ask him or her to open it."
    assert institution.ask("analyst-1", "GET", f"/v1/me/scorecards/{scored}").status_code == 200
    said = {"comment": "I was on nights"}
    path = f"/v1/me/scorecards/{scored}/comments"
    assert institution.ask("analyst-1", "POST", path, json=said).status_code == 204
    assert institution.ask("analyst-1", "POST", path, json={"comment": ""}).status_code == 422
    read = institution.ask("team-lead-1", "GET", f"/v1/scorecards/{scored}").json()
    assert read["comments"][0]["content"] == "I was on nights"
    looks = institution.ask("analyst-1", "GET", f"/v1/me/scorecards/{scored}").json()["looks"]
    assert [look["seen_by"] for look in looks] == ["team-lead-1"]


def test_nobody_finds_a_scorecard_that_is_not_there(institution: Institution) -> None:
    assert institution.ask("team-lead-1", "GET", "/v1/scorecards/nothing").status_code == 404


def test_on_what_labels_take_verdicts_is_said_without_naming_people(
    institution: Institution, scored: str
) -> None:
    assert institution.ask("auditor-1", "GET", "/v1/consensus").json() == {"fit": None, "further": []}
    assert institution.ask("analyst-1", "GET", "/v1/consensus").status_code == 403
    assert of_ledger.latest(institution.app.ledger, datetime.now(UTC)) is None


def test_the_jobs_that_measure_people_run_and_say_what_they_did(
    institution: Institution, scored: str
) -> None:
    for name, told in (("consensus", "nothing was fitted"), ("scorecards", "scorecards issued")):
        done = institution.ask("admin-1", "POST", f"/v1/jobs/{name}/run")
        assert done.status_code == 200, done.text
        assert told in done.text
