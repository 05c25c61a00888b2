"""How far has somebody who is learning come, what is still missing, and what was missed?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words

Json = dict[str, Any]
SAID = {"confirmed_fraud": "✕ Fraud", "legitimate": "✓ Legitimate", "inconclusive": "? Unsure"}


def show() -> None:
    frame.head("Training", "Past cases whose truth is known, with what was right told at once.")
    found = signin.client().work.my_training()
    if found["status"] != "training":
        frame.empty(
            "You are qualified: your verdicts count.",
            "A team lead can put somebody in training; then past cases come here, and nothing said of them counts.",
        )
        return
    _progress(found)
    if st.button(
        "Take the next past case", type="primary", shortcut="N", icon=":material/play_arrow:", key="learn"
    ):
        st.session_state["wanted"] = "next"
        st.switch_page("app_pages/review.py")
    _answers(found["answers"])


def _progress(found: Json) -> None:
    st.markdown(f"##### {finding(found)}")
    done, needed = found["done"], found["needed"]
    st.progress(min(done / needed, 1.0), f"{done} of {needed} past cases")
    left, right = st.columns(2, border=True)
    with left:
        _share(
            "Frauds you found", found["recall"], f"at least {words.percent(found['least_recall'])} is asked"
        )
    with right:
        most = words.percent(found["most_false_positive_rate"])
        _share("Honest payments you called fraud", found["false_positive_rate"], f"at most {most} is allowed")
    st.caption(
        "Until a team lead has signed that you are qualified, your verdicts settle no payment, teach no model and "
        "enter no figure of agreement."
    )


def finding(found: Json) -> str:
    """What is still missing, in one sentence."""
    if found["lacking"]:
        return f"Still missing: {words.plain(found['lacking'])}."
    return "The rule for qualifying is met: a team lead can sign now."


def _share(label: str, share: Json, asked: str) -> None:
    if share["value"] is None:
        frame.figure(label, words.ABSENT, "none yet", asked)
        return
    between = f"95 %: {words.percent(share['low'])} to {words.percent(share['high'])}, n = {share['n']}"
    frame.figure(label, words.percent(share["value"]), between, asked)


def _answers(answers: list[Json]) -> None:
    if not answers:
        return
    st.subheader("What you said", anchor=False)
    rows = [
        {
            "When": frame.when(row["given_at"]),
            "You said": SAID.get(row["value"], row["value"]),
            "It was": "✕ Fraud" if row["is_fraud"] else "✓ Legitimate",
            "": "right" if row["right"] else "missed",
            "Seconds": words.number(row["seconds"], 0),  # absent once forgotten
        }
        for row in answers
    ]
    frame.table(rows, height="content" if len(rows) <= 12 else 440)


show()
