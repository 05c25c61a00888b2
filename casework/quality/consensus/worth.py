"""What are the verdicts of given people on one payment worth, by the error rates that everybody's verdicts show?

Two figures, for two questions. The posterior is the chance of fraud, given who said what and the share of fraud in the
lane. The force leaves the lane out: how much more likely these words are of a fraud than of an honest payment,

    (L1 - L0) / (L1 + L0)        L1, L0: chance of these answers, given fraud and given none

which is 1 where only a fraud could have led to them, -1 where only an honest payment could, and 0 where the people say
the same whatever the payment is: somebody who always dismisses, or tosses a coin, adds nothing however common honest
payments are.

Estimates from few cases are pulled towards everybody's, because people are taken to be of a kind. Of somebody whose way
of answering is demonstrably unlike the others' (scorecards.signals) that cannot be assumed: such a person is pulled
half of the way towards somebody who says the same whatever the payment is, until the signals are gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log, tanh
from typing import Any

import numpy as np

from casework.quality.agreement.table import Rating
from casework.quality.consensus.dawid_skene import TINY, Fit, Smoothing, fit
from casework.quality.consensus.identification import anchored, identification
from casework.quality.consensus.votes import Reals, Votes, count_votes
from casework.review.verdicts import CONFIRMED_FRAUD, INCONCLUSIVE, LEGITIMATE

CLASSES, BESIDE = (CONFIRMED_FRAUD, LEGITIMATE), (INCONCLUSIVE,)
ANSWERS = (*CLASSES, *BESIDE)
DOUBTED = 0.5
"""How far the matrix of somebody whom signals flag is pulled towards saying the same whatever the payment is."""
Said = Sequence[tuple[str, str]]
"""Who gave which answer, one answer a person."""
_ANYBODY = ""


@dataclass(frozen=True)
class Measures:
    """Error rates and shares as fitted: `confusion` by reviewer and `shared` of all together are chances of ANSWERS (3)
    given CLASSES (2); `prior` is the share of fraud by lane, `overall` of all lanes. `sentence` says what they rest
    on, or why they are not `identified`. `doubted` are people whom signals flag: their matrices are half of the way to
    saying nothing."""

    identified: bool
    sentence: str
    verdicts: int
    anchors: int
    confusion: Mapping[str, Reals]
    shared: Reals
    prior: Mapping[str, float]
    overall: float
    doubted: tuple[str, ...] = ()

    @cached_property
    def _ratios(self) -> dict[tuple[str, str], float]:
        """Log of how much more likely each answer of each person is of a fraud than of an honest payment."""
        return {
            (who, answer): log(max(matrix[0, n], TINY)) - log(max(matrix[1, n], TINY))
            for who, matrix in {**self.confusion, _ANYBODY: self.shared}.items()
            for n, answer in enumerate(ANSWERS)
        }

    def _ratio(self, said: Said) -> float:
        ratios = self._ratios
        return sum(
            ratios[(who, answer) if (who, answer) in ratios else (_ANYBODY, answer)] for who, answer in said
        )

    def force(self, said: Said) -> float:
        """From -1 (only an honest payment could have led to this) to 1 (only a fraud could)."""
        return tanh(self._ratio(said) / 2)

    def posterior(self, said: Said, lane: str) -> float:
        """Chance of fraud, given these answers and the lane."""
        prior = min(max(self.prior.get(lane, self.overall), TINY), 1 - TINY)
        return (1 + tanh((self._ratio(said) + log(prior) - log(1 - prior)) / 2)) / 2

    def rates(self, reviewer: str) -> tuple[float, float]:
        """Recall and false positive rate as estimated, pulled towards everybody's."""
        matrix = self.confusion.get(reviewer, self.shared)
        return float(matrix[0, 0]), float(matrix[1, 0])

    def as_json(self) -> dict[str, Any]:
        """For storage; rounded, so that what is stored is what is used."""
        return {
            "identified": self.identified,
            "sentence": self.sentence,
            "verdicts": self.verdicts,
            "anchors": self.anchors,
            "confusion": {who: _rounded(matrix) for who, matrix in self.confusion.items()},
            "shared": _rounded(self.shared),
            "prior": {lane: round(share, 6) for lane, share in self.prior.items()},
            "overall": round(self.overall, 6),
            "doubted": list(self.doubted),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Measures:
        """What `as_json` wrote."""
        matrices = {who: np.array(matrix) for who, matrix in content["confusion"].items()}
        kept = {
            name: content[name]
            for name in ("identified", "sentence", "verdicts", "anchors", "prior", "overall")
        }
        doubted = tuple(content["doubted"])
        return cls(confusion=matrices, shared=np.array(content["shared"]), doubted=doubted, **kept)


def measure(
    ratings: Iterable[Rating],
    lanes: Mapping[str, str],
    truth: Mapping[str, bool],
    *,
    doubted: Iterable[str] = (),
    seed: int = 0,
) -> Measures:
    """Fit everybody's error rates to verdicts by Dawid and Skene, anchored by items of known `truth`, with a share of
    fraud for each of `lanes` (by item). No model's score enters. `doubted` are people whom signals flag. InputError
    where there are no verdicts."""
    golden = {item: CLASSES[0] if fraud else CLASSES[1] for item, fraud in truth.items()}
    votes = count_votes(ratings, golden=golden, groups=lanes, classes=CLASSES, beside=BESIDE)
    rule = Smoothing()
    fitted = fit(votes, smoothing=rule)
    about = identification(votes, fitted, rule, seed=seed)
    odd = tuple(sorted(set(doubted) & set(votes.reviewers)))
    return _measures(votes, fitted, about.identified, about.sentence, odd)


def _measures(
    votes: Votes, fitted: Fit, identified: bool, sentence: str, doubted: tuple[str, ...]
) -> Measures:
    upright = identified and bool(fitted.shared[0, 0] > fitted.shared[1, 0])
    if identified and not upright and not anchored(votes):
        sentence = "Not identified: what would be fraud is called fraud less often than what would be none."
    return Measures(
        identified=identified and (upright or anchored(votes)),
        sentence=sentence,
        verdicts=len(votes.item),
        anchors=int(votes.known.sum()),
        confusion=_matrices(votes, fitted, doubted),
        shared=fitted.shared,
        prior={lane: float(fitted.prior[n, 0]) for n, lane in enumerate(votes.groups)},
        overall=float(fitted.class_shares[0]),
        doubted=doubted,
    )


def _matrices(votes: Votes, fitted: Fit, doubted: tuple[str, ...]) -> dict[str, Reals]:
    found = dict(zip(votes.reviewers, fitted.confusion, strict=True))
    for who in doubted:
        own = votes.choice[votes.reviewer == votes.reviewers.index(who)]
        whatever = np.bincount(own, minlength=len(votes.answers)) / len(own)
        found[who] = (1 - DOUBTED) * found[who] + DOUBTED * whatever
    return found


def _rounded(matrix: Reals) -> list[list[float]]:
    return [[round(float(cell), 6) for cell in row] for row in matrix]
