"""Does the API keep reviewers blind, hold their work, and let them take it back?"""

from typing import Any

import pytest

from tests.http.institution import Institution, large_payment


@pytest.fixture
def case(institution: Institution, request: pytest.FixtureRequest) -> dict[str, Any]:
    """A fresh case that two people must look at (its amount needs four eyes)."""
    return institution.decide(large_payment(1, transaction_id=f"case-{request.node.name}"[:100]))


def take(institution: Institution, user: str) -> dict[str, Any]:
    answer = institution.ask(user, "POST", "/v1/tasks/next")
    assert answer.status_code == 200, answer.text
    return answer.json()


def give(institution: Institution, user: str, task: dict[str, Any], value: str) -> dict[str, Any]:
    answer = institution.ask(user, "POST", f"/v1/tasks/{task['task_id']}/verdict", json={"value": value})
    assert answer.status_code == 201, answer.text
    return answer.json()["verdict"]


def make_blind(institution: Institution) -> None:
    """Have every open task decided before the engine's opinion is seen."""
    with institution.app.ledger.writing() as w:
        w.execute("UPDATE tasks SET arm = 'blind_first' WHERE status = 'open'")


def clear(institution: Institution) -> None:
    """Work everything off, so that tests do not meet each other's tasks."""
    for user in ("analyst-1", "analyst-2", "team-lead-1"):
        while (answer := institution.ask(user, "POST", "/v1/tasks/next")).status_code == 200:
            give(institution, user, answer.json(), "legitimate")


@pytest.fixture(autouse=True)
def nothing_left_over(institution: Institution) -> Any:
    yield
    clear(institution)


@pytest.mark.usefixtures("case")
def test_taking_next_twice_gives_the_same_task_back(institution: Institution) -> None:
    assert take(institution, "analyst-1")["task_id"] == take(institution, "analyst-1")["task_id"]


@pytest.mark.usefixtures("case")
def test_two_people_never_hold_the_same_task(institution: Institution) -> None:
    assert take(institution, "analyst-1")["task_id"] != take(institution, "analyst-2")["task_id"]


def test_a_task_of_somebody_else_cannot_be_read_written_or_judged(
    institution: Institution, case: dict[str, Any]
) -> None:
    task = take(institution, "analyst-1")
    path = f"/v1/tasks/{task['task_id']}"
    assert institution.ask("analyst-2", "GET", path).status_code == 404
    draft = institution.ask("analyst-2", "PUT", f"{path}/draft", json={"note": "mine"})
    verdict = institution.ask("analyst-2", "POST", f"{path}/verdict", json={"value": "legitimate"})
    release = institution.ask("analyst-2", "POST", f"{path}/release", json={"reason": "mine"})
    assert {draft.status_code, verdict.status_code, release.status_code} == {409}


def test_whoever_is_to_judge_sees_neither_decision_nor_case_in_any_list(
    institution: Institution, case: dict[str, Any]
) -> None:
    name = case["transaction_id"]
    for user in ("analyst-1", "analyst-2"):
        assert institution.ask(user, "GET", f"/v1/decisions/{name}").status_code == 404
        assert institution.ask(user, "GET", f"/v1/cases/{case['case_id']}").status_code == 404
        found = institution.ask(user, "GET", "/v1/decisions", params={"entity": "customer", "value": "c1"})
        assert name not in found.text
        assert case["case_id"] not in institution.ask(user, "GET", "/v1/cases").text
    assert institution.ask("team-lead-1", "GET", f"/v1/decisions/{name}").status_code == 200


def test_the_second_reviewer_learns_nothing_of_the_first(
    institution: Institution, case: dict[str, Any]
) -> None:
    first = take(institution, "analyst-1")
    give(institution, "analyst-1", first, "confirmed_fraud")
    second = take(institution, "analyst-2")
    assert second["previous_verdicts"] == []
    told = ("kind_shown", "lane_shown", "why", "question", "arm", "transaction", "features", "rules")
    assert {name: second[name] for name in told} == {name: first[name] for name in told}
    assert "confirmed_fraud" not in str(second)
    # The first has judged, but sees nothing of the other before the case is settled.
    seen = institution.ask("analyst-1", "GET", f"/v1/cases/{case['case_id']}").json()
    assert [v["reviewer"] for v in seen["verdicts"]] == ["analyst-1"]


