"""Which gates must a challenger pass before it decides anything, and why was it refused?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import comb, isfinite
from statistics import NormalDist
from typing import Any

from engine.measuring.intervals import Interval


@dataclass(frozen=True, slots=True)
class GateLimits:
    """What the gates hold a challenger against.

    `margin` is how much average precision a challenger may lose in the estimate and still count as no worse;
    `collapsed_alpha` is the alpha below which (whole interval) agreement has collapsed.
    """

    min_labels: int
    min_frauds: int
    margin: float = 0.02
    collapsed_alpha: float = 0.0
    min_segment_frauds: int = 10


@dataclass(frozen=True, slots=True)
class Golden:
    """How many golden tasks each model gets right, at its own thresholds, of those that neither learned from; `learned`
    were left out because the champion did. `lost` are those that only the champion gets right; without it, as few as
    the counts allow."""

    tasks: int
    champion_right: int
    challenger_right: int
    lost: int | None = None
    learned: int = 0

    @property
    def chance_of_so_many_lost(self) -> float:
        """One-sided sign test of McNemar (1947): of the tasks that only one gets right, how likely it is that the
        champion has so many where both are equally good."""
        lost = max(0, self.champion_right - self.challenger_right) if self.lost is None else self.lost
        either = 2 * lost - (self.champion_right - self.challenger_right)
        return sum(comb(either, k) for k in range(lost, either + 1)) / 2**either


@dataclass(frozen=True, slots=True)
class Segment:
    """Paired differences, challenger minus champion, within one segment's judged rows: in recall among its frauds, and
    the share of the champion's cost saved there, at the segment's own costs."""

    name: str
    frauds: int
    recall_difference: Interval
    cost_saved: Interval | None = None


@dataclass(frozen=True, slots=True)
class LabelTurn:
    """Labels of one week and kind of source that the champion did not learn from and that contradict it: those called
    fraud score lower than those called legitimate (`area`, with 0.5 by chance, wholly below it). `alike` where only
    payments that came before people for the same reason were compared."""

    week: str
    source: str
    frauds: int
    legitimate: int
    area: Interval
    alike: bool = False

    @property
    def sentence(self) -> str:
        a, alike = self.area, ", each against those that came for the same reason" if self.alike else ""
        return (
            f"labels from {self.source} of the week from {self.week} look turned over: the {self.frauds} called fraud "
            f"score below the {self.legitimate:,} called legitimate with the champion{alike} (AUC {a.value:.2f} "
            f"[{a.low:.2f}, {a.high:.2f}], 0.50 is chance)"
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the training child found out about a challenger on data that neither model learned from.

    `judged_rows` and `judged_frauds` count labels from outcomes, golden and blind-first verdicts only.
    `difference` maps a metric (average_precision, expected_cost_saved: a share of the champion's cost) to the
    challenger minus the champion by paired bootstrap; it is empty where there is no champion.
    """

    training_labels: int
    training_frauds: int
    judged_rows: int
    judged_frauds: int
    difference: Mapping[str, Interval] = field(default_factory=dict)
    agreement: Interval | None = None
    agreement_items: int = 0
    golden: Golden | None = None
    segments: Sequence[Segment] = ()
    champion_id: str = ""
    average_precision: Interval | None = None
    base_rate: float = 0.0
    turned: Sequence[LabelTurn] = ()


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate's answer, with a sentence a risk manager can read."""

    name: str
    passed: bool
    sentence: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def judge(evidence: Evidence, limits: GateLimits) -> list[Gate]:
    """Every gate's answer, in the order in which they are shown."""
    return [
        _enough_labels(evidence, limits),
        _labels_hold(evidence),
        _agreement(evidence, limits),
        _golden(evidence),
        _against_champion(evidence, limits),
        _segments(evidence, limits),
    ]


def verdict_sentence(gates: Sequence[Gate]) -> str:
    """Why a challenger was promoted or refused, in one sentence."""
    failed = [g for g in gates if not g.passed]
    if failed:
        return "Refused: " + "; ".join(g.sentence for g in failed) + "."
    decisive = next(g for g in gates if g.name == "no worse than the champion")
    return f"Passed all {len(gates)} gates: {decisive.sentence}."


def _enough_labels(e: Evidence, limits: GateLimits) -> Gate:
    enough_training = e.training_labels >= limits.min_labels and e.training_frauds >= limits.min_frauds
    enough_judging = e.judged_frauds >= limits.min_frauds
    counts = (
        f"{e.training_labels:,} matured labels with {e.training_frauds} frauds to learn from, "
        f"{e.judged_rows:,} with {e.judged_frauds} frauds to be judged on"
    )
    if enough_training and enough_judging:
        return Gate("enough matured labels", True, counts)
    return Gate(
        "enough matured labels",
        False,
        f"too few labels ({counts}; policy asks for {limits.min_labels:,} labels, "
        f"and {limits.min_frauds} frauds on each side)",
    )


