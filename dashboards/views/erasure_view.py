"""How does an admin erase a person's data, and what was erased before?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words

Json = dict[str, Any]
SHORTEST_REASON = 3
KINDS = {
    "values": "personal value",
    "written_words": "text written by people",
    "drafts": "unfinished draft",
    "files": "file",
    "dossiers": "masked copy in what reviewers saw",
    "quarantined_rows": "row kept apart at an import",
}
_MANY = {
    "written_words": "texts written by people",
    "dossiers": "masked copies in what reviewers saw",
    "quarantined_rows": "rows kept apart at imports",
}


def page() -> None:
    """The means to erase for an admin; for everybody here what was erased, which never says whose it was."""
    st.markdown(
        "Takes a person's values, and what people wrote about the payments, out of the ledger for good. The payments, "
        "their decisions and the chain stay, and still verify: the record only ever held salted commitments."
    )
    with frame.attempt():
        if frame.role() == "admin":
            _erase()
        else:
            st.caption("An admin erases, for a reason. What was erased is below.")
        _past()


def _erase() -> None:
    """First look at what there is, then say why, then confirm."""
    with st.form("whose_data", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        entity = st.text_input(
            "Entity", value="customer", key="erase_entity", max_chars=64, width=160
        ).strip()
        value = st.text_input(
            "Value, as payments have it", key="erase_value", max_chars=256, width=280
        ).strip()
        looked = st.form_submit_button(
            "Look what would be erased", key="erase_look", icon=":material/search:"
        )
    record = signin.client().record
    if looked:
        for name in ("erasing", "erased"):
            st.session_state.pop(name, None)
        if value:
            st.session_state["erasing"] = (entity, value, record.erasure_preview(entity, value))
        else:
            st.caption("Name the customer, card or whatever else the data is of.")
    if found := st.session_state.get("erasing"):
        _confirm(*found)
    elif done := st.session_state.get("erased"):
        _done(done)


def _confirm(entity: str, value: str, seen: Json) -> None:
    who = f"{words.plain(entity)} **{words.plain(value)}**"
    if not seen["erased"]:
        frame.empty(
            "Nothing is left to erase",
            f"No payment of {entity} {value} has anything of a person beside it. Check the value for a missing letter.",
        )
        return
    with st.container(border=True):
        st.markdown(f"Of {who}, {words.plural(seen['payments'], 'payment')}: {told(seen['erased'])}.")
        if seen["backups"]:
            st.caption(f"{_backups(seen['backups'])} made before will still hold them.")
        reason = st.text_input(
            "Reason", key="erase_reason", max_chars=1000, placeholder="request 4711", width=520
        )
        short = len(reason.strip()) < SHORTEST_REASON
        with st.popover("Erase for good", icon=":material/delete_forever:", disabled=short):
            st.markdown(
                "This cannot be undone. Your name and the reason go into the record; whose data it was does not."
            )
            if st.button("Yes, erase it now", key="erase_now", type="primary", disabled=short):
                with st.spinner("Erasing, and taking it out of the log", show_time=True):
                    done = signin.client().record.erase(entity, value, reason.strip())
                st.session_state.pop("erasing")
                st.session_state["erased"] = done
                st.rerun()
        if short:
            st.caption("Say why first; a reference to the request is best.")


def _done(done: Json) -> None:
    st.success(
        f"Erased of {words.plural(done['payments'], 'payment')}: {told(done['erased'])}.",
        icon=":material/delete_forever:",
    )
    if done["backups"]:
        st.warning(
            f"{_backups(done['backups'])} made before still hold it: {words.plain(', '.join(done['backups']))}. "
            "Packs that were handed out do, too."
        )
    if done.get("in_log"):
        st.caption(
            "The write-ahead log still holds it until its next checkpoint, which a longer query puts off."
        )


def _past() -> None:
    st.markdown("##### Erasures on record")
    rows = [
        {
            "Time": frame.when(row["erased_at"]),
            "Who": row["asked_by"],
            "Reason": row["reason"],
            "Of": _scope(row["scope"]),
            "Erased": told(row["counts"]),
        }
        for row in frame.items(signin.client().record.erasures(), "erasures")
    ]
    if rows:
        frame.table(rows, key="erasures")
        st.caption("The same subject has the same code; nobody can work out from it whose data it was.")
    else:
        frame.empty("Nothing was erased yet", "An admin erases here, and the policy by age.")


def _scope(scope: Json) -> str:
    if "recorded_before" in scope:
        return f"payments before {frame.when(scope['recorded_before'])}"
    return f"{scope.get('entity', '')} {scope.get('subject', '')}"


def _backups(names: list[str]) -> str:
    return words.capital(words.plural(len(names), "backup"))


def told(counts: Json) -> str:
    """`4 personal values, 1 file`."""
    parts = [
        words.plural(n, KINDS.get(kind, kind.replace("_", " ")), _MANY.get(kind, ""))
        for kind, n in counts.items()
    ]
    return ", ".join(parts) or "nothing"
