"""Are moved columns found, and quiet ones left alone, however many are looked at?"""

import numpy as np
import pyarrow as pa
import pytest

from engine.measuring.two_samples import ALARMING, STABLE, compare, corrected

ROWS = 3000


def table(rng: np.random.Generator, shift: float = 0.0, columns: int = 40, gone: float = 0.0) -> pa.Table:
    found = {f"quiet_{n}": rng.normal(size=ROWS) for n in range(columns)}
    found["amount"] = rng.normal(shift, 1, ROWS)
    found["channel"] = rng.choice(["web", "pos"], ROWS, p=[0.5 - shift / 4, 0.5 + shift / 4])
    made = pa.table(found)
    holes = pa.array(rng.random(ROWS) < gone)
    device = pa.array(np.where(holes, None, rng.normal(size=ROWS)), pa.float64())
    return made.append_column("device_age", device)


def moved(before: pa.Table, now: pa.Table) -> dict[str, str]:
    found = compare(before, now, before.column_names, {"channel"})
    return {each.name: each.level for each in found if each.level != STABLE}


def test_nothing_is_said_of_columns_that_only_chance_moved() -> None:
    rng = np.random.default_rng(1)
    assert moved(table(rng), table(rng)) == {}


def test_a_moved_number_and_category_are_found_among_forty_quiet_ones() -> None:
    rng = np.random.default_rng(2)
    assert moved(table(rng), table(rng, shift=1.0)) == {"amount": ALARMING, "channel": ALARMING}


def test_a_column_that_goes_missing_is_an_alarm_though_its_values_are_as_before() -> None:
    rng = np.random.default_rng(3)
    found = compare(table(rng), table(rng, gone=0.2), ["device_age"], ())[0]
    assert (found.level, found.missing_before) == (ALARMING, 0.0)
    assert found.missing_now == pytest.approx(0.2, abs=0.03)
    assert found.p_value > 0.001


def test_a_column_that_holds_nothing_is_left_out() -> None:
    empty = pa.table({"gone": pa.nulls(5, pa.float64())})
    assert compare(empty, empty, ["gone"], ()) == []


def test_the_correction_is_that_of_benjamini_and_hochberg() -> None:
    # Worked by hand: sorted p times n over rank, made monotone from the largest down.
    assert corrected([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])
