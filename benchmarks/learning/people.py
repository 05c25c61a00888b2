"""What do reviewers who err as real ones do say, what becomes of the payments, and which labels follow for training?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from benchmarks.learning.asking import AUDIT, LANES, Asked
from benchmarks.learning.worlds import World
from casework.quality.agreement.table import Rating
from casework.quality.consensus import of_ledger
from casework.quality.consensus.worth import Measures, measure
from casework.review.verdicts import CONFIRMED_FRAUD, INCONCLUSIVE, LEGITIMATE
from data.simulator import SimulatedAnalyst
from engine.policy import Policy

CHARGEBACK_DAYS = 30
REVIEWERS = 10
GOLDEN = "golden"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_OTHER = {CONFIRMED_FRAUD: LEGITIMATE, LEGITIMATE: CONFIRMED_FRAUD, INCONCLUSIVE: INCONCLUSIVE}
Word = tuple[str, str]
"""Who said what."""


@dataclass(frozen=True)
class Team:
    """Ten reviewers with the error rates of `profile`, of whom the first `corrupt` clear most frauds on purpose. In the
    days of `turned` every verdict is recorded the wrong way round."""

    seed: int
    corrupt: int = 0
    turned: range = range(0)
    profile: str = "real"

    def analyst(self, number: int) -> SimulatedAnalyst:
        kind = "corrupt" if number < self.corrupt else self.profile
        return SimulatedAnalyst.named(f"analyst-{number + 1}", kind, self.seed)

    def word(self, number: int, case: str, fraud: bool, cue: float | None, day: int) -> Word:
        value = self.analyst(number).judge(case, fraud=fraud, cue=cue).value
        return f"analyst-{number + 1}", _OTHER[value] if day in self.turned else value


@dataclass
class Case:
    """One reviewed payment (`row`), the lane it was drawn in, the day, and the words of those who looked, in order."""

    row: int
    lane: str
    day: int
    said: list[Word]

    @property
    def went_through(self) -> bool:
        """An audit changes nothing; elsewhere the first reviewer's word stops the payment."""
        return self.lane == AUDIT or self.said[0][1] != CONFIRMED_FRAUD


@dataclass(frozen=True)
class Labels:
    """Positions of payments, whether each is believed to be fraud, with which weight and on whose word."""

    rows: np.ndarray
    fraud: np.ndarray
    weight: np.ndarray
    source: np.ndarray

    @classmethod
    def of(cls, found: Mapping[int, tuple[bool, float, str]]) -> Labels:
        rows = np.array(sorted(found), dtype=np.int64)
        return cls(
            rows,
            np.array([found[r][0] for r in rows.tolist()], dtype=bool),
            np.array([found[r][1] for r in rows.tolist()], dtype=float),
            np.array([found[r][2] for r in rows.tolist()], dtype=object),
        )

    def only(self, kept: np.ndarray) -> Labels:
        return Labels(self.rows[kept], self.fraud[kept], self.weight[kept], self.source[kept])


@dataclass
class Record:
    """Everything reviewed so far. `start` are payments of the past whose outcome is known, `golden` the words on
    payments of known truth (by row)."""

    start: np.ndarray
    cases: list[Case] = field(default_factory=list)
    golden: list[tuple[int, Word]] = field(default_factory=list)
    voided: list[range] = field(default_factory=list)

    def valid(self) -> list[Case]:
        """Cases but for those of days whose verdicts were declared void."""
        return [case for case in self.cases if not any(case.day in days for days in self.voided)]


def review(
    asked: Asked, offset: int, world: World, cue: np.ndarray, team: Team, day: int,
    *, second: float, blind: float, rng: np.random.Generator,
) -> list[Case]:  # fmt: skip
    """A day's verdicts: each payment to somebody, a share `second` to somebody else as well, who sees no score; a share
    `blind` of the first looks is without the score too."""
    cases = []
    for place, lane in zip(asked.rows.tolist(), asked.lane.tolist(), strict=True):
        row, (one, two) = offset + place, rng.choice(REVIEWERS, 2, replace=False).tolist()
        fraud, shown = bool(world.fraud[row]), None if rng.random() < blind else float(cue[place])
        said = [team.word(one, str(row), fraud, shown, day)]
        if rng.random() < second:
            said.append(team.word(two, str(row), fraud, None, day))
        cases.append(Case(row, LANES[lane], day, said))
    return cases


