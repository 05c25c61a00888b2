"""How does a transaction become a decision, a case if a person should look, and one durable commit?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from collections.abc import Mapping as Map
from contextlib import suppress
from datetime import date, datetime

import orjson

from casework.cases.open_cases import BehindError
from casework.deciding import decisions
from casework.deciding.intake import Intake
from casework.live import Live
from data import reading
from data.canonical import canonical_json
from data.errors import ConflictError, SecondLookError
from data.integrity.commitments import content_sha256
from data.ledger import Ledger, Writer
from data.transactions import Transaction
from engine.decide import load_after
from engine.decision import Decision, Outcome, TriageReason
from engine.triage import CapacityState

Answer = bytes | SecondLookError
"""A decision as JSON, or what stands in its way."""
_TRIES = 3
log = logging.getLogger("secondlook.decisions")
Fresh = dict[str, Transaction]
"""Transactions whose ids were not seen before, by id."""


class Load:
    """What reviewers have already been given on the UTC day of a moment; counted here, because triage only reads."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._day: date | None = None
        self._state = CapacityState()

    def knows(self, moment: datetime) -> bool:
        """Whether the state of that day is at hand."""
        return self._day == moment.date()

    def at(self, moment: datetime) -> CapacityState:
        """The state on that day: counted so far, or read from the ledger when the day is another."""
        if self._day != moment.date():
            self._day, self._state = moment.date(), self._read(moment.date())
        return self._state

    def add(self, made: Sequence[Decision]) -> None:
        """Count committed decisions of the day last asked for."""
        for decision in made:
            self._state = load_after(self._state, decision)

    def _read(self, day: date) -> CapacityState:
        row = self._ledger.read(
            "SELECT count(*) FILTER (outcome = 'review' OR triage_reason = 'audit') AS reviews, "
            "count(*) FILTER (explored) AS explored, "
            "coalesce(sum(amount_minor) FILTER (explored), 0) AS amount, "
            "count(*) FILTER (triage_reason = 'drift') AS drifted "
            "FROM decisions WHERE decided_at >= CAST(? AS DATE) AND decided_at < CAST(? AS DATE) + 1",
            [day.isoformat(), day.isoformat()],
        )[0]
        counted = (row["reviews"], row["explored"], int(row["amount"]))
        return CapacityState(*counted, self._novel(day), row["drifted"])

    def _novel(self, day: date) -> dict[str, int]:
        """How many were looked at for being strange in each way, where no model decided."""
        rows = self._ledger.read(
            "SELECT json_extract_string(decode(e.payload), '$.context.novel_kind') AS kind, count(*) AS count "
            "FROM decisions d JOIN events e ON e.seq = d.event_seq WHERE d.model_id = '' AND d.triage_reason = ? "
            "AND d.decided_at >= CAST(? AS DATE) AND d.decided_at < CAST(? AS DATE) + 1 GROUP BY 1",
            [TriageReason.NOVEL.value, day.isoformat(), day.isoformat()],
        )
        return {row["kind"]: row["count"] for row in rows if row["kind"] is not None}


