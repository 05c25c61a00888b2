"""What would a fraud analyst of a given skill say about a case, how surely, and how long would it take?

The model: a case leaves an impression on each analyst, normal with variance 1 around a mean that depends on
the truth; above the analyst's criterion it is called fraud (signal detection, equal variances). A hard case
misleads everyone in the same direction, which is why analysts agree more than their skill alone explains. A
score on the screen shifts the impression. Defaults of `real` are fitted to published reviews by professional
analysts; figures in docs/simulator.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from statistics import NormalDist

from data.errors import InputError
from data.simulator.config import TYPOLOGIES

VERDICTS = ("confirmed_fraud", "legitimate", "inconclusive")
CONFIDENCES = ("certain", "high", "medium", "low")

_NORMAL = NormalDist()
_SLOWER = {"certain": 0.55, "high": 1.0, "medium": 1.4, "low": 2.1}


@dataclass(frozen=True, slots=True)
class AnalystProfile:
    """How a kind of analyst works; every number can be set.

    `recall` and `false_positive_rate` hold without a score on the screen, for cases of even difficulty.
    `shared` is the part of the impression's variance that comes from the case and so is common to all
    analysts; `lasting` the part of the rest that comes back when the same person sees the case again.
    `anchoring` is how far a score of 1 instead of 0 moves the impression. `leniency_spread` is the largest
    distance of a person's criterion from the profile's. `doubt` is the width of the band above the criterion
    that is called inconclusive. `insight` is how much stated confidence follows the impression rather than
    mood. `seconds_blind` and `seconds_shown` are medians. `follows_score` copies the score where there is
    one. `bribed` is the share of frauds cleared on purpose; `guess` is the share of cases decided by a coin
    that says fraud with probability `false_positive_rate`.
    """

    recall: float = 0.46
    false_positive_rate: float = 0.205
    shared: float = 0.225
    lasting: float = 0.5
    anchoring: float = 0.75
    leniency_spread: float = 0.15
    doubt: float = 0.1
    insight: float = 0.5
    seconds_blind: float = 37.0
    seconds_shown: float = 27.0
    pace_spread: float = 0.35
    typology_skill: float = 0.6
    follows_score: bool = False
    bribed: float = 0.0
    guess: float = 0.0


REAL = AnalystProfile()
PROFILES: Mapping[str, AnalystProfile] = {
    "real": REAL,
    "better": replace(REAL, recall=0.80, false_positive_rate=0.06, typology_skill=0.85, anchoring=0.4),
    "lazy": replace(
        REAL,
        recall=0.3,
        false_positive_rate=0.12,
        follows_score=True,
        insight=0.1,
        seconds_blind=9.0,
        seconds_shown=5.0,
        typology_skill=0.25,
    ),
    "corrupt": replace(REAL, recall=0.75, false_positive_rate=0.08, bribed=0.7, anchoring=0.2),
    "random": replace(REAL, guess=1.0, false_positive_rate=0.5, insight=0.0, typology_skill=0.0),
    "always_dismiss": replace(
        REAL, guess=1.0, false_positive_rate=0.0, insight=0.0, seconds_blind=6.0, seconds_shown=4.0
    ),
}
"""Kinds of analysts by name; `dataclasses.replace` makes others."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One answer: `value` as in a verdict, confidence, seconds spent, typology ("" unless confirmed)."""

    value: str
    confidence: str
    seconds: float
    typology: str


