"""Do payments fall into the right segment, and does the policy speak there as its file says?"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import ConfigError
from data.incoming.mapping import load_mapping
from engine.features.spec import load_features
from engine.policy import load_policy
from engine.rules.lists import Lists
from engine.segments import Segments, load_segments, within

RULES = Path(__file__).parents[3] / "rules"
FEATURES = load_features(
    (RULES / "features.yaml").read_bytes(), "features.yaml", load_mapping(RULES / "mapping.yaml")
)
AT = datetime(2026, 5, 1, tzinfo=UTC)
DEMO = (RULES / "policy.yaml").read_text()
BEFORE, AFTER = DEMO.split("segments:\n")[0], DEMO[DEMO.index("# Of the tasks handed out") :]
DEFAULT = (
    "  default: {autonomy: on_the_loop, review_holds_payment: true, deadline: 96h, on_timeout: approve}\n"
)
SMALL = (
    "  small: {when: \"channel = 'pos' AND amount_minor < 2000\", autonomy: automatic,\n"
    "          costs: {good_declined: 10}}\n"
)
LARGE = (
    "  large: {when: 'amount_minor >= 100000', autonomy: in_the_loop, deadline: 4h, on_timeout: decline,\n"
    "          thresholds: {review_at: 0.1, decline_at: 0.6}, four_eyes_amount: 1200, high_amount: 1000}\n"
)


def policy_of(*segments: str) -> bytes:
    return (BEFORE + "segments:\n" + "".join(segments) + "\n" + AFTER).encode()


def segments_of(*segments: str) -> Segments:
    text = policy_of(*segments)
    return load_segments(text, load_policy(text, "policy.yaml"), FEATURES, Lists(), "policy.yaml")


def test_the_first_segment_that_holds_wins_and_default_takes_the_rest() -> None:
    every = "  every: {when: 'amount_minor >= 0'}\n"
    segments = segments_of(SMALL, every, LARGE, DEFAULT)
    assert segments.of({"channel": "pos", "amount_minor": 100}, AT)[0] == "small"
    assert segments.of({"channel": "ecom", "amount_minor": 500_000}, AT)[0] == "every"
    assert segments.of({"channel": "ecom", "amount_minor": None}, AT)[0] == "default"
    assert segments.of({"channel": 7, "amount_minor": "much"}, AT)[0] == "default"


def test_a_segment_says_what_it_says_and_leaves_the_rest_as_it_is() -> None:
    policy = load_policy(policy_of(SMALL, LARGE, DEFAULT), "policy.yaml")
    small, large = within(policy, "small"), within(policy, "large")
    assert small.costs.good_declined_minor == 1000
    assert small.costs.missed_fraud_share == policy.costs.missed_fraud_share
    assert small.thresholds.solve and small.high_amount_minor == policy.high_amount_minor
    assert small.segment("small").deadline == policy.segment().deadline
    assert (large.thresholds.review_at, large.thresholds.decline_at) == (0.1, 0.6)
    assert (large.four_eyes_amount_minor, large.high_amount_minor) == (120_000, 100_000)
    assert large.segment("large").on_timeout.word == "decline"
    assert within(policy, "default") is policy


@pytest.mark.parametrize(
    ("segments", "said"),
    [
        ((DEFAULT, SMALL), "a segment after 'default' would never be used"),
        (("  small: {autonomy: automatic}\n", DEFAULT), "'when' is missing"),
        (("  odd: {when: 'amount_minor > > 5'}\n", DEFAULT), "is not in the grammar"),
        (("  odd: {when: 'no_such_feature > 5'}\n", DEFAULT), "no_such_feature"),
        (("  odd: {when: 'amount_minor > 5', costs: {good_declined: 0}}\n", DEFAULT), "free"),
        (("  odd: {when: 'amount_minor > 5', autonomie: automatic}\n", DEFAULT), "unknown key 'autonomie'"),
        (("  odd: {when: ' '}\n", DEFAULT), "nothing would belong here"),
        ((DEFAULT.replace("{auto", "{when: 'amount_minor > 5', auto"),), "so it has no 'when'"),
    ],
)
def test_a_segment_that_makes_no_sense_is_refused_with_its_line(segments: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        segments_of(*segments)
    assert said in str(refused.value)
    assert refused.value.where.startswith("policy.yaml:2")


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.sampled_from(["pos", "ecom"])),
            st.one_of(st.none(), st.integers(0, 200_000)),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_sql_finds_the_same_segment_as_python(rows: list[tuple[str | None, int | None]]) -> None:
    segments = segments_of(SMALL, LARGE, DEFAULT)
    values = ", ".join(
        f"({'NULL' if channel is None else repr(channel)}, {'NULL' if amount is None else amount})"
        for channel, amount in rows
    )
    sql = f"SELECT {segments.sql('0')} FROM (VALUES {values}) AS t(channel, amount_minor)"
    found = [row[0] for row in duckdb.execute(sql).fetchall()]
    assert found == [segments.of({"channel": c, "amount_minor": a}, AT)[0] for c, a in rows]
