"""Which bytes vouch for a transaction's content, and for personal values that may have to be erased?

The content is a run of `name=<length in bytes>:<value>;` parts: transaction_id, occurred_at, amount,
currency, amount_minor, then entities and attributes together in the order of their names. Missing values
leave no part, so that a column added later changes no old digest. SQL and Python make the same bytes.

Of a personal value only sha256(salt || value) enters the chain. Erasing salt and value leaves the chain
whole, and without the salt the value cannot be found by trying all of them.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from data.canonical import canonical_json
from data.errors import InputError
from data.storage.schema import Field
from data.transactions import Transaction

SALT_BYTES = 16

SaltSource = Callable[[int], bytes]

AMOUNT_STEP = Decimal("0.0001")
AMOUNT_LIMIT = Decimal(10) ** 12

_BASE_SQL = {
    "transaction_id": "transaction_id",
    "occurred_at": "CAST(epoch_us(occurred_at) AS VARCHAR)",
    "amount": "CAST(amount AS VARCHAR)",
    "currency": "currency",
    "amount_minor": "CAST(amount_minor AS VARCHAR)",
}
# 17 significant digits tell any two doubles apart; DuckDB and Python round them alike.
_TYPE_SQL = {
    "VARCHAR": '"{0}"',
    "DOUBLE": "format('{{:.16e}}', \"{0}\")",
    "BOOLEAN": 'CAST("{0}" AS VARCHAR)',
}


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
    rows: list[dict[str, Any]] = [
        {"owner": owner, "field": name, "salt": salts(SALT_BYTES), "value": value}
        for name, value in sorted(personal.items())
    ]
    return canonical_json({row["field"]: commitment(row["salt"], row["value"]) for row in rows}), rows


def content_sha256(transaction: Transaction) -> str:
    """The digest of one transaction's content (hexadecimal); InputError for a number that is not finite."""
    return hashlib.sha256(content(transaction)).hexdigest()


def content(transaction: Transaction) -> bytes:
    """The bytes behind `content_sha256`."""
    base = (
        ("transaction_id", transaction.transaction_id),
        ("occurred_at", str(transaction.occurred_us)),
        ("amount", _amount(transaction)),
        ("currency", transaction.currency),
        ("amount_minor", None if transaction.amount_minor is None else str(transaction.amount_minor)),
    )
    named = sorted({**transaction.entities, **transaction.attributes}.items())
    told = [
        *base,
        *((name, value if value.__class__ is str else _text(name, value)) for name, value in named),
    ]
    text = "".join([f"{name}={len(value)}:{value};" for name, value in told if value is not None])
    if text.isascii():  # then it has as many bytes as characters
        return text.encode()
    encoded = [(name, value.encode()) for name, value in told if value is not None]
    return b"".join([b"%b=%d:%b;" % (name.encode(), len(value), value) for name, value in encoded])


def content_sql(fields: Iterable[Field]) -> str:
    """An SQL expression equal to `content_sha256` for a row with the ledger's transaction columns."""
    expressions = dict(_BASE_SQL)
    for field in sorted((f for f in fields if f.in_transactions), key=lambda f: f.name):
        expressions[field.name] = _TYPE_SQL[field.type].format(field.name)
    parts = (_part_sql(name, expression) for name, expression in expressions.items())
    return f"sha256(concat({', '.join(parts)}))"


def digest_of_rows(contents: Iterable[tuple[str, str]]) -> str:
    """The digest of a run of transactions: their (content_sha256, commitments) in seq order, one per line."""
    text = "\n".join(f"{sha256} {commitments}" for sha256, commitments in contents)
    return hashlib.sha256(text.encode()).hexdigest()


DIGEST_SQL = "sha256(string_agg(content_sha256 || ' ' || commitments, chr(10) ORDER BY seq))"
"""An SQL aggregate equal to `digest_of_rows` over rows of `transactions`."""


def _part_sql(name: str, expression: str) -> str:
    # || makes the whole part null where a value is missing, and concat() then reads it as an empty text.
    return f"'{name}=' || strlen({expression}) || ':' || {expression} || ';'"


def _amount(transaction: Transaction) -> str | None:
    if transaction.amount is None:
        return None
    amount = transaction.amount
    if not amount.is_finite() or abs(amount) >= AMOUNT_LIMIT or amount != amount.quantize(AMOUNT_STEP):
        raise InputError(
            f"the amount {amount} cannot be stored exactly",
            where=transaction.transaction_id,
            allowed="below 10^12, at most 4 digits after the point",
        )
    return format(abs(amount) if amount == 0 else amount, ".4f")


def _text(name: str, value: float | str | bool | None) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if not math.isfinite(value):
        raise InputError("the number is not finite", where=name, hint="Leave a missing number out.")
    return format(float(value), ".16e")
