"""Which open cases may an alert join, without asking DuckDB about every payment?"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from casework.cases import cases
from casework.cases.cases import CASE_OPEN, Case
from casework.review import tasks
from casework.review.tasks import Task
from data.ledger import Ledger
from data.storage.reads import Settled
from data.transactions import Transaction
from data.writer import Writer
from engine.decision import Decision, Outcome
from engine.policy import Policy
from engine.policy_work import Joining

LEAST_TIME_LEFT = 4
"""A case with less than a fourth of its segment's time left takes no more alerts: they would get no look of their
own."""
_OPEN_CASES = f"""
    SELECT {cases.COLUMNS}, c.entity_value,
           (SELECT count(*) FROM case_transactions x WHERE x.case_id = c.case_id) AS size
    FROM cases c WHERE c.status = '{CASE_OPEN}' AND c.entity = ?
"""
_NAMED = "IN (SELECT unnest(CAST(? AS VARCHAR[])))"
_TOUCHED = """
    WITH heard AS (
        SELECT subject, CASE WHEN starts_with(kind, 'verdict.')
                             THEN json_extract_string(decode(payload), '$.task_id') END AS task_id
        FROM events JOIN (SELECT unnest(CAST(? AS BIGINT[])) AS first, unnest(CAST(? AS BIGINT[])) AS last) unheard
             ON seq BETWEEN first AND last
        WHERE seq BETWEEN ? AND ?
    ), touched AS (
        SELECT task_id FROM heard WHERE task_id IS NOT NULL
        UNION SELECT substr(subject, 6) FROM heard WHERE starts_with(subject, 'task:')
    )
    SELECT DISTINCT entity_value FROM cases
    WHERE entity = ? AND (case_id IN (SELECT substr(subject, 6) FROM heard WHERE starts_with(subject, 'case:'))
                          OR case_id IN (SELECT case_id FROM tasks WHERE task_id IN (SELECT task_id FROM touched)))
"""
_MOST_KNOWN = 30_000
"""Values whose cases are kept at most: some 3 KB each."""
_MOST_BESIDE = 200
"""Values beside those asked for that are read with them."""


_MOST_UNHEARD = 500
"""Stretches of others' events, with own ones between, that wait for the next alert."""


class BehindError(Exception):
    """A write that only adds cannot say whether an alert joins a case: not all that it takes is known."""


@dataclass(slots=True)
class Young:
    """An open case that may take alerts, as it stands: how many payments it has, and all its tasks."""

    case: Case
    size: int
    tasks: list[Task] = field(default_factory=list)


@dataclass(slots=True)
class _Held:
    """The open cases of one value, and the last event by which those who decide changed them."""

    young: list[Young] = field(default_factory=list)
    changed: int = 0


