"""Do alerts of one customer join the open case, and does everybody who has to know of it?"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from data.events import EventDraft
from data.integrity import chain
from tests.http.institution import RULES, Institution, large_payment, make_workspace, proposals, served

BLIND = ("blind_first: 0.30", "blind_first: 0.0")
ALONE = ("second_review: 0.25", "second_review: 0.0")


@pytest.fixture(scope="module")
def institution(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Institution]:
    policy = (RULES / "policy.yaml").read_text().replace(*BLIND).replace(*ALONE)
    policy = policy.replace("cross_border: {match", "cross_border: {amount_from: 900000, match")
    files = {**proposals(), "policy.yaml": policy.encode()}
    root: Path = tmp_path_factory.mktemp("joining") / "bank"
    with served(make_workspace(root, files)) as running:
        yield running


@pytest.fixture
def pair(institution: Institution, request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """Two alerts of one customer, one after the other; amounts below four eyes."""
    customer = request.node.name[:60]
    return [alert(institution, customer, n) for n in (1, 2)]


def alert(institution: Institution, customer: str, n: int, **changes: Any) -> dict[str, Any]:
    body = large_payment(n, transaction_id=f"{customer}-{n}", amount="2000.00", **changes)
    return institution.decide(body | {"entities": {**body["entities"], "customer": customer}})


def ask(institution: Institution, user: str, method: str, path: str, **body: Any) -> httpx.Response:
    return institution.ask(user, method, f"/v1{path}", **({"json": body} if body else {}))


def task_of(institution: Institution, transaction_id: str) -> str:
    seq = institution.app.ledger.seq_of(transaction_id)
    rows = institution.app.ledger.read("SELECT task_id FROM tasks WHERE transaction_seq = ?", [seq])
    return str(rows[0]["task_id"])


def claim(institution: Institution, user: str, transaction_id: str) -> dict[str, Any]:
    answer = ask(institution, user, "POST", f"/tasks/{task_of(institution, transaction_id)}/claim")
    assert answer.status_code == 200, answer.text
    return answer.json()


def lead_case(institution: Institution, case_id: str) -> dict[str, Any]:
    return ask(institution, "team-lead-1", "GET", f"/cases/{case_id}").json()


def test_an_alert_joins_the_open_case_raises_it_and_is_not_due_later(
    institution: Institution, pair: list[dict[str, Any]]
) -> None:
    first, second = pair
    assert first["case_id"] == second["case_id"]
    case = lead_case(institution, first["case_id"])
    assert [p["transaction_id"] for p in case["payments"]] == [p["transaction_id"] for p in pair]
    assert case["amount_minor"] == 400_000
    tasks = institution.app.ledger.read(
        "SELECT t.priority + c.raised AS priority, t.deadline FROM tasks t JOIN cases c USING (case_id) "
        "WHERE case_id = ?",
        [first["case_id"]],
    )
    assert {task["deadline"] for task in tasks} == {tasks[0]["deadline"]}
    alone = alert(institution, "nobody-else", 1)
    priority = institution.app.ledger.read(
        "SELECT priority FROM tasks WHERE case_id = ?", [alone["case_id"]]
    )[0]["priority"]
    assert all(task["priority"] == pytest.approx(2 * priority) for task in tasks)
    assert "A new alert joined" in str(case["timeline"])


def test_alerts_join_without_asking_duckdb_and_leave_what_asking_would(institution: Institution) -> None:
    app, told = institution.app, {}
    for name in ("known", "asked"):
        alert(institution, f"{name}-customer", 1)
        for n in (2, 3, 4):
            if name == "asked":  # somebody else's event: what is in memory counts no more
                with app.ledger.writing() as w:
                    w.event(EventDraft("test", "somebody.acted", "nothing"), datetime.now(UTC))
            settled = app.ledger.waiting
            case_id = alert(institution, f"{name}-customer", n)["case_id"]
            assert name == "asked" or app.ledger.waiting > settled  # recorded, and nothing was read
        told[name] = [
            app.ledger.read("SELECT amount_minor, raised FROM cases WHERE case_id = ?", [case_id]),
            app.ledger.read(
                "SELECT priority, kind, lane FROM tasks WHERE case_id = ? ORDER BY ALL", [case_id]
            ),
            app.ledger.read(
                "SELECT kind, list_sort(json_keys(decode(payload))) AS keys FROM events WHERE subject = ?",
                [f"case:{case_id}"],
            ),
        ]
    assert told["known"] == told["asked"]
    assert [row["amount_minor"] for row in told["known"][0]] == [800_000]
    assert chain.verify(app.ledger).ok


def test_an_old_case_and_a_closed_one_take_no_alert(institution: Institution) -> None:
    first = alert(institution, "old-customer", 1)
    with institution.app.ledger.writing() as w:
        w.execute(
            "UPDATE cases SET opened_at = opened_at - INTERVAL 25 HOUR WHERE case_id = ?", [first["case_id"]]
        )
        w.event(EventDraft("test", "case.made_older", f"case:{first['case_id']}"), datetime.now(UTC))
    assert alert(institution, "old-customer", 2)["case_id"] != first["case_id"]
    done = alert(institution, "settled-customer", 1)
    page = claim(institution, "analyst-1", done["transaction_id"])
    verdict = ask(institution, "analyst-1", "POST", f"/tasks/{page['task_id']}/verdict", value="legitimate")
    assert verdict.status_code == 201, verdict.text
    assert alert(institution, "settled-customer", 2)["case_id"] != done["case_id"]


def test_whoever_holds_a_task_must_read_what_joined_it_before_answering(institution: Institution) -> None:
    alert(institution, "stale-customer", 1)
    page = claim(institution, "analyst-1", "stale-customer-1")
    assert (page["joined"], page["version"]) == ([], "1.0")
    alert(institution, "stale-customer", 2)
    path = f"/tasks/{page['task_id']}"
    for body in ({"value": "legitimate"}, {"value": "legitimate", "version": page["version"]}):
        refused = ask(institution, "analyst-1", "POST", f"{path}/verdict", **body)
        assert refused.status_code == 409
        assert "this case has changed since you opened it" in refused.json()["detail"]
    fresh = ask(institution, "analyst-1", "GET", path).json()
    assert [(a["transaction_id"], a["since_open"]) for a in fresh["joined"]] == [("stale-customer-2", True)]
    given = ask(
        institution, "analyst-1", "POST", f"{path}/verdict", value="legitimate", version=fresh["version"]
    )
    assert given.status_code == 201, given.text


def test_one_verdict_can_be_applied_to_all_payments_of_a_case(
    institution: Institution, pair: list[dict[str, Any]]
) -> None:
    page = claim(institution, "analyst-1", pair[0]["transaction_id"])
    others = [each["task_id"] for each in page["joined"]]
    said = {"value": "confirmed_fraud", "typology": "account_takeover"}
    given = ask(
        institution,
        "analyst-1",
        "POST",
        f"/tasks/{page['task_id']}/verdict",
        **said,
        version=page["version"],
    ).json()["verdict"]
    assert given["case_status" if "case_status" in given else "value"]
    open_case = lead_case(institution, pair[0]["case_id"])
    assert open_case["status"] == "open"  # one payment is settled, the other waits
    assert [step["value"] for step in open_case["dispositions"]] == ["declined"]
    done = ask(
        institution,
        "analyst-1",
        "POST",
        "/bulk-verdicts",
        **said,
        task_ids=[*others, "task_of_nobody"],
        applied_from=given["verdict_id"],
    ).json()["results"]
    assert [bool(result["verdict_id"]) for result in done] == [True, False]
    assert "there is no such task" in done[1]["why"]
    closed = lead_case(institution, pair[0]["case_id"])
    assert (closed["status"], closed["verdict"]) == ("closed", "confirmed_fraud")
    assert [v["applied_from"] for v in closed["verdicts"]] == ["", given["verdict_id"]]
    undone = ask(
        institution, "analyst-1", "POST", "/bulk-verdicts/undo", verdict_ids=[done[0]["verdict_id"], "none"]
    ).json()["results"]
    assert [result["undone"] for result in undone] == [True, False]
    assert lead_case(institution, pair[0]["case_id"])["status"] == "open"


def test_a_case_is_settled_as_the_worst_of_its_payments(
    institution: Institution, pair: list[dict[str, Any]]
) -> None:
    for body, value in zip(pair, ("confirmed_fraud", "legitimate"), strict=True):
        page = claim(institution, "analyst-2", body["transaction_id"])
        ask(
            institution,
            "analyst-2",
            "POST",
            f"/tasks/{page['task_id']}/verdict",
            value=value,
            version=page["version"],
        )
    case = lead_case(institution, pair[0]["case_id"])
    assert (case["status"], case["verdict"]) == ("closed", "confirmed_fraud")
    assert [payment["verdict"] for payment in case["payments"]] == ["confirmed_fraud", "legitimate"]
    assert [step["value"] for step in case["dispositions"]] == ["declined", "released"]


def test_cases_are_split_merged_and_linked_by_a_team_lead(
    institution: Institution, pair: list[dict[str, Any]]
) -> None:
    case_id, name = pair[0]["case_id"], pair[1]["transaction_id"]
    reason = {"reason": "another device altogether"}
    made = ask(
        institution, "team-lead-1", "POST", f"/cases/{case_id}/split", transaction_ids=[name], **reason
    )
    assert made.status_code == 201, made.text
    new_id = made.json()["case_id"]
    assert [p["transaction_id"] for p in lead_case(institution, new_id)["payments"]] == [name]
    assert lead_case(institution, case_id)["amount_minor"] == 200_000
    linked = ask(institution, "team-lead-1", "POST", f"/cases/{case_id}/links", other=new_id, **reason)
    assert linked.status_code == 201
    assert [link["case_id"] for link in lead_case(institution, new_id)["links"]] == [case_id]
    again = ask(institution, "team-lead-1", "POST", f"/cases/{new_id}/links", other=case_id, **reason)
    assert again.status_code == 409
    merged = ask(institution, "team-lead-1", "POST", f"/cases/{case_id}/merge", other=new_id, **reason)
    assert merged.status_code == 200, merged.text
    assert len(lead_case(institution, case_id)["payments"]) == 2
    assert lead_case(institution, new_id)["status"] == "merged"
    nothing_left = ask(
        institution,
        "team-lead-1",
        "POST",
        f"/cases/{case_id}/split",
        transaction_ids=[p["transaction_id"] for p in pair],
        **reason,
    )
    assert nothing_left.status_code == 422
    assert (
        ask(institution, "analyst-1", "POST", f"/cases/{case_id}/merge", other=new_id, **reason).status_code
        == 403
    )


def test_a_joined_case_is_hidden_while_any_of_its_payments_may_still_be_judged(
    institution: Institution, pair: list[dict[str, Any]]
) -> None:
    page = claim(institution, "analyst-1", pair[0]["transaction_id"])
    ask(
        institution,
        "analyst-1",
        "POST",
        f"/tasks/{page['task_id']}/verdict",
        value="legitimate",
        version=page["version"],
    )
    case_id = pair[0]["case_id"]
    assert ask(institution, "analyst-1", "GET", f"/cases/{case_id}").status_code == 404
    assert case_id not in ask(institution, "analyst-1", "GET", "/cases?limit=500").text
    assert (
        ask(institution, "analyst-1", "POST", f"/cases/{case_id}/notes", text="let me in").status_code == 404
    )


def test_a_reviewer_who_decides_first_learns_nothing_of_what_joined(institution: Institution) -> None:
    alert(institution, "blind-customer", 1)
    task_id = task_of(institution, "blind-customer-1")
    with institution.app.ledger.writing() as w:
        w.execute("UPDATE tasks SET arm = 'blind_first' WHERE task_id = ?", [task_id])
    page = claim(institution, "analyst-1", "blind-customer-1")
    alert(institution, "blind-customer", 2)  # its task gets the arm of the case
    arms = institution.app.ledger.read("SELECT DISTINCT arm FROM tasks WHERE case_id = (SELECT case_id FROM tasks "
                                       "WHERE task_id = ?)", [task_id])  # fmt: skip
    assert arms == [{"arm": "blind_first"}]
    fresh = ask(institution, "analyst-1", "GET", f"/tasks/{task_id}").json()
    assert (fresh["joined"], fresh["version"], page["version"]) == ([], "", "")
    given = ask(institution, "analyst-1", "POST", f"/tasks/{task_id}/verdict", value="legitimate")
    assert given.status_code == 201, given.text
    bulk = ask(
        institution,
        "analyst-1",
        "POST",
        "/bulk-verdicts",
        value="legitimate",
        task_ids=[task_of(institution, "blind-customer-2")],
    ).json()["results"]
    assert "decided before the score is seen" in bulk[0]["why"]


def test_an_automatic_decision_can_be_reversed_with_a_reason(institution: Institution) -> None:
    body = large_payment(7, transaction_id="small", amount="20.00", entities={"customer": "small-customer"})
    assert institution.decide(body)["outcome"] == "approve"
    path, reason = "/decisions/small/reversal", {"reason": "the customer called: not hers"}
    assert ask(institution, "analyst-1", "POST", path, **reason).status_code == 403
    made = ask(institution, "team-lead-1", "POST", path, **reason)
    assert (made.status_code, made.json()["value"]) == (201, "reversed")
    back = ask(institution, "team-lead-1", "POST", path, reason="it was hers after all")
    assert back.json()["value"] == "released"
    held = alert(institution, "reviewed-customer", 1)
    refused = ask(
        institution, "team-lead-1", "POST", f"/decisions/{held['transaction_id']}/reversal", **reason
    )
    assert (refused.status_code, refused.json()["detail"].split(": ")[1]) == (
        409,
        "people are looking at this payment.",
    )
