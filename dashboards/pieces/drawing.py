"""How does a chart get onto a page without being worked out anew in each of its runs?

Altair builds a chart of many objects and holds each to Vega-Lite's schema, which takes tens of milliseconds in which no
other session of this process computes. A page runs again at every key and click, mostly with the same charts.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
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


def show_chart(make: Callable[..., Picture], *given: Any, told: str, key: str, **named: Any) -> None:
    """Put the chart that `make` makes of what it is given onto the page, with what it shows told in words.

    `make` must heed nothing else (no session, no clock): its chart is kept for whoever asks with the same. Two charts
    are the same where the function has the same name and what it is given says the same, so that whoever finds one
    that another session has drawn holds all that is in it already.
    """
    said = json.dumps([make.__module__, make.__qualname__, given, named], default=asdict)
    spec = json.loads(_drawn(said, make, given, named))
    st.vega_lite_chart(spec, theme=None, alt=told, key=key)


@st.cache_data(max_entries=_KEPT, show_spinner=False)
def _drawn(said: str, _make: Callable[..., Picture], _given: tuple[Any, ...], _named: dict[str, Any]) -> str:
    """Found again by a hash of `said`; what it is made of, which is much larger, is not kept."""
    return json.dumps(_make(*_given, **_named).to_dict(validate=HELD_TO_SCHEMA))
