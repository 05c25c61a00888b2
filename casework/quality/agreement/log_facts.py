"""What do the further columns of a verdict log say of each verdict: its slices, second looks, changes of mind, pace?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from casework.quality.agreement.against_truth import Judged
from casework.quality.agreement.breakdown import Placed, in_weeks
from casework.quality.agreement.reading import REQUIRED, VerdictLog
from casework.quality.agreement.steadiness import TwoLooks
from casework.quality.agreement.table import Rating
from casework.quality.display.revealed import Reveal
from casework.quality.disputes.against import Fact
from casework.quality.pace.shifts import Worked
from data.errors import InputError

GIVEN_AT, REVISED = "given_at", "revised"
SLICES = ("queue", "reason", "rule", "guideline")
"""Columns that agreement is broken down by without being asked; a `rule` may hold several, separated by semicolons."""
NOT_FACTS = {*REQUIRED, GIVEN_AT, REVISED, "arm", "confidence", "seconds", "truth"}


@dataclass(frozen=True, slots=True)
class Line:
    """One verdict of the file: rating, row, what is known of it (None for a later word on an item), and when."""

    rating: Rating
    row: Mapping[str, str]
    judged: Judged | None
    given_at: datetime | None


def moment(word: str, where: str) -> datetime | None:
    """A time in RFC 3339, UTC where no zone is written; None where nothing is. InputError for anything else."""
    if not word:
        return None
    try:
        at = datetime.fromisoformat(word)
    except ValueError:
        raise InputError(f"'{word}' is no time", where=where, allowed="2026-03-02T09:30:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def slices_in(log: VerdictLog, by: Sequence[str]) -> list[str]:
    """The columns to break agreement down by: the usual ones that are there, then those asked for."""
    there = log.rows[0]
    return list(dict.fromkeys([*(name for name in SLICES if name in there), *by]))


def placed(lines: Sequence[Line], names: Sequence[str]) -> list[Placed]:
    """First words with the facts they can be sliced by, weeks among them where times are known."""
    return in_weeks(
        [
            Placed(line.rating, _facts(line.row, names), line.given_at, line.judged.score)
            for line in lines
            if line.judged
        ]
    )


def _facts(row: Mapping[str, str], names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """A rule is one of several; every other fact is one word."""
    found = {}
    for name in names:
        words = row[name].split(";") if name == "rule" else [row[name]]
        found[name] = tuple(word.strip() for word in words if word.strip())
    return found


def looks(lines: Sequence[Line]) -> list[TwoLooks]:
    """Each later word of a person on an item beside his or her first one. A line that repeats another word for word is
    a double export rather than a second look."""
    first: dict[tuple[str, str], Line] = {}
    seen: set[tuple[tuple[str, str], ...]] = set()
    found = []
    for line in lines:
        spot = (line.rating.item, line.rating.reviewer)
        same = tuple(sorted(line.row.items()))
        if same in seen:
            continue
        seen.add(same)
        if spot not in first:
            first[spot] = line
        else:
            found.append(
                TwoLooks(*spot, first[spot].rating.verdict, line.rating.verdict, _days(first[spot], line))
            )
    return found


def _days(first: Line, later: Line) -> float:
    if first.given_at is None or later.given_at is None:
        return float("nan")
    return (later.given_at - first.given_at).total_seconds() / 86_400


def reveals(lines: Sequence[Line], positive: Sequence[str], threshold: float | None) -> list[Reveal]:
    """Verdicts whose column `revised` says what their author said once the score was shown (the same where nothing
    changed)."""
    found = []
    for line in lines:
        said, one = line.row.get(REVISED, ""), line.judged
        if said and one:
            scored = threshold is not None and one.score == one.score
            model = one.score >= threshold if scored and threshold is not None else None
            found.append(Reveal(one.item, one.reviewer, one.flagged, said in positive, model, one.fraud))
    return found


def worked(lines: Sequence[Line]) -> list[Worked]:
    """Verdicts with time and seconds as pieces of work; display arm, reason and queue are the kind of case."""
    return [
        Worked(
            one.reviewer,
            one.item,
            line.given_at,
            one.seconds,
            one.flagged,
            (one.arm, line.row.get("reason", ""), line.row.get("queue", "")),
            one.fraud,
        )
        for line in lines
        if (one := line.judged) and line.given_at is not None and one.seconds == one.seconds
    ]


def case_facts(lines: Sequence[Line], left_out: Sequence[str]) -> dict[str, dict[str, Fact]]:
    """By item the columns that say something of it: numbers where all are, else words. What varies within an item is a
    fact of the verdict and left out, and so are `left_out`."""
    by_item: dict[str, Mapping[str, str]] = {}
    varying: set[str] = set()
    for line in lines:
        before = by_item.setdefault(line.rating.item, line.row)
        varying |= {name for name, word in line.row.items() if before[name] != word}
    names = [name for name in lines[0].row if name not in {*NOT_FACTS, *varying, *left_out}] if lines else []
    numeric = {name for name in names if all(_is_number(row[name]) for row in by_item.values())}
    return {
        item: {name: _fact(row[name], name in numeric) for name in names} for item, row in by_item.items()
    }


def _is_number(word: str) -> bool:
    try:
        return not word or abs(float(word)) < float("inf")
    except ValueError:
        return False


def _fact(word: str, numeric: bool) -> Fact:
    if not word:
        return None
    return float(word) if numeric else word
