"""Is the engine stopped, and does an alarm wait for somebody? Told at the head of every page."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import streamlit as st

from dashboards import role_pages
from dashboards.access import signin
from dashboards.calls.client import ApiError
from dashboards.pieces import words

Json = dict[str, Any]
FRESH = timedelta(days=1)
"""An alarm younger than this takes a line of every page; an older one keeps its place beside the person only."""
_NOT_IN_IDS = re.compile(r"\b(?:m|set|rollout|shadow)_[0-9a-f]{12,16}\b|(_)")


def ask() -> Json | None:
    """Kill switch and open alarms; None for nobody, or if they could not be asked."""
    if signin.me() is None:
        return None
    try:
        told: Json = signin.client().safety.banner()
    except ApiError as refused:
        if refused.status == signin.SIGNED_OUT:
            raise
        return {}
    return told


def link(told: Json | None) -> None:
    """How many alarms are open, and the way to them."""
    if told and told["alarms"] and _sees_safety():
        label = words.plural(told["open"], "open alarm")
        st.page_link(
            "app_pages/safety.py", label=label, icon=":material/notifications_active:", width="content"
        )


def show(told: Json | None, now: datetime, *, alarms: bool = True) -> None:
    """The kill switch while it is on, and the newest alarm while it is fresh. Nothing while all is well."""
    if told is None:
        return
    if not told:
        st.caption("Whether the kill switch is on could not be asked just now.")
        return
    switch = told["kill_switch"]
    if switch["is_on"]:
        st.error(
            f"**The kill switch is on.** No model, no automatic declines: rules decide and people review. "
            f"{words.plain(switch['turned_by'])}: {words.plain(switch['reason'])}",
            icon=":material/front_hand:",
        )
    fresh = [alarm for alarm in told["alarms"] if _is_fresh(alarm, now)]
    if fresh and alarms:
        _newest(fresh, now)


def sentence(alarm: Json) -> str:
    """What an alarm says, with the names of rules in words, and ids of models, sets and trials as they are."""
    told = _NOT_IN_IDS.sub(lambda found: " " if found[1] else found[0], alarm["sentence"])
    return words.sentence(told)


def _is_fresh(alarm: Json, now: datetime) -> bool:
    raised = words.moment(alarm["raised_at"])
    return raised is not None and now - raised < FRESH


def _sees_safety() -> bool:
    who = signin.me()
    return who is not None and "safety" in role_pages.names(who.role)


def _newest(fresh: list[Json], now: datetime) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="alarm_line", gap="small"):
        count = words.plural(len(fresh), "new alarm")
        since = words.ago(fresh[0]["raised_at"], now)
        st.markdown(
            f":orange-badge[:material/notifications_active: {count}] {sentence(fresh[0])} :gray[{since}]"
        )
        if _sees_safety():
            st.page_link("app_pages/safety.py", label="See to it", icon=":material/arrow_forward:")
