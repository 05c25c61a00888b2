"""How does a chart get onto a page without being worked out anew in each of its runs?

Altair builds a chart of many objects and holds each to Vega-Lite's schema, which takes tens of milliseconds in which no
other session of this process computes. A page runs again at every key and click, mostly with the same charts.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

import altair as alt
import streamlit as st

from dashboards.pieces.charts import Picture

_KEPT = 512
"""Charts of a few kilobytes each, the latest used."""
HELD_TO_SCHEMA = False
"""Whether the whole chart is held to Vega-Lite's schema once more, half of the time it takes; in tests each one is."""
# Streamlit's own way from a chart to the page does so each time: the default sets sizes that would win over the page's.
alt.theme.enable("none")


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which chart of what. Two are the same where the function is and what it is given says the same: whoever finds
    one that another session has drawn holds all that is in it already."""

    make: Callable[..., Picture]
    said: str
    given: tuple[Any, ...] = field(compare=False)
    named: dict[str, Any] = field(compare=False)


def show_chart(make: Callable[..., Picture], *given: Any, told: str, key: str, **named: Any) -> None:
    """Put the chart that `make` makes of what it is given onto the page, with what it shows told in words.

    `make` must heed nothing else (no session, no clock): its chart is kept for the next time it is asked for.
    """
    said = json.dumps([given, named], default=asdict)
    spec = json.loads(_drawn(_Asked(make, said, given, named)))
    st.vega_lite_chart(spec, theme=None, alt=told, key=key)


@lru_cache(_KEPT)
def _drawn(asked: _Asked) -> str:
    return json.dumps(asked.make(*asked.given, **asked.named).to_dict(validate=HELD_TO_SCHEMA))
