"""What comes after an answer: a second thought once the score is seen, and in training what was right?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words

Json = dict[str, Any]
_SAYS = {"confirmed_fraud": "Fraud", "legitimate": "Legitimate", "inconclusive": "Unsure"}
_ASKED = (
    "**Now that you see what the engine thought: what do you say?** Both answers are kept. Your first one counts for "
    "agreement and for learning; this one settles the payment."
)


def offer(page: Json) -> None:
    """Ask whoever judged blind and has now seen the score, once; to stay with it is an answer too."""
    if st.session_state.pop("thought_kept", "") == page["task_id"]:
        st.success("Both answers are on record.", icon=":material/done_all:")
    last = st.session_state.get("revealed")
    if not last or last["task_id"] != page["task_id"]:
        return
    with st.container(border=True, key="second_thought"):
        st.markdown(_ASKED)
        confidence = st.segmented_control(
            "How sure",
            list(words.CONFIDENCES),
            format_func=lambda each: words.CONFIDENCES[each],
            key="thought_sure",
        )
        with st.container(horizontal=True):
            for value, label in _SAYS.items():
                stays = value == last["value"]
                if st.button(f"Stay with {label}" if stays else f"Now {label}", key=f"thought_{value}"):
                    with frame.attempt():
                        signin.client().work.second_thought(last["verdict_id"], value, confidence or "")
                        st.session_state.pop("revealed")
                        st.session_state["thought_kept"] = page["task_id"]
                        st.rerun()


def feedback(page: Json) -> None:
    """What was right about a case of one's training."""
    told = page.get("feedback")
    if not told:
        return
    truth = "fraud" if told["is_fraud"] else "an honest payment"
    said = _SAYS.get(told["said"], told["said"])
    if told["right"]:
        st.success(f"**Right.** You said {said}; it was {truth}.", icon=":material/check_circle:")
    else:
        st.warning(f"**You said {said}; it was {truth}.**", icon=":material/school:")
    adjudicated = told.get("adjudicated") or {}
    if adjudicated.get("note"):
        st.markdown(f"A team lead wrote: {words.plain(adjudicated['note'])}")
    if adjudicated.get("typology"):
        st.caption(f"Typology: {words.title_of(adjudicated['typology'], words.TYPOLOGIES)}")
