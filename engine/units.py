"""How is a feature's value written for a person, given its unit?"""

from __future__ import annotations

import math

from data.money import decimals

FeatureValue = float | int | str | bool | None

_STEPS = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))


def text(value: FeatureValue, unit: str, currency: str) -> str:
    """`value` in words: money in major units with its currency, seconds as '3 h', shares as '12 %'.

    Units: money (in minor units), count, seconds, share, ratio, flag, category, number. Missing is 'unknown'.
    """
    if value is None:
        return "unknown"
    if isinstance(value, str):
        return value
    if unit == "flag" or isinstance(value, bool):
        return "yes" if value else "no"
    number = float(value)
    if not math.isfinite(number):
        return "unknown"
    return _numeric(number, unit, currency)


def minor_digits(currency: str) -> int:
    """Decimals of a currency's minor unit: EUR 2, JPY 0, KWD 3."""
    return decimals(currency)


def money(minor: float, currency: str) -> str:
    """Minor units as people write them: 123456 in EUR is '1,234.56 EUR'."""
    digits = decimals(currency)
    return f"{minor / 10**digits:,.{digits}f} {currency}".strip()


def percent(share: float) -> str:
    """A share in percent with as many decimals as small shares need: 0.42 is '42 %', 0.004 is '0.4 %'."""
    value = share * 100.0
    if 99.5 <= value < 100:
        return "over 99 %"
    if 0 < value < 0.005:
        return "under 0.01 %"
    places = 0 if abs(value) >= 10 or value == round(value) else 1 if abs(value) >= 0.1 else 2
    return f"{value:.{places}f} %"


def _numeric(number: float, unit: str, currency: str) -> str:
    if unit == "money":
        return money(number, currency)
    if unit == "share":
        return percent(number)
    if unit == "seconds":
        return _duration(number)
    if unit == "ratio":
        return f"{_short(number)} times"
    return _short(number)


def _duration(seconds: float) -> str:
    for size, name in _STEPS:
        if abs(seconds) >= size:
            return f"{_short(seconds / size, 1)} {name}"
    return f"{_short(seconds, 0)} s"


def _short(number: float, places: int = 2) -> str:
    rounded = f"{number:,.{places}f}"
    return rounded.rstrip("0").rstrip(".") if "." in rounded else rounded
