"""Where in a long list is the reader, and what is the next page?"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st


def cursors(name: str, search: Mapping[str, str]) -> list[str]:
    """The cursors of the pages walked through so far, the present one last; another search starts again."""
    if st.session_state.get(f"{name}_search") != search:
        st.session_state[f"{name}_search"], st.session_state[f"{name}_cursors"] = search, [""]
    walked: list[str] = st.session_state[f"{name}_cursors"]
    return walked


def buttons(walked: list[str], following: str | None, *, back: str = "Newer", onward: str = "Older") -> None:
    """The page before and the page after, where there is more than one."""
    if len(walked) < 2 and not following:
        return
    with st.container(horizontal=True):
        if st.button(back, icon=":material/arrow_back:", disabled=len(walked) < 2, key="newer"):
            walked.pop()
            st.rerun()
        older = st.button(onward, icon=":material/arrow_forward:", disabled=not following, key="older")
        if older and following:
            walked.append(following)
            st.rerun()