@dataclass(frozen=True, slots=True)
class SimulatedAnalyst:
    """A made-up reviewer: same seed, reviewer, case and occasion, same judgement, in any order."""

    reviewer: str
    profile: AnalystProfile = REAL
    seed: int = 7

    @classmethod
    def named(cls, reviewer: str, profile: str, seed: int = 7) -> SimulatedAnalyst:
        """An analyst of one of PROFILES; InputError for another name."""
        if profile not in PROFILES:
            raise InputError(f"no analyst profile {profile!r}", where=reviewer, allowed=", ".join(PROFILES))
        return cls(reviewer, PROFILES[profile], seed)

    def judge(
        self,
        case: str,
        *,
        fraud: bool,
        difficulty: float | None = None,
        cue: float | None = None,
        typology: str = "",
        occasion: int = 0,
    ) -> Judgement:
        """What this analyst says about a case.

        `fraud` and `typology` are the truth. `cue` in [0, 1] is the score on the screen, None where none was
        shown. `difficulty` in [0, 1], even over cases, must be the same for all analysts (default:
        `case_difficulty`). `occasion` counts earlier looks of this analyst at the case: a second look is a
        partly new one.
        """
        p = self.profile
        hard = case_difficulty(self.seed, case) if difficulty is None else difficulty
        lasting = _uniforms(self.seed, self.reviewer, case)
        mood = _uniforms(self.seed, self.reviewer, case, str(occasion))
        margin = self._impression(fraud, hard, cue, lasting[0], mood[0]) - self._criterion()
        flagged, sure = margin > 0, abs(margin)
        if lasting[1] < p.guess:
            flagged, sure = mood[1] < p.false_positive_rate, 0.6
        if fraud and lasting[2] < p.bribed:
            flagged, sure = False, 1.5
        doubtful = flagged and sure < p.doubt
        confidence = self._confidence(sure, flagged, mood[2])
        if doubtful and confidence in ("certain", "high"):
            confidence = "medium"
        return Judgement(
            value="inconclusive" if doubtful else "confirmed_fraud" if flagged else "legitimate",
            confidence=confidence,
            seconds=self._seconds(cue is not None, flagged, confidence, mood[3]),
            typology=self._typology(typology, lasting[3], mood[4]) if flagged and not doubtful else "",
        )

    def _impression(self, fraud: bool, hard: float, cue: float | None, lasting: float, mood: float) -> float:
        """How fraudulent the case feels; 0 is the profile's criterion."""
        p = self.profile
        mean = _probit(p.recall if fraud else p.false_positive_rate)
        misled = _probit(hard) * math.sqrt(p.shared) * (-1 if fraud else 1)
        own = math.sqrt(p.lasting) * _probit(lasting) + math.sqrt(1 - p.lasting) * _probit(mood)
        impression = mean + misled + math.sqrt(1 - p.shared) * own
        if cue is None:
            return impression
        if p.follows_score:
            return 3.0 * (cue - 0.5) + 0.25 * own
        return impression + p.anchoring * (cue - 0.5)

    def _criterion(self) -> float:
        """How much stricter (positive) or more suspicious this person is than the profile."""
        return self.profile.leniency_spread * (2 * _uniforms(self.seed, self.reviewer)[0] - 1)

    def _confidence(self, sure: float, flagged: bool, mood: float) -> str:
        """People are sure of what is far from their criterion, and surer of clearing than of accusing."""
        insight = self.profile.insight
        clear = (sure - 1.0) / 0.7 - (0.4 if flagged else 0.0)
        feeling = insight * clear + math.sqrt(1 - insight**2) * _probit(mood)
        return CONFIDENCES[0 if feeling > 0.62 else 1 if feeling > -0.68 else 2 if feeling > -1.65 else 3]

    def _seconds(self, shown: bool, flagged: bool, confidence: str, mood: float) -> float:
        p = self.profile
        median = p.seconds_shown if shown else p.seconds_blind
        pace = p.pace_spread * (2 * _uniforms(self.seed, self.reviewer)[1] - 1)
        factor = _SLOWER[confidence] * (1.25 if flagged else 0.95)
        return round(max(median * factor * math.exp(pace + 0.65 * _probit(mood)), 1.0), 1)

    def _typology(self, truth: str, lasting: float, mood: float) -> str:
        """The right one by skill, else any; where the payment was honest there is no right one."""
        if truth in TYPOLOGIES and lasting < self.profile.typology_skill:
            return truth
        return TYPOLOGIES[int(mood * len(TYPOLOGIES))]


def case_difficulty(seed: int, case: str) -> float:
    """How misleading a case is, even in (0, 1), the same for everyone who looks at it."""
    return _uniforms(seed, "difficulty of", case)[0]


def _uniforms(seed: int, *key: str) -> tuple[float, float, float, float, float]:
    """Five numbers in (0, 1) that depend on the seed and the key alone."""
    text = "\x1f".join((str(seed), *key)).encode()
    digest = blake2b(text, digest_size=40).digest()
    a, b, c, d, e = (
        (int.from_bytes(digest[at : at + 8], "little") + 0.5) / 18446744073709551616.0
        for at in range(0, 40, 8)
    )
    return a, b, c, d, e


def _probit(share: float) -> float:
    """The normal quantile, finite: shares are kept within one in a billion of 0 and 1."""
    return _NORMAL.inv_cdf(min(max(share, 1e-9), 1 - 1e-9))
