"""Which bytes stand for a value, so that the same value always hashes the same?"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import orjson

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys, no spaces and shortest-round-trip floats.

    Datetimes become RFC 3339 in UTC with microseconds and a Z, Decimals plain text. Raises ValueError for
    NaN, infinities, naive datetimes, keys that are not text and anything that is not data.
    """
    try:
        encoded = orjson.dumps(value, default=_encode, option=_OPTIONS)
    except (TypeError, ValueError) as problem:
        raise ValueError(f"not canonical JSON: {problem.__cause__ or problem}") from problem
    # orjson writes NaN and infinities as null, so only an output with a null can hide one.
    if b"null" in encoded:
        _refuse_not_finite(value)
    return encoded


def sha256_hex(content: bytes) -> str:
    """SHA-256 as 64 lower-case hexadecimal characters."""
    return hashlib.sha256(content).hexdigest()


def rfc3339(at: datetime) -> str:
    """`2026-01-02T03:04:05.000006Z`; ValueError without a time zone."""
    if at.tzinfo is None:
        raise ValueError("a time without a time zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


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


def _refuse_not_finite(value: Any) -> None:
    if isinstance(value, float | np.floating):
        if not math.isfinite(value):
            raise ValueError("not canonical JSON: NaN and infinities have no JSON form")
    elif isinstance(value, Mapping):
        for item in value.values():
            _refuse_not_finite(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_not_finite(item)
