"""What is written in a verdict log, line by line, and which of its verdicts means fraud?"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from casework.quality.agreement.table import Rating
from data.errors import InputError, did_you_mean

REQUIRED = ("item", "reviewer", "verdict")
OPTIONAL = ("arm", "confidence", "seconds", "given_at")
POSITIVE_WORDS = (
    "confirmed_fraud", "fraud", "fraudulent", "positive", "yes", "true", "1", "declined", "not approved"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class VerdictLog:
    """The ratings of a file in file order, and how many of its lines repeat an earlier one word for word.

    `rows` are the lines as dicts by column name, in the same order as `ratings`; `unused` are columns that
    nothing here reads.
    """

    ratings: tuple[Rating, ...]
    duplicate_lines: int
    has_arms: bool
    rows: tuple[dict[str, str], ...] = ()
    unused: tuple[str, ...] = ()


def read_verdicts(path: Path, *, arm: str = "arm", named: Sequence[str] = ()) -> VerdictLog:
    """Read a long-form CSV with the columns item, reviewer, verdict (and arm, confidence, seconds, given_at).

    `arm` names the column of the display arm; `named` are further columns that must be there. Raises
    InputError with file and line on a missing or repeated column, an empty field, or no rows.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            text = file.read()
    except FileNotFoundError:
        raise InputError("there is no such file", where=str(path), hint="Check the path.") from None
    except (UnicodeDecodeError, IsADirectoryError) as problem:
        raise InputError(
            "this is not a CSV file in UTF-8",
            where=str(path),
            hint=f"Save it as CSV, UTF-8 ({problem.__class__.__name__}).",
        ) from None
    # Not splitlines(): it also breaks at characters that an id may hold (a form feed, U+2028).
    lines = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [name.strip() for name in next(lines, [])]
        _check_header(header, path, named)
        rows = [
            _row(header, cells, f"{path}:{lines.line_num}")
            for cells in lines
            if any(cell.strip() for cell in cells)
        ]
    except csv.Error as problem:
        raise InputError(
            f"this line cannot be read as CSV ({problem})",
            where=f"{path}:{lines.line_num}",
            allowed=f"fields of up to {csv.field_size_limit():,} characters",
            hint="Is a quotation mark open?",
        ) from None
    if not rows:
        raise InputError(
            "the file has a header but no verdicts", where=str(path), allowed="one verdict a line"
        )
    distinct = {tuple(sorted(row.items())) for row in rows}
    ratings = tuple(Rating(r["item"], r["reviewer"], r["verdict"], r.get(arm, "")) for r in rows)
    unused = tuple(name for name in header if name not in {*REQUIRED, *OPTIONAL, *named, arm})
    return VerdictLog(ratings, len(rows) - len(distinct), arm in header, tuple(rows), unused)


def _check_header(header: list[str], path: Path, named: Sequence[str]) -> None:
    where = f"{path}:1"
    allowed = f"{', '.join(REQUIRED)}; optional {', '.join(OPTIONAL)}"
    if not any(header):
        raise InputError("the file is empty", where=str(path), allowed=allowed)
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise InputError(
            f"the column '{missing[0]}' is missing", where=where, allowed=allowed, hint="Rename your columns."
        )
    absent = [name for name in named if name not in header]
    if absent:
        raise InputError(
            f"there is no column '{absent[0]}'",
            where=where,
            allowed=", ".join(header),
            hint=did_you_mean(absent[0], header),
        )
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        raise InputError(f"the column '{twice[0]}' appears twice", where=where, allowed="each column once")


def _row(header: list[str], cells: list[str], where: str) -> dict[str, str]:
    if len(cells) != len(header):
        raise InputError(
            f"this line has {len(cells)} fields", where=where, allowed=f"{len(header)}, as in the header"
        )
    row = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    empty = [name for name in REQUIRED if not row[name]]
    if empty:
        raise InputError(f"'{empty[0]}' is empty", where=where, hint="Leave out lines without a verdict.")
    return row


def positive_category(verdicts: list[str], wanted: str = "") -> str:
    """The category that specific agreement is about: the wanted one, else a known word, else the rarest."""
    found = Counter(verdicts)
    if wanted:
        if wanted not in found:
            raise InputError(f"nobody gave the verdict '{wanted}'", allowed=", ".join(sorted(found)))
        return wanted
    by_word = {verdict.lower(): verdict for verdict in sorted(found)}
    return next(
        (by_word[word] for word in POSITIVE_WORDS if word in by_word),
        min(sorted(found), key=lambda verdict: found[verdict]),
    )
