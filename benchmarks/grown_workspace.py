"""How is a workspace of a million decisions and 100,000 cases made in minutes, as a ledger that verifies?

python -m benchmarks.grown_workspace FOLDER [--decisions 1000000] [--cases 100000] [--open 2000]

A demo that ended a year ago is built first; then its live weeks are told again and again, quicker, until now,
through the ledger's own writer: transactions, events, seals, rows. Nothing is decided anew: scores and rules are
the demo's. The workspace lies in FOLDER/workspace, its key in FOLDER/keys; it is made once.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.grown_past import Retelling, Row, Told, faster, later, pieces
from casework.demo.build import build_demo
from data.canonical import rfc3339
from data.events import EventDraft
from data.integrity.keyring import VARIABLE
from data.ledger import Ledger
from data.writer import Writer

YEAR = timedelta(days=365)
_AT_ONCE = 256
_UNCOUNTED = ("dossiers",)


@dataclass(frozen=True, slots=True)
class Size:
    """How many decisions and cases there are to be in all, and how many of the cases are still open."""

    decisions: int = 1_000_000
    cases: int = 100_000
    open: int = 2_000


class Growing:
    """Tells a workspace's live weeks again, round after round."""

    def __init__(self, ledger: Ledger, size: Size, until: datetime) -> None:
        self.ledger, self.size, self.until = ledger, size, until
        found = pieces(ledger)
        self.singles = [piece for piece in found if not piece.rows["cases"] and piece.is_over]
        self.cases = [piece for piece in found if piece.rows["cases"] and piece.is_over]
        self.open = [piece for piece in found if piece.rows["cases"] and not piece.is_over]
        self.first = min(piece.decision["decided_at"] for piece in found)
        self.last = _one(ledger, "SELECT max(recorded_at) AS x FROM events")
        self.names = tuple(
            tuple(f.name for f in ledger.fields if f.in_transactions and (f.role == "entity") is entity)
            for entity in (True, False)
        )
        self.copies = itertools.count(1)
        self.dispositions = itertools.count(
            _one(ledger, "SELECT coalesce(max(disposition_seq), 0) + 1 AS x FROM dispositions")
        )

    def grow(self, progress: Callable[[int, int], None]) -> None:
        have = (
            _one(self.ledger, "SELECT count(*) AS x FROM decisions"),
            _one(self.ledger, "SELECT count(*) AS x FROM cases"),
        )
        ended = max(self.size.cases - have[1] - self.size.open, 0)
        plain = max(self.size.decisions - have[0] - ended - self.size.open, 0)
        rounds = max(1, -(-plain // len(self.singles)))
        length = (self.until - self.last) / rounds
        for number in range(rounds):
            share = (_part(plain, rounds, number), _part(ended, rounds, number))
            told = list(self._round(self.last + number * length, length, share, number))
            if number == rounds - 1:
                told += self._still_open()
            self._write(told, min(self.last + (number + 1) * length, self.until))
            progress(number + 1, rounds)

    def _round(
        self, start: datetime, length: timedelta, share: tuple[int, int], seed: int
    ) -> Iterator[Retelling]:
        """So many decisions without a case, and so many cases, from `start` on."""
        draw = random.Random(seed)
        factor = length / (self.last - self.first)
        for wanted, these in zip(share, (self.singles, self.cases), strict=True):
            chosen = these * (wanted // len(these)) + draw.sample(these, wanted % len(these))
            for piece in chosen:
                jitter = timedelta(seconds=draw.uniform(0, 3600))
                yield Retelling(piece, faster(self.first, start + jitter, factor), next(self.copies))

    def _still_open(self) -> Iterator[Retelling]:
        by = self.until - self.last
        for number in range(self.size.open if self.open else 0):
            piece = self.open[number % len(self.open)]
            yield Retelling(piece, later(by - timedelta(seconds=number)), next(self.copies))

    def _write(self, told: Sequence[Retelling], end: datetime) -> None:
        told = sorted(told, key=lambda r: r.moved(r.piece.decision["decided_at"]))
        with self.ledger.writing() as w:
            first = w.take_seqs(len(told))
            told = [r.with_seq(first + n) for n, r in enumerate(told)]
            self._tell(w, told)
            _report_outcomes(w, told, end)

    def _tell(self, w: Writer, told: Sequence[Retelling]) -> None:
        """Every event in the order of time, each payment before its decision, and the rows that follow."""
        order = sorted(
            (r.moved(event.at), n, k)
            for n, r in enumerate(told)
            for k, event in enumerate((r.piece.decided, *r.piece.events))
        )
        tellers = [_Teller(r, self.dispositions) for r in told]
        recorded = 0
        for at, n, k in order:
            if n >= recorded:
                some = [r.transaction(self.names) for r in told[recorded : recorded + _AT_ONCE]]
                w.insert_transactions(some, at, "api")
                recorded += len(some)
            tellers[n].tell(w, at, k)
            if k == len(tellers[n].retold.piece.events):
                tellers[n].rows(w)


class _Teller:
    """One piece on its way into the ledger."""

    def __init__(self, retold: Retelling, dispositions: Iterator[int]) -> None:
        self.retold = retold
        self._dispositions = dispositions
        self._seqs: dict[int, int] = {}
        self._disposed: dict[int, int] = {}
        self._dossier: Row | None = None
        self._digests: dict[bytes, bytes] = {}
        if retold.piece.rows["dossiers"]:
            self._prepare_dossier()

    def tell(self, w: Writer, at: datetime, number: int) -> None:
        """The decision for 0, then the piece's other events."""
        r = self.retold
        event = r.piece.decided if number == 0 else r.piece.events[number - 1]
        payload = r.decision_payload() if number == 0 else self._payload(event)
        subject = r.text(event.subject.encode()).decode()
        draft = EventDraft(event.actor, event.kind, subject, payload, event.personal)
        self._seqs[event.seq] = w.event(draft, at)

    def rows(self, w: Writer) -> None:
        """What the events left in the tables."""
        r = self.retold
        w.insert("decisions", [self._row(r.piece.decision)])
        for table, some in r.piece.rows.items():
            if some and table not in _UNCOUNTED:
                w.insert(table, [self._row(row) for row in some])
        if self._dossier is not None:
            w.insert("dossiers", [self._dossier])

    def _prepare_dossier(self) -> None:
        """All tasks of a copy show the dossier of the first, so that the file stays bounded."""
        r, some = self.retold, self.retold.piece.rows["dossiers"]
        content = r.text(some[0]["content"])
        digest = hashlib.sha256(content).hexdigest()
        self._dossier = r.row(some[0]) | {"content": content, "sha256": digest}
        self._digests = {row["sha256"].encode(): digest.encode() for row in some}
        shown = self._dossier["dossier_id"].encode()
        self._digests |= {r.named(row["dossier_id"].encode()): shown for row in some}

    def _payload(self, event: Told) -> bytes:
        told = self.retold.text(event.payload)
        if event.kind == "task.opened":
            for old, new in self._digests.items():
                told = told.replace(old, new)
        if event.kind == "disposition.recorded":
            old_seq = int(told.split(b'"disposition_seq":', 1)[1].split(b",", 1)[0])
            new_seq = self._disposed[old_seq] = next(self._dispositions)
            told = told.replace(b'"disposition_seq":%d,' % old_seq, b'"disposition_seq":%d,' % new_seq)
        return told

    def _row(self, row: Row) -> Row:
        found = self.retold.row(row)
        if "event_seq" in found:
            found["event_seq"] = self._seqs[row["event_seq"]]
        if "disposition_seq" in found:
            found["disposition_seq"] = self._disposed[row["disposition_seq"]]
        if "dossier_id" in found and self._dossier is not None:
            found["dossier_id"] = self._dossier["dossier_id"]
        return found


def _report_outcomes(w: Writer, told: Sequence[Retelling], end: datetime) -> None:
    """The chargebacks of a round, in one report at its end."""
    rows = []
    for r in told:
        for row in r.piece.outcomes:
            known = min(r.moved(row["known_at"]), end)
            rows.append(r.row(row) | {"known_at": known, "reported_seq": told[-1].seq, "recorded_at": end})
    names = ("is_fraud", "reason_code", "transaction_seq")
    shown = [{n: row[n] for n in names} | {"known_at": rfc3339(row["known_at"])} for row in rows]
    if rows:
        payload = {"outcomes": shown, "reported_seq": told[-1].seq}
        w.event(EventDraft("integrator-1", "outcomes.reported", "outcomes", payload), end)
        w.insert("outcomes", rows)


def _one(ledger: Ledger, sql: str) -> Any:
    return ledger.read(sql)[0]["x"]


def _part(total: int, parts: int, number: int) -> int:
    return total * (number + 1) // parts - total * number // parts


def _say(what: str) -> Callable[[int, int], None]:
    began = time.perf_counter()

    def progress(done: int, total: int) -> None:
        took = time.perf_counter() - began
        print(f"{what}: {done} of {total}, {took:.0f} s", file=sys.stderr, flush=True)

    return progress


def made(folder: Path, size: Size, *, base: Callable[[Path, datetime], None] | None = None) -> Path:
    """The workspace of that size in `folder`, made if it is not there; the folder of its key is then in force.

    `base` builds the workspace that is told again, ending at the moment it is given (default: the demo).
    """
    os.environ[VARIABLE] = str(folder / "keys")
    root, whole = folder / "workspace", folder / f"whole-{size.decisions}-{size.cases}-{size.open}"
    if whole.exists():
        return root
    now = datetime.now(UTC)
    (base or _demo)(root, now - YEAR)
    ledger = Ledger.open(root / "secondlook.duckdb")
    try:
        Growing(ledger, size, now).grow(_say("told again"))
        ledger.checkpoint()
    finally:
        ledger.close()
    whole.touch()
    return root


def _demo(root: Path, until: datetime) -> None:
    build_demo(root, lambda *_: None, until=until)


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--decisions", type=int, default=Size.decisions)
    parser.add_argument("--cases", type=int, default=Size.cases)
    parser.add_argument("--open", type=int, default=Size.open)
    asked = parser.parse_args(arguments)
    print(made(asked.folder, Size(asked.decisions, asked.cases, asked.open)))


if __name__ == "__main__":
    main(sys.argv[1:])
