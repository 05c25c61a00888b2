"""Do snoozes, list entries, pauses and caps bear on the right payments, and replay from what is stored?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from data.transactions import Transaction
from engine.control import NOTHING, AsStored, Control, ListEntry, Snooze, from_context
from engine.decision import Outcome, Results, RuleResult, RuleState

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
LATER = AT + timedelta(days=1)


def payment(**entities: str) -> Transaction:
    return Transaction("t", AT, 100, entities, {}, None, "EUR", {}, 1)


def hit(rule_id: str = "r", floor: Outcome = Outcome.DECLINE, **changes: Any) -> RuleResult:
    return RuleResult(rule_id, 1, RuleState.HIT, floor, reason="because", **changes)


def snooze(rule_id: str = "r", expires: datetime = LATER) -> Snooze:
    return Snooze("snooze_1", "card", "k1", rule_id, expires)


def test_a_snooze_silences_its_rule_for_its_value_until_it_expires() -> None:
    control = Control(snoozes=[snooze()])
    silenced = control.applying(payment(card="k1"), AT).on([hit(), hit("other")])
    assert [(r.state, r.floor) for r in silenced] == [
        (RuleState.SNOOZED, Outcome.APPROVE),
        (RuleState.HIT, Outcome.DECLINE),
    ]
    for transaction, at in ((payment(card="k2"), AT), (payment(), AT), (payment(card="k1"), LATER)):
        assert not control.applying(transaction, at)


def test_a_snooze_of_every_rule_leaves_block_lists_and_allow_lanes_alone() -> None:
    applied = Control(snoozes=[snooze("")]).applying(payment(card="k1"), AT)
    kept = [hit("b", effect="block"), hit("a", Outcome.APPROVE, effect="allow"), hit("s", status="shadow")]
    quiet = RuleResult("q", 1, RuleState.NO_HIT)
    assert applied.on([*kept, quiet]) == (*kept, quiet)
    assert applied.on([hit()])[0].state is RuleState.SNOOZED
    missing = RuleResult("m", 1, RuleState.MISSING, Outcome.REVIEW)
    assert applied.on([missing])[0].state is RuleState.SNOOZED


def test_what_was_silenced_is_told_with_the_snooze_that_did_it() -> None:
    every, one = snooze(""), Snooze("snooze_2", "customer", "c1", "r", LATER)
    applied = Control(snoozes=[every, one]).applying(payment(card="k1", customer="c1"), AT)
    told = [(s.snooze_id, r.rule_id) for s, r in applied.silenced(applied.on([hit("r"), hit("x")]))]
    assert told == [("snooze_2", "r"), ("snooze_1", "x")]


@pytest.mark.parametrize(("effect", "floor"), [("block", Outcome.DECLINE), ("review", Outcome.REVIEW)])
def test_a_list_entry_speaks_among_the_rules(effect: str, floor: Outcome) -> None:
    entry = ListEntry("entry_1", "device", "d1", effect, "stolen", LATER)
    applied = Control(entries=[entry]).applying(payment(device="d1"), AT)
    said = applied.on([])[0]
    assert (said.rule_id, said.floor, said.reason) == (
        f"entry_{effect}",
        floor,
        "device d1 was listed: stolen",
    )
    assert said.effect == ("block" if effect == "block" else "floor")


def test_a_paused_rule_is_recorded_and_not_obeyed_and_a_capped_one_asks_for_a_person() -> None:
    control = Control(paused_rules=frozenset({"p"}), capped_rules=frozenset({"c"}))
    paused, capped, block = control.applying(payment(), AT).on([hit("p"), hit("c"), hit("c", effect="block")])
    assert (paused.state, paused.status) == (RuleState.HIT, "paused")
    assert (capped.floor, capped.status) == (Outcome.REVIEW, "live")
    assert block.floor is Outcome.DECLINE


def test_what_bore_on_a_decision_is_read_back_as_it_was_stored() -> None:
    control = Control(
        paused_rules=frozenset({"p", "a"}),
        capped_rules=frozenset({"c"}),
        model_capped=True,
        snoozes=[snooze()],
        entries=[ListEntry("entry_1", "card", "k1", "review", "odd", LATER)],
    )
    applied = control.applying(payment(card="k1"), AT)
    assert from_context(applied.as_context()) == applied
    assert AsStored(applied).applying(payment(), LATER) is applied
    assert from_context({}) == NOTHING and not NOTHING


def test_payments_that_nothing_concerns_cost_nothing() -> None:
    control = Control(paused_rules=frozenset({"p"}), snoozes=[snooze()])
    assert control.applying(payment(card="k2"), AT) is control.applying(payment(card="k3"), AT)


def test_results_that_payments_share_become_what_each_set_of_switches_makes_of_them() -> None:
    shared = Results([hit("a"), hit("b"), RuleResult("q", 1, RuleState.NO_HIT)])
    controls = [
        Control(paused_rules=frozenset({"a"})),
        Control(capped_rules=frozenset({"b"})),
        Control(paused_rules=frozenset({"q"})),
        Control(),
    ]
    for control in [*controls, *controls]:
        applied = control.applying(payment(), AT)
        assert applied.on(shared) == applied.on(tuple(shared))
        assert applied.on(shared).asking == Results(tuple(applied.on(tuple(shared)))).asking
