"""What became of each line of an imported file, and what should its owner know of that?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.calls.import_calls import OUTCOMES
from dashboards.pieces import frame, words

Json = dict[str, Any]


def draw(told: Json) -> None:
    """One import: its counts, its warnings in words, and its quarantined lines with a download of all of them."""
    st.caption(
        f"{words.plain(told['file_name'])} · {words.plain(told['imported_by'] or 'somebody')}, "
        f"{frame.when(told['imported_at'])} · SHA-256 {told['file_sha256'][:12]}…"
    )
    figures = _figures(told)
    for column, figure in zip(st.columns(len(figures)), figures, strict=True):
        with column:
            frame.figure(*figure)
    for warning in told["warnings"]:
        st.warning(words.sentence(warning), icon=":material/warning:")
    if not told["quarantined"]:
        st.success("Every line could be used.", icon=":material/check_circle:")
    else:
        _quarantine(told)


def in_short(row: Json) -> str:
    """What the warnings of an import are about, in a few words."""
    told = []
    if row["beyond_memory"]:
        told.append(f"{words.count(row['beyond_memory'])} older than features remember")
    if row["taken_back"]:
        told.append(words.plural(row["taken_back"], "fraud") + " taken back")
    return "; ".join(told) or words.ABSENT


def _figures(told: Json) -> list[tuple[str, ...]]:
    came = ("Came in", words.count(told["accepted"]))
    known = ("On record already", words.count(told["duplicate"]), "changed nothing")
    apart = ("Quarantined", words.count(told["quarantined"]), "kept apart, in no figure and no window")
    if told["holds"] == OUTCOMES:
        other = ("Of another reason", words.count(told["other_reason"]), "say nothing about fraud")
        return [(*came, f"{words.count(told['frauds'])} say fraud"), known, other, apart]
    labels = (f"with {words.plural(told['labels'], 'label')}",) if told["labels"] else ()
    return [(*came, *labels), known, apart]


def _quarantine(told: Json) -> None:
    st.markdown("##### Quarantined lines")
    st.caption(
        "Correct them in your file and import it again: what is in changes nothing, the rest follows. Their cells are "
        "not shown here: one in the wrong column may be somebody's name."
    )
    if len(told["reasons"]) < told["quarantined"]:
        frame.table(
            [
                {"Lines": words.count(row["lines"]), "Field": row["field"], "Reason": row["reason"]}
                for row in told["reasons"]
            ],
            height="content",
            key="import_reasons",
        )
    rows = [{"Line": row["line"], "Field": row["field"], "Reason": row["reason"]} for row in told["lines"]]
    frame.table(rows, key="quarantined_lines")
    if len(rows) < told["quarantined"]:
        shown = f"The first {words.count(len(rows))} of {words.count(told['quarantined'])}."
        st.caption(f"{shown} The download holds up to 100,000.")
    st.download_button(
        "Download quarantine.csv",
        data=lambda: signin.client().imports.quarantine(told["import_id"]),
        file_name="quarantine.csv",
        mime="text/csv",
        icon=":material/download:",
        key="quarantine_file",
    )
