"""Are values written as a person would say them?"""

from __future__ import annotations

import pytest

from engine.units import money, percent, text


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (123456, "money", "1,234.56 EUR"),
        (10_800, "seconds", "3 h"),
        (59.6, "seconds", "60 s"),
        (5400, "seconds", "1.5 h"),
        (90, "seconds", "1.5 min"),
        (172_800.0, "seconds", "2 d"),
        (0.125, "share", "12 %"),
        (0.004, "share", "0.4 %"),
        (2.5, "ratio", "2.5 times"),
        (7, "count", "7"),
        (1234.0, "number", "1,234"),
        (True, "flag", "yes"),
        ("NO", "category", "NO"),
        (None, "money", "unknown"),
        (float("nan"), "number", "unknown"),
    ],
)
def test_a_value_is_written_by_its_unit(value: float | str | None, unit: str, said: str) -> None:
    assert text(value, unit, "EUR") == said


def test_money_has_the_decimals_of_its_currency() -> None:
    assert (money(1250, "JPY"), money(1250, "KWD")) == ("1,250 JPY", "1.250 KWD")


def test_a_chance_is_never_rounded_to_certainty() -> None:
    assert [percent(p) for p in (1.0, 0.9999, 0.5, 0.0011, 0.00001, 0.0)] == [
        "100 %",
        "over 99 %",
        "50 %",
        "0.1 %",
        "under 0.01 %",
        "0 %",
    ]
