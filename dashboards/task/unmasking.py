"""How does somebody read a personal field that is masked, and what does that leave behind?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words

Json = dict[str, Any]
_READ = "unmasked"


def fields(page: Json) -> None:
    """The personal fields of a task's payment, masked; whoever holds the task may read them for a reason."""
    masked: Json = page["transaction"].get("personal_masked") or {}
    if not masked:
        return
    read: Json = st.session_state.setdefault(_READ, {}).get(page["task_id"]) or {}
    for name, value in masked.items():
        label = f":gray[{words.plain(name.replace('_', ' '))}]"
        shown = f"**{words.plain(read[name])}**" if name in read else words.plain(str(value))
        st.markdown(f"{label} {shown}")
    who = signin.me()
    if page.get("status") == "done" or who is None or page.get("claimed_by") != who.user:
        st.caption("Personal fields are masked.")
        return
    hidden = [name for name in masked if name not in read]
    if hidden:
        _ask(page["task_id"], hidden)


def _ask(task_id: str, hidden: list[str]) -> None:
    with st.popover("Read a masked field", icon=":material/lock_open:", type="tertiary"):
        name = st.radio(
            "Which?", hidden, format_func=lambda name: name.replace("_", " "), key=f"unmask_{task_id}"
        )
        reason = st.text_input("Why do you need it?", max_chars=400, key=f"unmask_reason_{task_id}")
        st.caption("Your name, the field and the reason are kept in the record.")
        if st.button("Show it", key="unmask", disabled=len(reason.strip()) < 3) and name:
            with frame.attempt():
                answer = signin.client().unmask(task_id, name, reason)
                st.session_state[_READ] = {
                    task_id: {**st.session_state[_READ].get(task_id, {}), name: answer["value"]}
                }
                st.rerun()
