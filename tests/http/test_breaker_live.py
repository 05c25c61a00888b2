"""Does the breaker tell a planted bad edit from a real attack, in a whole application, and does all of it replay?"""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from casework.app import App
from casework.deciding.replaying import replay
from casework.keeping import evidence
from casework.safety import actions, alarms, breaker_acts, watching
from casework.workspace import Workspace
from data import approved
from data.errors import ConflictError
from data.transactions import Transaction
from engine.breaker import Acted, Expected
from tests.http.institution import START, make_workspace, proposals

RULE = """id: large_sum
version: {version}
title: A large sum
status: live
typology: other
severity: high
owner: risk-manager-1
description: Sums that this institution hardly ever sees.
when: "amount_minor >= {limit}"
on_missing: no_hit
then: {{floor: decline, reason: "{{amount_minor}} is a large sum"}}
false_positives: Cars and furniture.
runbook: Call.
history:
  - {{version: {version}, at: 2026-01-01, change: "As it is"}}
tests:
  - {{name: above, given: {{amount_minor: {limit}}}, expect: hit}}
  - {{name: below, given: {{amount_minor: {below}}}, expect: no_hit}}
"""
BREAKER = b"\nbreaker: {days: 7, decisions: 600}\n"
LIMIT = 100_000
STATED = 100
"""Within so many decisions a planted edit is paused; docs/safety.md says so too."""


def rule(limit: int, version: int = 1) -> bytes:
    return RULE.format(limit=limit, below=limit - 1, version=version).encode()


@dataclass
class Bank:
    """An application, a clock, and a stream of payments."""

    app: App
    now: datetime = START - timedelta(days=40)
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    made: int = 0

    def decide(self, count: int, *, large: float = 0.005, step: float = 600.0) -> list[dict[str, Any]]:
        """Decide payments one by one in batches of ten; a share of them are large sums."""
        found: list[dict[str, Any]] = []
        for _ in range(count // 10):
            self.now += timedelta(seconds=step * 10)
            batch = [self._payment(large) for _ in range(10)]
            found += [orjson.loads(answer) for answer in self.app.decide(batch, self.now)]  # type: ignore[arg-type]
        return found

    def _payment(self, large: float) -> Transaction:
        self.made += 1
        customer = f"c{self.chance.randrange(40)}"
        sum_minor = 120_000 if self.chance.random() < large else self.chance.randrange(500, 20_000)
        places = {
            "merchant_category": "groceries",
            "merchant_country": "DE",
            "country": "DE",
            "channel": "pos",
        }
        return Transaction(
            transaction_id=f"b{self.made}",
            occurred_at=self.now,
            amount_minor=sum_minor,
            entities={"customer": customer, "card": customer, "merchant": "m1", "device": None},
            attributes={**places, "age_band": "30-39"},
            currency="EUR",
        )

    def approve(self, path: str, content: bytes) -> None:
        """Force a change live, past everything that would have warned of it."""
        files = {**approved.current(self.app.ledger).files, path: content}
        with self.app.changing_settings(), self.app.ledger.writing() as w:
            approved.approve(w, files, by="admin-1", reason="forced", at=self.now)

    def acts(self) -> list[tuple[str, str, str]]:
        rows = breaker_acts.in_force(self.app.ledger)
        return [(row["action"], row["kind"], row["subject"]) for row in rows]


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Bank]:
    files = proposals()
    files["catalogue/large_sum.yaml"] = rule(LIMIT)
    policy = files["policy.yaml"].replace(b"exploration: {share: 0.05", b"exploration: {share: 0.0")
    files["policy.yaml"] = policy.split(b"\nbreaker:")[0] + BREAKER
    workspace: Workspace = make_workspace(tmp_path / "bank", files)
    app = App.open(workspace)
    at = START - timedelta(days=40)
    with app.ledger.writing() as w:  # the first set was approved before the payments of this story
        w.execute("UPDATE approved_sets SET approved_at = ?", [at])
    yield Bank(app, at)
    app.close()


