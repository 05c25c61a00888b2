"""Do decisions drawn from the whole past come out the same, also those of earlier rules and models?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from casework.deciding.replaying import FROM_LEDGER, FROM_STORED, Replayer
from casework.failures import in_words
from data.errors import InputError, SecondLookError
from data.events import EventDraft
from data.ledger import Ledger

if TYPE_CHECKING:
    from casework.app import App

JSON = dict[str, Any]
MOST = 100_000
SHOWN = 20
_TOGETHER = 2_000
"""Transactions between the first and last of a stretch whose features are worked out in one query."""
_PAGE = 20_000
"""Decisions whose places are in memory at once where all are replayed."""
Progress = Callable[[int, int], None]
KIND = "replay.finished"


def size(ledger: Ledger, count: int) -> int:
    """How many decisions a sample of `count` (0 for all) holds."""
    total = int(ledger.read("SELECT count(*) AS n FROM decisions")[0]["n"])
    return min(count or total, total)


def replay_sample(
    app: App,
    count: int,
    seed: str,
    by: str,
    progress: Progress = lambda done, total: None,
    began: datetime | None = None,
) -> JSON:
    """Replay `count` decisions drawn at random (0 for all), in both senses, and record what came of it.

    The draw depends on the seed and the decisions' seqs alone. The report counts what was the same and different in
    each sense, each named difference, and each set and model; `examples` has the first different decisions whole, and
    `unread` those whose set or model could no longer be read. `progress` hears after each decision how many of how many
    were replayed; what it raises ends the replay, and nothing is recorded. `began` is when, if not now. InputError for
    a count out of range.
    """
    if not 0 <= count <= MOST:
        raise InputError(
            "this many decisions are not replayed at once", where="sample", allowed=f"0 to {MOST:,}"
        )
    began = began or app.clock()
    expected = size(app.ledger, count)
    tally = _Tally(lambda done: progress(min(done, expected), expected))
    again = Replayer(app)
    for page in [_drawn(app.ledger, count, seed)] if count else _all(app.ledger):
        for set_id, rows in _stretches(page):
            _replay_stretch(app.ledger, again, set_id, rows, tally)
    total = app.ledger.read("SELECT count(*) AS n FROM decisions")[0]["n"]
    report = {"decisions": total, "seed": seed, **tally.as_json()}
    _record(app, {name: report[name] for name in report if name != "examples"}, by, began)
    return report


def past_replays(ledger: Ledger, limit: int = 50) -> list[JSON]:
    """What earlier replays of many found, the newest first: who, when and the counts."""
    rows = ledger.read(
        "SELECT seq, recorded_at, actor, payload FROM events WHERE kind = ? ORDER BY seq DESC LIMIT ?",
        [KIND, limit],
    )
    return [
        {
            "event_seq": row["seq"],
            "at": row["recorded_at"],
            "by": row["actor"],
            **orjson.loads(row["payload"]),
        }
        for row in rows
    ]


class _Tally:
    """Counts over the decisions replayed so far; `told` hears their number each time."""

    def __init__(self, told: Callable[[int], None]) -> None:
        self._told = told
        self.replayed = self.same = self.unreadable = 0
        self.different: Counter[str] = Counter()
        self.named: Counter[str] = Counter()
        self.sets: Counter[str] = Counter()
        self.models: Counter[str] = Counter()
        self.examples: list[JSON] = []
        self.unread: list[JSON] = []

    def add(self, report: JSON) -> None:
        self.replayed += 1
        self.same += report["same"]
        self.sets[report["set_id"]] += 1
        self.models[report["model_id"]] += 1
        self.different.update({found["sense"] for found in report["differences"]})
        self.named.update(found["what"] for found in report["differences"])
        if not report["same"] and len(self.examples) < SHOWN:
            self.examples.append(report)
        self._told(self.replayed + self.unreadable)

    def leave(self, seq: int, problem: SecondLookError) -> None:
        """Count one that cannot be replayed."""
        self.unreadable += 1
        if len(self.unread) < SHOWN:
            self.unread.append({"seq": seq, "problem": in_words(problem)})
        self._told(self.replayed + self.unreadable)

    def as_json(self) -> JSON:
        return {
            "replayed": self.replayed,
            "same": self.same,
            "different": self.replayed - self.same,
            "different_from_stored": self.different[FROM_STORED],
            "different_from_ledger": self.different[FROM_LEDGER],
            "differences": [{"what": what, "count": n} for what, n in self.named.most_common(SHOWN)],
            "sets": dict(self.sets),
            "models": dict(self.models),
            "unread": self.unread,
            "unread_count": self.unreadable,
            "examples": self.examples,
        }


def _drawn(ledger: Ledger, count: int, seed: str) -> list[JSON]:
    """transaction_seq, event_seq and set_id of the decisions drawn, by set and seq."""
    return ledger.read(
        "SELECT transaction_seq, event_seq, set_id FROM (SELECT transaction_seq, event_seq, set_id FROM decisions "
        "ORDER BY sha256(? || ':' || transaction_seq) LIMIT ?) ORDER BY set_id, transaction_seq",
        [seed, count],
    )


def _all(ledger: Ledger) -> Iterator[list[JSON]]:
    """The same of every decision there is now, page by page."""
    last = ledger.read("SELECT coalesce(max(transaction_seq), 0) AS seq FROM decisions")[0]["seq"]
    for first in range(1, last + 1, _PAGE):
        yield ledger.read(
            "SELECT transaction_seq, event_seq, set_id FROM decisions WHERE transaction_seq >= ? "
            "AND transaction_seq < ? AND transaction_seq <= ? ORDER BY set_id, transaction_seq",
            [first, first + _PAGE, last],
        )


def _stretches(rows: Sequence[JSON]) -> Iterator[tuple[str, list[JSON]]]:
    """Decisions of one set that lie close together, so that their features take one query."""
    part: list[JSON] = []
    for row in rows:
        if part and (
            row["set_id"] != part[0]["set_id"]
            or row["transaction_seq"] >= part[0]["transaction_seq"] + _TOGETHER
        ):
            yield part[0]["set_id"], part
            part = []
        part.append(row)
    if part:
        yield part[0]["set_id"], part


def _replay_stretch(
    ledger: Ledger, again: Replayer, set_id: str, rows: Sequence[JSON], tally: _Tally
) -> None:
    try:
        features = again.features(set_id, rows[0]["transaction_seq"], rows[-1]["transaction_seq"])
    except SecondLookError as problem:
        for row in rows:
            tally.leave(row["transaction_seq"], problem)
        return
    for row in rows:
        payload = ledger.read("SELECT payload FROM events WHERE seq = ?", [row["event_seq"]])[0]["payload"]
        try:
            report = again.report(orjson.loads(payload), features[row["transaction_seq"]])
        except SecondLookError as problem:
            tally.leave(row["transaction_seq"], problem)
        else:
            tally.add(report)


def _record(app: App, found: JSON, by: str, began: datetime) -> None:
    at = app.clock()
    with app.ledger.writing() as w:
        w.event(EventDraft(by, KIND, "replays", {**found, "started_at": began}), at)
