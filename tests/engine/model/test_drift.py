"""Whether today's transactions have moved away."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from data.errors import InputError
from engine.measuring.drift import Profile, drift, profile, psi

NAMES = ("amount", "channel", "count")


def rows(n: int, seed: int, shift: float = 0.0, app: float = 0.2) -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "amount": pa.array(
                np.where(rng.random(n) < 0.1, np.nan, rng.normal(100 + shift, 20, n)), from_pandas=True
            ),
            "channel": rng.choice(["pos", "ecom", "app"], n, p=[0.5, 0.5 - app, app]),
            "count": np.where(rng.random(n) < 0.8, 0, rng.poisson(3, n)),
        }
    )


def test_the_index_of_two_known_distributions() -> None:
    # (0.6 - 0.5) ln(0.6 / 0.5) + (0.4 - 0.5) ln(0.4 / 0.5)
    assert psi(np.array([0.5, 0.5]), np.array([0.6, 0.4])) == pytest.approx(0.040547, abs=1e-6)
    assert psi(np.array([0.5, 0.5]), np.array([0.5, 0.5])) == 0.0


def test_the_same_kind_of_rows_is_stable_and_the_index_is_what_chance_gives() -> None:
    reference = profile(rows(20_000, 1), NAMES, {"channel"})

    found = drift(reference, rows(5_000, 2))

    assert {d.level for d in found} == {"stable"}
    for d in found:
        assert d.psi < 5 * d.by_chance


def test_a_shift_is_an_alarm_and_comes_first_with_its_bins() -> None:
    reference = profile(rows(20_000, 1), NAMES, {"channel"})

    first, *others = drift(reference, rows(5_000, 2, shift=30))

    assert (first.name, first.level) == ("amount", "alarm")
    assert {d.level for d in others} == {"stable"}
    assert len(first.labels) == len(first.expected) == len(first.actual)
    assert sum(first.expected) == pytest.approx(1) and sum(first.actual) == pytest.approx(1)
    assert first.labels[-1] == "missing" and first.labels[0].startswith("<= ")


def test_few_rows_are_not_called_drift_when_chance_explains_them() -> None:
    reference = profile(rows(20_000, 1), NAMES, {"channel"})

    found = {d.name: d for d in drift(reference, rows(40, 3))}

    assert found["amount"].psi > 0.1
    assert found["amount"].level == "stable"


def test_a_level_never_seen_counts_as_other() -> None:
    reference = profile(rows(5_000, 1), NAMES, {"channel"})
    today = rows(2_000, 2)
    phone = today.set_column(1, "channel", pa.array(["phone"] * 2_000))

    found = next(d for d in drift(reference, phone) if d.name == "channel")

    assert dict(zip(found.labels, found.actual, strict=True))["other"] == 1.0
    assert found.level == "alarm"


def test_a_count_that_is_mostly_nothing_has_fewer_bins() -> None:
    reference = profile(rows(5_000, 1), NAMES, {"channel"})

    bins = next(b for b in reference.bins if b.name == "count")

    assert bins.edges[0] == 0.0
    assert len(bins.edges) < 9
    assert bins.shares[0] > 0.75


def test_a_column_without_values_stays_one_bin_and_missing() -> None:
    empty = pa.table({"amount": pa.nulls(10)})

    assert profile(empty, ("amount",), ()).bins[0].shares == (0.0, 1.0)


def test_a_profile_survives_being_stored() -> None:
    reference = profile(rows(1_000, 1), NAMES, {"channel"})

    assert Profile.from_json(reference.to_json()) == reference


def test_nothing_to_compare_is_refused() -> None:
    reference = profile(rows(100, 1), NAMES, {"channel"})

    with pytest.raises(InputError, match="there are no rows to compare"):
        drift(reference, rows(0, 1))
    with pytest.raises(InputError, match="the table lacks channel, count"):
        drift(reference, rows(10, 1).select(["amount"]))
    with pytest.raises(InputError, match="drift needs reference rows"):
        profile(rows(0, 1), NAMES, {"channel"})
