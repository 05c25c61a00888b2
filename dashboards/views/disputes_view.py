"""How do the cases look on which people differ, in words and with examples for the guideline?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words
from dashboards.views.consistency_view import share

Json = dict[str, Any]
AGAINST = {"each_other": "From each other", "model": "From the model", "outcome": "From the outcome"}


def show() -> None:
    """One comparison at a time: its finding, the groups of cases, and the two by two table with the model."""
    against = frame.choice("People differ", "against", AGAINST, default="each_other")
    found = signin.client().agreement.disputes(against)
    tree = found["tree"]
    st.markdown(f"##### {words.plain(tree['sentence'])}")
    st.caption(f"{words.plural(tree['n'], 'payment')}, in dispute: {share(tree['share'])}")
    if tree["state"] == "enough":
        rows = [
            {
                "Payments where": one["words"],
                "In dispute": share(one["disputed"]),
                "Examples": words.listed(one["examples"]),
            }
            for one in tree["groups"]
        ]
        frame.table(rows, height="content")
        st.caption(
            "A small decision tree, grown on one half of the payments and measured on the other. Read the examples in "
            "Decisions, then say in the guideline what they should be."
        )
    if against == "model":
        _model(found["with_the_model"])
    if against == "outcome":
        _outcomes(found["with_outcomes"])


def _model(found: Json) -> None:
    st.subheader("People and model", anchor=False)
    rows = [
        {"": "Person: fraud", "Model: fraud": found["both_fraud"], "Model: not": found["only_person"]},
        {"": "Person: not", "Model: fraud": found["only_model"], "Model: not": found["neither"]},
    ]
    frame.table(rows, height="content")
    frame.facts(
        [
            ("The same", share(found["same"])),
            ("Person right when they differ", share(found["person_right_when_they_differ"])),
        ]
    )


def _outcomes(found: Json) -> None:
    names = {"recall": "Recall", "precision": "Precision", "false_positive_rate": "False positive rate"}
    frame.facts([(label, share(found[name])) for name, label in names.items()], columns=3)
    st.caption("Of golden cases, and of audited payments whose time to be disputed is over.")
