"""Does policy.yaml load into minor units, and does every mistake name its line?"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from data.errors import ConfigError
from engine.decision import Outcome
from engine.policy import load_policy

DEMO = (Path(__file__).parents[3] / "rules" / "policy.yaml").read_bytes()


def edited(old: str, new: str) -> bytes:
    text = DEMO.decode()
    assert old in text
    return text.replace(old, new, 1).encode()


def refusal(text: bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        load_policy(text, "policy.yaml")
    return str(caught.value)


def test_the_demo_policy_holds_money_in_minor_units() -> None:
    policy = load_policy(DEMO, "policy.yaml")
    assert policy.costs.good_declined_minor == 3000
    assert policy.four_eyes_amount_minor == 250_000
    assert policy.sampling.exploration.max_amount_minor == 10_000
    assert policy.fail_safe is Outcome.APPROVE
    assert policy.segment().deadline == timedelta(hours=96)
    assert policy.segment("no such segment") == policy.segment()
    assert sum(policy.lanes.values()) == pytest.approx(1.0)


def test_a_currency_without_decimals_is_counted_in_whole_units() -> None:
    assert load_policy(edited("currency: EUR", "currency: JPY"), "p").costs.good_declined_minor == 30


def test_fixed_thresholds_are_read_as_written() -> None:
    text = edited("thresholds: {solve: expected_cost}", "thresholds: {review_at: 0.1, decline_at: 0.6}")
    thresholds = load_policy(text, "p").thresholds
    assert (thresholds.solve, thresholds.review_at, thresholds.decline_at) == (False, 0.1, 0.6)


def test_an_unknown_key_names_its_line_and_the_nearest_known_one() -> None:
    said = refusal(edited("price_from: 0.6 ", "price_form: 0.6 "))
    assert said.startswith("policy.yaml:16:3: unknown key 'price_form'")
    assert "price_from" in said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("currency: EUR", "currency: euro", "'currency' is 'euro'"),
        ("good_declined: 30 ", "good_declined: 0 ", "declining everybody would be free"),
        ("good_declined: 30 ", "good_declined: 15.001 ", "at most 2 decimals"),
        ("audit: 0.01", "audit: 5", "a number from 0 to 1"),
        ("audit: 0.01", "audit: true", "a number from 0 to 1"),
        ("deadline: 96h", "deadline: 96 hours", "a duration such as"),
        ("on_the_loop", "over_the_loop", "in_the_loop, on_the_loop, automatic"),
        ("money_at_risk: 0.50", "money_at_risk: 0.90", "add up to 1.4"),
        ("recall: 0.49", "recall: 0.10", "a review would be worth nothing"),
        ("fail_safe: approve ", "fail_safe: NO ", "'fail_safe' is 'NO'"),
        ("  default: {", "  other: {", "'default' is missing"),
        ("solve: expected_cost", "solve: magic", "expected_cost"),
        ("solve: expected_cost", "review_at: 0.9, decline_at: 0.2", "'review_at' is above 'decline_at'"),
        ("version: 1\n", "", "'version' is missing"),
        ("model: {}", "model: {eta: [1]}", "must be a single number"),
    ],
)
def test_a_mistake_is_refused_with_what_was_allowed(old: str, new: str, said: str) -> None:
    assert said in refusal(edited(old, new))
