"""How are many payments held while they are being made up, before they get words and identifiers?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from data.simulator.config import TYPOLOGIES
from data.simulator.streams import Floats, Ints

CHANNELS = ("pos", "ecom", "app")
POS, ECOM, APP = range(len(CHANNELS))
NO_DEVICE = -1
HONEST = -1


@dataclass(frozen=True, slots=True)
class Payments:
    """Columns of equal length; everything but time is an index or a count.

    `second` counts from the first midnight UTC; `device` is NO_DEVICE in a shop; `typology` indexes
    TYPOLOGIES or is HONEST; `campaign` numbers the campaigns of one typology, HONEST otherwise.
    """

    second: Floats
    customer: Ints
    card: Ints
    merchant: Ints
    device: Ints
    country: Ints
    channel: Ints
    amount_minor: Ints
    typology: Ints
    campaign: Ints

    def __len__(self) -> int:
        return len(self.second)

    def take(self, index: Ints) -> Payments:
        """The payments at these places, in this order."""
        return Payments(*(getattr(self, part.name)[index] for part in fields(self)))

    def in_order_of_time(self) -> Payments:
        """Sorted by second; payments of the same instant keep their order."""
        return self.take(np.argsort(self.second, kind="stable"))


def together(parts: Sequence[Payments]) -> Payments:
    """All the payments of several parts in one."""
    return Payments(*(np.concatenate([getattr(p, part.name) for p in parts]) for part in fields(Payments)))


def typology_number(name: str) -> int:
    """The index a typology has in Payments.typology."""
    return TYPOLOGIES.index(name)


def minor(major: Floats) -> Ints:
    """Amounts in cents, at least 50, as shops price them: a third end in .99, a few are round."""
    cents = np.maximum(np.rint(major * 100), 50).astype(np.int64)
    last = cents % 10
    cents = np.where((last < 3) & (cents > 300), cents // 100 * 100 + 99, cents)
    return np.where((last == 3) & (cents > 1000), cents // 100 * 100, cents)