def test_a_bad_edit_is_paused_and_an_attack_is_not(bank: Bank) -> None:
    bank.decide(1000, step=1500.0)
    bank.app.forget()
    assert bank.acts() == []

    # An attack: the rule that has stood long hits half of what comes. It goes on, with people behind it.
    attacked = bank.decide(100, large=0.5, step=20.0)
    assert ("cap", "rule", "large_sum") in bank.acts()
    assert not any(action == "pause" for action, _, _ in bank.acts())
    last = [d for d in attacked[-20:] if _said(d)["state"] == "hit"]
    assert last and all(d["outcome"] == "review" and "status" not in _said(d) for d in last)
    assert replay(bank.app, last[0])["same"]
    alarm = next(a for a in alarms.listed(bank.app.ledger) if a["subject"] == "rule:large_sum")
    actions.acknowledge(bank.app, alarm["alarm_id"], by="team-lead-1", reason="seen to", at=bank.now)
    for act in breaker_acts.in_force(bank.app.ledger):
        actions.resume(
            bank.app, act["act_id"], by="risk-manager-1", reason="over", at=bank.now, expected=None
        )

    # A mistyped threshold, a hundred times too low: new, far too loud, and paused within the stated number.
    bank.decide(300, step=6000.0)
    bank.approve("catalogue/large_sum.yaml", rule(LIMIT // 100, version=2))
    spoiled = bank.decide(STATED, step=60.0)
    assert ("pause", "rule", "large_sum") in bank.acts()
    hit = [d for d in spoiled if _said(d)["state"] == "hit"]
    declined = sum(d["outcome"] == "decline" for d in spoiled)
    assert 0 < declined < STATED / 2 < len(hit)
    assert _said(hit[-1])["status"] == "paused" and hit[-1]["outcome"] != "decline"
    assert replay(bank.app, hit[-1])["same"] and replay(bank.app, hit[0])["same"]

    # Whatever was paused stays so across a restart, and a corrected version starts afresh.
    bank.app.forget()
    assert _said(bank.decide(10, large=1.0)[-1])["status"] == "paused"
    bank.approve("catalogue/large_sum.yaml", rule(LIMIT, version=3))
    anew = _said(bank.decide(10, large=1.0)[0])
    assert anew["state"] == "hit" and "status" not in anew


def test_a_policy_that_asks_for_far_too_much_gives_way_to_the_one_before(bank: Bank) -> None:
    bank.decide(700, step=600.0)
    policy = approved.current(bank.app.ledger).files["policy.yaml"]
    bank.approve("policy.yaml", policy.replace(b"high_amount: 1500 ", b"high_amount: 15 "))
    held = bank.app.live
    bank.decide(STATED, step=60.0)
    assert ("pause", "policy", "policy") in bank.acts()
    assert bank.app.live.settings is held.settings and bank.app.live.guard.breaker is held.guard.breaker
    never_stopped = counted(bank)
    after = bank.decide(10, step=60.0)[-1]
    assert after["context"]["policy_set_id"] != after["set_id"]
    assert after["outcome"] == "approve"
    assert replay(bank.app, after)["same"]
    packed = evidence.pack(bank.app, evidence.Wanted((after["transaction_id"],)), "auditor-1")
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        contents = orjson.loads(archive.read("evidence.json"))["contents"]
    held_in = {each["name"]: each["content"].encode() for each in contents}
    assert held_in[f"{after['context']['policy_set_id']} policy.yaml"] == policy
    bank.app.forget()
    assert counted(bank).keys() == never_stopped.keys()
    assert bank.app.live.engine.notes == {"policy_set_id": after["context"]["policy_set_id"]}


def test_a_rule_that_falls_silent_raises_one_alarm(bank: Bank) -> None:
    assert watching.watch(bank.app) == "Nothing was decided yet."
    bank.decide(400, large=0.4, step=6500.0)
    assert "all as loud as before" in watching.watch(bank.app)
    bank.decide(120, large=0.0, step=6500.0)
    for _ in range(2):
        assert "large_sum (silence)" in watching.watch(bank.app)
    raised = [a for a in alarms.listed(bank.app.ledger) if a["kind"] == "silence"]
    assert [alarm["subject"] for alarm in raised] == ["large_sum"]
    assert "were expected from its own history" in raised[0]["sentence"]


def rollout(bank: Bank, limit: int, version: int, share: float) -> str:
    """Let a set with another large_sum decide a share of the customers; returns the set."""
    how = {"reason": "try it", "at": bank.now}
    files = {"catalogue/large_sum.yaml": rule(limit, version).decode()}
    set_id = actions.add_candidate(bank.app, files, by="risk-manager-1", **how)  # type: ignore[arg-type]
    actions.start_rollout(
        bank.app, set_id=set_id, model_id="", entity="customer", share=share, by="risk-manager-2", **how
    )  # type: ignore[arg-type]
    return set_id


def test_what_a_candidate_decided_is_not_counted_against_what_is_live_after_a_restart(bank: Bank) -> None:
    bank.decide(300)
    rollout(bank, LIMIT // 2, 2, 0.6)
    told = bank.decide(50, large=0.2)
    assert {d["context"]["rollout"]["arm"] for d in told} == {"live", "candidate"}
    never_stopped = counted(bank)
    assert 0 < never_stopped["rule", "large_sum"][1] < sum(_said(d)["state"] == "hit" for d in told)
    bank.app.forget()
    assert counted(bank) == never_stopped


def test_a_corrected_version_of_a_paused_rule_speaks_in_its_own_trials(bank: Bank) -> None:
    bank.decide(250)
    bank.approve("catalogue/large_sum.yaml", rule(LIMIT // 100, version=2))
    bank.decide(STATED, step=60.0)
    assert ("pause", "rule", "large_sum") in bank.acts()
    corrected = rollout(bank, LIMIT, 3, 0.5)
    how = {"by": "risk-manager-1", "reason": "beside it", "at": bank.now}
    shadow = actions.start_shadow(bank.app, corrected, name="", **how)  # type: ignore[arg-type]
    for _ in range(2):
        told = bank.decide(10, large=1.0)
        arms = {d["context"]["rollout"]["arm"]: (_said(d).get("status", "live"), d["outcome"]) for d in told}
        assert arms == {"live": ("paused", "approve"), "candidate": ("live", "review")}
        assert {d["context"]["shadows"][shadow] for d in told} == {"review"}
        assert all(replay(bank.app, d)["same"] for d in told[-3:])
        bank.app.forget()


def test_a_set_that_asks_for_far_too_much_on_trial_is_paused_and_the_live_one_decides_all(bank: Bank) -> None:
    """A mistyped threshold declines half of the candidate's customers; nobody else's rule is touched."""
    bank.decide(300)
    spoiled = rollout(bank, LIMIT // 10, 2, 0.4)
    bank.decide(20)
    watched = counted(bank)
    assert watched["rollout", spoiled][0] > 0
    bank.app.forget()
    assert counted(bank) == watched
    settings = bank.app.live.settings
    told = bank.decide(STATED)
    assert bank.acts() == [("pause", "rollout_declines", spoiled)]
    assert bank.app.live.settings is settings
    assert bank.app.live.guard.trials == set() and "rollout" not in told[-1]["context"]
    assert {d["set_id"] for d in told[-10:]} == {approved.current(bank.app.ledger).set_id}
    (alarm,) = [a for a in alarms.listed(bank.app.ledger) if a["kind"] == "breaker"]
    assert "It is on trial, so the rollout is paused: the set in force decides all." in alarm["sentence"]
    bank.app.forget()
    assert bank.app.live.guard.trials == set()
    (act,) = breaker_acts.in_force(bank.app.ledger)
    how = {"by": "risk-manager-1", "reason": "meant so", "at": bank.now}
    actions.resume(bank.app, act["act_id"], expected=0.6, **how)  # type: ignore[arg-type]
    (trial,) = bank.app.live.guard.trials
    bank.decide(30)
    assert bank.app.live.guard.trials == {trial}, "it is held against what a person stated"

    with bank.app.changing_settings(), bank.app.ledger.writing() as w:
        acted = Acted("pause", "rollout", spoiled, trial, 9, 9, Expected(0.1, "history"), "too loud")
        breaker_acts.record(w, acted, bank.now)
    assert bank.acts() == [("pause", "rollout", spoiled)] and bank.app.live.guard.trials == set()
    actions.stop_trial(bank.app, trial, **how)  # type: ignore[arg-type]
    assert bank.acts() == []


def counted(bank: Bank) -> dict[tuple[str, str], tuple[int, int]]:
    """Decisions and alarms of everything watched; what counts from a restart on, declines as a whole, is left out."""
    found = bank.app.live.guard.breaker.counted()
    return {(w.kind, w.subject): (w.seen, w.alarms) for w in found if w.kind != "declines"}


def test_a_trial_is_suspended_while_the_features_that_decide_are_others(bank: Bank) -> None:
    changed = {"catalogue/large_sum.yaml": rule(LIMIT * 2, version=2).decode()}
    by = {"by": "risk-manager-1", "reason": "rarer", "at": bank.now}
    set_id = actions.add_candidate(bank.app, changed, **by)  # type: ignore[arg-type]
    trial = actions.start_shadow(bank.app, set_id, name="", **by)  # type: ignore[arg-type]
    told = bank.decide(10, large=1.0)
    assert {d["context"]["shadows"][trial] for d in told} == {"approve"}
    before = approved.current(bank.app.ledger).files["features.yaml"]
    bank.approve("features.yaml", before + b"# as before, with a word more\n")
    assert bank.app.live.guard.trials == set()
    assert "shadows" not in bank.decide(10)[0]["context"]
    bank.approve("features.yaml", before)
    assert bank.app.live.guard.trials == {trial}


def test_one_click_does_not_close_a_merchant(bank: Bank) -> None:
    bank.decide(60, large=0.5, step=60.0)
    with bank.app.ledger.writing() as w:
        w.execute("UPDATE cases SET verdict = 'confirmed_fraud'")
        w.execute("UPDATE case_transactions SET verdict = 'confirmed_fraud'")
    case_id = bank.app.ledger.read("SELECT case_id FROM cases LIMIT 1")[0]["case_id"]

    def listed(entity: str, effect: str) -> str:
        return actions.list_from_case(
            bank.app, case_id, entity, effect=effect, expires=None, reason="", by="team-lead-1", at=bank.now,
            in_force=True,
        )  # fmt: skip

    with pytest.raises(ConflictError, match="merchant m1 took part in 60 payments"):
        listed("merchant", "block")
    assert listed("merchant", "review") and listed("customer", "block")


def _said(decision: dict[str, Any]) -> dict[str, Any]:
    return next(rule for rule in decision["rules"] if rule["id"] == "large_sum")
