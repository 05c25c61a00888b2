"""Has every value one spelling, and do the spellings that JSON lacks get refused?"""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.canonical import canonical_json, sha256_hex


def test_keys_are_sorted_and_special_values_spelled_out() -> None:
    value = {
        "b": Decimal("1.50"),
        "a": datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=1))),
        "c": MappingProxyType({"y": np.float64(0.1), "x": (1, None)}),
    }
    assert canonical_json(value) == (
        b'{"a":"2026-01-02T02:00:00.000000Z","b":"1.50","c":{"x":[1,null],"y":0.1}}'
    )


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        {"a": [float("inf")]},
        {"a": (np.float32("nan"),)},
        Decimal("NaN"),
        datetime(2026, 1, 1),
        {1: "a"},
        {"a": {1, 2}},
        object(),
        2**70,
        "\ud800",
    ],
)
def test_what_is_not_data_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="not canonical JSON"):
        canonical_json(value)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(values)
def test_the_bytes_read_back_as_the_value_and_do_not_depend_on_key_order(value: object) -> None:
    encoded = canonical_json(value)
    assert json.loads(encoded) == value
    if isinstance(value, dict):
        assert canonical_json(dict(reversed(list(value.items())))) == encoded


def test_a_known_digest() -> None:
    assert sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