def _labels_hold(e: Evidence) -> Gate:
    name = "labels are not turned over"
    if e.turned:
        return Gate(name, False, "; ".join(turn.sentence for turn in e.turned))
    if not e.champion_id:
        return Gate(name, True, "there is no champion yet that labels could contradict")
    return Gate(name, True, "no week's labels contradict the champion")


def _agreement(e: Evidence, limits: GateLimits) -> Gate:
    name = "agreement has not collapsed"
    if e.agreement is None:
        return Gate(
            name, True, f"too few double reviews to say how well reviewers agree (n = {e.agreement_items})"
        )
    a = e.agreement
    text = f"alpha {a.value:.2f} [{a.low:.2f}, {a.high:.2f}], n = {e.agreement_items}"
    if e.agreement.high < limits.collapsed_alpha:
        return Gate(
            name, False, f"reviewers agree less than chance would ({text}), so their labels teach nothing"
        )
    return Gate(name, True, text)


def _golden(e: Evidence) -> Gate:
    name = "golden set no worse"
    if e.golden is None or e.golden.tasks + e.golden.learned == 0:
        return Gate(name, True, "no golden tasks with a known answer yet")
    if e.golden.tasks == 0:
        return Gate(
            name, True, f"the champion learned from all {e.golden.learned} golden tasks, so none can tell"
        )
    counts = f"{e.golden.challenger_right} of {e.golden.tasks} right, the champion {e.golden.champion_right}"
    if e.golden.learned:
        counts += f"; {e.golden.learned} others left out because the champion learned from them"
    if e.golden.challenger_right < e.golden.champion_right:
        chance = e.golden.chance_of_so_many_lost
        if chance < 0.05:
            return Gate(
                name, False, f"the golden set came out worse ({counts}; chance would do that {chance:.1%})"
            )
        return Gate(name, True, f"{counts}, which chance alone does in {chance:.0%} of cases")
    return Gate(name, True, counts)


def _against_champion(e: Evidence, limits: GateLimits) -> Gate:
    name = "no worse than the champion"
    if not e.champion_id:
        return _better_than_chance(e, name)
    precision = e.difference.get("average_precision")
    saved = e.difference.get("expected_cost_saved")
    if precision is None or saved is None:
        return Gate(name, False, "the comparison with the champion is missing")
    rows = f"on the same {e.judged_rows:,} rows"
    text = f"average precision {_signed(precision)}, share of expected cost saved {_signed(saved)}, {rows}"
    if precision.high < 0 or precision.value < -limits.margin:
        return Gate(name, False, f"average precision would fall ({text})")
    if saved.high < 0:
        return Gate(name, False, f"decisions at its own thresholds would cost more ({text})")
    # A clearly better ranking may come with a cost that is still uncertain; a merely hoped-for one may not cost more.
    if saved.value <= 0 and precision.low <= 0:
        return Gate(name, False, f"nothing speaks clearly for a change ({text})")
    return Gate(name, True, text)


def _better_than_chance(e: Evidence, name: str) -> Gate:
    ap = e.average_precision
    if ap is None or ap.low <= e.base_rate:
        found = "no figure" if ap is None else f"{ap.value:.3f} [{ap.low:.3f}, {ap.high:.3f}]"
        return Gate(
            name, False, f"there is no champion, and average precision is no better than chance ({found})"
        )
    return Gate(
        name,
        True,
        f"there is no champion yet, and average precision {ap.value:.3f} [{ap.low:.3f}, {ap.high:.3f}] "
        f"stands against {e.base_rate:.4f} by chance",
    )


def _segments(e: Evidence, limits: GateLimits) -> Gate:
    """The more differences are looked at, the further below zero one must lie (Bonferroni): with twenty of them, one
    in two equal challengers would harm somebody by chance."""
    name = "no segment harmed"
    seen = [s for s in e.segments if s.frauds >= limits.min_segment_frauds]
    looked = [(s, "recall", s.recall_difference) for s in seen]
    looked += [(s, "share of cost saved", s.cost_saved) for s in seen if s.cost_saved is not None]
    harmed = [(s, what, found) for s, what, found in looked if _below_zero(found, len(looked))]
    if harmed:
        told = (f"{what} would fall for {s.name} ({_signed(found)})" for s, what, found in harmed)
        return Gate(name, False, "; ".join(told))
    if not seen:
        return Gate(name, True, f"no segment has {limits.min_segment_frauds} judged frauds yet")
    costs = ", and none costs more" if len(looked) > len(seen) else ""
    return Gate(name, True, f"recall falls in none of {len(seen)} segments{costs}")


def _below_zero(found: Interval, looked: int) -> bool:
    """Whether a difference is below zero beyond chance, when so many are looked at."""
    if not isfinite(found.high - found.low):
        return False
    error = (found.high - found.low) / (2 * NormalDist().inv_cdf(0.975))
    return found.value + NormalDist().inv_cdf(1 - 0.025 / looked) * error < 0


def _signed(difference: Interval) -> str:
    return f"{difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"
