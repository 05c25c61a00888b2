"""What do the record's verdicts show about everybody's errors, and so about what each payment's verdicts are worth?

The fit is stored with its date, so that a label believed at some moment can be derived again from the fit of that
moment. Words weigh in a label what they tell (their force, see `worth`) times the chance that they are right, and at
most what the policy says; where they are hardly ever right they are no label.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from casework.quality.agreement.table import Rating
from casework.quality.consensus.worth import CLASSES, Measures, measure
from casework.quality.scorecards.reviews import reviews
from casework.quality.scorecards.signals import standings
from casework.quality.settled_truth import settled_truth
from casework.review.review_design import COUNTED_KINDS, GOLDEN
from data.canonical import canonical_json, sha256_hex
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer
from engine.policy import Policy

LOOKS_BACK = timedelta(days=180)
"""Verdicts older than this say little of how somebody judges now."""
FEWEST = 30
HARDLY_RIGHT = 0.25
"""Posterior under which words are no label at all: one person's "fraud" where there is hardly any. Not a half, because
what people call fraud is stopped and will never be known otherwise, and half-right words still point the right way."""
SURE = 0.8
"""Posterior from which three people or more who differ still make a label."""
_GOLDEN = "golden:"

# The first word of each person on each payment. Golden cases are items of their own, so that their share of fraud,
# which the policy chose, is not taken for that of the lane the payment once came from.
_SAID = f"""
WITH said AS (
    SELECT v.transaction_seq, v.reviewer, v.value, v.task_kind, v.lane, v.given_at, v.event_seq FROM verdicts v
    WHERE v.given_at <= $as_of AND v.given_at >= $since AND (v.undone_at IS NULL OR v.undone_at > $as_of)
      AND v.task_kind IN {(*COUNTED_KINDS, GOLDEN)}
      AND NOT EXISTS (SELECT 1 FROM voided_verdicts x WHERE x.verdict_id = v.verdict_id AND x.voided_at <= $as_of)
)
SELECT transaction_seq, task_kind = '{GOLDEN}' AS golden, reviewer, arg_min(value, (given_at, event_seq)) AS value,
       arg_min(lane, (given_at, event_seq)) AS lane, min(event_seq) AS first_seq
FROM said GROUP BY transaction_seq, golden, reviewer ORDER BY first_seq
"""
_CASES = (
    "SELECT transaction_seq, arg_max(is_fraud, added_at) AS is_fraud FROM golden_cases WHERE added_at <= $as_of "
    "GROUP BY transaction_seq"
)


@dataclass(frozen=True, slots=True)
class Word:
    """What one person first said of a payment, in which lane."""

    transaction_seq: int
    golden: bool
    reviewer: str
    value: str
    lane: str


@dataclass(frozen=True, slots=True)
class StoredFit:
    """A fit as it was stored."""

    fit_id: str
    fitted_at: datetime
    measures: Measures


def words(source: Ledger | Writer, as_of: datetime, since: datetime) -> list[Word]:
    """Everybody's first word on each payment given from `since` to `as_of`, in order; no adjudications, no second looks
    of the same person, no pilots, nobody in training."""
    rows = source.read(_SAID, {"as_of": as_of, "since": since})
    return [
        Word(row["transaction_seq"], row["golden"], row["reviewer"], row["value"], row["lane"])
        for row in rows
    ]


def fit_now(source: Ledger | Writer, policy: Policy, as_of: datetime) -> Measures | None:
    """Everybody's error rates as the record shows them at `as_of`; None with fewer than FEWEST verdicts."""
    said = words(source, as_of, as_of - LOOKS_BACK)
    if len(said) < FEWEST:
        return None
    maturity = policy.labels.maturity // timedelta(microseconds=1)
    truth = {
        str(row["transaction_seq"]): row["is_fraud"]
        for row in source.read(settled_truth("as_of"), {"as_of": as_of, "maturity_us": maturity})
    }
    for row in source.read(_CASES, {"as_of": as_of}):
        truth[f"{_GOLDEN}{row['transaction_seq']}"] = row["is_fraud"]
    lanes = lanes_of(said)
    ratings = [Rating(_item(word), word.reviewer, word.value) for word in said]
    given = reviews(source, as_of - LOOKS_BACK, as_of, policy.labels.maturity)
    odd = [who for who, standing in standings(given).items() if standing.flagged]
    of_item = {_item(word): lanes[word.transaction_seq, word.golden] for word in said}
    return measure(ratings, of_item, truth, doubted=odd)


