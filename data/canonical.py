"""Which bytes stand for a value, so that the same value always hashes the same?"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import orjson

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME
_LEAVES = frozenset((str, int, bool, type(None), datetime, Decimal, orjson.Fragment))
_NOT_FINITE = "not canonical JSON: NaN and infinities have no JSON form"


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys, no spaces and shortest-round-trip floats.

    Datetimes become RFC 3339 in UTC with microseconds and a Z, Decimals plain text; an `orjson.Fragment` must hold
    canonical JSON itself. Raises ValueError for NaN, infinities, naive datetimes, keys that are not text and anything
    that is not data.
    """
    try:
        encoded = orjson.dumps(value, default=_encode, option=_OPTIONS)
    except (TypeError, ValueError) as problem:
        raise ValueError(f"not canonical JSON: {problem.__cause__ or problem}") from problem
    # orjson writes NaN and infinities as null, so only an output with a null can hide one.
    if b"null" in encoded:
        _refuse_not_finite((value,))
    return encoded


def sha256_hex(content: bytes) -> str:
    """SHA-256 as 64 lower-case hexadecimal characters."""
    return hashlib.sha256(content).hexdigest()


def rfc3339(at: datetime) -> str:
    """`2026-01-02T03:04:05.000006Z`; ValueError without a time zone."""
    if at.tzinfo is None:
        raise ValueError("a time without a time zone")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _encode(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError("a Decimal that is not finite")
        return format(value, "f")
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not data")


def _refuse_not_finite(values: Iterable[Any]) -> None:
    # Called for every event: leaves are told by their exact type, and only containers cost a call.
    for value in values:
        kind = type(value)
        if kind is float:
            if value - value != 0.0:
                raise ValueError(_NOT_FINITE)
        elif kind in _LEAVES:
            continue
        elif kind is dict or isinstance(value, Mapping):
            _refuse_not_finite(value.values())
        elif kind is list or isinstance(value, list | tuple):
            _refuse_not_finite(value)
        elif isinstance(value, float | np.floating) and not math.isfinite(value):
            raise ValueError(_NOT_FINITE)
