"""Who is using the console, and how do they come in and go out?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import streamlit as st

from dashboards.access import sign_in_cookie
from dashboards.calls.client import ApiError, Client, api_base, open_pool
from dashboards.pieces import words

_LONGEST_COOKIE = 12 * 3600
SIGNED_OUT = 401
SURVIVING = ("unsaved", "unsaved_of")
"""What of a session outlives its end: drafts that the API did not take any more, kept for the same person."""


@dataclass(frozen=True, slots=True)
class Me:
    """The signed-in person."""

    user: str
    role: str


@st.cache_resource(show_spinner=False, on_release=httpx.Client.close)
def _pool(base: str) -> httpx.Client:
    return open_pool(base)


def client() -> Client:
    """The API as the signed-in person sees it."""
    return Client(_pool(api_base()), st.session_state.get("token", ""))


def me() -> Me | None:
    """The signed-in person: from this session, or from the cookie after a reload. None when signed out."""
    known: Me | None = st.session_state.get("me")
    if known is None and not st.session_state.get("signed_out"):
        known = _known_by(st.session_state.get("token") or st.context.cookies.get(sign_in_cookie.NAME, ""))
    return known


def _known_by(token: str) -> Me | None:
    if not token:
        return None
    try:
        found = Client(_pool(api_base()), token).me()
    except ApiError as refused:
        if refused.status != SIGNED_OUT:
            raise
        return None
    known = Me(found["user"], found["role"])
    st.session_state["token"], st.session_state["me"] = token, known
    return known


def sign_in(user: str, password: str) -> None:
    """Open a session and ask the browser, on the next run, to keep it. Raises ApiError if refused."""
    _begin(Client(_pool(api_base())).sign_in(user, password))


def sign_in_from_outside(id_token: str) -> None:
    """The same with an identity provider's token."""
    _begin(Client(_pool(api_base())).sign_in_from_outside(id_token))


def _begin(session: dict[str, str]) -> None:
    expires = words.moment(session["expires_at"]) or datetime.now(UTC)
    seconds = int((expires - datetime.now(UTC)).total_seconds())
    st.session_state["token"] = session["token"]
    st.session_state["me"] = Me(session["user"], session["role"])
    st.session_state["browser_script"] = sign_in_cookie.keeping_script(
        session["token"], max(0, min(seconds, _LONGEST_COOKIE))
    )
    st.session_state.pop("signed_out", None)
    st.session_state.pop("session_ended", None)


def sign_out() -> None:
    """Revoke the token, forget everything of this session, and ask the browser to forget the cookie."""
    try:
        client().sign_out()
    except ApiError as refused:
        # An expired token is as good as a revoked one; anything else the person should know.
        if refused.status != SIGNED_OUT:
            st.session_state["notice"] = (
                f"Signed out here, but the API could not revoke the session: {refused}"
            )
    forget()


def forget(*, ended: bool = False) -> None:
    """Leave this session signed out; `ended` when the API, not the person, closed it."""
    notice = st.session_state.get("notice")
    surviving = {name: st.session_state[name] for name in SURVIVING if ended and name in st.session_state}
    st.session_state.clear()
    st.session_state.update(surviving)
    st.session_state["signed_out"] = True
    st.session_state["session_ended"] = ended
    st.session_state["browser_script"] = sign_in_cookie.dropping_script()
    if notice:
        st.session_state["notice"] = notice


def run_browser_script() -> None:
    """Let the browser set or drop its cookie, once."""
    if script := st.session_state.pop("browser_script", None):
        st.html(script, unsafe_allow_javascript=True)
