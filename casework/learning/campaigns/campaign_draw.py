"""Which payments does a labelling campaign draw, each with which chance?

In two steps where the record is long: chance takes a first sample whose features are worked out and scored, and from
that the sample is drawn. Both draws are keyed, so that nobody can foresee or repeat them without the key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data import reading
from data.transactions import Transaction
from engine.draws import draw
from engine.features.batch import batch_features

if TYPE_CHECKING:
    from casework.app import App

LATEST = 200_000
"""Of a long record only the latest payments of the stretch are drawn from, since features are worked out for all
between the first and the last one drawn."""
FIRST_SAMPLE = 3_000
BANDS = (0.0, 0.5, 0.8, 0.95, 0.99, 1.0)
"""Bands of the score's rank; each gives the same number of payments, so the upper ones are asked about most."""

# Nobody has said anything of them: no outcome, no verdict, no task; silence is what a campaign is to do better than.
_UNSAID = """
SELECT t.seq, t.transaction_id FROM transactions t
WHERE t.seq > (SELECT max(seq) FROM transactions WHERE $until IS NULL OR occurred_at < $until) - $latest
  AND t.occurred_at >= coalesce($since, t.occurred_at) AND ($until IS NULL OR t.occurred_at < $until)
  AND NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.transaction_seq = t.seq)
  AND NOT EXISTS (SELECT 1 FROM tasks k WHERE k.transaction_seq = t.seq)
ORDER BY t.seq
"""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A payment of the sample with its features, the band it was drawn from, the chance of being drawn, and the number
    of payments that the sample stands for."""

    transaction: Transaction
    row: dict[str, Any]
    stratum: str
    probability: float
    population: int


def draw_sample(
    app: App, stratified: bool, wanted: int, span: tuple[datetime | None, datetime | None], campaign_id: str
) -> list[Drawn]:
    """At most `wanted` payments, by seq; fewer where there are not as many."""
    rows = app.ledger.read(_UNSAID, {"since": span[0], "until": span[1], "latest": LATEST})
    if not rows:
        return []
    names = {row["seq"]: row["transaction_id"] for row in rows}
    size = FIRST_SAMPLE if stratified else wanted
    first = _first(app.key, f"campaign:{campaign_id}", names, size)
    chance = len(first) / len(names)
    table = _features(app, first)
    if not stratified:
        picked = dict.fromkeys(first, ("all", chance))
    else:
        scores = dict(zip(first, _scores(app, [table[seq] for seq in first]), strict=True))
        picked = _from_bands(app.key, f"campaign_band:{campaign_id}", names, scores, wanted, chance)
    payments = _payments(app, sorted(picked))
    return [Drawn(t, table[t.seq], *picked[t.seq], len(names)) for t in payments]


def _first(key: bytes, purpose: str, names: dict[int, str], size: int) -> list[int]:
    drawn = sorted(names, key=lambda seq: draw(key, purpose, names[seq]))
    return sorted(drawn[:size])


def _from_bands(
    key: bytes, purpose: str, names: dict[int, str], scores: dict[int, float], wanted: int, chance: float
) -> dict[int, tuple[str, float]]:
    """As many from each band of the score; where one has fewer, the others give more."""
    ranked = sorted(scores, key=lambda seq: (scores[seq], seq))
    edges = [round(share * len(ranked)) for share in BANDS]
    bands = {_name(place): ranked[a:b] for place, (a, b) in enumerate(pairwise(edges)) if b > a}
    left, found = min(wanted, len(ranked)), {}
    for done, (name, band) in enumerate(sorted(bands.items(), key=lambda each: len(each[1]))):
        take = min(len(band), -(-left // (len(bands) - done)))
        for seq in sorted(band, key=lambda seq: draw(key, purpose, names[seq]))[:take]:
            found[seq] = (name, chance * take / len(band))
        left -= take
    return found


def _name(place: int) -> str:
    return f"rank {100 * BANDS[place]:g} to {100 * BANDS[place + 1]:g} %"


def _features(app: App, seqs: Sequence[int]) -> dict[int, dict[str, Any]]:
    features = app.live.settings.features
    table = batch_features(app.ledger, features, first_seq=min(seqs), last_seq=max(seqs))
    chosen = table.filter(pc.is_in(table["seq"], value_set=_array(seqs))).to_pylist()
    names = [spec.name for spec in features.features]
    return {row["seq"]: {name: row[name] for name in names} for row in chosen}


def _array(seqs: Sequence[int]) -> Any:
    return pa.array(list(seqs), pa.int64())


def _scores(app: App, rows: Sequence[dict[str, Any]]) -> list[float]:
    """The model's margins; where no model decides how unusual each is; where not even that is known, all alike."""
    live = app.live
    if live.model is not None:
        return [float(margin) for margin in np.asarray(live.model.score_rows(rows)[0])]
    if live.engine.unlabelled is not None:
        return [live.engine.unlabelled.novelty(row) for row in rows]
    return [0.0] * len(rows)


def _payments(app: App, seqs: Sequence[int]) -> list[Transaction]:
    rows = app.ledger.read_arrow(
        "SELECT * FROM transactions WHERE list_contains(?, seq) ORDER BY seq", [list(seqs)]
    )
    return list(reading.from_arrow(rows, app.ledger.fields))
