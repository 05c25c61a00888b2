"""Which display arms showed the score, which an explanation too, and which neither?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casework.quality.agreement.against_truth import Judged, baseline_arm

_SCORE_WORDS = ("score",)


@dataclass(frozen=True, slots=True)
class Screens:
    """Arms by what they showed: `blind` nothing of the model, `scored` the score alone, `explained` all others."""

    blind: str
    scored: str
    explained: tuple[str, ...]

    def contrasts(self) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
        """What can be set against what: name, arms without it, arms with it."""
        found: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = []
        if self.blind and self.scored:
            found.append(("score", (self.blind,), (self.scored,)))
        if self.scored and self.explained:
            found.append(("explanation", (self.scored,), self.explained))
        if self.blind and not self.scored and self.explained:
            found.append(("screen", (self.blind,), self.explained))
        return found


def screens_of(judged: Sequence[Judged], baseline: str = "", scored: str = "") -> Screens:
    """What the arms of a log showed, by their names where it is not said: the baseline is the arm without a score,
    `scored` the first other whose name speaks of a score."""
    arms = sorted({one.arm for one in judged} - {""})
    if len(arms) < 2:
        return Screens("", "", ())
    blind = baseline_arm(judged, baseline)
    others = [arm for arm in arms if arm != blind]
    by_name = [arm for arm in others if any(word in arm.lower() for word in _SCORE_WORDS)]
    with_score = scored or (next(iter(by_name), "") if len(others) > 1 else others[0])
    return Screens(blind, with_score, tuple(arm for arm in others if arm != with_score))
