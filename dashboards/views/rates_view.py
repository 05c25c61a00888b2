"""How good is a model by estimate and by the naive figure, and why do the two differ?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboards.pieces import frame, words
from dashboards.views import watch_view

Json = Mapping[str, Any]
RANKING = (
    "Average precision and AUC say how a model ranks payments whose truth is known. Naive: on every label that is "
    "believed, also on verdicts given with the champion's score on the screen, which speak for the champion. The first "
    "figure leaves those out."
)


def decided(rates: Json | None, models: Sequence[Json]) -> None:
    """Rates of the models that decided, as the last digest found them."""
    rows = (rates or {}).get("models") or []
    if not rows:
        st.caption("What the models stopped is not estimated yet: the weekly job 'digest' does it.")
        return
    status = {model["model_id"]: model["status"] for model in models}
    st.subheader(_finding(rows, status), anchor=False)
    frame.table([_row(row, status.get(row["model_id"], "")) for row in rows], height="content")
    until = frame.when((rates or {})["until"])
    st.caption(
        f"Of matured decisions up to {until}: stopped means declined or put before a person. {watch_view.NAIVE}"
    )


def _finding(rows: Sequence[Json], status: Mapping[str, str]) -> str:
    """What the champion's figures say, in a sentence."""
    now = next((row for row in rows if status.get(row["model_id"]) == "champion"), None)
    share = (now or {}).get("recall") or {}
    if share.get("value") is None:
        return "How much fraud the models stopped"
    low, high = (words.percent(share[end], 0) for end in ("low", "high"))
    return f"The champion stopped about {words.percent(share['value'], 0)} of the fraud ({low} to {high})"


def _row(row: Json, status: str) -> dict[str, Any]:
    expected, found = row["expected"] or {}, row["precision"]
    return {
        "Model": row["model_id"],
        "Status": words.sign_and_word(status, words.STATUSES) if status else words.ABSENT,
        "Matured": words.count(row["matured"]),
        "Precision expected": words.percent(expected.get("precision"), 0),
        "Precision, estimated": watch_view.rate(found["estimate"]),
        "Precision, naive": watch_view.rate(found["naive"]),
        "Confirmed by reviewers": watch_view.rate(found["share_confirmed"]),
        "Recall expected": words.percent(expected.get("recall"), 0),
        "Recall, estimated": watch_view.rate(row["recall"]),
        "Recall, naive": watch_view.rate(row["naive_recall"]),
    }


def ranking(naive: Json | None) -> None:
    """The naive figures of a comparison of two models, and the words to explain the difference."""
    if not naive:
        return
    told = "; ".join(
        f"{name} {words.number(naive[who], 3)}"
        for who, name in (("champion", "champion then"), ("challenger", "this model"))
        if naive.get(who) is not None
    )
    more = words.count(naive["rows"])
    st.caption(f"Naive average precision, on all {more} labels believed of that time: {told}. {RANKING}")
