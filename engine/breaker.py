"""Is this rule, model or policy louder than was expected, beyond chance, and is it new enough to be paused for that?

Each is watched by Wald's sequential probability ratio test (1945) of "its rate is at most q0" against "it is q1", with
q0 and q1 the expected rate times the policy's `tolerance` and `ratio`. With k alarms in n decisions its evidence is
k ln(q1/q0) + (n-k) ln((1-q1)/(1-q0)), and it acts at ln(1/a), where a is `false_alarms`.

- What is new or changed is paused. As long as each decision's chance of an alarm stays at or below q0, the likelihood
  ratio is a supermartingale, so by Ville's inequality the chance that it is *ever* paused wrongly is at most a.
- What has stood long is never paused, because an attack also makes rules fire: there is an alarm, and its declines are
  reviewed. Its evidence never falls below 0 (Page's CUSUM 1954), so that a late change is seen as soon as an early
  one; on average at least 1/a decisions lie between two false alarms (Lorden 1971).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.decision import Decision, Outcome, TriageReason
from engine.policy import Breaker as Limits
from engine.units import percent

RULE, MODEL, POLICY, DECLINES = "rule", "model", "policy", "declines"
ROLLOUT, ROLLOUT_DECLINES = "rollout", "rollout_declines"
"""A candidate set that decides a share of the payments: any answer but approval, and declines, of its own decisions."""
ON_TRIAL = (ROLLOUT, ROLLOUT_DECLINES)
PAUSE, CAP = "pause", "cap"
_PAUSED_TRIAL = "It is on trial, so the rollout is paused: the set in force decides all."
_HIGHEST, _LOWEST = 0.95, 1e-6


@dataclass(frozen=True, slots=True)
class Expected:
    """At most this share of decisions, from `basis` (history, stated, nothing) over `seen` decisions."""

    rate: float
    basis: str
    seen: int = 0

    def told(self) -> str:
        if self.basis == "history":
            return f"{percent(self.rate)} at most was expected from {self.seen:,} earlier decisions"
        if self.basis == "stated":
            return f"{percent(self.rate)} was stated as expected"
        return f"nothing is known of it, so at most {percent(self.rate)} was expected"


@dataclass(frozen=True, slots=True)
class RatioTest:
    """The test for one expected rate: what a decision with and without an alarm adds, and where it acts."""

    q0: float
    q1: float
    limit: float

    @classmethod
    def of(cls, expected: Expected, limits: Limits) -> RatioTest:
        rate = max(expected.rate, _LOWEST)
        q1 = min(limits.ratio * rate, _HIGHEST)
        q0 = min(limits.tolerance * rate, q1 * limits.tolerance / limits.ratio)
        return cls(q0, q1, math.log(1.0 / limits.false_alarms))

    @property
    def loud(self) -> float:
        return math.log(self.q1 / self.q0)

    @property
    def quiet(self) -> float:
        return math.log((1.0 - self.q1) / (1.0 - self.q0))

    def decisions_until(self, rate: float) -> float:
        """About how many decisions it takes to act at this true rate (Wald's approximation); infinite where the
        evidence does not grow."""
        growth = rate * self.loud + (1.0 - rate) * self.quiet
        return self.limit / growth if growth > 0 else math.inf


@dataclass(slots=True)
class Watch:
    """One thing watched: `seen` decisions since `since`, `alarms` among them, `last` the count at the last alarm.

    `calm_seen` and `calm_alarms` are both counts when evidence last stood at nothing: the rise began after them. What
    is `on_trial` counts as new for as long as the trial goes on.
    """

    kind: str
    subject: str
    version: str
    since: datetime
    expected: Expected
    seen: int = 0
    alarms: int = 0
    last: int = 0
    evidence: float = 0.0
    acted: bool = False
    calm_seen: int = 0
    calm_alarms: int = 0
    on_trial: bool = False

    def is_new(self, at: datetime, limits: Limits) -> bool:
        """Younger than the policy's days, or with fewer decisions than it asks for. Declines as a whole never are."""
        young = at < self.since + timedelta(days=limits.days) or self.seen < limits.decisions
        return (young or self.on_trial) and self.kind != DECLINES

    def restore(self, seen: int, alarms: int, limits: Limits) -> None:
        """Take up what the ledger holds of it; the evidence of a new one depends on the counts alone."""
        test = RatioTest.of(self.expected, limits)
        self.seen, self.alarms, self.last = seen, alarms, seen
        self.evidence = alarms * test.loud + (seen - alarms) * test.quiet


@dataclass(frozen=True, slots=True)
class Acted:
    """What the breaker did and why: `action` is pause or cap."""

    action: str
    kind: str
    subject: str
    version: str
    seen: int
    alarms: int
    expected: Expected
    sentence: str


class Breaker:
    """All that is watched. Costs a look-up for each alarm, and nothing for a decision without any."""

    def __init__(self, watches: Iterable[Watch], limits: Limits, set_id: str) -> None:
        self.limits, self.set_id = limits, set_id
        self.watches = {(watch.kind, watch.subject): watch for watch in watches}
        self._tests = {key: RatioTest.of(watch.expected, limits) for key, watch in self.watches.items()}
        tried = [watch.subject for watch in self.watches.values() if watch.kind in ON_TRIAL]
        self._totals = dict.fromkeys([set_id, *tried], 0)
        self._before = {key: watch.seen for key, watch in self.watches.items()}

    def instead(self, kind: str, subject: str, watches: Iterable[Watch]) -> None:
        """Watch these, counted up to now, in place of one that no longer decides."""
        self.watches.pop((kind, subject), None)
        for watch in watches:
            key = (watch.kind, watch.subject)
            self.watches[key] = watch
            self._tests[key] = RatioTest.of(watch.expected, self.limits)
            self._before[key] = watch.seen - self._totals[self.set_id]

    def see(self, made: Sequence[Decision], at: datetime) -> list[Acted]:
        """Count decisions; what is to be paused or capped now. Those made under the watched set count, and those of a
        candidate for its own watches."""
        found = []
        for decision in made:
            if decision.set_id not in self._totals:
                continue
            self._totals[decision.set_id] += 1
            asks = alarms_of if decision.set_id == self.set_id else alarms_on_trial
            for key in asks(decision):
                watch = self.watches.get(key)
                if watch is not None and not watch.acted and self._alarmed(watch, key, at):
                    self._has_acted(watch)
                    found.append(_told(watch, self._action(watch, at)))
        return found

    def counted(self) -> list[Watch]:
        """Everything watched, with its decisions counted up to now."""
        for key, watch in self.watches.items():
            watch.seen = self._seen(key)
        return list(self.watches.values())

    def _has_acted(self, watch: Watch) -> None:
        watch.acted = True
        if watch.kind in ON_TRIAL:  # one act pauses the rollout, and one person lets it go on
            for kind in ON_TRIAL:
                self.watches[kind, watch.subject].acted = True

    def _seen(self, key: tuple[str, str]) -> int:
        kind, subject = key
        return self._before[key] + self._totals[subject if kind in ON_TRIAL else self.set_id]

    def _alarmed(self, watch: Watch, key: tuple[str, str], at: datetime) -> bool:
        test, watch.seen = self._tests[key], self._seen(key)
        watch.evidence += (watch.seen - watch.last - 1) * test.quiet
        if watch.evidence <= 0.0 and not watch.is_new(at, self.limits):
            watch.evidence, watch.calm_seen, watch.calm_alarms = 0.0, watch.seen - 1, watch.alarms
        watch.evidence += test.loud
        watch.alarms, watch.last = watch.alarms + 1, watch.seen
        return watch.evidence >= test.limit

    def _action(self, watch: Watch, at: datetime) -> str:
        return PAUSE if watch.is_new(at, self.limits) else CAP


def alarms_of(decision: Decision) -> Iterator[tuple[str, str]]:
    """What this decision counts as an alarm of: each live rule that hit, the model where no rule hit, the policy
    for any answer but approval, and declines as a whole."""
    hits = decision.hits
    for result in hits:
        if result.status == "live":
            yield RULE, result.rule_id
    declined = decision.outcome is Outcome.DECLINE or decision.explored
    if not hits and (declined or decision.triage.reason is TriageReason.UNCERTAIN):
        yield MODEL, decision.model_id
    if declined or decision.outcome is Outcome.REVIEW:
        yield POLICY, POLICY
    if declined:
        yield DECLINES, DECLINES


def alarms_on_trial(decision: Decision) -> Iterator[tuple[str, str]]:
    """What a decision of a candidate set counts as an alarm of: the set as a whole, and its declines."""
    declined = decision.outcome is Outcome.DECLINE or decision.explored
    if declined:
        yield ROLLOUT_DECLINES, decision.set_id
    if declined or decision.outcome is Outcome.REVIEW:
        yield ROLLOUT, decision.set_id


def _told(watch: Watch, action: str) -> Acted:
    whose = {
        RULE: f"The rule {watch.subject} hit",
        MODEL: f"The model {watch.subject} alone asked for more than approval in",
        POLICY: "The policy asked for more than approval in",
        DECLINES: "Declined were",
        ROLLOUT: f"The set {watch.subject} on trial asked for more than approval in",
        ROLLOUT_DECLINES: f"The set {watch.subject} on trial declined",
    }[watch.kind]
    done = {
        (PAUSE, RULE): "It is new or changed, so it is paused: recorded, not obeyed.",
        (PAUSE, MODEL): "It is new, so it is paused: the model before it decides.",
        (PAUSE, POLICY): "It is new or changed, so it is paused: the policy before it applies.",
        (PAUSE, ROLLOUT): _PAUSED_TRIAL,
        (PAUSE, ROLLOUT_DECLINES): _PAUSED_TRIAL,
    }.get((action, watch.kind), "It has stood long, so it goes on; what it would decline is reviewed.")
    seen, alarms = watch.seen - watch.calm_seen, watch.alarms - watch.calm_alarms
    latest = "the latest " if watch.calm_seen else ""
    sentence = (
        f"{whose} {alarms:,} of {latest}{seen:,} decisions ({percent(alarms / seen)}); "
        f"{watch.expected.told()}. {done}"
    )
    return Acted(
        action, watch.kind, watch.subject, watch.version, watch.seen, watch.alarms, watch.expected, sentence
    )
