"""Which texts would a spreadsheet run as a formula, and how are they kept from it?"""

from __future__ import annotations

from typing import Any

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def safe(cell: Any) -> Any:
    """A cell of a CSV file: text that a spreadsheet would take for a formula gets an apostrophe before it.

    Numbers stay as they are; so does text that is a plain number, such as "-5".
    """
    if not isinstance(cell, str) or not cell.lstrip(" ").startswith(_STARTS) or _is_number(cell):
        return cell
    return "'" + cell


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
