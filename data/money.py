"""How much is an amount, in minor units of the institution's base currency?"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from data.errors import InputError

CURRENCY = re.compile(r"[A-Z]{3}\Z")
RATE_STEP = Decimal("0.00000001")
"""Rates are held to 8 decimals after scaling to minor units, so that SQL multiplies as Python does."""

MINOR_LIMIT = 10**15
"""Minor units of the base currency that one amount may have: what is larger is a slip, and sums of it overflow."""

# ISO 4217 currencies whose minor unit is not a hundredth.
_WHOLE = (
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "ISK",
    "JPY",
    "KMF",
    "KRW",
    "PYG",
    "RWF",
    "UGX",
    "UYI",
    "VND",
    "VUV",
    "XAF",
    "XOF",
    "XPF",
)
_THOUSANDTHS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_DECIMALS = {**dict.fromkeys(_WHOLE, 0), **dict.fromkeys(_THOUSANDTHS, 3), "CLF": 4, "UYW": 4}


def decimals(currency: str) -> int:
    """Decimals of a currency's minor unit (ISO 4217): 2 for EUR, 0 for JPY."""
    return _DECIMALS.get(currency, 2)


@dataclass(frozen=True, slots=True)
class Rate:
    """One unit of `currency` is worth `rate` units of the base currency from `since` on."""

    currency: str
    since: date
    rate: Decimal


@dataclass(frozen=True)
class Rates:
    """The dated table of rates into one base currency. The base currency itself is always worth 1."""

    base_currency: str
    table: tuple[Rate, ...] = ()

    def __post_init__(self) -> None:
        by_currency: dict[str, list[Rate]] = {}
        for rate in sorted(self.table, key=lambda rate: rate.since):
            by_currency.setdefault(rate.currency, []).append(rate)
        object.__setattr__(self, "_by_currency", by_currency)

    @property
    def minor_scale(self) -> Decimal:
        """Minor units in one unit of the base currency."""
        return Decimal(10) ** decimals(self.base_currency)

    def minor(self, amount: Decimal, currency: str, on: date) -> int:
        """`amount` in minor units of the base currency on that day (UTC), halves away from zero.

        InputError where the table has no rate for that currency by that day, and beyond MINOR_LIMIT.
        """
        exact = amount * self._minor_rate(currency, on)
        if not abs(exact) <= MINOR_LIMIT:
            raise InputError(
                f"the amount is too large once it is in {self.base_currency}",
                where="amount",
                allowed=f"up to {MINOR_LIMIT // int(self.minor_scale):,} {self.base_currency}",
            )
        return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))

    def spans(self) -> list[tuple[str, date, date, Decimal]]:
        """(currency, from, before, minor units per unit) rows, for joining in SQL."""
        rows = [(self.base_currency, date.min, date.max, self.minor_scale)]
        for currency, rates in self._rates().items():
            ends = [rate.since for rate in rates[1:]] + [date.max]
            for rate, end in zip(rates, ends, strict=True):
                rows.append((currency, rate.since, end, self._scaled(rate)))
        return rows

    def _minor_rate(self, currency: str, on: date) -> Decimal:
        if currency == self.base_currency:
            return self.minor_scale
        rates = self._rates().get(currency, [])
        place = bisect_right([rate.since for rate in rates], on)
        if not place:
            known = sorted({self.base_currency, *self._rates()})
            raise InputError(
                f"there is no rate for {currency} on {on}",
                where="amount",
                allowed=", ".join(known),
                hint="Add a dated rate to `rates` in the mapping.",
            )
        return self._scaled(rates[place - 1])

    def _scaled(self, rate: Rate) -> Decimal:
        return (rate.rate * self.minor_scale).quantize(RATE_STEP, rounding=ROUND_HALF_UP)

    def _rates(self) -> Mapping[str, list[Rate]]:
        return self.__dict__["_by_currency"]


def duplicates(table: Iterable[Rate]) -> list[tuple[str, date]]:
    """(currency, since) pairs given more than once."""
    seen: set[tuple[str, date]] = set()
    found = []
    for rate in table:
        key = (rate.currency, rate.since)
        if key in seen:
            found.append(key)
        seen.add(key)
    return found