def keep_up(ledger: Ledger, policy: Policy, by: str, at: datetime) -> str:
    """Fit anew and store it, unless it came out as the last one did; a sentence about it."""
    found = fit_now(ledger, policy, at)
    if found is None:
        return f"Fewer than {FEWEST} verdicts: nothing was fitted."
    content = canonical_json(found.as_json()).decode()
    fit_id = f"fit_{sha256_hex(content.encode())[:16]}"
    last = latest(ledger, at)
    if last is not None and last.fit_id == fit_id:
        return f"As before. {found.sentence}"
    row = {"fit_id": fit_id, "fitted_at": at, "identified": found.identified, "verdicts": found.verdicts}
    with ledger.writing() as w:
        w.insert("consensus_fits", [{**row, "anchors": found.anchors, "content": content}])
        # Events are read by auditors and risk managers: what a fit says of single people is named by its digest only.
        told = {
            "content_sha256": sha256_hex(content.encode()),
            "sentence": found.sentence,
            "prior": found.prior,
        }
        payload = {**row, "anchors": found.anchors, "overall": found.overall, **told}
        w.event(EventDraft(by, "consensus.fitted", f"consensus:{fit_id}", payload), at)
    return f"Fitted to {found.verdicts:,} verdicts. {found.sentence}"


def latest(source: Ledger | Writer, as_of: datetime) -> StoredFit | None:
    """The last fit made by `as_of`."""
    rows = source.read(
        "SELECT fit_id, fitted_at, content FROM consensus_fits WHERE fitted_at <= ? ORDER BY fitted_at DESC LIMIT 1",
        [as_of],
    )
    if not rows:
        return None
    return StoredFit(
        rows[0]["fit_id"], rows[0]["fitted_at"], Measures.from_json(json.loads(rows[0]["content"]))
    )


def worth_table(ledger: Ledger, policy: Policy, as_of: datetime) -> pa.Table:
    """For each payment that people judged: what their words make it, and what that is worth as a label.

    Columns transaction_seq, value (fraud or not), people, factor (of the policy's weight for its source; 0: no label),
    posterior (of `value`) and because (a sentence). Empty while no fit is identified: then labels weigh what the policy
    says.
    """
    found = latest(ledger, as_of)
    rows: list[dict[str, Any]] = []
    if found is not None and found.measures.identified:
        said = [word for word in words(ledger, as_of, _ALWAYS) if not word.golden]
        lanes = lanes_of(said)
        of_payment: dict[int, list[tuple[str, str]]] = {}
        for word in said:
            of_payment.setdefault(word.transaction_seq, []).append((word.reviewer, word.value))
        rows = [
            _worth(seq, given, lanes[seq, False], found, policy)
            for seq, given in of_payment.items()
            if any(value in CLASSES for _, value in given)
        ]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
_SCHEMA = pa.schema(
    [
        ("transaction_seq", pa.int64()),
        ("value", pa.bool_()),
        ("people", pa.int64()),
        ("factor", pa.float64()),
        ("posterior", pa.float64()),
        ("because", pa.string()),
    ]
)


def _worth(
    seq: int, given: Sequence[tuple[str, str]], lane: str, found: StoredFit, policy: Policy
) -> dict[str, Any]:
    measures = found.measures
    chance, force = measures.posterior(given, lane), measures.force(given)
    named = {value for _, value in given if value in CLASSES}
    fraud = named == {CLASSES[0]} if len(named) == 1 else chance >= 0.5
    posterior, force = (chance, force) if fraud else (1 - chance, -force)
    if len(named) == 1 and len(given) > len([1 for _, value in given if value in CLASSES]):
        factor = 0.0  # somebody could not tell
    else:
        factor = _factor(given, named, posterior, force, policy)
    because = f"posterior {posterior:.2f}, force {max(force, 0):.2f}, {found.fit_id}"
    return {
        "transaction_seq": seq,
        "value": fraud,
        "people": len(given),
        "factor": round(factor, 6),
        "posterior": posterior,
        "because": because,
    }


def _factor(
    given: Sequence[tuple[str, str]], named: set[str], posterior: float, force: float, policy: Policy
) -> float:
    """The share of the policy's weight that these words are worth: their force times the chance that they are right,
    and all of it where that is as much or more; nothing where they are hardly ever right, or differ and leave
    doubt."""
    agreed = len(named) == 1
    good_enough = posterior >= HARDLY_RIGHT if agreed else len(given) >= 3 and posterior >= SURE
    usual = policy.labels.weights.get("consensus" if len(given) > 1 else "single_verdict", 0.0)
    if not good_enough or usual <= 0:
        return 0.0
    return min(1.0, max(force, 0.0) * posterior / usual)


def lanes_of(said: Sequence[Word]) -> dict[tuple[int, bool], str]:
    """The lane that each payment was drawn in: that of its first word which was no second review."""
    found: dict[tuple[int, bool], str] = {}
    for word in said:
        key = (word.transaction_seq, word.golden)
        if key not in found or found[key] == "second":
            found[key] = word.lane
    return found


def _item(word: Word) -> str:
    return f"{_GOLDEN if word.golden else ''}{word.transaction_seq}"
