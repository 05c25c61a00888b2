"""How can the record vouch for a personal value that may later have to be erased?

Only sha256(salt || value) enters the chain. Erasing salt and value leaves the chain whole, and without the salt
the value cannot be found by trying all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from data.canonical import canonical_json

SALT_BYTES = 16

SaltSource = Callable[[int], bytes]


def commitment(salt: bytes, value: str) -> str:
    """The SHA-256 of salt and UTF-8 value, as hexadecimal text."""
    return hashlib.sha256(salt + value.encode()).hexdigest()


def commit_personal(
    owner: str, personal: Mapping[str, str], salts: SaltSource
) -> tuple[bytes, list[dict[str, Any]]]:
    """The canonical commitments of one owner's personal fields, and the `personal_values` rows behind them.

    `owner` is 'transaction:<seq>' or 'event:<seq>'. No fields give `{}` and no rows.
    """
    if not personal:
        return b"{}", []
    rows = [
        {"owner": owner, "field": name, "salt": salts(SALT_BYTES), "value": value}
        for name, value in sorted(personal.items())
    ]
    return canonical_json({row["field"]: commitment(row["salt"], row["value"]) for row in rows}), rows