def single_verdicts(record: Record, world: World, silent: float) -> Labels:
    """The first word as the truth, with full weight; nothing else is asked. Each known honest payment stands for
    `silent` of them."""
    found = _known(record, world, {"outcome": 1.0, "matured_silence": 1.0}, silent)
    for case in record.valid():
        if case.said[0][1] != INCONCLUSIVE:
            found[case.row] = (case.said[0][1] == CONFIRMED_FRAUD, 1.0, "single_verdict")
    return Labels.of(found)


def evidence(record: Record, world: World, policy: Policy, as_of_day: int, silent: float) -> Labels:
    """Labels as the product makes them (casework.learning.labels): outcome before verdicts before silence, weights from
    the policy, verdicts weighed by the measured errors of those who gave them."""
    measures = fitted(record, world, policy, as_of_day)
    found = _known(record, world, policy.labels.weights, silent)
    for case in record.valid():
        label = _label(case, bool(world.fraud[case.row]), measures, policy, as_of_day)
        if label and label[1] > 0:
            found[case.row] = label
    return Labels.of(found)


def _known(
    record: Record, world: World, weights: Mapping[str, float], silent: float
) -> dict[int, tuple[bool, float, str]]:
    """Labels of payments whose outcome, or the lack of one, is known."""
    fraud = (True, weights["outcome"], "outcome")
    honest = (False, weights["matured_silence"] * silent, "matured_silence")
    return {int(row): fraud if world.fraud[row] else honest for row in record.start}


def _label(
    case: Case, fraud: bool, measures: Measures, policy: Policy, as_of_day: int
) -> tuple[bool, float, str] | None:
    weights, age = policy.labels.weights, as_of_day - case.day
    if fraud and case.went_through and age >= CHARGEBACK_DAYS:
        return True, weights["outcome"], "outcome"
    source = "consensus" if len(case.said) > 1 else "single_verdict"
    values = {value for _, value in case.said}
    if measures.identified:
        stored = of_ledger.StoredFit("fit", _NEVER, measures)
        worth = of_ledger._worth(case.row, case.said, case.lane, stored, policy)
        if values != {INCONCLUSIVE} and worth["factor"] > 0:
            return bool(worth["value"]), weights[source] * worth["factor"], source
    elif len(values) == 1 and values != {INCONCLUSIVE}:
        return values == {CONFIRMED_FRAUD}, weights[source], source
    if case.went_through and age >= policy.labels.maturity.days:
        return False, weights["matured_silence"], "matured_silence"
    return None


def fitted(record: Record, world: World, policy: Policy, as_of_day: int) -> Measures:
    """Everybody's error rates as the record shows them: anchored by golden payments and by outcomes that are in."""
    ratings, lanes, truth = [], {}, {}
    for row, (who, value) in record.golden:
        ratings.append(Rating(f"golden:{row}", who, value))
        lanes[f"golden:{row}"], truth[f"golden:{row}"] = GOLDEN, bool(world.fraud[row])
    for case in record.valid():
        item = str(case.row)
        ratings += [Rating(item, who, value) for who, value in case.said]
        lanes[item] = case.lane
        if case.went_through and as_of_day - case.day >= policy.labels.maturity.days:
            truth[item] = bool(world.fraud[case.row])
    return measure(ratings, lanes, truth)


def recall_and_false_positives(cases: Sequence[Case], world: World) -> tuple[float, float]:
    """Of the first words, how often fraud was called fraud, and how often an honest payment was."""
    called = np.array([case.said[0][1] != LEGITIMATE for case in cases])
    fraud = np.array([world.fraud[case.row] for case in cases])
    return float(called[fraud].mean()), float(called[~fraud].mean())
