"""Is the engine stopped, and does an alarm wait for somebody? Shown under the head of every page."""

from __future__ import annotations

import streamlit as st

from dashboards import role_pages, signin, words
from dashboards.client import ApiError


def show() -> None:
    """The kill switch while it is on, and how many alarms are open. Nothing while all is well."""
    if signin.me() is None:
        return
    try:
        told = signin.client().safety.banner()
    except ApiError as refused:
        if refused.status == signin.SIGNED_OUT:
            raise
        st.caption("Whether the kill switch is on could not be asked just now.")
        return
    switch = told["kill_switch"]
    if switch["is_on"]:
        st.error(
            f"**The kill switch is on.** No model, no automatic declines: rules decide and people review. "
            f"{words.plain(switch['turned_by'])}: {words.plain(switch['reason'])}",
            icon=":material/front_hand:",
        )
    if told["alarms"]:
        _alarms(told["alarms"], told["open"])


def _alarms(alarms: list[dict[str, str]], count: int) -> None:
    who = signin.me()
    sentence = words.plain(alarms[0]["sentence"].replace("_", " "))
    with st.container(horizontal=True, vertical_alignment="center", key="alarm_line", gap="small"):
        st.markdown(
            f":orange-badge[:material/notifications_active: {words.plural(count, 'alarm')}] {sentence}",
            help=sentence,
        )
        if who is not None and "safety" in role_pages.names(who.role):
            st.page_link("app_pages/safety.py", label="See to it", icon=":material/arrow_forward:")
