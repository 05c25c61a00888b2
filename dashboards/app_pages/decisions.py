"""What was decided about this transaction, this customer, or in this period?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, paging, words
from dashboards.views import decision_view

Json = dict[str, Any]
PAGE_SIZE = 50


def show() -> None:
    if transaction_id := st.query_params.get("id"):
        _one(transaction_id)
    else:
        _search()


def _one(transaction_id: str) -> None:
    frame.head(f"Transaction {transaction_id}")
    st.page_link("app_pages/decisions.py", label="All decisions", icon=":material/arrow_back:")
    decision_view.draw(signin.client().decision(transaction_id))


def _search() -> None:
    frame.head(
        "Decisions",
        "Look one up by its id, or search by entity, outcome and time. Filters stay in the address.",
    )
    _by_id()
    search = _filters()
    walked = paging.cursors("decisions", search)
    with frame.attempt():
        found = signin.client().decisions(search, limit=PAGE_SIZE, cursor=walked[-1])
        # Not everybody who reads decisions may read the policy, where the currency stands.
        currency = str(found.get("currency") or "")
        _results(frame.items(found, "decisions"), currency, filtered=any(search.values()))
        paging.buttons(walked, found.get("next_cursor"))


def _by_id() -> None:
    with st.form("by_id", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.text_input("Transaction id", placeholder="as the payment system sent it", width=420)
        if st.form_submit_button("Look up", icon=":material/search:") and wanted.strip():
            st.switch_page("app_pages/decisions.py", query_params={"id": wanted.strip()})


def _filters() -> dict[str, str]:
    picked = frame.choice("Outcome", "outcome", words.signed(words.OUTCOMES))
    entity, value, since, until = st.columns([1, 1.3, 1, 1], vertical_alignment="bottom")
    with entity:
        name = st.text_input("Entity", key="entity", bind="query-params", placeholder="customer, card…")
    with value:
        wanted = st.text_input("Its value", key="value", bind="query-params", placeholder="an id")
    with since:
        first = st.date_input("From", value=None, key="since", bind="query-params", format="YYYY-MM-DD")
    with until:
        last = st.date_input("Before", value=None, key="until", bind="query-params", format="YYYY-MM-DD")
    return {
        "outcome": picked,
        "entity": name.strip() if wanted.strip() else "",
        "value": wanted.strip() if name.strip() else "",
        "since": frame.midnight(first).isoformat() if first else "",
        "until": frame.midnight(last).isoformat() if last else "",
    }


def _results(rows: list[Json], currency: str, *, filtered: bool) -> None:
    if not rows and filtered:
        frame.empty("No decision matches.", "Loosen a filter, or check the entity's name and value.")
        return
    if not rows:
        frame.empty("Nothing has been decided yet.", "A payment is decided when it is imported or sent.")
        return
    table = [
        {
            "Time": frame.when(row["occurred_at"]),
            "Transaction": row["transaction_id"],
            "Outcome": words.sign_and_word(row["outcome"], words.OUTCOMES),
            "Probability": words.percent(row.get("probability")),
            "Amount": words.money(row.get("amount_minor"), currency),
            "Why a person": words.title_of(row["triage_reason"], words.REASONS).partition(":")[0]
            if row.get("triage_reason")
            else words.ABSENT,
            "Rules hit": ", ".join(row.get("rules_hit") or []).replace("_", " ") or words.ABSENT,
        }
        for row in rows
    ]
    right = st.column_config.TextColumn(alignment="right")
    picked = frame.table(table, on_select="rerun", selection_mode="single-row", key="decisions_table", height=460,
                         column_config={"Probability": right, "Amount": right})  # fmt: skip
    chosen = picked["selection"]["rows"]
    if chosen:
        st.switch_page("app_pages/decisions.py", query_params={"id": rows[chosen[0]]["transaction_id"]})
    st.caption("Select a row to open it.")


show()