class OpenCases:
    """The cases that alerts may join, in memory, so that deciding asks DuckDB next to nothing.

    Which values of the joining entity may have an open case young enough is known from the start, by when their latest
    was opened: a memory that can only be too long. What such a case holds is read when an alert first asks for it,
    along with some that may be asked for next. Those who decide keep it up; what others did to cases is heard of by
    their events, before the next alert, and those cases are read anew. Not thread-safe: the deciding thread has it.

    What is read need not hold what was recorded last: only those who decide record, and before they change a case they
    know it. But for what was let go since: `_let_go` is the event up to which that must be in DuckDB.
    """

    def __init__(self) -> None:
        self._entity, self._within = "", timedelta(0)
        self._opened: dict[str, datetime] = {}
        self._known: OrderedDict[str, _Held] = OrderedDict()
        self._changing: set[str] = set()
        self._stand, self._let_go = 0, 0
        self._unheard: list[tuple[int, int]] = []

    def load(self, ledger: Ledger, policy: Policy) -> None:
        """Fill the memory of values, if policy has alerts join and it is not filled yet."""
        joining = policy.work.joining
        if joining is None or self._covers(joining):
            return
        self.forget()
        self._stand = ledger.last_event.seq  # before it is read: what comes meanwhile is heard of once more
        self._entity, self._within = joining.entity, joining.within
        for row in ledger.read(_OPEN_CASES, [joining.entity]):
            self.add(joining.entity, row["entity_value"], row["opened_at"])

    def _covers(self, joining: Joining) -> bool:
        """Whether the memory of values is of this entity, and goes back far enough."""
        return joining.entity == self._entity and joining.within <= self._within

    def trim(self, at: datetime) -> None:
        """Forget values whose latest case is too old for any alert."""
        oldest = at - self._within
        self._opened = {value: opened for value, opened in self._opened.items() if opened >= oldest}

    def forget(self) -> None:
        """Read everything anew, from a record that is whole, when it is next asked for."""
        self._entity, self._stand, self._let_go = "", 0, 0
        self._opened.clear()
        self._known.clear()
        self._changing.clear()
        self._unheard.clear()

    def must_load(self, policy: Policy) -> bool:
        """Whether nothing can be said before the record has been read."""
        joining = policy.work.joining
        return joining is not None and not self._covers(joining)

    def read(self, ledger: Ledger, alerts: Sequence[Transaction], policy: Policy, at: datetime) -> None:
        """Know the cases that these alerts may join; costs nothing where they are known."""
        self.load(ledger, policy)
        joining = policy.work.joining
        if joining is None or not self._is_behind(ledger.last_event.seq, alerts, joining, at):
            return
        until = max((last for _, last in self._unheard), default=0)
        if ledger.last_event.seq - ledger.waiting < max(until, self._let_go):
            ledger.settle()
        self._catch_up(Settled(ledger), alerts, joining, at)

    def prepare(self, w: Writer, made: Sequence[Decision], policy: Policy, at: datetime) -> None:
        """The same inside a write, for alerts. BehindError if they are not known and it cannot read."""
        joining = policy.work.joining
        if joining is None:
            self.forget()  # nobody keeps it up while no alerts join
            return
        if not self._covers(joining):
            raise BehindError
        alerts = [d.transaction for d in made if d.outcome is Outcome.REVIEW]
        if self._is_behind(w.head.seq, alerts, joining, at):
            if w.only_adds:
                raise BehindError
            self._catch_up(w, alerts, joining, at)

    def written(self, w: Writer) -> None:
        """All that this write has done is known."""
        self._stand = w.head.seq
        for value in self._changing:
            self._known[value].changed = w.head.seq
        self._changing.clear()
        while len(self._known) > _MOST_KNOWN:
            _, oldest = self._known.popitem(last=False)
            self._let_go = max(self._let_go, oldest.changed)

    def add(self, entity: str, value: str, at: datetime) -> None:
        """There is now, or may be, a case on this value, opened at `at`."""
        if entity == self._entity:
            self._opened[value] = max(at, self._opened.get(value, at))

    def opened(self, entity: str, value: str, young: Young) -> None:
        """A case was opened on this value, in the write that `prepare` was told of."""
        if entity == self._entity and value:
            self.add(entity, value, young.case.opened_at)
            self._known.setdefault(value, _Held()).young.append(young)
            self._changing.add(value)

    def fitting(self, decision: Decision, policy: Policy, at: datetime) -> Young | None:
        """The open case that this alert joins, or None: the latest of its entity and segment that is young enough, has
        room, and has time left."""
        joining = policy.work.joining
        value = decision.transaction.entities.get(joining.entity) if joining else None
        held = self._known.get(value) if value else None
        if joining is None or value is None or held is None:
            return None
        self._known.move_to_end(value)
        fitting = [young for young in held.young if _fits(young, decision, joining, policy, at)]
        if fitting:
            self._changing.add(value)
        return max(fitting, key=lambda young: (young.case.opened_at, young.case.case_id), default=None)

    def _is_behind(self, head: int, alerts: Iterable[Transaction], joining: Joining, at: datetime) -> bool:
        """Whether one of these alerts may join a case that is not known, as of the last event `head`."""
        if head > self._stand:
            self._unheard.append((self._stand + 1, head))
            self._stand = head
            if len(self._unheard) > _MOST_UNHEARD:  # what lies between two is heard again: harmless
                self._unheard[:2] = [(self._unheard[0][0], self._unheard[1][1])]
        # Somebody else may have opened a case, or opened it again, on a value that had none.
        asked = [value for alert in alerts if (value := alert.entities.get(joining.entity))]
        return bool(asked) and (bool(self._unheard) or bool(self._unknown(asked, joining, at)))

    def _unknown(self, values: Iterable[str], joining: Joining, at: datetime) -> set[str]:
        since, opened, known = at - joining.within, self._opened, self._known
        return {v for v in values if v not in known and (when := opened.get(v)) is not None and when >= since}

    def _catch_up(
        self, source: Settled | Writer, alerts: Iterable[Transaction], joining: Joining, at: datetime
    ) -> None:
        """Hear what others did, and know the cases of these alerts, and of some that may be asked for next."""
        if self._unheard:
            firsts, lasts = (list(ends) for ends in zip(*self._unheard, strict=True))
            for row in source.read(_TOUCHED, [firsts, lasts, firsts[0], lasts[-1], joining.entity]):
                self._known.pop(row["entity_value"], None)
                self.add(joining.entity, row["entity_value"], at)
            self._unheard.clear()
        asked = {alert.entities.get(joining.entity) or "" for alert in alerts}
        if unknown := self._unknown(asked, joining, at):
            latest = (value for value in reversed(self._opened) if value not in self._known)
            self._take_in(source, unknown.union(islice(latest, _MOST_BESIDE)), joining)

    def _take_in(self, source: Settled | Writer, values: Collection[str], joining: Joining) -> None:
        """Read the open cases of these values with their tasks, all at once."""
        rows = source.read(f"{_OPEN_CASES} AND c.entity_value {_NAMED}", [joining.entity, list(values)])
        found = {row["case_id"]: Young(_case(row), row["size"]) for row in rows}
        if found:
            for task in tasks.where(source, f"t.case_id {_NAMED}", [list(found)]):
                found[task.case_id].tasks.append(task)
        self._known.update({value: _Held() for value in values})
        for row in rows:
            self._known[row["entity_value"]].young.append(found[row["case_id"]])
        for value in values:
            if not self._known[value].young:
                del self._known[value], self._opened[value]


def _case(row: Mapping[str, Any]) -> Case:
    return Case(**{name: row[name] for name in Case.__dataclass_fields__})


def _fits(young: Young, decision: Decision, joining: Joining, policy: Policy, at: datetime) -> bool:
    case, segment = young.case, cases.segment_of(decision)
    time_left, whole = case.deadline - at, policy.segment(segment).deadline
    return (
        case.segment == segment
        and case.opened_at >= at - joining.within
        and time_left * LEAST_TIME_LEFT >= whole
        and young.size < joining.most
    )
