"""Was anything in the record changed, deleted, inserted or put in another order?

Every event is re-hashed from its stored bytes and linked to its predecessor. Every transaction is re-hashed from
its columns, and each run of transactions must still have the digest that an event in the chain vouches for. Every
personal value that has not been erased must still match its commitment.

Where the ledger has a key, every event must carry its seal, every table the sum that was kept under it, and every head
of the chain that was noted outside must still be there. Rows that repeat what an event says must say the same; that,
and the chain itself, can be checked of a ledger without a key, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from data.errors import LedgerError
from data.events import GENESIS, Event
from data.incoming.ingest import FILE_LABEL, LABEL_DIGEST_SQL
from data.integrity import declared, foreign, projections, seal_checks
from data.integrity.anchors import Anchor
from data.integrity.commitments import DIGEST_SQL, content_sql
from data.integrity.sealing import Sealer
from data.ledger import Ledger
from data.storage.rows import View, aware
from data.storage.schema import Field, Shapes
from data.writer import RECORDED

_PAGE = 10_000
_PIECE = 200
"""Events made of columns at once: doing so holds Python's lock, for which payments may wait."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What walking the record found.

    `events` and `transactions` count what was checked; `first_bad_seq` is the seq of the first event that does not
    fit (0 if none) and `problem` says in a sentence what is wrong. `last_hash` is the head, in hexadecimal.
    `sealed_from` is the first event under the ledger's key (0 for a ledger without one), `anchors` the number of heads
    noted outside that were found again, and `anchored_seq` the newest of them. `problems` lists, after a whole chain,
    everything else that does not fit; `warnings` what fails nothing but should be known.
    """

    events: int
    transactions: int
    ok: bool
    first_bad_seq: int = 0
    problem: str = ""
    last_hash: str = ""
    sealed_from: int = 0
    anchors: int = 0
    anchored_seq: int = 0
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class _Broken(Exception):
    """Stops the walk at the first thing that does not fit."""

    def __init__(self, seq: int, problem: str) -> None:
        super().__init__(problem)
        self.seq, self.problem = seq, problem


def verify(ledger: Ledger, *, progress: Progress | None = None) -> ChainReport:
    """Walk the whole record. Never raises for a broken one: the report says where and how.

    Events and payments, which nothing changes once they are there, are read page by page while the ledger goes on; what
    came meanwhile, and all that can change, is of one moment, since no checkpoint is made while that lasts.
    """
    held: list[Anchor] = []
    found: list[seal_checks.Problem] = []
    noted_badly = ""
    warnings: tuple[str, ...] = ()
    try:
        held, warnings = seal_checks.anchored(ledger)
    except LedgerError as unread:
        noted_badly = str(unread)
    walk = _Walk(ledger, ledger.fields, progress, ledger.sealer)
    report = _report_of(walk, walk.go_on)
    if report.ok:
        with ledger.view() as view:
            walk.ledger = view
            report = _report_of(walk, walk.finish)
            found = list(_beside(walk, view, ledger.shapes, held)) if report.ok else []
    if noted_badly:
        found.append((walk.checked, noted_badly))
    sealed_from = ledger.sealer.key.sealed_from if ledger.sealer else 0
    newest = max((anchor.seq for anchor in held), default=0)
    report = replace(
        report, sealed_from=sealed_from, anchors=len(held), anchored_seq=newest, warnings=warnings
    )
    if not found:
        return report
    seq, problem = (report.first_bad_seq, report.problem) if not report.ok else min(found)
    return replace(
        report, ok=False, first_bad_seq=seq, problem=problem, problems=tuple(text for _, text in found)
    )


def _report_of(walk: _Walk, steps: Callable[[], None]) -> ChainReport:
    try:
        steps()
    except _Broken as broken:
        return ChainReport(walk.checked, walk.covered, False, broken.seq, broken.problem, walk.hash.hex())
    return ChainReport(walk.checked, walk.covered, True, last_hash=walk.hash.hex())


def _beside(walk: _Walk, view: View, shapes: Shapes, held: list[Anchor]) -> Iterator[seal_checks.Problem]:
    """What does not fit beside a whole chain."""
    if names := foreign.found(view):
        yield walk.checked, foreign.sentence(names)
    if parts := declared.found(view):
        yield walk.checked, declared.sentence(parts)
    yield from seal_checks.schema_problems(view, walk.checked)
    yield from seal_checks.anchor_problems(view, held, walk.checked)
    yield from projections.problems(view, shapes)
    if walk.sealer is not None:
        yield from seal_checks.table_problems(view, walk.sealer, shapes, walk.checked, walk.hash)


def events(ledger: Ledger | View, *, first_seq: int = 1) -> Iterator[Event]:
    """The events from `first_seq` on, in the order of their seqs, streamed."""
    last = ledger.read("SELECT coalesce(max(seq), 0) AS seq FROM events")[0]["seq"]
    columns = "seq, recorded_at, actor, kind, subject, payload, commitments, prev_hash, hash, seal"
    sql = f"SELECT {columns} FROM events WHERE seq BETWEEN ? AND ? ORDER BY seq"
    for start in range(first_seq, last + 1, _PAGE):
        page = ledger.read_arrow(sql, [start, min(start + _PAGE - 1, last)])
        for piece in range(0, page.num_rows, _PIECE):
            for row in page.slice(piece, _PIECE).to_pylist():
                yield Event(**{**row, "recorded_at": aware(row["recorded_at"])})


class _Walk:
    """One pass over the record, counting what it has checked."""

    def __init__(
        self,
        ledger: Ledger | View,
        fields: tuple[Field, ...],
        progress: Progress | None,
        sealer: Sealer | None,
    ) -> None:
        self.ledger: Ledger | View = ledger
        self.sealer = sealer
        self.fields = fields
        self.progress = progress
        self.total = self.checked = 0
        self.covered = 0
        self.compared = 0
        self.hash = GENESIS

    def go_on(self) -> None:
        """As far as events and transactions go at this moment."""
        self.events()
        self.contents()

    def finish(self) -> None:
        """What came since, and everything that has to be looked at together."""
        self.go_on()
        self.completeness()
        self.coverage()
        self.personal_values()

    def events(self) -> None:
        """The chain itself, and the runs of transactions it vouches for."""
        self.total = self.ledger.read("SELECT coalesce(max(seq), 0) AS seq FROM events")[0]["seq"]
        for event in events(self.ledger, first_seq=self.checked + 1):
            self._check_link(event)
            if event.kind == RECORDED:
                self._check_run(event)
            if self.progress and self.checked % _PAGE == 0:
                self.progress(self.checked, self.total)

    def completeness(self) -> None:
        """No event is there beside the chain."""
        stored = self.ledger.read("SELECT count(*) AS n FROM events")[0]["n"]
        if self.checked != self.total or stored != self.total:
            raise _Broken(
                self.checked + 1, f"{stored} events are stored where the last one is number {self.total}"
            )

    def contents(self) -> None:
        """Every transaction's columns still hash to its content_sha256."""
        last = self.ledger.read("SELECT coalesce(max(seq), 0) AS seq FROM transactions")[0]["seq"]
        if last == self.compared:
            return
        differs = f"seq > ? AND seq <= ? AND {content_sql(self.fields)} <> content_sha256"
        sql = f"SELECT min(seq) AS seq FROM transactions WHERE {differs}"
        seq = self.ledger.read(sql, [self.compared, last])[0]["seq"]
        if seq is not None:
            raise _Broken(self._vouching_event(seq), f"transaction {seq} was changed after it was recorded")
        self.compared = last

    def coverage(self) -> None:
        """No transaction is there that no event vouches for."""
        count = self.ledger.read("SELECT count(*) AS n FROM transactions")[0]["n"]
        if count != self.covered:
            raise _Broken(
                self.total, f"{count} transactions are stored, but the events vouch for {self.covered}"
            )

    def personal_values(self) -> None:
        """Every personal value that is still there matches its commitment."""
        for table, owner, commitments in (
            ("transactions", "transaction", "t.commitments"),
            ("events", "event", "decode(t.commitments)"),
        ):
            rows = self.ledger.read(
                f"SELECT min(t.seq) AS seq FROM personal_values p JOIN {table} t ON p.owner = '{owner}:' || t.seq"
                f" WHERE sha256(p.salt || encode(p.value)) IS DISTINCT FROM CAST({commitments} AS JSON)->>p.field"
            )
            seq = rows[0]["seq"]
            if seq is not None:
                bad = self._vouching_event(seq) if owner == "transaction" else seq
                raise _Broken(bad, f"a personal value of {owner} {seq} does not match its commitment")

    def _check_link(self, event: Event) -> None:
        if event.seq != self.checked + 1:
            raise _Broken(self.checked + 1, f"event {self.checked + 1} is missing, or stored twice")
        if event.prev_hash != self.hash:
            raise _Broken(event.seq, f"event {event.seq} does not follow from the event before it")
        if event.computed_hash() != event.hash:
            raise _Broken(event.seq, f"event {event.seq} was changed after it was recorded")
        if problem := seal_checks.event_problem(event, self.sealer):
            raise _Broken(event.seq, problem)
        self.checked, self.hash = event.seq, event.hash

    def _check_run(self, event: Event) -> None:
        run = event.data
        span = [run["first_seq"], run["last_seq"]]
        strays = "count(*) FILTER (recorded_at IS DISTINCT FROM ? OR source IS DISTINCT FROM ?) AS strays"
        sql = f"SELECT count(*) AS n, {DIGEST_SQL} AS digest, {strays} FROM transactions WHERE seq BETWEEN ? AND ?"
        found = self.ledger.read(sql, [event.recorded_at, run["source"], *span])[0]
        name = f"transactions {span[0]} to {span[1]}"
        if found["n"] != run["count"]:
            raise _Broken(event.seq, f"{found['n']} of {name} are stored where {run['count']} were recorded")
        if found["digest"] != run["digest"]:
            raise _Broken(event.seq, f"{name} no longer have the digest that was recorded")
        if found["strays"]:
            what = "say another source or time of recording than their event"
            raise _Broken(event.seq, f"{found['strays']} of {name} {what}")
        self.covered += run["count"]
        if "labels" in run:
            self._check_labels(event.seq, span, run["labels"])

    def _check_labels(self, event_seq: int, span: list[int], labels: dict[str, object]) -> None:
        sql = (
            f"SELECT count(*) AS count, {LABEL_DIGEST_SQL} AS digest FROM outcomes"
            " WHERE transaction_seq BETWEEN ? AND ? AND source = ?"
        )
        if self.ledger.read(sql, [*span, FILE_LABEL])[0] != labels:
            raise _Broken(
                event_seq, f"the labels imported with transactions {span[0]} to {span[1]} were changed"
            )

    def _vouching_event(self, seq: int) -> int:
        for event in events(self.ledger):
            if event.kind == RECORDED and event.data["first_seq"] <= seq <= event.data["last_seq"]:
                return event.seq
        return self.total
