"""How does a file of past payments or later outcomes come in, and what became of each line of it?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.calls.import_calls import OUTCOMES, TRANSACTIONS
from dashboards.pieces import frame, words
from dashboards.views import import_view

Json = dict[str, Any]
SENDERS = ("integrator", "admin")
LARGEST_MB = 20
"""What the console takes (its server.maxUploadSize), since it holds a file in memory."""
KINDS = {TRANSACTIONS: "Transactions", OUTCOMES: "Outcomes"}
WHAT_HAPPENS = {
    TRANSACTIONS: (
        "Rows become payments of the past, in the order in which they arrived. A row that is on record already changes "
        "nothing; one that cannot be used is kept apart with its line and the reason. Payments are decided meanwhile."
    ),
    OUTCOMES: (
        "Chargebacks, their reversals and other labels of payments on record, as the mapping's part `outcomes` says. "
        "What is on record already changes nothing; a line of a payment that nobody knows is kept apart. Decisions "
        "wait until all of it is in."
    ),
}
OTHER_WAYS = {
    TRANSACTIONS: "`secondlook import` or `POST /v1/imports`",
    OUTCOMES: "`secondlook import --outcomes` or `POST /v1/outcome-imports`",
}


def show() -> None:
    if import_id := st.query_params.get("id"):
        _one(import_id)
    else:
        _all()


def _one(import_id: str) -> None:
    frame.head(f"Import {import_id}")
    st.page_link("app_pages/imports.py", label="All imports", icon=":material/arrow_back:")
    import_view.draw(signin.client().imports.one(import_id))


def _all() -> None:
    frame.head(
        "Imports", "Files of past payments, and of what became of them: what came in, what did not, and why."
    )
    if frame.role() in SENDERS:
        _send()
    _earlier(signin.client().imports.listed())


def _send() -> None:
    """Choose what the file holds, then the file, then begin. The next one is chosen in a fresh place."""
    with st.container(border=True):
        holds = frame.choice("The file holds", "holds", KINDS, default=TRANSACTIONS)
        st.caption(WHAT_HAPPENS[holds])
        number = st.session_state.setdefault("imports_sent", 0)
        given = st.file_uploader(
            f"A CSV file (packed, too: .csv.gz) or a Parquet file of at most {LARGEST_MB} MB",
            type=["csv", "gz", "parquet"],
            max_upload_size=LARGEST_MB,
            key=f"import_file_{number}",
        )
        st.caption(
            f"The mapping's columns have to be in it. For a larger file take {OTHER_WAYS[holds]}, which take 4 GB."
        )
        pressed = st.button(
            "Import it", key="import", type="primary", icon=":material/upload_file:", disabled=given is None
        )
        if pressed and given is not None:
            with frame.attempt():
                with st.spinner("Reading, checking and storing every line", show_time=True):
                    report = signin.client().imports.send(holds, given.name, given)
                st.session_state["imports_sent"] = number + 1
                st.switch_page("app_pages/imports.py", query_params={"id": report["import_id"]})


def _earlier(found: list[Json]) -> None:
    st.markdown("##### Earlier imports")
    if not found:
        frame.empty(
            "No file has come in yet.",
            "An integrator or an admin imports one: here, with `secondlook import`, or over HTTP.",
        )
        return
    rows = [
        {
            "Time": frame.when(row["imported_at"]),
            "Who": row["imported_by"] or words.ABSENT,
            "File": row["file_name"],
            "Holds": KINDS.get(row["holds"], row["holds"]),
            "Came in": words.count(row["accepted"]),
            "On record already": words.count(row["duplicate"]),
            "Quarantined": words.count(row["quarantined"]),
            "To know": import_view.in_short(row),
        }
        for row in found
    ]
    picked = frame.table(rows, on_select="rerun", selection_mode="single-row", key="imports_table")
    chosen = picked["selection"]["rows"]
    if chosen:
        st.switch_page("app_pages/imports.py", query_params={"id": found[chosen[0]]["import_id"]})
    st.caption("Select a row to see its quarantined lines and its warnings.")


show()