def test_a_verdict_can_be_taken_back_and_given_anew(institution: Institution, case: dict[str, Any]) -> None:
    task = take(institution, "analyst-1")
    verdict = give(institution, "analyst-1", task, "confirmed_fraud")
    undone = institution.ask("analyst-1", "POST", f"/v1/verdicts/{verdict['verdict_id']}/undo")
    assert undone.json()["task_id"] == task["task_id"]
    assert give(institution, "analyst-1", task, "legitimate")["value"] == "legitimate"
    stranger = institution.ask("analyst-2", "POST", f"/v1/verdicts/{verdict['verdict_id']}/undo")
    assert stranger.status_code == 404


READINGS = ("/v1/decisions/{transaction_id}", "/v1/cases/{case_id}", "/v1/tasks/{task_id}")


@pytest.mark.parametrize("reading", READINGS, ids=["decision", "case", "answered task"])
def test_a_blind_verdict_cannot_be_taken_back_once_the_engines_opinion_was_read(
    institution: Institution, case: dict[str, Any], reading: str
) -> None:
    make_blind(institution)
    task = take(institution, "analyst-1")
    verdict = give(institution, "analyst-1", task, "legitimate")
    undo = f"/v1/verdicts/{verdict['verdict_id']}/undo"
    for path in (
        "/v1/decisions",
        "/v1/cases",
    ):  # lists let nothing be learned in passing, so undo still works
        assert case["transaction_id"] not in institution.ask("analyst-1", "GET", path).text
        assert case["case_id"] not in institution.ask("analyst-1", "GET", path).text
    again = institution.ask("analyst-1", "POST", undo).json()
    assert (again["arm"], again["probability"], again["rules"]) == ("blind_first", None, [])

    verdict = give(institution, "analyst-1", task, "confirmed_fraud")
    path = reading.format(**case | {"task_id": task["task_id"]})
    assert institution.ask("analyst-1", "GET", path).status_code == 200
    refused = institution.ask("analyst-1", "POST", f"/v1/verdicts/{verdict['verdict_id']}/undo")
    assert refused.status_code == 409
    assert "you have read what the engine thinks" in refused.json()["detail"]
    assert case["transaction_id"] in institution.ask("analyst-1", "GET", "/v1/decisions").text


