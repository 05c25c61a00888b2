"""Are the newest and oldest rows found, however far apart they lie?"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from data.storage.stretches import FIRST, newest, oldest

SEQS = st.lists(st.integers(1, 40 * FIRST), unique=True, max_size=30)


class Table:
    """Rows by seq, which notes how far it was read."""

    def __init__(self, seqs: list[int]) -> None:
        self.seqs = sorted(seqs)
        self.read: list[tuple[int, int]] = []

    def up(self, low: int, high: int, most: int) -> list[dict[str, int]]:
        self.read.append((low, high))
        return [{"seq": seq} for seq in self.seqs if low <= seq < high][:most]

    def down(self, low: int, high: int, most: int) -> list[dict[str, int]]:
        self.read.append((low, high))
        return [{"seq": seq} for seq in reversed(self.seqs) if low <= seq < high][:most]


@settings(deadline=None)
@given(
    seqs=SEQS, below=st.integers(1, 50 * FIRST), first=st.integers(1, 10 * FIRST), limit=st.integers(1, 10)
)
def test_the_newest_are_those_of_a_sorted_list(seqs: list[int], below: int, first: int, limit: int) -> None:
    wanted = [seq for seq in sorted(seqs, reverse=True) if first <= seq < below][:limit]
    assert [row["seq"] for row in newest(Table(seqs).down, below, limit, first=first)] == wanted


@settings(deadline=None)
@given(seqs=SEQS, end=st.integers(1, 50 * FIRST), first=st.integers(1, 10 * FIRST), limit=st.integers(1, 10))
def test_the_oldest_are_those_of_a_sorted_list(seqs: list[int], end: int, first: int, limit: int) -> None:
    wanted = [seq for seq in sorted(seqs) if first <= seq < end][:limit]
    assert [row["seq"] for row in oldest(Table(seqs).up, first, end, limit)] == wanted


def test_a_page_of_the_newest_reads_one_stretch_of_a_long_table() -> None:
    table = Table(list(range(30 * FIRST, 30 * FIRST + 60)))
    newest(table.down, 30 * FIRST + 60, 50)
    assert table.read == [(29 * FIRST + 60, 30 * FIRST + 60)]
