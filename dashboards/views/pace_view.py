"""How do pace, runs and steadiness look, of everybody together and of one person who may be seen?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words
from dashboards.views.consistency_view import share, told

Json = dict[str, Any]


def show() -> None:
    """Everybody together along a shift."""
    found = signin.client().agreement.pace()
    if not found["n"]:
        frame.empty("Nobody has judged anything yet.", "Verdicts with their seconds fill this page.")
        return
    st.markdown(f"##### {words.plain(found['sentence'])}")
    st.caption(f"{words.plural(found['n'], 'verdict')} in {words.plural(found['n_shifts'], 'shift')}")
    _positions(found["by_position"])


def _positions(rows: list[Json]) -> None:
    frame.table(
        [
            {
                "Verdict of the shift": f"{row['from']} to {row['to']}"
                if row["to"]
                else f"from {row['from']}",
                "Seconds": ratio(row["seconds"]),
                "Said fraud": share(row["said_fraud"]),
                "Recall": share(row["recall"]),
                "False positive rate": share(row["false_positive_rate"]),
            }
            for row in rows
        ],
        height="content",
    )
    st.caption("Seconds as a ratio to what others take for the same kinds of case: 1.20 is a fifth longer.")


def ratio(found: Json) -> str:
    """Seconds against the case mix, with interval."""
    if found["ratio"] is None:
        return words.ABSENT
    between = "insufficient data" if found["low"] is None else words.interval(found["low"], found["high"])
    return f"{words.number(found['ratio'])} times  ({between})"


def people() -> None:
    """Oneself, or for a team lead somebody he or she leads; looking at another is recorded."""
    who = signin.me()
    if who is None:
        return
    if frame.role() != "team_lead":
        _person(signin.client().agreement.person(who.user), own=True)
        return
    st.info("That you look is recorded, and the people you look at can see it.", icon=":material/visibility:")
    with st.expander("Agreement by pair", on_change="rerun", key="pairs_open") as opened:
        if opened.open:
            _pairs(signin.client().agreement.people())
    named = st.text_input("Reviewer", key="look_at", placeholder="analyst-2")
    if named and st.button("Look at this person's pace", key="look", icon=":material/person_search:"):
        with frame.attempt():
            _person(signin.client().agreement.person(named.strip()), own=False)


def _pairs(found: Json) -> None:
    rows = [
        {
            "Reviewers": words.listed(pair["reviewers"]),
            "Payments": pair["n_items"],
            "Raw agreement": words.percent(pair.get("raw")),
            "Agreement on fraud": words.percent(pair.get("positive_specific")),
            "Cohen's kappa": told(pair.get("cohen_kappa") or {}),
        }
        for pair in found["by_pair"]
    ]
    if not rows:
        st.caption("No two of the people you lead have judged the same payment yet.")
        return
    frame.table(rows, height="content")
    st.caption("To learn from, together with the people named. Not a ranking: pairs saw different payments.")


def _person(found: Json, *, own: bool) -> None:
    st.subheader("Your pace" if own else f"Pace of {words.plain(found['reviewer'])}", anchor=False)
    if not found["seconds"]["n"]:
        st.caption("No verdicts yet.")
        return
    for nudge in found["nudges"]:
        st.info(words.plain(nudge), icon=":material/self_improvement:")
    seconds = found["seconds"]
    frame.facts(
        [
            ("Verdicts", f"{words.count(seconds['n'])} in {words.plural(found['n_shifts'], 'shift')}"),
            ("Median seconds", words.count(seconds["median"])),
            ("Against others on the same kinds of case", ratio(seconds)),
            ("The same verdict on a second look", share((found["second_looks"] or {}).get("same", {}))),
        ]
    )
    st.markdown(words.plain(found["runs"]["sentence"]))
    _positions(found["by_position"])
    if own:
        _looked(found["looked"])


def _looked(looks: list[Json]) -> None:
    if not looks:
        st.caption("Nobody else has looked at these figures.")
        return
    st.subheader("Who has looked at your figures", anchor=False)
    frame.table(
        [{"When": frame.when(look["at"]), "Who": look["seen_by"], "What": look["what"]} for look in looks],
        height="content",
    )
