"""How does a column of a table stand: whole numbers with separators, figures with their unit at the right?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboards.pieces import words

_FIGURE = re.compile(r"[−+-]?[\d,]+(\.\d+)?( (%|[A-Z]{3}|times|s|h|min|d|kB|ms))?(  ?\(.*\))?")
"""`1,234.56 EUR`, `0.42 %`, `98.1 %  (97.6 % to 98.4 %)`."""


def aligned(rows: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """What Streamlit is told of each column that `given` says nothing of."""
    names = dict.fromkeys(name for row in rows for name in row)
    found = {name: _standing([row.get(name) for row in rows]) for name in names if name not in given}
    return {**{name: config for name, config in found.items() if config is not None}, **given}


def _standing(values: Sequence[Any]) -> Any:
    told = [value for value in values if value not in (None, "", words.ABSENT)]
    if not told:
        return None
    if all(isinstance(value, int) and not isinstance(value, bool) for value in told):
        return st.column_config.NumberColumn(format="localized")
    if all(isinstance(value, str) and _FIGURE.fullmatch(value) for value in told):
        return st.column_config.TextColumn(alignment="right")
    return None
