"""What was decided in a past period, from which features, and what has become known of it since?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from casework.in_hand import Told, nobody
from casework.settings.past_columns import read_columns
from casework.settings.past_truth import FRAUD as FRAUD
from casework.settings.past_truth import UNKNOWN as UNKNOWN
from casework.settings.past_truth import Truth, read_truth
from data.errors import InputError
from data.ledger import Ledger
from engine.control import Applied, from_context
from engine.costs import CapacityState
from engine.decision import RuleResult, RuleState
from engine.features.feature_set import CATEGORY, FLAG, FeatureSet
from engine.policy import Policy
from engine.rules.rule_set import RuleSet
from engine.rules.sql import microseconds_of
from engine.segments import Segments
from engine.what_if.redecide import Asking, Past, Segmented

MOST_DECISIONS = 1_000_000
_KINDS = {FLAG: "BOOLEAN", CATEGORY: "VARCHAR"}
_DEFAULT_DAYS = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` until before `until`, by the moment of deciding (UTC)."""

    since: datetime
    until: datetime

    @property
    def days(self) -> float:
        return max((self.until - self.since) / timedelta(days=1), 1e-9)


def period(
    ledger: Ledger, since: datetime | None, until: datetime | None, *, length: timedelta = _DEFAULT_DAYS
) -> Period:
    """The period asked for; without bounds, the last days (`length`) in which anything was decided. It ends with the
    last decision there is, so that those made while it is read do not come into it. InputError if it is empty or holds
    more than a million decisions."""
    last = ledger.read("SELECT max(decided_at) AS at FROM decisions")[0]["at"]
    if last is None:
        raise InputError("nothing was decided yet", where="period", hint="Decide transactions first.")
    if since and until and since >= until:
        raise InputError("the period ends before it begins", where="until", allowed="since < until")
    end = last + timedelta(microseconds=1)
    end = min(until, end) if until else end
    found = Period(since or end - length, end)
    sql = "SELECT count(*) AS n FROM decisions WHERE decided_at >= ? AND decided_at < ?"
    held = ledger.read(sql, [found.since, found.until])[0]["n"]
    if not 0 < held <= MOST_DECISIONS:
        raise InputError(
            f"{held:,} decisions lie in this period",
            where="since",
            allowed=f"1 to {MOST_DECISIONS:,}",
            hint="Choose another period.",
        )
    return found


@dataclass(frozen=True)
class PastDecisions:
    """The decisions of a period in the order they were made: one row each, with the features they were made from."""

    table: pa.Table
    truth: Truth

    @property
    def fraud(self) -> np.ndarray:
        return self.truth.fraud

    @property
    def confirmed(self) -> np.ndarray:
        return self.truth.confirmed

    def __len__(self) -> int:
        return self.table.num_rows

    @cached_property
    def columns(self) -> Past:
        """What deciding again needs, beside the rules."""
        get = self.table.column
        load = get("_load")[0].as_py() or {}
        return Past(
            decided_at=get("_decided_at").cast(pa.timestamp("us", "UTC")).to_pylist(),
            probability=get("_probability").to_pylist(),
            amount_minor=get("_amount").to_pylist(),
            novelty=get("_novelty").to_pylist(),
            audit=get("_audit").to_pylist(),
            explore=get("_explore").to_pylist(),
            killed=get("_killed").to_pylist(),
            start=CapacityState(**load),
            controls=self._controls,
        )

    @property
    def _controls(self) -> dict[int, Applied]:
        """What was switched, snoozed or listed, where anything was."""
        # What was switched stands for days, so nearly all rows have the same few texts.
        stored = self.table.column("_controls").to_pylist()
        known = {text: from_context(orjson.loads(text)) for text in set(stored) if text}
        return {place: known[text] for place, text in enumerate(stored) if text}

    @cached_property
    def amount_minor(self) -> np.ndarray:
        """Amounts in minor units; 0 where unknown."""
        return self.table.column("_amount").fill_null(0).to_numpy().astype(np.int64)

    def row(self, place: int) -> dict[str, Any]:
        """The features of one row, by name, and our own columns."""
        return self.table.slice(place, 1).to_pylist()[0]

    def with_features(self, recomputed: Mapping[str, pa.ChunkedArray]) -> PastDecisions:
        """The same decisions with some features replaced or added."""
        table = self.table
        for name, column in recomputed.items():
            if name in table.column_names:
                table = table.drop_columns([name])
            table = table.append_column(name, column)
        return PastDecisions(table, self.truth)


