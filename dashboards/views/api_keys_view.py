"""Which API keys do payment systems hold, and how does an admin give or take one?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words

Json = dict[str, Any]


def show() -> None:
    """Every key, with what it is for; for an admin the means to make and revoke one."""
    st.markdown("**API keys** (for systems: for what they need, as often as they need it, with an end)")
    found = signin.client().work.api_keys()
    for number, key in enumerate(found["keys"]):
        _line(key, number)
    if not found["keys"]:
        st.caption("There are none yet. A key belongs to a user with the role integrator.")
    if frame.role() == "admin":
        _add(found["scopes"])


def _line(key: Json, number: int) -> None:
    scopes = words.listed(key["scopes"])
    ended = f"revoked {frame.when(key['revoked_at'])}" if key["revoked_at"] else ""
    until = ended or f"until {frame.when(key['expires_at'])}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f":material/key: {words.plain(key['name'])} of {words.plain(key['user'])}: {scopes}, "
            f"{words.count(key['per_second'])} a second :gray[{until} · {key['key_id']}]"
        )
        if frame.role() == "admin" and not key["revoked_at"]:
            _revoke(key, number)


def _revoke(key: Json, number: int) -> None:
    with st.popover("Revoke", type="tertiary", key=f"revoke_{number}"):
        reason = st.text_input("Why is it taken back?", key=f"why_{number}", max_chars=500)
        if st.button("Revoke now", key=f"revoke_now_{number}", type="primary") and reason.strip():
            signin.client().work.revoke_api_key(key["key_id"], reason)
            st.rerun()


def _add(scopes: dict[str, list[str]]) -> None:
    with st.expander("Give a system a key"), st.form("api_key", border=False):
        user = st.text_input("System", placeholder="integrator-1", help="A user with the role integrator.")
        name = st.text_input("Name of the key", placeholder="card authorisation", max_chars=64)
        chosen = st.pills("For what", list(scopes), selection_mode="multi", default=["decide"])
        per_second = st.number_input("Requests a second", 1, 100_000, 1000)
        days = st.number_input("Good for how many days", 1, 730, 365)
        reason = st.text_input("Why does it need one?", max_chars=500)
        if not st.form_submit_button("Make the key", icon=":material/key:"):
            return
    asked = {"user": user.strip(), "name": name.strip(), "scopes": list(chosen or []), "reason": reason}
    with frame.attempt():
        made = signin.client().work.add_api_key({**asked, "per_second": per_second, "days": days})
        st.success(
            f"{made['key_id']} is good until {frame.when(made['expires_at'])}. This secret is shown once.",
            icon=":material/key:",
        )
        st.code(made["secret"], language=None)
