"""Which small number stands for a value of an entity or an attribute?"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field


@dataclass
class Numbering:
    """Small numbers for the values of one column, in the order they were first seen; missing is -1.

    `codes` are those met since the last `turn`, `before` those met last between the two turns before. A number is never
    given twice: a value that comes back after it was forgotten gets another one.
    """

    codes: dict[Hashable, int] = field(default_factory=lambda: {None: -1})
    before: dict[Hashable, int] = field(default_factory=dict)
    given: int = 0

    def of(self, value: Hashable) -> int:
        code = self.codes.get(value)
        if code is None:
            code = self.before.pop(value, None)
            if code is None:
                code, self.given = self.given, self.given + 1
            self.codes[value] = code
        return code

    def turn(self) -> None:
        """Forget the values that were last met before the last turn."""
        self.before, self.codes = self.codes, {None: -1}

    def __len__(self) -> int:
        return len(self.codes) + len(self.before)


@dataclass(frozen=True)
class Pairing:
    """Numbers for pairs (number of what came before, number of the next part): the place of first * width + next.

    `pairs` are those that exist, in order; None where all of them may, so that the pair is its own number.
    """

    width: int
    pairs: array | None = None

    def of(self, first: int, following: int) -> int:
        """The pair's number, -1 if it does not exist."""
        if not 0 <= following < self.width:
            return -1
        wanted = first * self.width + following
        if self.pairs is None:
            return wanted
        place = bisect_left(self.pairs, wanted)
        return place if place < len(self.pairs) and self.pairs[place] == wanted else -1


@dataclass(frozen=True)
class Keys:
    """Numbers 0, 1, 2, ... for an entity's values as they were at one moment: 8 bytes a value, no object for each.

    Each part is paired with what came before it, the first with nothing; the last pairing leaves no gaps.
    """

    numberings: Sequence[Numbering]
    pairings: Sequence[Pairing]

    def of(self, key: Hashable) -> int:
        """The number of a value (a tuple where the entity has several parts), -1 if it was not there."""
        parts = key if isinstance(key, tuple) else (key,)
        number = 0
        for numbering, pairing, part in zip(self.numberings, self.pairings, parts, strict=True):
            number = pairing.of(number, numbering.codes.get(part, -1))
            if number < 0:
                return -1
        return number
