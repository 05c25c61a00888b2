"""Does the tuner price, and propose to change, the settings that really decide?"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from casework.app import App
from casework.deciding.transactions import Sent, checked
from casework.settings.tuning import Wanted, tuned
from engine.policy import load_policy
from tests.http.institution import START, make_workspace, payment, proposals

OWN = "thresholds: {review_at: 0.3, decline_at: 0.8}, costs: {good_declined: 20}"


@pytest.fixture
def bank(tmp_path: Path):
    """Payments by web and in shops, where `default` has cut-offs and a cost of its own and shops have none."""
    files = proposals()
    text = files["policy.yaml"].decode()
    before, after = text[: text.index("  small_in_shop:")], text[text.index("  default:") :]
    shop = "  shop: {when: \"channel = 'pos'\"}\n"
    after = after.replace("on_timeout: approve}", f"on_timeout: approve, {OWN}}}", 1)
    files["policy.yaml"] = (before + shop + after).encode()
    app = App.open(make_workspace(tmp_path / "workspace", files))
    try:
        sent = [payment(n, attributes={"channel": "pos" if n >= 10 else "ecom"}) for n in range(14)]
        made = [
            Sent(**{**b, "occurred_at": START, "amount": Decimal(b["amount"]), "personal": {}}) for b in sent
        ]
        app.decide([checked(s, app.mapping) for s in made], START)
        with app.ledger.writing() as w:
            w.execute("UPDATE decisions SET probability = (transaction_seq % 10) / 10.0")
        yield app
    finally:
        app.close()


def test_cut_offs_of_the_default_segment_are_those_that_are_priced_and_proposed(bank: App) -> None:
    wanted = Wanted(review_at=0.2, decline_at=0.4, good_declined_minor=2500, review_minor=150)
    usual = tuned(bank, Wanted(), None, None, at=START + timedelta(days=1), with_rules=False)
    now = usual["current"]
    assert (now["solve"], now["review_at"], now["decline_at"]) == (False, 0.3, 0.8)
    assert usual["costs"]["good_declined_minor"] == 2000
    assert (usual["decisions"], usual["elsewhere"]["payments"]) == (
        10,
        {"shop": 4},
    )  # shops keep those at large

    with bank.ledger.writing() as w:
        w.execute("UPDATE decisions SET outcome = 'review' WHERE transaction_seq > 10")
    at, three = START + timedelta(days=2), Wanted(reviews_per_day=5)  # of which shops take four
    left = tuned(bank, three, None, None, at=at, with_rules=False)
    assert (left["capacity"], left["elsewhere"]["cases_a_day"]) == (5, 4.0)
    reviewed = {name: left[name]["cases_a_day"]["value"] for name in ("best", "best_within_capacity")}
    assert reviewed["best_within_capacity"] <= 1 < reviewed["best"]

    found = tuned(bank, wanted, None, None, at=START + timedelta(days=1), with_rules=False)
    before = bank.settings().policy
    policy = load_policy(found["proposal"]["files"]["policy.yaml"].encode())
    own = policy.segment()
    assert own.thresholds and (own.thresholds.review_at, own.thresholds.decline_at) == (0.2, 0.4)
    assert own.costs and (own.costs.good_declined_minor, own.costs.review_minor) == (2500, 150)
    assert (policy.thresholds, policy.costs) == (before.thresholds, before.costs)  # shops decide by them
