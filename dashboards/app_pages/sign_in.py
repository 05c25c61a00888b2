"""How does a person come in?"""

from __future__ import annotations

import streamlit as st

from dashboards.access import outside_login, signin
from dashboards.calls.client import ApiError
from dashboards.pieces import frame


def show() -> None:
    _, middle, _ = st.columns([1, 1.1, 1])
    with middle:
        st.space("large")
        st.title("Second Look", anchor=False)
        st.caption("Fraud decisions that know when to ask a person.")
        if st.session_state.get("session_ended"):
            st.info("Your session has ended. Sign in again to go on; notes were saved as you typed.")
        if notice := st.session_state.pop("notice", None):
            st.warning(notice)
        with st.form("sign_in", border=True):
            user = st.text_input("User name", autocomplete="username", placeholder="analyst-1")
            password = st.text_input("Password", type="password", autocomplete="current-password")
            sent = st.form_submit_button("Sign in", type="primary", width="stretch")
        if sent:
            _try(user.strip(), password)
        if outside_login.configured():
            _from_outside()
        st.caption("The demo prints its users and passwords in the terminal when it starts.")


def _from_outside() -> None:
    """Through the identity provider: there, or on from there once the browser is back."""
    token = outside_login.id_token()
    if not token:
        if st.button("Sign in with your organisation", icon=":material/login:", width="stretch"):
            st.login()
        return
    # Whoever has just signed out is not signed in again unasked.
    again = st.session_state.get("signed_out") or st.session_state.get("outside_refused")
    if again and not st.button("Go on with your organisation's account", width="stretch"):
        st.button("Use another account", on_click=outside_login.leave, type="tertiary")
        return
    try:
        signin.sign_in_from_outside(token)
    except ApiError as error:
        st.session_state["outside_refused"] = True
        frame.show_error(error)
        st.button("Use another account", on_click=outside_login.leave, type="tertiary")
    else:
        st.rerun()


def _try(user: str, password: str) -> None:
    if not user or not password:
        st.warning("Type your user name and your password.")
        return
    try:
        signin.sign_in(user, password)
    except ApiError as error:
        frame.show_error(error)
    else:
        st.rerun()


show()
