"""In which words does a JSON Schema say what a value of a YAML file may be?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

JSON = dict[str, Any]
_MOMENT = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2}))?$"


def mapping_of(required: JSON, optional: JSON | None = None) -> JSON:
    """A mapping with these keys and no others; an optional key may also be left empty."""
    may = {key: maybe(shape) for key, shape in (optional or {}).items()}
    return {
        "type": "object",
        "properties": {**required, **may},
        "required": list(required),
        "additionalProperties": False,
    }


def maybe(shape: JSON) -> JSON:
    return {"anyOf": [shape, {"type": "null"}]}


def text(longest: int = 4000, *, about: str = "") -> JSON:
    return {"type": "string", "maxLength": longest, **({"description": about} if about else {})}


def one_of(words: Iterable[str]) -> JSON:
    return {"enum": list(words)}


def integer(low: int = 0, high: int = 10**9) -> JSON:
    # JSON Schema counts 1.0 as an integer, the loaders do not; YAML written by hand has no reason to say 1.0.
    return {"type": "integer", "minimum": low, "maximum": high}


def number(low: float, high: float) -> JSON:
    return {"type": "number", "minimum": low, "maximum": high}


def share() -> JSON:
    return number(0, 1)


def money() -> JSON:
    return {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^\d+(\.\d+)?$"}]}


def duration() -> JSON:
    return {"type": "string", "pattern": "^[1-9][0-9]{0,6}[smhdw]$|^0d$"}


def moment() -> JSON:
    return {"type": "string", "pattern": _MOMENT}
