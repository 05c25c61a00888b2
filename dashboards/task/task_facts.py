"""What is known of a task's payment, whatever anybody thinks of it: spending, history, the payment, its inputs?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.pieces import charts, frame, words
from dashboards.pieces.drawing import show_chart
from dashboards.pieces.palette import palette
from dashboards.task import unmasking

Json = dict[str, Any]
RIGHT = st.column_config.TextColumn(alignment="right")


def spending(page: Json) -> None:
    """Amounts over time."""
    history, transaction = page.get("history") or [], page["transaction"]
    if not history:
        frame.empty(
            "No earlier payments",
            "This is the first payment seen here, so there is nothing to compare it with.",
        )
        return
    finding = charts.spending_finding(history, transaction["amount_minor"] or 0)
    st.markdown(f"##### This amount is {finding}")
    st.caption("● earlier payment · ✚ known fraud · ◆ this payment · dashed: median")
    show_chart(charts.spending, history, transaction, palette(), told=finding, key="spending")


def guideline(page: Json) -> None:
    """The reviewers' guideline as it stood when the task opened."""
    found = page.get("guideline") or {}
    if not found.get("text"):
        st.caption("There is no guideline yet.")
        return
    with st.container(key="guideline"):
        st.markdown(found["text"])
    st.caption(f"Guideline {words.plain(found.get('version', ''))}")


def history(page: Json) -> None:
    """Earlier payments of the same entity, newest first; what is as in this payment is said to be the same."""
    rows = page.get("history") or []
    if not rows:
        st.caption("No earlier payments.")
        return
    now, currency = page["transaction"]["entities"], page["transaction"]["currency"]
    frauds = any(past.get("known_fraud") for past in rows)
    lines = [
        _earlier(row, now, currency, frauds)
        for row in sorted(rows, key=lambda row: row["occurred_at"], reverse=True)
    ]
    frame.table(lines, height=300, column_config={"Amount": RIGHT})


def _earlier(row: Json, now: Json, currency: str, frauds: bool) -> Json:
    then, attributes = row.get("entities") or {}, row.get("attributes") or {}
    line = {"When": frame.when(row["occurred_at"]), "Amount": words.money(row.get("amount_minor"), currency)}
    if frauds:
        line["Known fraud"] = "✕ yes" if row.get("known_fraud") else ""
    line |= {words.capital(k): "same" if v == now.get(k) else str(v or words.ABSENT) for k, v in then.items()}
    return line | {words.capital(k.replace("_", " ")): str(v or words.ABSENT) for k, v in attributes.items()}


def payment(page: Json) -> None:
    """Every field of the payment; personal ones are masked until somebody says why he or she must read them."""
    transaction = page["transaction"]
    pairs = [
        ("transaction", transaction["transaction_id"]),
        ("time", frame.when(transaction["occurred_at"], seconds=True)),
    ]
    for part in ("entities", "attributes"):
        pairs += [
            (k.replace("_", " "), str(v))
            for k, v in (transaction.get(part) or {}).items()
            if v not in (None, "")
        ]
    st.markdown(
        "\n".join(
            f"| :gray[{k}] | {words.plain(v)} |" + ("\n|---|---|" if i == 0 else "")
            for i, (k, v) in enumerate(pairs)
        )
    )
    unmasking.fields(page)


def inputs(page: Json) -> None:
    """Every input with its value, in the order they are declared."""
    rows = [
        {"Input": words.capital(f["phrase"]), "Value": f.get("text") or "not known"}
        for f in page.get("features") or []
    ]
    if rows:
        frame.table(rows, height=420)
    else:
        st.caption("Inputs are shown once you have answered.")