def read_past(
    ledger: Ledger, when: Period, features: FeatureSet, policy: Policy, as_of: datetime, told: Told = nobody
) -> PastDecisions:
    """The decisions of a period with the features stored with them (null where one was not stored)."""
    shape = {
        "features": {spec.name: _KINDS.get(spec.kind, "DOUBLE") for spec in features.features},
        "draws": {"audit": "DOUBLE", "explore": "DOUBLE"},
        "context": {
            "novelty": "DOUBLE",
            "killed": "BOOLEAN",
            "controls": "JSON",
            "load": {
                "reviews_today": "BIGINT",
                "explored_today": "BIGINT",
                "explored_amount_today_minor": "BIGINT",
            },
        },
    }
    table = read_columns(ledger, when, orjson.dumps(shape).decode(), told)
    return PastDecisions(table, read_truth(ledger, when, policy, as_of))


def truth(ledger: Ledger, when: Period, policy: Policy, as_of: datetime) -> tuple[np.ndarray, np.ndarray]:
    """(fraud, confirmed) per decision in the order made: 1, 0, or -1 for not known. `fraud` is what outcomes and
    matured silence say at `as_of`; `confirmed` is what reviewers said, which is no fact."""
    found = read_truth(ledger, when, policy, as_of)
    return found.fraud, found.confirmed


def segmented(ledger: Ledger, past: PastDecisions, segments: Segments) -> Segmented:
    """Which of the policy's segments each past decision would be in."""
    if len(segments.names) == 1:
        return Segmented(segments)
    table = past.table.append_column("_place", pa.array(range(len(past)), pa.int64()))
    sql = f'SELECT {segments.sql(microseconds_of("_decided_at"))} AS name FROM past ORDER BY "_place"'
    return Segmented(segments, ledger.read_arrow(sql, (), past=table).column("name").to_pylist())


@dataclass(frozen=True)
class Answers:
    """What the rules of a set say about past decisions: the places where each hit, and what asks for something."""

    hits: Mapping[str, np.ndarray]
    asking: Asking


def rule_answers(ledger: Ledger, past: PastDecisions, rules: RuleSet) -> Answers:
    """Evaluate all live and shadow rules over all rows in one query."""
    running = [rule for rule in rules if rule.runs]
    if not running:
        return Answers({}, {})
    table = past.table.append_column("_place", pa.array(range(len(past)), pa.int64()))
    sql = rules.sql("past", at="_decided_at", key="_place") + ' ORDER BY "_place"'
    states = ledger.read_arrow(sql, (), past=table)
    hit, missing = (rules.bare_results(state) for state in (RuleState.HIT, RuleState.MISSING))
    hits: dict[str, np.ndarray] = {}
    asking: dict[int, list[RuleResult]] = {}
    for rule in running:
        column = states.column(rule.id)
        hits[rule.id] = np.flatnonzero(pc.equal(column, RuleState.HIT.value).to_numpy())
        if rule.status != "live":
            continue
        places = [(hit[rule.id], hits[rule.id])]
        if missing[rule.id].floor:
            unknown = np.flatnonzero(pc.equal(column, RuleState.MISSING.value).to_numpy())
            places.append((missing[rule.id], unknown))
        for result, where in places:
            for place in where.tolist():
                asking.setdefault(place, []).append(result)
    return Answers(hits, asking)
