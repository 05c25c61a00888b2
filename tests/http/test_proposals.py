"""Does a change come into force only when another person than its author approved exactly that content?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from casework.cli.reach import LOCAL
from data import approved
from tests.http.institution import Institution, large_payment, make_workspace, payment, served

RULE = """\
id: groceries_test
version: 1
title: Groceries, for this test
status: shadow
typology: test
severity: low
owner: risk-manager-1
description: For this test.
when: merchant_category = 'groceries'
on_missing: no_hit
then: {floor: review, reason: "bought {merchant_category}"}
false_positives: Everybody who eats.
runbook: Look.
history:
  - {version: 1, at: 2026-01-05, change: First}
tests:
  - {name: groceries, given: {merchant_category: groceries}, expect: hit}
  - {name: a ticket, given: {merchant_category: travel}, expect: no_hit}
"""
PATH = "catalogue/groceries_test.yaml"


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Institution]:
    root: Path = tmp_path_factory.mktemp("proposals") / "bank"
    with served(make_workspace(root)) as running:
        yield running


def refused(bank: Institution, user: str, path: str, body: dict[str, Any]) -> tuple[int, str]:
    answer = bank.ask(user, "POST", path, json=body)
    assert not answer.is_success, answer.text
    return answer.status_code, answer.json()["detail"]


def running_policy(bank: Institution) -> str:
    return str(bank.ask("auditor-1", "GET", "/v1/policy").json()["file"])


def events(bank: Institution, proposal_id: str) -> list[dict[str, Any]]:
    sql = "SELECT actor, kind, payload FROM events WHERE subject = ? ORDER BY seq"
    rows = bank.app.ledger.read(sql, [f"proposal:{proposal_id}"])
    return [{**row, "payload": orjson.loads(row["payload"])} for row in rows]


def priced(bank: Institution, amount: int) -> dict[str, str]:
    """The running policy with another high amount."""
    now = running_policy(bank)
    line = next(line for line in now.splitlines() if line.startswith("high_amount:"))
    return {"policy.yaml": now.replace(line, f"high_amount: {amount}")}


def test_the_author_of_a_change_is_never_its_approver(bank: Institution) -> None:
    made = bank.propose("risk-manager-1", files=priced(bank, 5000))
    status, told = refused(bank, "risk-manager-1", "/v1/approvals", bank.approval(made))
    assert (status, "nobody approves a change of their own" in told) == (403, True)
    assert bank.decide(large_payment(1))["outcome"] == "review"

    page = bank.ask("risk-manager-2", "GET", f"/v1/proposals/{made['proposal_id']}").json()
    assert (page["you_may_not_approve"], page["problems"], page["overtaken"]) == ("", [], [])
    assert "+high_amount: 5000" in page["files"][0]["diff"]
    done = bank.approve("risk-manager-2", made)
    assert bank.decide(large_payment(2))["set_id"] == done["set_id"] == made["resulting_set_id"]
    assert [(e["actor"], e["kind"]) for e in events(bank, made["proposal_id"])] == [
        ("risk-manager-1", "proposal.made"),
        ("risk-manager-2", "proposal.approved"),
    ]


def test_who_wrote_a_part_of_what_was_replaced_is_an_author_too(bank: Institution) -> None:
    first = bank.propose("risk-manager-1", files=priced(bank, 6000))
    second = bank.propose("risk-manager-2", files=priced(bank, 6001), replaces=first["proposal_id"])
    assert second["authors"] == ["risk-manager-1", "risk-manager-2"]
    assert refused(bank, "risk-manager-1", "/v1/approvals", bank.approval(second))[0] == 403
    assert refused(bank, "admin-1", "/v1/approvals", bank.approval(first))[0] == 409
    bank.approve("admin-1", second)
    assert "high_amount: 6001" in running_policy(bank)


def test_an_approval_is_of_one_content_and_of_no_other(bank: Institution) -> None:
    made = bank.propose("risk-manager-1", files=priced(bank, 7000))
    other = {**bank.approval(made), "content_sha256": "0" * 64}
    assert refused(bank, "risk-manager-2", "/v1/approvals", other)[0] == 409
    other = {**bank.approval(made), "set_id": "set_0000000000000000"}
    assert refused(bank, "risk-manager-2", "/v1/approvals", other)[0] == 409

    # What was edited after it was proposed is another proposal, and the file is left to whoever edits it.
    file = bank.app.workspace.rules / "policy.yaml"
    file.write_text(priced(bank, 9999)["policy.yaml"])
    done = bank.approve("risk-manager-2", made)
    assert "high_amount: 7000" in running_policy(bank)
    assert done["files_left_alone"] == ["policy.yaml"]
    assert "high_amount: 9999" in file.read_text()
    file.write_text(running_policy(bank))


def test_a_change_made_on_top_of_what_has_changed_since_is_void(bank: Institution) -> None:
    one = bank.propose("risk-manager-1", files=priced(bank, 7100))
    two = bank.propose("risk-manager-1", files=priced(bank, 7200))
    bank.approve("risk-manager-2", one)
    page = bank.ask("risk-manager-2", "GET", f"/v1/proposals/{two['proposal_id']}").json()
    assert page["overtaken"] == ["policy.yaml"]
    status, told = refused(bank, "risk-manager-2", "/v1/approvals", bank.approval(two))
    assert (status, "changed in the approved set since" in told) == (409, True)
    assert "high_amount: 7100" in running_policy(bank)


def test_a_proposal_is_withdrawn_by_its_author_and_rejected_by_others(bank: Institution) -> None:
    made = bank.propose("risk-manager-1", files=priced(bank, 8000))
    at = f"/v1/proposals/{made['proposal_id']}"
    why = {"reason": "the wrong limit"}
    assert refused(bank, "risk-manager-2", f"{at}/withdrawal", why)[0] == 403
    assert refused(bank, "risk-manager-1", f"{at}/rejection", why)[0] == 403
    assert bank.ask("risk-manager-1", "POST", f"{at}/withdrawal", json=why).json()["status"] == "withdrawn"
    assert refused(bank, "risk-manager-2", f"{at}/rejection", why)[0] == 409

    again = bank.propose("risk-manager-1", files=priced(bank, 8000))
    at = f"/v1/proposals/{again['proposal_id']}"
    done = bank.ask("risk-manager-2", "POST", f"{at}/rejection", json=why).json()
    assert (done["status"], done["settled_by"], done["settled_reason"]) == (
        "rejected",
        "risk-manager-2",
        "the wrong limit",
    )
    assert refused(bank, "admin-1", "/v1/approvals", bank.approval(again))[0] == 409
    assert [e["kind"] for e in events(bank, again["proposal_id"])] == ["proposal.made", "proposal.rejected"]


def test_the_same_change_is_not_proposed_twice_and_nothing_is_no_change(bank: Institution) -> None:
    body = {"reason": "twice", "files": priced(bank, 8100)}
    bank.propose("risk-manager-1", **body)
    assert refused(bank, "risk-manager-2", "/v1/proposals", body)[0] == 409
    same = {"reason": "none", "files": {"policy.yaml": running_policy(bank)}}
    assert refused(bank, "risk-manager-1", "/v1/proposals", same)[0] == 409


def test_only_people_who_answer_for_it_propose_and_approve(bank: Institution) -> None:
    body = {"reason": "a try", "files": priced(bank, 8200)}
    for user in ("analyst-1", "auditor-1", "integrator-1"):
        assert refused(bank, user, "/v1/proposals", body)[0] == 403
    made = bank.propose("team-lead-1", files={"guidelines.md": "# Look three times.\n"})
    assert refused(bank, "team-lead-1", "/v1/approvals", bank.approval(made))[0] == 403
    token = "local" * 8
    bank.app.signin.admit(token, LOCAL, datetime.now(UTC) + timedelta(hours=1))
    with bank.client() as client:
        client.headers["authorization"] = f"Bearer {token}"
        for path, form in (("/v1/proposals", body), ("/v1/approvals", bank.approval(made))):
            answer = client.post(path, json=form)
            assert (answer.status_code, "who answers for it" in answer.json()["detail"]) == (403, True)
    listed = bank.ask("risk-manager-1", "GET", "/v1/proposals", params={"status": "open"}).json()
    mine = [p for p in listed["proposals"] if "risk-manager-1" not in p["authors"]]
    assert listed["waiting_for_you"] == len(mine) > 0


@pytest.mark.parametrize(
    "path", ["../secret.key", "/etc/passwd", "catalogue/../../x.yaml", "mapping.yaml", "a.py", ".hidden.yaml"]
)
def test_a_path_outside_the_set_is_refused(bank: Institution, path: str) -> None:
    status, told = refused(bank, "risk-manager-1", "/v1/proposals", {"reason": "a try", "files": {path: "x"}})
    assert (status, "is no file of a set" in told) == (422, True)


def test_a_text_too_large_is_refused_at_the_door(bank: Institution) -> None:
    body = {"reason": "large", "files": {PATH: "#" * 200_001}}
    assert refused(bank, "risk-manager-1", "/v1/proposals", body)[0] == 422
    assert refused(bank, "risk-manager-1", "/v1/rules/check", {"files": body["files"]})[0] == 422


def test_errors_keep_a_proposal_from_being_approved_and_are_named_before(bank: Institution) -> None:
    bad = RULE.replace("merchant_category =", "merchant_kategory =")
    made = bank.propose("risk-manager-1", files={PATH: bad})
    assert "Did you mean 'merchant_category'?" in str(made["problems"])
    status, told = refused(bank, "risk-manager-2", "/v1/approvals", bank.approval(made))
    assert (status, f"rules/{PATH}:9:1" in told) == (422, True)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("currency: EUR", "currency: JPY", "amounts are kept in EUR"),
        ("\nqueues:\n", "\nqueues:\n  vip: {segments: [lrage]}\n", "Did you mean 'large'?"),
        ("match: {merchant_country:", "match: {merchant_contry:", "Did you mean 'merchant_country'?"),
        ("\nqueues:\n", "\njoining: {entity: custmer, within: 1d}\nqueues:\n", "Did you mean 'customer'?"),
    ],
)
def test_a_policy_that_would_silently_mean_something_else_is_not_sound(
    bank: Institution, old: str, new: str, said: str
) -> None:
    now = running_policy(bank)
    assert old in now
    files = {"policy.yaml": now.replace(old, new, 1)}
    found = bank.ask("risk-manager-1", "POST", "/v1/rules/check", json={"files": files}).json()
    assert not found["sound"]
    [told] = [row for row in found["findings"] if row["severity"] == "error"]
    assert said in told["what"] + told["hint"]
    assert told["where"].startswith("rules/policy.yaml:")


@pytest.mark.parametrize("path", [PATH.replace(".yaml", ".yml"), f"more/{PATH}"])
def test_a_rule_lies_where_its_next_step_will_look_for_it(bank: Institution, path: str) -> None:
    found = bank.ask("risk-manager-1", "POST", "/v1/rules/check", json={"files": {path: RULE}}).json()
    told = [(row["where"], row["hint"]) for row in found["findings"] if row["severity"] == "error"]
    assert told == [(f"rules/{path}", f"Name it rules/{PATH}.")]


def test_draft_texts_are_linted_tested_and_pinned_without_being_saved(bank: Institution) -> None:
    def check(text: str) -> dict[str, Any]:
        answer = bank.ask("risk-manager-1", "POST", "/v1/rules/check", json={"files": {PATH: text}})
        assert answer.status_code == 200, answer.text
        return answer.json()

    found = check(RULE)
    assert (found["sound"], found["findings"], found["unpinned"]) == (True, [], [])
    assert [(t["name"], t["passed"]) for t in found["tests"]] == [("groceries", True), ("a ticket", True)]
    loose = check(RULE.replace("when: merchant_category", "when: amount_minor < 500 AND merchant_category"))
    assert (loose["sound"], [t["passed"] for t in loose["tests"]]) == (False, [False, True])
    unpinned = check(RULE.replace("= 'groceries'", "IN ('groceries', 'bakery')"))
    assert (unpinned["sound"], [u["change"] for u in unpinned["unpinned"]]) == (True, ["'bakery' is dropped"])
    broken = check("id: [")
    assert (broken["sound"], broken["findings"][0]["where"]) == (False, f"rules/{PATH}:2:1")
    assert PATH not in bank.app.live.settings.files


def test_a_rule_goes_live_on_what_it_has_shown_in_shadow_or_by_an_exception_that_is_marked(
    bank: Institution,
) -> None:
    bank.approve("risk-manager-2", bank.propose("risk-manager-1", files={PATH: RULE}))
    assert (bank.app.workspace.rules / PATH).read_text() == RULE
    step = {"step": {"rule": "groceries_test"}, "reason": "it is time"}
    status, told = refused(bank, "risk-manager-1", "/v1/proposals", step)
    assert (status, "days in shadow with this condition: 0; the policy asks for 14" in told) == (422, True)
    # Not by editing the file either.
    live = RULE.replace("shadow", "live").replace("version: 1", "version: 2")
    sneaky = bank.propose("risk-manager-1", files={PATH: live})
    assert "has not shown enough in shadow" in sneaky["problems"][0]["what"]
    assert refused(bank, "risk-manager-2", "/v1/approvals", bank.approval(sneaky))[0] == 422

    exception = bank.propose("risk-manager-1", **step, override_reason="an attack since noon")
    assert (exception["problems"], exception["steps"][0]["evidence"]["enough"]) == ([], False)
    bank.approve("risk-manager-2", exception)
    approved = events(bank, exception["proposal_id"])[-1]["payload"]
    assert (approved["without_evidence"], approved["override_reason"]) == (
        ["groceries_test"],
        "an attack since noon",
    )
    text = bank.ask("auditor-1", "GET", "/v1/rules/groceries_test").json()["file"]
    assert "status: live" in text
    assert "without the evidence from shadow: an attack since noon" in text
    assert bank.decide(payment(20, amount="300.00"))["outcome"] == "review"


def test_back_into_shadow_and_live_again_with_evidence(bank: Institution) -> None:
    down = {"step": {"rule": "groceries_test", "to": "shadow"}, "reason": "too broad"}
    bank.approve("risk-manager-2", bank.propose("risk-manager-1", **down))
    for number in range(21, 24):
        assert bank.decide(payment(number, amount="300.00"))["outcome"] == "approve"
    minimum = "promotion: {shadow_days: 1, hits: 3, known: 0, precision: 0.0}\n"
    less = bank.propose("risk-manager-1", files={"policy.yaml": running_policy(bank) + minimum})
    bank.approve("risk-manager-2", less)

    made = bank.propose("risk-manager-1", step={"rule": "groceries_test"})
    (shown,) = made["steps"]
    assert (shown["from"], shown["to"], shown["allowed"]) == ("shadow", "live", True)
    evidence = shown["evidence"]
    assert (evidence["hits"], evidence["added_cases"], evidence["days"], evidence["enough"]) == (
        3,
        3,
        1,
        True,
    )
    assert evidence["precision"] == {"value": None, "low": None, "high": None, "n": 0}
    assert evidence["naive"] == evidence["precision"] and evidence["estimate"] is None  # nothing is known yet
    bank.approve("risk-manager-2", made)
    assert (
        made["evidence"][0]["hits"] == events(bank, made["proposal_id"])[0]["payload"]["evidence"][0]["hits"]
    )
    # What it showed speaks for this condition only.
    wider = bank.ask("auditor-1", "GET", "/v1/rules/groceries_test").json()["file"]
    assert "version: 4" in wider


def test_retiring_and_impossible_steps(bank: Institution) -> None:
    def to(status: str) -> dict[str, Any]:
        return {"step": {"rule": "groceries_test", "to": status}, "reason": "for order"}

    assert refused(bank, "risk-manager-1", "/v1/proposals", to("draft"))[0] == 422
    assert refused(bank, "risk-manager-1", "/v1/proposals", to("live"))[0] == 409
    assert refused(bank, "risk-manager-1", "/v1/proposals", to("gone"))[0] == 422
    no_rule = {"step": {"rule": "no_rule"}, "reason": "for order"}
    assert refused(bank, "risk-manager-1", "/v1/proposals", no_rule)[0] == 404
    bank.approve("risk-manager-2", bank.propose("risk-manager-1", **to("retired")))
    rule = bank.ask("auditor-1", "GET", "/v1/rules/groceries_test").json()
    assert (rule["status"], rule["can_move_to"]) == ("retired", ["draft", "shadow"])


def test_going_back_makes_new_versions_and_needs_two_people_too(bank: Institution) -> None:
    first = bank.ask("auditor-1", "GET", "/v1/approved-sets").json()["sets"][-1]
    made = bank.propose("risk-manager-1", back_to=first["set_id"])
    assert refused(bank, "risk-manager-1", "/v1/approvals", bank.approval(made))[0] == 403
    assert made["problems"] == []
    bank.approve("risk-manager-2", made)
    assert (
        running_policy(bank).encode() == approved.load(bank.app.ledger, first["set_id"]).files["policy.yaml"]
    )
    rule = bank.ask("auditor-1", "GET", "/v1/rules/groceries_test").json()
    assert (rule["status"], rule["version"]) == ("retired", 6)
    assert rule["history"][-1]["change"].startswith(f"Back to what it was in {first['set_id']}")
    assert refused(bank, "risk-manager-1", "/v1/proposals", {"reason": "try", "back_to": "set_x"})[0] == 404


def test_the_record_of_all_this_is_whole(bank: Institution) -> None:
    assert bank.ask("auditor-1", "GET", "/v1/audit/verification").json()["ok"] is True


def test_nothing_but_an_approval_and_the_making_of_a_workspace_puts_a_set_in_force() -> None:
    root = Path(__file__).parents[2]
    callers = {
        file.relative_to(root).as_posix()
        for folder in ("casework", "engine", "data", "dashboards")
        for file in (root / folder).rglob("*.py")
        if "approved.approve(" in file.read_text()
    }
    assert callers == {"casework/settings/approving.py", "casework/workspace.py"}
