"""How are the newest or oldest rows of a long table found without reading all of it?

Rows are kept in the order of their seq, so that a condition on seq spares DuckDB whatever lies outside. A search that
finds enough in the first stretch costs the same however long the table has become; one that finds little looks through
ever longer stretches, and in all reads the table about once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

FIRST, LONGER = 20_000, 8
Row = dict[str, Any]
Ask = Callable[[int, int, int], list[Row]]
"""The rows with `low <= seq < high`, at most so many, in the order that is wanted."""


def newest(ask: Ask, below: int, limit: int, *, first: int = 1) -> list[Row]:
    """The rows with the highest seqs below `below`, at most `limit` and none before `first`, newest first."""
    found: list[Row] = []
    high, stretch = below, FIRST
    while high > first and len(found) < limit:
        low = max(high - stretch, first)
        found += ask(low, high, limit - len(found))
        high, stretch = low, stretch * LONGER
    return found


def oldest(ask: Ask, first: int, end: int, limit: int) -> list[Row]:
    """The rows with the lowest seqs from `first` on and before `end`, at most `limit`, oldest first."""
    found: list[Row] = []
    low, stretch = first, FIRST
    while low < end and len(found) < limit:
        high = min(low + stretch, end)
        found += ask(low, high, limit - len(found))
        low, stretch = high, stretch * LONGER
    return found
