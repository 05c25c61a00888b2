"""What does a verdict log tell about its reviewers, with all that it holds: truth, arms, confidence, seconds?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from casework.quality.agreement import against_truth as truths
from casework.quality.agreement.against_truth import Judged
from casework.quality.agreement.log_facts import GIVEN_AT, REVISED, Line, moment, slices_in
from casework.quality.agreement.log_parts import deeper
from casework.quality.agreement.pace import seconds_by_arm
from casework.quality.agreement.reading import VerdictLog, positive_category, read_verdicts
from casework.quality.agreement.report import by_arm, consistency, within_arm
from casework.quality.agreement.table import Rating
from casework.quality.consensus.conviction import confidence_ranks
from casework.quality.subgroups import wilson
from data.errors import InputError


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of the file hold what; '' where it has none."""

    truth: str = ""
    arm: str = ""
    confidence: str = ""
    seconds: str = ""
    score: str = ""

    def found_in(self, log: VerdictLog) -> Columns:
        """These columns, and where none is named the one of the plain name (truth, arm, ...) if there is one."""
        there = log.rows[0]
        plain = ("truth", "arm", "confidence", "seconds", "score")
        return Columns(*(getattr(self, name) or (name if name in there else "") for name in plain))

    def named(self) -> list[str]:
        return [name for name in (self.truth, self.arm, self.confidence, self.seconds, self.score) if name]


def report_of_file(
    path: Path,
    columns: Columns | None = None,
    *,
    positive: str = "",
    baseline: str = "",
    threshold: float = 0.5,
    by: Sequence[str] = (),
    seed: int = 0,
) -> dict[str, Any]:
    """The whole report of a verdict log, as JSON-ready values.

    `positive` names the verdict that means fraud, or several separated by commas, which then count as one.
    `baseline` is the arm that others are set against, `threshold` the score from which the model says fraud, `by` are
    further columns to break agreement down by. Raises InputError on anything that cannot be used.
    """
    columns = columns or Columns()
    log = read_verdicts(Path(path), arm=columns.arm or "arm", named=[*columns.named(), *by])
    columns = columns.found_in(log)
    verdicts, about = _positive(log, positive)
    ratings = [replace(r, verdict=v) for r, v in zip(log.ratings, verdicts, strict=True)]
    report = consistency(ratings, positive=about, seed=seed).as_json()
    slices = slices_in(log, by)
    report |= {
        "source": Path(path).name,
        "duplicate_lines": log.duplicate_lines,
        "unused_columns": [name for name in log.unused if name not in (*columns.named(), *slices, REVISED)],
        "headline": "all",
    }
    if log.has_arms:
        report |= _arms(ratings, about, seed)
    lines = _lines(log, ratings, columns, about, Path(path))
    judged = [line.judged for line in lines if line.judged]
    report |= _judgements(judged, columns, baseline, threshold, seed)
    named = [name for name in columns.named() if name != columns.score]
    meant = {rating.verdict for rating, v in zip(log.ratings, verdicts, strict=True) if v == about} | {about}
    cut = threshold if columns.score else None
    report |= deeper(
        lines,
        about,
        sorted(meant),
        slices=slices,
        cut=cut,
        baseline=baseline,
        score=columns.score,
        known=named,
        seed=seed,
    )
    report["unused_columns"] = [n for n in report["unused_columns"] if n not in report["facts_of_cases"]]
    return report


def _positive(log: VerdictLog, wanted: str) -> tuple[list[str], str]:
    """Verdicts with the positive ones merged into one category, and that category."""
    verdicts = [rating.verdict for rating in log.ratings]
    chosen = (
        [word.strip() for word in wanted.split(",")] if "," in wanted and wanted not in verdicts else [wanted]
    )
    each = [positive_category(verdicts, word) for word in chosen]
    if len(each) == 1:
        return verdicts, each[0]
    merged = " or ".join(each)
    return [merged if verdict in each else verdict for verdict in verdicts], merged


