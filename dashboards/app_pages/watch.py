"""What changed this week, what should be done about it, and on which figures does that rest?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame
from dashboards.views import campaign_view, drift_view, watch_view

Json = dict[str, Any]
PARTS = {
    "week": "The week",
    "drift": "Drift",
    "figures": "Expected and actual",
    "groups": "Groups",
    "explored": "Releases on purpose",
    "labels": "Labels",
    "campaigns": "Campaigns",
}


def show() -> None:
    frame.head("Watch", "What changed, what to do about it, and on which figures that rests.")
    part = frame.choice("Part", "part", PARTS, default="week")
    with frame.attempt():
        if part == "drift":
            drift_view.draw(signin.client().watch.drift(), signin.client().watch.widenings())
        elif part == "campaigns":
            campaign_view.draw(signin.client().watch.campaigns())
        elif part == "labels":
            _labels()
        else:
            _digest(part)


def _digest(part: str) -> None:
    known = frame.items(signin.client().watch.digests(), "digests")
    if not known:
        frame.empty(
            "No digest was written yet.",
            "The job 'digest' writes one a week; it can be run on the Jobs page.",
        )
        return
    picked = st.selectbox(
        "Digest",
        [row["digest_id"] for row in known],
        format_func=lambda name: next(
            f"Week to {str(row['until'])[:10]}" for row in known if row["digest_id"] == name
        ),
        label_visibility="collapsed",
        width=320,
    )
    digest = signin.client().watch.digest(picked)
    {
        "week": watch_view.week,
        "figures": watch_view.figures,
        "groups": watch_view.groups,
        "explored": watch_view.explored,
    }[part](digest)


def _labels() -> None:
    digests = frame.items(signin.client().watch.digests(), "digests")
    if digests:
        watch_view.labels(signin.client().watch.digest()["labels"])
    before = st.query_params.get("before", "")
    changes = signin.client().watch.label_changes(before)
    watch_view.label_changes(changes)


show()
