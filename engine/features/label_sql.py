"""Which labels could each transaction know of, in SQL?

A label is plain when every transaction late enough to have it in a label window also knows it: its only row is
known by then, and nothing that late has been given a seq before it was reported. Plain labels are counted by
window functions. All others, and the moments at which frauds became known, by a join that spells the meaning out.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.features.facts import Facts
from engine.features.feature_set import FeatureSet, FeatureSpec
from engine.features.raw_sql import FRAUD_MARK, GOOD_MARK, held, remembered


def label_groups(feature_set: FeatureSet) -> list[int]:
    """Numbers of the entities that have label features."""
    entities = feature_set.entities
    return [i for i, entity in enumerate(entities) if any(f.is_label for f in feature_set.of_entity(entity))]


def shares(feature_set: FeatureSet, group: int) -> list[int]:
    """The widths of label windows asked of one entity."""
    return _widths(feature_set, group, ("fraud_count", "fraud_share"))


def learned(feature_set: FeatureSet, group: int) -> list[int]:
    return _widths(feature_set, group, ("frauds_learned",))


def _widths(feature_set: FeatureSet, group: int, measures: tuple[str, ...]) -> list[int]:
    specs: tuple[FeatureSpec, ...] = feature_set.of_entity(feature_set.entities[group])
    return sorted({f.window_us for f in specs if f.measure in measures})


def label_ctes(feature_set: FeatureSet, facts: Facts) -> dict[str, str]:
    """`labels`: outcome rows with their transaction; `marked`: every transaction with the mark of its plain label."""
    keys = {held(name) for i in label_groups(feature_set) for name in feature_set.entities[i]}
    order = "reported, known, recorded, fraud"
    numbered = (
        f"COUNT(*) OVER same AS reports, ROW_NUMBER() OVER (same ORDER BY {order}) AS place,"
        " MAX(known) OVER same AS last_known"
    )
    single = "1 AS reports, 1 AS place, known AS last_known"
    newest = "GREATEST({0}.newest, {0}.t)" if facts.late else "{0}.t"
    reporter = "LEFT JOIN base r ON r.seq = o.reported_seq" if facts.live_labels else ""
    seen_by_some = f"AND {remembered(feature_set, 'y.')}" if facts.very_late else ""
    seen = f"COALESCE({newest.format('r')}, {2**62})" if facts.live_labels else newest.format("y")
    return {
        "reports": f"""
            SELECT y.seq, y.t, {", ".join(f"y.{key}" for key in sorted(keys))}, o.is_fraud AS fraud,
                GREATEST(epoch_us(o.known_at), y.t) AS known, o.reported_seq AS reported,
                {facts.recorded} AS recorded,
                CASE WHEN o.reported_seq <= y.seq THEN {newest.format("y")} ELSE {seen} END AS seen
            FROM outcomes o JOIN base y ON y.seq = o.transaction_seq {reporter}
            WHERE o.reported_seq < {facts.last_seq} {seen_by_some}""",
        "labels": f"""
            SELECT *, reports = 1 AND known <= t + {feature_set.label_delay_us + 1}
                AND seen <= t + {feature_set.label_delay_us} AS plain
            FROM (SELECT *, {numbered if facts.revised else single} FROM reports
                  {"WINDOW same AS (PARTITION BY seq)" if facts.revised else ""})""",
        "marked": f"""
            SELECT base.*, l.mark
            FROM base LEFT JOIN (
                SELECT seq, CASE WHEN fraud THEN {FRAUD_MARK} ELSE {GOOD_MARK} END AS mark
                FROM labels WHERE plain) l ON l.seq = base.seq""",
    }


@dataclass(frozen=True)
class LabelCount:
    """What to count by join for one entity: for which transactions (a CTE's name), over which labels."""

    feature_set: FeatureSet
    facts: Facts
    group: int
    rows: str
    every: bool

    def sql(self) -> str:
        """One row per transaction that knows any such label: seq, k_, f_ and l_ columns."""
        fs, d = self.feature_set, self.feature_set.label_delay_us
        counted = "TRUE" if self.every else "NOT plain"
        counts = []
        for width in shares(fs, self.group):
            window = f"{counted} AND t >= x_t - {d + width} AND t < x_t - {d}"
            counts.append(f"COUNT(*) FILTER (WHERE {window}) AS k_{self.group}_{width}")
            counts.append(f"COUNT(*) FILTER (WHERE {window} AND fraud) AS f_{self.group}_{width}")
        for width in learned(fs, self.group):
            window = f"fraud AND known >= x_t - {width} AND known < x_t AND t >= x_t - {fs.horizon_us}"
            counts.append(f"COUNT(*) FILTER (WHERE {window}) AS l_{self.group}_{width}")
        return f"SELECT x_seq AS seq, {', '.join(counts)} FROM ({self._pairs()}) GROUP BY x_seq"

    def _pairs(self) -> str:
        """Every (transaction, label in force for it) that may count, joined on the entity and a bucket of time."""
        entity = self.feature_set.entities[self.group]
        keys = " AND ".join(f"x.{held(n)} = l.{held(n)}" for n in entity)
        floor = f"AND l.t >= x.newest - {self.feature_set.memory_us}" if self.facts.very_late else ""
        asking = f"(SELECT * FROM {self.rows} WHERE {remembered(self.feature_set)})" if floor else self.rows
        latest = "QUALIFY ROW_NUMBER() OVER (PARTITION BY x.seq, l.seq ORDER BY l.place DESC) = 1"
        return f"""
            SELECT x.seq AS x_seq, x.t AS x_t, l.t, l.known, l.fraud, l.plain
            FROM {asking} x JOIN ({self._reach()}) l ON {keys} AND x.t // {self._bucket} = l.bucket
            WHERE l.seq < x.seq AND l.reported < x.seq AND l.known <= x.t {floor}
            {latest if self.facts.revised else ""}"""

    @property
    def _bucket(self) -> int:
        delay = self.feature_set.label_delay_us
        widths = [
            *(delay + w for w in shares(self.feature_set, self.group)),
            *learned(self.feature_set, self.group),
        ]
        return max(widths)

    def _reach(self) -> str:
        """Labels, once for each bucket of time in which a transaction may count them, or would but for them another
        label of the same payment: one that was known earlier may be in force when the other could be counted."""
        ends = []
        if widths := shares(self.feature_set, self.group):
            ends.append(f"t + {self.feature_set.label_delay_us + widths[-1]}")
        if widths := learned(self.feature_set, self.group):
            ends.append(f"last_known + {widths[-1]}")
        last = f"GREATEST({', '.join(ends)})" if len(ends) > 1 else ends[0]
        if self.every:
            wanted = "TRUE"
        elif learned(self.feature_set, self.group):
            wanted = "NOT plain OR fraud" if shares(self.feature_set, self.group) else "fraud OR reports > 1"
        else:
            wanted = "NOT plain"
        buckets = f"UNNEST(GENERATE_SERIES(known // {self._bucket}, ({last}) // {self._bucket})) AS bucket"
        return f"SELECT *, {buckets} FROM labels WHERE ({wanted}) AND {last} >= known"
