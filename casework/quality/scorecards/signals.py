"""In which respects is somebody's way of answering unlike the colleagues', beyond chance and beyond taste?

Each signal is a test of one person against the colleagues, in the same lanes and arms. None of them ranks people, and
none looks at pay, hours or anything but answers. What a flag means is a talk, whose outcome may well be that the person
is right and the guideline is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from statistics import median

import scipy

from casework.quality.scorecards.deviation import MIN_COLLEAGUES, Answers, Deviation, deviation, tally
from casework.quality.scorecards.reviews import Review, by_reviewer
from casework.quality.scorecards.runs import longest_run
from casework.review.verdicts import CONFIRMED_FRAUD, INCONCLUSIVE, LEGITIMATE

WINDOW = 300
"""The latest reviews of each person that are looked at."""
LEVEL = 0.02
"""Chance that somebody like the colleagues is flagged in one look, shared out evenly among the signals."""
FAST = 1 / 3
MIN_REVIEWS = 30
SIGNALS: Mapping[str, str] = {
    "recall": "Frauds whose truth is known are found less often than by colleagues.",
    "false_positives": "Payments known to be honest are called fraud more often than by colleagues.",
    "agrees_on_fraud": "What a colleague called fraud is called so less often than among colleagues.",
    "agrees_on_rest": "What a colleague dismissed is dismissed less often than among colleagues.",
    "share": "The share called fraud is unlike that of colleagues in the same lanes.",
    "unsure": "More is left undecided than by colleagues in the same lanes.",
    "runs": "The same answer was given many times in a row, more than the mix of cases makes likely.",
    "seconds": "Most answers come in less than a third of the time colleagues take for the like.",
}
_EACH = LEVEL / (len(SIGNALS) + 1)  # `share` looks both ways


@dataclass(frozen=True, slots=True)
class Signal:
    """One respect in which somebody stands out: figures with which it was found, and the chance of it among people like
    the colleagues."""

    name: str
    n: int
    value: float
    expected: float
    p: float

    @property
    def sentence(self) -> str:
        return SIGNALS[self.name]


@dataclass(frozen=True, slots=True)
class Standing:
    """What the signals say of one person: those that flag, and how many could be computed at all."""

    reviewer: str
    n: int
    flags: tuple[Signal, ...]
    looked_at: tuple[str, ...]

    @property
    def flagged(self) -> bool:
        return bool(self.flags)


def standings(given: Sequence[Review], window: int = WINDOW) -> dict[str, Standing]:
    """What the signals say of each person over his or her latest `window` reviews."""
    people = {who: rows for who, rows in by_reviewer(given, window).items() if len(rows) >= MIN_REVIEWS}
    tallies: dict[str, dict[str, Answers]] = {
        name: {who: count(rows) for who, rows in people.items()} for name, count in _TALLIES.items()
    }
    for name, said in (("agrees_on_fraud", CONFIRMED_FRAUD), ("agrees_on_rest", LEGITIMATE)):
        tallies[name] = _agreements(people, said)
    found = {}
    for who, rows in people.items():
        signals = [
            _compared(name, by_person[who], [t for other, t in by_person.items() if other != who])
            for name, by_person in tallies.items()
        ]
        others = [each for other, theirs in people.items() if other != who for each in theirs]
        if len(people) > MIN_COLLEAGUES:
            signals += [_runs(rows, others), _seconds(rows, others)]
        computed = [signal for signal in signals if signal is not None]
        flags = tuple(signal for signal in computed if signal.p < _EACH)
        found[who] = Standing(who, len(rows), flags, tuple(signal.name for signal in computed))
    return found


_TALLIES: Mapping[str, Callable[[Sequence[Review]], Answers]] = {
    "recall": lambda rows: tally((r.known_from, r.value == CONFIRMED_FRAUD) for r in rows if r.fraud is True),
    "false_positives": lambda rows: tally(
        (r.known_from, r.value == CONFIRMED_FRAUD) for r in rows if r.fraud is False
    ),
    "share": lambda rows: tally((f"{r.lane} {r.arm}", r.value == CONFIRMED_FRAUD) for r in rows),
    "unsure": lambda rows: tally((f"{r.lane} {r.arm}", r.value == INCONCLUSIVE) for r in rows),
}


def _agreements(people: Mapping[str, Sequence[Review]], said: str) -> dict[str, Answers]:
    """For each person: of the colleagues' `said` on payments that chance gave to both, how many he or she shares."""
    on_item: dict[str, list[Review]] = {}
    for rows in people.values():
        for each in rows:
            if each.overlap and each.value != INCONCLUSIVE:
                on_item.setdefault(each.item, []).append(each)
    answers: dict[str, list[tuple[str, bool]]] = {who: [] for who in people}
    for both in on_item.values():
        for mine in both:
            for other in both:
                if other.reviewer != mine.reviewer and other.arm == mine.arm and other.value == said:
                    answers[mine.reviewer].append((mine.arm, mine.value == said))
    return {who: tally(pairs) for who, pairs in answers.items()}


def _compared(name: str, own: Answers, colleagues: Sequence[Answers]) -> Signal | None:
    found = deviation(own, colleagues)
    if found is None:
        return None
    return Signal(name, found.n, found.share, found.expected, _p(name, found))


def _p(name: str, found: Deviation) -> float:
    if name == "share":
        return min(found.p_low, found.p_high)
    return found.p_high if name in ("false_positives", "unsure") else found.p_low


def _runs(rows: Sequence[Review], others: Sequence[Review]) -> Signal | None:
    """The longest run of one answer, given how often colleagues give it in the lanes that the person met."""
    found = [
        signal
        for value in (LEGITIMATE, CONFIRMED_FRAUD)
        if (signal := _run_of(value, rows, others)) is not None
    ]
    return min(found, key=lambda signal: signal.p) if found else None


def _run_of(value: str, rows: Sequence[Review], others: Sequence[Review]) -> Signal | None:
    usual = tally((f"{r.lane} {r.arm}", r.value == value) for r in others)
    shares = [usual.get(f"{r.lane} {r.arm}", (0, 0)) for r in rows]
    if any(n == 0 for n, _ in shares):
        return None
    longest, expected, p = longest_run(
        [r.value == value for r in rows], [(yes + 0.5) / (n + 1) for n, yes in shares]
    )
    return Signal("runs", len(rows), longest, expected, min(1.0, 2 * p))


def _seconds(rows: Sequence[Review], others: Sequence[Review]) -> Signal | None:
    """How many answers took less than FAST of colleagues' median for that answer in that arm; a sign test says whether
    that is most of them."""
    taken: dict[tuple[str, str], list[float]] = {}
    for each in others:
        if each.seconds > 0:
            taken.setdefault((each.arm, each.value), []).append(each.seconds)
    usual = {key: median(seconds) for key, seconds in taken.items() if len(seconds) >= MIN_REVIEWS}
    timed = [each for each in rows if each.seconds > 0 and (each.arm, each.value) in usual]
    if len(timed) < MIN_REVIEWS:
        return None
    quick = sum(log(each.seconds / usual[each.arm, each.value]) < log(FAST) for each in timed)
    chance = float(scipy.stats.binom.sf(quick - 1, len(timed), 0.5))
    return Signal("seconds", len(timed), quick / len(timed), 0.5, chance)
