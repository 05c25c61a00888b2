"""What would a change of rules or policy have done to the payments of the past?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import streamlit as st

from dashboards import effect_view, frame, paging, signin, words
from dashboards.client import ApiError

Json = dict[str, Any]
PERIODS = {"30": "Last 30 days", "90": "Last 90 days"}
PAGE = 15


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
    since = "" if period == "30" else (frame.now() - timedelta(days=int(period))).isoformat()
    walked = paging.cursors("effect", {"change": chosen, "period": period})
    first = int(walked[-1] or 0)
    try:
        with st.spinner("Deciding the past again", show_time=True):
            preview = client.effect(chosen, since=since, limit=PAGE, offset=first)
    except ApiError as error:
        if error.status == signin.SIGNED_OUT:
            raise
        frame.show_error(error)
        return
    _effect(preview, first)
    following = preview.get("next_offset")
    paging.buttons(walked, str(following) if following else None, back="Larger", onward="Smaller")
    effect_view.not_known(preview)


def _change(open_proposals: list[Json]) -> str:
    """The id of a proposal, or '' for the files edited in the workspace; kept in the address."""
    known = {"": "Files edited in the workspace"} | {
        p["proposal_id"]: f"{p['proposal_id']}: {p['reason'][:60]}" for p in open_proposals
    }
    names, asked = list(known), st.query_params.get("proposal", "")
    picked = st.selectbox(
        "Change", names, index=names.index(asked) if asked in known else 0, format_func=known.__getitem__
    )
    if picked:
        st.query_params["proposal"] = picked
    elif "proposal" in st.query_params:
        del st.query_params["proposal"]
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
    st.caption(f"{words.plain(changed)} · {since} to {until}")
    effect_view.alarms(preview)
    effect_view.groups(preview, currency)
    effect_view.work(preview)
    effect_view.rules(preview)
    effect_view.flips(preview, currency, first=first)


show()