@pytest.mark.usefixtures("case")
def test_a_verdict_is_given_once(institution: Institution) -> None:
    task = take(institution, "analyst-1")
    give(institution, "analyst-1", task, "legitimate")
    path = f"/v1/tasks/{task['task_id']}/verdict"
    again = institution.ask("analyst-1", "POST", path, json={"value": "confirmed_fraud"})
    assert again.status_code == 409


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"value": "fraud"},
        {"value": "legitimate", "confidence": "very"},
        {"value": "legitimate", "flags": ["rude"]},
        {"value": "legitimate", "note": "x" * 4001},
        {"value": "legitimate", "seconds": 3},
        {"value": "legitimate", "corrections": {"amount": float("nan")}},
    ],
    ids=["nothing", "no such value", "no such confidence", "no such flag", "long", "own clock", "NaN"],
)
@pytest.mark.usefixtures("case")
def test_a_verdict_that_cannot_be_meant_is_refused(institution: Institution, body: dict[str, Any]) -> None:
    task = take(institution, "analyst-1")
    content = str(body).replace("'", '"').replace("nan", "NaN").encode()
    answer = institution.ask(
        "analyst-1",
        "POST",
        f"/v1/tasks/{task['task_id']}/verdict",
        content=content,
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 422, answer.text
    assert institution.ask("analyst-1", "GET", f"/v1/tasks/{task['task_id']}").json()["status"] == "claimed"


def test_a_released_task_goes_to_somebody_else(institution: Institution, case: dict[str, Any]) -> None:
    task = take(institution, "analyst-1")
    path = f"/v1/tasks/{task['task_id']}/release"
    assert (
        institution.ask("analyst-1", "POST", path, json={"reason": "I know this customer"}).status_code == 204
    )
    assert institution.ask("analyst-1", "POST", "/v1/tasks/next").status_code == 204
    assert take(institution, "analyst-2")["transaction"]["transaction_id"] == case["transaction_id"]


@pytest.mark.usefixtures("case")
def test_the_queue_tells_an_analyst_how_much_waits_but_not_of_which_kind(institution: Institution) -> None:
    queue = institution.ask("analyst-1", "GET", "/v1/queue").json()
    assert [lane["lane"] for lane in queue["lanes"]] == ["review"]
    whole = institution.ask("team-lead-1", "GET", "/v1/queue").json()
    assert queue["open_total"] == whole["open_total"] >= 2
    lines = institution.ask("analyst-1", "GET", "/v1/tasks").json()["tasks"]
    assert all("kind" not in line and "arm" not in line for line in lines)


def test_any_decision_can_be_given_a_case_by_hand_once(institution: Institution) -> None:
    made = institution.decide(large_payment(2, transaction_id="by-hand", amount="20.00"))
    assert made["case_id"] is None
    body = {"transaction_id": "by-hand", "reason": "a customer called about it"}
    opened = institution.ask("team-lead-1", "POST", "/v1/cases", json=body)
    assert opened.status_code == 201
    seen = institution.ask("team-lead-1", "GET", f"/v1/cases/{opened.json()['case_id']}").json()
    assert (seen["opened_by"], seen["reason_detail"]) == ("team-lead-1", "a customer called about it")
    assert institution.ask("team-lead-1", "POST", "/v1/cases", json=body).status_code == 409
    page = take(institution, "analyst-1")
    assert page["why"] == {"reason": "by_hand", "sentence": "Opened by hand: a customer called about it"}
    body["transaction_id"] = "never-seen"
    assert institution.ask("team-lead-1", "POST", "/v1/cases", json=body).status_code == 404


def test_what_was_shown_is_kept_with_the_verdict(institution: Institution, case: dict[str, Any]) -> None:
    task = take(institution, "analyst-1")
    give(institution, "analyst-1", task, "legitimate")
    rows = institution.app.ledger.read(
        "SELECT v.arm, v.guideline_version, v.seconds >= 0 AS counted FROM verdicts v WHERE task_id = ?",
        [task["task_id"]],
    )
    assert rows == [{"arm": task["arm"], "guideline_version": task["guideline"]["version"], "counted": True}]


@pytest.mark.usefixtures("case")
def test_two_people_see_each_others_locks(institution: Institution) -> None:
    mine = take(institution, "analyst-1")
    refused = institution.ask("analyst-2", "POST", f"/v1/tasks/{mine['task_id']}/claim")
    assert refused.status_code in (404, 409)  # a task that only chance hands out does not exist for others
    listed = institution.ask("analyst-2", "GET", "/v1/tasks").json()["tasks"]
    assert mine["task_id"] not in {task["task_id"] for task in listed}
    queue = institution.ask("analyst-2", "GET", "/v1/queue").json()
    assert sum(lane["claimed"] for lane in queue["lanes"]) == 1
    lead = institution.ask("team-lead-1", "GET", "/v1/tasks", params={"status": "claimed"}).json()["tasks"]
    assert [(task["task_id"], task["claimed_by"]) for task in lead] == [(mine["task_id"], "analyst-1")]


def test_the_list_can_be_narrowed_to_what_is_due_soon(institution: Institution, case: dict[str, Any]) -> None:
    def listed(**query: Any) -> list[str]:
        answer = institution.ask("team-lead-1", "GET", "/v1/tasks", params={"order": "deadline", **query})
        return [task["deadline"] for task in answer.json()["tasks"]]

    assert case["case_id"]
    assert listed() == sorted(listed()) != []
    assert listed(due_within_hours=1) == []