def _arms(ratings: Sequence[Rating], positive: str, seed: int) -> dict[str, Any]:
    """The report within arms, which is the headline, and one for each arm."""
    same = consistency(within_arm(ratings), positive=positive, seed=seed, with_pairs=False)
    arms = by_arm(ratings, positive=positive, seed=seed)
    return {"headline": "within_arm", "within_arm": same.as_json(), "by_arm": arms}


def _lines(
    log: VerdictLog, ratings: Sequence[Rating], columns: Columns, positive: str, path: Path
) -> list[Line]:
    """Verdicts with all that is known about each; a person's later words on an item are lines that do not count."""
    seen: set[tuple[str, str]] = set()
    found = []
    categories = sorted({rating.verdict for rating in ratings})
    for rating, row in zip(ratings, log.rows, strict=True):
        spot = (rating.item, rating.reviewer)
        where = f"{path}, item {rating.item}"
        at = moment(row.get(GIVEN_AT, ""), f"{where}, column {GIVEN_AT}")
        again = spot in seen
        seen.add(spot)
        fraud = (
            None if again else truths.is_fraud(row.get(columns.truth, ""), positive, categories, where=where)
        )
        judged = Judged(
            rating.item,
            rating.reviewer,
            rating.arm,
            rating.verdict == positive,
            fraud,
            row.get(columns.confidence, ""),
            _number(row.get(columns.seconds, ""), f"{where}, column {columns.seconds}"),
            _number(row.get(columns.score, ""), f"{where}, column {columns.score}"),
            at,
        )
        found.append(Line(rating, row, None if again else judged, at))
    return found


def _number(word: str, where: str) -> float:
    """A number of 0 or more; NaN where nothing is written."""
    if not word:
        return float("nan")
    try:
        number = float(word)
    except ValueError:
        number = -1.0
    if not (np.isfinite(number) and number >= 0):
        raise InputError(f"'{word}' is no number of 0 or more", where=where)
    return number


def _judgements(
    judged: Sequence[Judged], columns: Columns, baseline: str, threshold: float, seed: int
) -> dict[str, Any]:
    """The parts that need more than item, reviewer and verdict."""
    found: dict[str, Any] = {}
    arms = {one.arm for one in judged} - {""}
    if columns.truth:
        found["against_truth"] = {
            "all": truths.rates(judged),
            "by_reviewer": truths.by(judged, "reviewer"),
            "by_arm": truths.by(judged, "arm"),
        }
        if len(arms) > 1:
            found["arm_effects"] = truths.arm_effects(judged, truths.baseline_arm(judged, baseline))
        if columns.confidence:
            found["calibration"] = _in_order(truths.calibration(judged))
        if columns.score:
            found["automation_bias"] = truths.adherence(judged, threshold)
        found["votes_for_fraud"] = _votes_for_fraud(judged)
    if columns.seconds:
        found["seconds"] = seconds_by_arm(judged, seed=seed)
    return found


def _in_order(levels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Most confident first; by name where the words have no known order."""
    words = [level["confidence"] for level in levels]
    try:
        ranks = confidence_ranks(words)
    except InputError:
        return sorted(levels, key=lambda level: level["confidence"])
    return [levels[place] for place in np.argsort(-ranks, kind="stable")]


def _votes_for_fraud(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """Of items with two or more reviewers and known truth: the share of fraud by how many said fraud."""
    flags: dict[str, list[bool]] = {}
    truth: dict[str, bool] = {}
    for one in judged:
        if one.fraud is not None:
            flags.setdefault(one.item, []).append(one.flagged)
            truth[one.item] = one.fraud
    groups = Counter((len(said), sum(said)) for said in flags.values() if len(said) >= 2)
    frauds = Counter((len(said), sum(said)) for item, said in flags.items() if len(said) >= 2 and truth[item])
    return [
        {"reviewers": of, "said_fraud": yes, "fraud": wilson(frauds[of, yes], count)}
        for (of, yes), count in sorted(groups.items())
    ]
