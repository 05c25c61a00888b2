"""Is a planted bad edit caught three times: by its own tests, by its effect before approval, and by the breaker?"""

from __future__ import annotations

import pytest

from casework.people.permissions import Person, Role
from casework.people.signin import add_user
from casework.settings import approving, previews, proposal_pages, proposals
from casework.settings.approving import Approval
from casework.settings.proposals import Asked
from data.errors import InputError
from tests.http.institution import PASSWORD
from tests.http.test_breaker_live import LIMIT, STATED, Bank, bank, rule

__all__ = ["bank"]
PATH = "catalogue/large_sum.yaml"


def mistyped() -> bytes:
    """Somebody types two noughts too few, and nothing else."""
    return rule(LIMIT).replace(f">= {LIMIT}".encode(), f">= {LIMIT // 100}".encode())


def fitted() -> bytes:
    """The same, with version, history and tests made to fit: nothing in the file itself is wrong."""
    return rule(LIMIT // 100, version=2)


def proposed(bank: Bank, content: bytes) -> proposals.Proposal:
    return proposals.propose(bank.app, {PATH: content}, Asked("risk-1", "lower the limit"), at=bank.now)


def page(bank: Bank, proposal: proposals.Proposal) -> dict[str, object]:
    second = Person("risk-2", Role.RISK_MANAGER)
    return proposal_pages.page(bank.app, proposal.proposal_id, second, bank.now)


def approve(bank: Bank, proposal: proposals.Proposal) -> None:
    yes = Approval("risk-2", "in a hurry", proposal.content_sha256)
    approving.approve(bank.app, proposal.proposal_id, yes, at=bank.now)


def test_a_planted_bad_edit_is_caught_three_times(bank: Bank) -> None:
    with bank.app.ledger.writing() as w:
        for user in ("risk-1", "risk-2"):
            add_user(w, user, "risk_manager", PASSWORD, by="admin-1", at=bank.now)
    bank.decide(1000, step=1500.0)

    # First by lint and the rule's own tests: it cannot even be approved.
    careless = proposed(bank, mistyped())
    checks = {str(problem["check"]) for problem in page(bank, careless)["problems"]}  # type: ignore[attr-defined]
    assert checks == {"changed_without_version", "failing_test"}
    with pytest.raises(InputError, match="its version is still 1"):
        approve(bank, careless)

    # Then by the effect that the approver sees before saying yes.
    thorough = proposed(bank, fitted())
    assert page(bank, thorough)["problems"] == []
    files = proposal_pages.proposed_files(bank.app, thorough.proposal_id)
    effect = previews.preview(bank.app, files, None, None, at=bank.now, limit=5)
    told = {alarm["kind"] for alarm in effect["alarms"]}
    assert {"declines", "size", "rule"} <= told
    assert effect["flipped"] > 500

    # Then, approved all the same, by the breaker, within the number of decisions that is stated.
    approve(bank, thorough)
    assert bank.acts() == []
    bank.decide(STATED, step=60.0)
    assert ("pause", "rule", "large_sum") in bank.acts()
    assert bank.decide(10, large=1.0)[-1]["outcome"] != "decline"
