"""How does somebody take evidence away, and what does that leave behind?"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words

SHORTEST_REASON = 3
MOST = 200


def page() -> None:
    """A pack of any decisions or cases."""
    text = st.text_area(
        "Decisions or cases",
        placeholder="tx_00058390\ncase_dd5be411dec18a20",
        help=f"Ids of transactions or cases, one a line; at most {MOST}.",
        key="evidence_ids",
        height=110,
    )
    pack_of(text.split(), key="page")


def pack_of(ids: Sequence[str], *, key: str) -> None:
    """Make a pack of these and give it out. Personal fields come along only for a reason."""
    st.markdown(
        "A ZIP of every event as it was hashed, the payments, what reviewers were shown, and the rules, policy and "
        "lists that decided. It checks itself with nothing but Python: `python check_pack.py`."
    )
    unmask = st.checkbox("Take personal fields along in clear", key=f"unmask_{key}")
    reason = st.text_input(
        "Reason" if unmask else "Reason (optional)", max_chars=400, key=f"evidence_reason_{key}", width=520
    )
    st.caption(
        "Personal fields come along in clear; your name and the reason go into the record."
        if unmask
        else "Personal fields stay behind: the pack holds their commitments. That you made it goes into the record."
    )
    short = unmask and len(reason.strip()) < SHORTEST_REASON
    ready = bool(ids) and len(ids) <= MOST and not short
    if st.button("Make the pack", key=f"make_pack_{key}", icon=":material/inventory_2:", disabled=not ready):
        with frame.attempt(), st.spinner("Gathering events and hashing files", show_time=True):
            content = signin.client().record.evidence(ids, reason.strip(), unmask=unmask)
            st.session_state[f"pack_{key}"] = (list(ids), content)
    made = st.session_state.get(f"pack_{key}")
    if made and made[0] == list(ids):
        st.download_button(
            f"Download evidence.zip ({words.count(len(made[1]) / 1000)} kB)",
            made[1],
            "evidence.zip",
            "application/zip",
            type="primary",
            icon=":material/download:",
            on_click="ignore",
            key=f"pack_file_{key}",
        )
    elif not ids:
        st.caption("Name at least one decision or case.")
