"""What do outcomes and verdicts say that the champion has not learned from, and does somebody contradict it?

Outcomes are read as labels, verdicts as they were given: what weighing leaves of a swapped week may look sound. The
words of everybody in one week are one question. Whether one person's words are turned while the colleagues' are not is
another; it raises an alarm and refuses nothing, since weighing hears little of those who err.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from statistics import NormalDist

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from casework.learning.gates import label_turns
from casework.learning.gates.gates import LabelTurn
from casework.learning.gates.label_turns import OF_PEOPLE, Part, Scored
from engine.measuring.intervals import Interval
from engine.model.dataset import microseconds
from engine.model.scoring import Model

FEWEST_OF_ONE = 10
"""Frauds and legitimate payments that one person must have named before anything is said of that person's words."""
LATEST_DAYS = 28
_DAY_US = 86_400_000_000
_SAID = "single_verdict"


@dataclass(frozen=True, slots=True)
class Said:
    """Verdicts as they were given, with the champion's margin of the payment: whether it was called fraud, by whom (a
    number), when (microseconds since 1970 UTC), whether it was the first word on that payment, and why that came."""

    margin: np.ndarray
    fraud: np.ndarray
    reviewer: np.ndarray
    given_us: np.ndarray
    first: np.ndarray
    reason: np.ndarray


@dataclass(frozen=True, slots=True)
class SomeTurned:
    """Reviewers whose words contradict the champion while those of the others do not, named by nobody here. `alike`
    where only payments that came before people for the same reason were compared."""

    areas: tuple[Interval, ...]
    others: Interval
    reviewers: int
    since: date
    alike: bool = False

    @property
    def sentence(self) -> str:
        """For an alarm: how many, since when, and by which figures."""
        n = len(self.areas)
        theirs = "; ".join(f"{a.value:.2f} [{a.low:.2f}, {a.high:.2f}]" for a in self.areas)
        alike = ", each against those that came for the same reason" if self.alike else ""
        return (
            f"Verdicts of {n} of {self.reviewers} reviewers since {self.since} look turned over: what they call fraud "
            f"scores below what they call legitimate with the champion{alike} (AUC {theirs}; the "
            f"others {self.others.value:.2f}, 0.50 is chance). The signals on the scorecards tell whose; what was said "
            f"by mistake can be declared void."
        )


@dataclass(frozen=True, slots=True)
class Against:
    """What contradicts the champion: weeks of one kind of source, and single people."""

    weeks: tuple[LabelTurn, ...] = ()
    some: SomeTurned | None = None


def held_against(champion: Model, features: pa.Table, labels: pa.Table, verdicts: pa.Table) -> Against:
    """Hold labels and verdicts on the payments of `features` (those the champion did not learn from) against it.

    `labels` as in a snapshot, of which only what does not come from people is read; `verdicts` as in
    `verdicts_given.given`.
    """
    seq = features["seq"].to_numpy()
    order = np.argsort(seq, kind="stable")
    seq = seq[order]
    told = labels.filter(pc.invert(pc.is_in(labels["source"], pa.array(OF_PEOPLE))))
    told, told_at = _of_these(told, seq)
    verdicts, said_at = _of_these(verdicts, seq)
    used = np.union1d(told_at, said_at)
    if not len(used):
        return Against()
    rows = features.take(pa.array(order[used]))
    margin, _ = champion.score_matrix(champion.encoders.matrix(rows))
    said = _said(verdicts, margin[np.searchsorted(used, said_at)])
    at = np.searchsorted(used, told_at)
    occurred = microseconds(rows["occurred_at"])[at]
    return Against(weeks_turned(said, margin[at], told, occurred), some_turned(said))


def weeks_turned(
    said: Said, margin: np.ndarray, told: pa.Table, occurred_us: np.ndarray
) -> tuple[LabelTurn, ...]:
    """Weeks of first words (by when they were given) and of outcomes (by when the payment was)."""
    first = said.first
    words, value = int(first.sum()), np.asarray(told["value"].to_pylist(), dtype=bool)
    why = np.concatenate([said.reason[first], np.full(len(value), "", dtype=object)])
    source = np.array([*[_SAID] * words, *told["source"].to_pylist()], dtype=object)
    return label_turns.turned(
        Scored(
            np.concatenate([said.margin[first], margin]),
            np.concatenate([said.fraud[first], value]),
            source,
            np.concatenate([said.given_us[first], occurred_us]),
            why,
        )
    )


def some_turned(said: Said) -> SomeTurned | None:
    """Reviewers whose words of the latest weeks put the champion below chance, over all that are looked at, while the
    words of all others put it above; None without one."""
    if not len(said.margin):
        return None
    since = int(said.given_us.max()) - LATEST_DAYS * _DAY_US
    late = said.given_us >= since
    people = [who for who in np.unique(said.reviewer[late]).tolist() if _enough(said, late, [who])]
    if len(people) < 2:
        return None
    z = NormalDist().inv_cdf(1 - 0.025 / len(people))
    found = {who: label_turns.below_chance(_part(said, late, [who]), z) for who in people}
    turned = [who for who, (_, below) in found.items() if below]
    others = [who for who in np.unique(said.reviewer[late]).tolist() if who not in turned]
    if not turned or not _enough(said, late, others):
        return None
    rest, _ = label_turns.area_within(_part(said, late, others), z)
    if rest.low <= 0.5:
        return None  # nobody's words speak for the champion: it is not these people who differ
    day = datetime.fromtimestamp(since / 1e6, UTC).date()
    alike = len(np.unique(said.reason[late].astype(str))) > 1
    areas = tuple(found[who][0] for who in turned)
    return SomeTurned(areas, rest, len(np.unique(said.reviewer[late])), day, alike)


def _enough(said: Said, late: np.ndarray, who: Sequence[int]) -> bool:
    fraud = _part(said, late, who).fraud
    return bool(min(fraud.sum(), (~fraud).sum()) >= FEWEST_OF_ONE)


def _part(said: Said, late: np.ndarray, who: Sequence[int]) -> Part:
    """Their words on payments that can be compared: those for whose reason they called some fraud and some not."""
    return label_turns.comparable(said.margin, said.fraud, said.reason, late & np.isin(said.reviewer, who))


def _of_these(rows: pa.Table, seq: np.ndarray) -> tuple[pa.Table, np.ndarray]:
    """Rows whose payment is among `seq` (ascending), and its place there."""
    wanted = rows["seq"].to_numpy()
    at = np.searchsorted(seq, wanted)
    there = at < len(seq)
    there[there] = seq[at[there]] == wanted[there]
    return rows.filter(pa.array(there)), at[there]


def _said(verdicts: pa.Table, margin: np.ndarray) -> Said:
    seq = verdicts["seq"].to_numpy()
    first = np.ones(len(seq), dtype=bool)
    first[1:] = seq[1:] != seq[:-1]
    return Said(
        margin,
        np.asarray(verdicts["value"].to_pylist(), dtype=bool),
        verdicts["reviewer"].to_numpy(),
        microseconds(verdicts["given_at"]),
        first,
        _reasons(verdicts),
    )


def _reasons(verdicts: pa.Table) -> np.ndarray:
    """Why each payment came before people; all for one reason in a snapshot of an earlier version."""
    if "reason" not in verdicts.column_names:
        return np.full(verdicts.num_rows, "", dtype=object)
    return np.array(verdicts["reason"].to_pylist(), dtype=object)
