"""What would a change of rules or policy have done to the payments of the past?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.calls.client import ApiError
from dashboards.pieces import frame, paging, words
from dashboards.views import effect_view

Json = dict[str, Any]
PERIODS = {"30": "Last 30 days", "90": "Last 90 days"}
PAGE = 15
# Seconds after which progress is shown, and between two looks at it.
WAIT, LOOK_EVERY = 0.6, 1.0
# What the address says for the files edited in the workspace.
FILES = "files"


def show() -> None:
    frame.head(
        "Effect of a change",
        "The past decided again, from what was known at each payment, under the present set and under the change.",
    )
    client = signin.client()
    left, right = st.columns([1.4, 1], vertical_alignment="bottom")
    with left:
        chosen = _change(frame.items(client.proposals(status="open"), "proposals"))
    with right:
        period = frame.choice("Period", "period", PERIODS, default="30")
    walked = paging.cursors("effect", {"change": chosen, "period": period})
    first = int(walked[-1] or 0)
    try:
        preview = _asked(chosen, period, first)
    except ApiError as error:
        if error.status == signin.SIGNED_OUT:
            raise
        frame.show_error(error)
        return
    if "working" in preview:
        _progress(chosen, period, first)
        return
    _effect(preview, first)
    following = preview.get("next_offset")
    paging.buttons(walked, str(following) if following else None, back="Larger", onward="Smaller")
    if preview["changed"]:
        effect_view.not_known(preview)


def _asked(change: str, period: str, first: int) -> Json:
    """The effect, or how far it is: nobody waits for it with an empty page."""
    # From a midnight on, so that the question stays the same while it is worked out.
    since = (
        ""
        if period == "30"
        else frame.midnight((frame.now() - timedelta(days=int(period))).date()).isoformat()
    )
    return signin.client().consequences.effect(change, since=since, limit=PAGE, offset=first, wait=WAIT)


@frame.part(every=LOOK_EVERY)
def _progress(change: str, period: str, first: int) -> None:
    """How far it is, until it is there; then the page is drawn again."""
    found = _asked(change, period, first)
    if "working" not in found:
        st.rerun()
    seconds = words.number(found["seconds"], 0)
    st.progress(min(1.0, float(found["share"])), f"{words.plain(found['working'])}: {seconds} s so far")
    st.caption(
        "This goes on by itself. What was read of the past stays in memory, so that the next change takes less."
    )


def _change(open_proposals: list[Json]) -> str:
    """The id of a proposal, or '' for the files edited in the workspace; kept in the address."""
    known = {"": "Files edited in the workspace"} | {
        p["proposal_id"]: f"{p['proposal_id']}: {p['reason'][:120]}" for p in open_proposals
    }
    names, asked = list(known), st.query_params.get("proposal", "").removeprefix(FILES)
    # What waits for an answer comes first; files under edit may well not differ from what runs.
    first = names[1] if open_proposals and "proposal" not in st.query_params else ""
    picked = st.selectbox(
        "Change", names, index=names.index(asked or first) if (asked or first) in known else 0,
        format_func=known.__getitem__,
    )  # fmt: skip
    if picked:
        st.query_params["proposal"] = picked
    else:
        st.query_params["proposal"] = FILES
    return picked or ""


def _effect(preview: Json, first: int) -> None:
    currency = frame.base_currency()
    if not preview["changed"]:
        frame.empty(
            "Nothing differs from the set that runs.",
            "Edit a file in the workspace's rules folder, or propose a change on the Rules or Thresholds page.",
        )
        return
    st.markdown(f"##### {words.plain(effect_view.finding(preview))}")
    changed = words.listed(path.removeprefix("catalogue/") for path in preview["changed"])
    since, until = (frame.when(preview[end]) for end in ("since", "until"))
    known = frame.when(preview["as_of"], seconds=True)
    st.caption(f"{words.plain(changed)} · {since} to {until} · as known at {known}")
    effect_view.alarms(preview)
    effect_view.groups(preview, currency)
    effect_view.work(preview)
    effect_view.rules(preview)
    effect_view.flips(preview, currency, first=first)


show()