class Decider:
    """Decides transactions and makes the one commit that holds them, their decisions and the cases they open.

    Not thread-safe: whoever calls holds the application's lock. If a commit fails, nothing is on disk, but the
    memory has seen the transactions, so `spoiled` is called to have it built anew. `reload` is called when the breaker
    has paused the model or the policy, so that what was before takes over; `told` hears of what is on disk.
    """

    def __init__(
        self,
        ledger: Ledger,
        live: Callable[[], Live],
        intake: Intake,
        spoiled: Callable[[], None],
        reload: Callable[[], None] = lambda: None,
        told: Callable[[Sequence[Decision]], None] = lambda made: None,
    ) -> None:
        self._ledger, self._live, self._intake, self._spoiled = ledger, live, intake, spoiled
        self._reload, self._told = reload, told
        self._load = Load(ledger)

    def make(self, transactions: Sequence[Transaction], at: datetime) -> tuple[Fresh, dict[str, Answer]]:
        """Decide those whose ids are new; they, and their durable answers by id."""
        fresh: Fresh = {}
        for transaction in transactions:
            known = transaction.transaction_id in fresh
            if not known and self._ledger.seq_of(transaction.transaction_id) is None:
                fresh[transaction.transaction_id] = transaction
        return fresh, self._commit(list(fresh.values()), at) if fresh else {}

    def answers(
        self, transactions: Sequence[Transaction], fresh: Fresh, made: dict[str, Answer]
    ) -> list[Answer]:
        """One answer each, in order, all durable: the decision, the stored one for an id seen before, or the
        ConflictError for an id whose content, or a personal value, differs. For stored ones the ledger is read."""
        again = [t for t in transactions if t.personal and t.transaction_id not in fresh]
        personal = self._personal_of(again)
        return [self._answer(transaction, fresh, made, personal) for transaction in transactions]

    def _personal_of(self, again: Sequence[Transaction]) -> dict[str, dict[str, str]]:
        """The personal values on record of those seen before, by owner, as far as they were sent; one look for all."""
        sent: dict[int, set[str]] = {}
        for each in again:
            sent.setdefault(self._ledger.seq_of(each.transaction_id) or 0, set()).update(each.personal)
        if not sent:
            return {}
        marks = ", ".join("?" for _ in sent)
        sql = f"SELECT seq, commitments FROM transactions WHERE seq IN ({marks})"
        held = self._ledger.read(sql, list(sent))
        wanted = {
            _owner(row["seq"]): sent[row["seq"]] & orjson.loads(row["commitments"]).keys() for row in held
        }
        return reading.personal_values_of(self._ledger, wanted)

    def must_read(self, transactions: Sequence[Transaction], at: datetime) -> bool:
        """Whether these cannot be answered from memory: an id was seen before, the day is a new one, or nothing is
        known of open cases."""
        if self._intake.open_cases.must_load(self._live().settings.policy) or not self._load.knows(at):
            return True
        return any(self._ledger.seq_of(t.transaction_id) is not None for t in transactions)

    def _commit(self, fresh: Sequence[Transaction], at: datetime) -> dict[str, Answer]:
        live, load = self._live(), self._load.at(at)
        self._intake.open_cases.load(self._ledger, live.settings.policy)
        try:
            first = self._ledger.next_transaction_seq  # whoever takes seqs holds the application's lock
            placed = [t.placed(first + n) for n, t in enumerate(fresh)]
            made = live.guard.decide(placed, at=at, load=load)
            answers = self._written(live, made, at)
        except BaseException:
            self._intake.open_cases.forget()
            self._spoiled()
            raise
        self._load.add(made)
        self._told(made)
        if live.guard.stale:
            self._take_over()
        return answers

    def _take_over(self) -> None:
        """What is decided is on disk and must be answered: if reloading fails, the next decision tries."""
        try:
            self._reload()
        except Exception:
            log.exception("what decides cannot be loaded anew, now that something of it is paused")
            self._spoiled()

    def _written(self, live: Live, made: Sequence[Decision], at: datetime) -> dict[str, Answer]:
        """A write that only adds: where an alert may join a case that is not known, that is read first. One that can
        query where somebody else writes again and again meanwhile."""
        alerts = [d.transaction for d in made if d.outcome is Outcome.REVIEW]
        for _ in range(_TRIES):
            with suppress(BehindError), self._ledger.recording() as w:
                return self._write(w, live, made, at)
            self._intake.open_cases.read(self._ledger, alerts, live.settings.policy, at)
        with self._ledger.writing() as w:
            return self._write(w, live, made, at)

    def _write(self, w: Writer, live: Live, made: Sequence[Decision], at: datetime) -> dict[str, Answer]:
        cases = self._intake.open_cases
        cases.prepare(w, made, live.settings.policy, at)
        w.take_seqs(len(made))
        w.insert_transactions([d.transaction for d in made], at, "api")
        stored = [canonical_json(decisions.as_json(d)) for d in made]
        seqs = w.events([decisions.event_of(d, s) for d, s in zip(made, stored, strict=True)], at)
        w.insert("decisions", [decisions.row_of(d, seq) for d, seq in zip(made, seqs, strict=True)])
        live.guard.record(w, made, at)
        opened = self._intake.open(w, live, made, at)
        cases.written(w)
        return {
            d.transaction.transaction_id: decisions.answer_of(s, opened.get(d.transaction.seq))
            for d, s in zip(made, stored, strict=True)
        }

    def _answer(
        self, sent: Transaction, fresh: Fresh, made: dict[str, Answer], personal: Map[str, Map[str, str]]
    ) -> Answer:
        name = sent.transaction_id
        if name in fresh:
            first = fresh[name]
            if first is not sent and content_sha256(first) != content_sha256(sent):
                return _differs(name)
            return made[name] if _on_record(sent.personal, first.personal, ()) else _differs_in_person(name)
        seq = self._ledger.seq_of(name) or 0
        sql = "SELECT content_sha256, commitments FROM transactions WHERE seq = ?"
        held = self._ledger.read(sql, [seq])[0]
        if held["content_sha256"] != content_sha256(sent):
            return _differs(name)
        committed = orjson.loads(held["commitments"])
        if not _on_record(sent.personal, personal.get(_owner(seq), {}), committed):
            return _differs_in_person(name)
        found = decisions.stored(self._ledger, seq)
        return orjson.dumps(found) if found else _never_decided(name)


def _owner(seq: int | None) -> str:
    return f"transaction:{seq}"


def _on_record(sent: Map[str, str], held: Map[str, str], committed: Collection[str]) -> bool:
    """Whether every personal value that was sent is the one on record. Of one that was erased only the commitment is
    left: then it must do that there was a value."""
    return all(held[name] == value if name in held else name in committed for name, value in sent.items())


def _differs_in_person(transaction_id: str) -> ConflictError:
    return ConflictError(
        "this transaction id was used before with other personal values, which stay as they are",
        where=transaction_id,
        hint="Send the same values, or none, to get the stored decision.",
    )


def _differs(transaction_id: str) -> ConflictError:
    return ConflictError(
        "this transaction id was used before for other content",
        where=transaction_id,
        hint="Send the same content to get the stored decision, or a new id for a new transaction.",
    )


def _never_decided(transaction_id: str) -> ConflictError:
    return ConflictError(
        "this transaction came with a file of history and was not decided",
        where=transaction_id,
        hint="Only transactions sent for a decision have one.",
    )
