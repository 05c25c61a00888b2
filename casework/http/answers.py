"""How are answers written as JSON, and ids and cursors read?"""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import Response

from casework.app import App
from casework.http.bodies import LONGEST_ID
from data.blanks import trimmed
from data.errors import InputError

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
_LARGEST_SEQ = 2**62


def json_answer(data: Any, status: int = 200) -> Response:
    """`data` as JSON; datetimes as RFC 3339 in UTC, Decimals as text."""
    return Response(encoded(data), status, media_type="application/json")


def encoded(data: Any) -> bytes:
    """The bytes of that answer."""
    return orjson.dumps(data, default=str, option=_OPTIONS)


def cursor_of(text: str) -> int | None:
    """The seq in a cursor, None for an empty one. InputError for anything else."""
    if not text:
        return None
    if not text.isascii() or not text.isdecimal() or int(text) > _LARGEST_SEQ:
        raise InputError("this is not a cursor", where="cursor", hint="Use next_cursor of the previous page.")
    return int(text)


def seq_of(app: App, transaction_id: str) -> int | None:
    """The ledger's seq of a transaction id, with or without the blanks it was sent with; None if there is none."""
    if len(transaction_id) > LONGEST_ID:
        return None
    found = (app.ledger.seq_of(name) for name in (transaction_id, trimmed(transaction_id)) if name)
    return next((seq for seq in found if seq is not None), None)
