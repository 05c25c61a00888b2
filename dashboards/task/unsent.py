"""What has somebody typed and not sent, so that neither a reload nor an ended session loses it?

The API keeps it, by person and place. Single lines and notes report as they are typed; a text area reports only when it
is left, so a script asks it to report after every pause. What could not be kept because the session had ended stays in
the browser's session until the same person is back.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.calls.client import ApiError

Json = dict[str, Any]
_HELD, _OF = signin.SURVIVING
# Ctrl and Enter is how a text area reports without being left. In a form it would send the form.
_REPORT_PAUSES = """<script>
if (!window.secondlookPauses) {
  window.secondlookPauses = new WeakMap();
  document.addEventListener('input', event => {
    const text = event.target;
    if (!(text instanceof HTMLTextAreaElement) || text.closest('[data-testid="stForm"]')) return;
    clearTimeout(window.secondlookPauses.get(text));
    window.secondlookPauses.set(text, setTimeout(() => text.dispatchEvent(new KeyboardEvent(
      'keydown', {key: 'Enter', code: 'Enter', keyCode: 13, ctrlKey: true, bubbles: true, cancelable: true})), 700));
  }, true);
}
</script>"""


def as_typed() -> None:
    """Have the text areas of this page report after every pause."""
    st.html(_REPORT_PAUSES, unsafe_allow_javascript=True)


def restored(place: str, key: str) -> bool:
    """Put what was typed at a place into the widget of that key, unless it is there; whether anything was put back."""
    if key in st.session_state:
        return False
    text = signin.client().work.unsent(place)
    if text:
        st.session_state[key] = text
    return bool(text)


def keep(place: str, key: str) -> None:
    """Keep what the widget of that key holds; its on_change."""
    _kept(place, str(st.session_state.get(key) or ""))


def forget(place: str, key: str = "") -> None:
    """It was sent, or is not wanted any more."""
    if key:
        st.session_state.pop(key, None)
    _kept(place, "")


def _kept(place: str, text: str) -> None:
    try:
        signin.client().work.keep_unsent(place, text)
    except ApiError as error:
        # The page still holds the text; saying so on every pause would only disturb.
        st.session_state["unsent_state"] = error.title


def hold(task_id: str, draft: Json) -> None:
    """Remember a task's draft that the API did not take."""
    st.session_state.setdefault(_HELD, {})[task_id] = draft
    who = signin.me()
    st.session_state[_OF] = who.user if who else st.session_state.get(_OF, "")


def held(task_id: str) -> Json:
    """The draft that could not be kept, if it is this person's; it is forgotten here."""
    who = signin.me()
    if who is None or st.session_state.get(_OF) != who.user:
        return {}
    draft: Json = st.session_state.get(_HELD, {}).pop(task_id, {})
    return draft
