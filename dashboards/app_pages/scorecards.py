"""Who needs a talk, and what does a scorecard say that its reviewer has seen first?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words
from dashboards.views import scorecard_view

Json = dict[str, Any]


def show() -> None:
    frame.head(
        "Scorecards",
        "By name, in no order of merit. Each is its reviewer's first; every look of yours is recorded and shown there.",
    )
    calls = signin.client().own_work
    cards = calls.of_others()
    if cards:
        _listed(cards)
    else:
        frame.empty(
            "No scorecard has been issued yet.",
            "They come by a daily job, once somebody has answered ten tasks.",
        )
    with frame.attempt():
        _consensus(calls.consensus())


def _listed(cards: list[Json]) -> None:
    talks = [card["reviewer"] for card in cards if card["flagged"]]
    if talks:
        st.warning(
            f"**{words.plain(words.listed(talks))}**: needs a talk. What is unlike colleagues' work may be right, and "
            "the guideline wrong.",
            icon=":material/forum:",
        )
    rows = [
        {
            "Reviewer": card["reviewer"],
            "Issued": frame.when(card["issued_at"]),
            "Opened by the reviewer": frame.when(card["opened_at"]) if card["opened_at"] else "not yet",
            "For you": _state(card),
        }
        for card in cards
    ]
    frame.table(rows, height="content")
    readable = {card["scorecard_id"]: card["reviewer"] for card in cards if card["readable"]}
    if not readable:
        st.caption(
            "None can be read yet: their reviewers have not opened them, and the policy's time has not passed."
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Whose", list(readable), format_func=readable.__getitem__, key="whose", width=280
        )
        if st.button("Read it; the look is recorded", key="read_scorecard", icon=":material/visibility:"):
            with frame.attempt():
                st.session_state["scorecard_read"] = signin.client().own_work.look_at(chosen)
    card = st.session_state.get("scorecard_read")
    if card and card["scorecard_id"] == chosen:
        _one(card)


def _state(card: Json) -> str:
    if not card["readable"]:
        return "… Not before the reviewer"
    return "! Needs a talk" if card["flagged"] else "✓ Nothing stands out"


def _one(card: Json) -> None:
    with st.container(border=True):
        st.markdown(f"**{words.plain(card['reviewer'])}**, issued {frame.when(card['issued_at'])}")
        scorecard_view.draw(card)
        scorecard_view.around(card, own=False)


def _consensus(found: Json) -> None:
    """On what labels take people's word."""
    st.subheader("What verdicts are worth in labels", anchor=False)
    fit = found["fit"]
    if fit is None:
        frame.empty("Nothing has been estimated yet.", "A daily job does it, from thirty verdicts on.")
        return
    st.markdown(words.plain(fit["sentence"]))
    if not fit["identified"]:
        st.caption("Until error rates are known, labels weigh verdicts as the policy says.")
        return
    rows = [
        {"Lane": words.title_of(lane, words.LANES), "Share of fraud": words.percent(share)}
        for lane, share in sorted(fit["prior"].items())
    ]
    left, right = st.columns(2, gap="medium")
    with left:
        frame.table(rows, height="content")
        st.caption(
            f"Dawid-Skene over {words.plural(fit['verdicts'], 'verdict')} and "
            f"{words.plural(fit['anchors'], 'known case')}, fitted {frame.when(fit['fitted_at'])}. "
            "No model's score enters."
        )
    with right:
        _further(found["further"])


def _further(rows: list[Json]) -> None:
    if not rows:
        st.caption("No further review has been asked for.")
        return
    frame.table(
        [
            {
                "Asked": frame.when(row["opened_at"]),
                "Payment": row["transaction_id"],
                "Chance of being right": words.percent(row["posterior"]),
                "State": words.capital(row["status"]),
            }
            for row in rows
        ],
        height=min(320, 36 * (len(rows) + 1) + 2),
    )
    st.caption(
        "One more look where the verdicts leave doubt, within the policy's budget; never part of a headline."
    )


show()
