"""How does somebody let a model decide, have it tried first, or take it back?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words

Json = dict[str, Any]
LEAST = 3


def flips(model: Json) -> None:
    """Open the payments that would be decided differently, one by one; a sign-off needs so many looks."""
    sample = (model.get("record") or {}).get("flips") or []
    if model["status"] != "challenger" or not sample:
        return
    opened = set(model.get("flips_opened") or [])
    needed = min(int(model.get("flips_needed") or 0), len(sample))
    st.markdown("##### Look at the flips")
    st.caption(
        f"You have opened {len(opened & {f['seq'] for f in sample})} of {len(sample)}; a sign-off needs {needed}. "
        "What you open is recorded."
    )
    named = {flip["seq"]: flip for flip in sample}
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    with left:
        seq = st.selectbox(
            "Payment",
            list(named),
            format_func=lambda each: _line(named[each], each in opened),
            key=f"flip_of_{model['model_id']}",
        )
    with right:
        if st.button("Open it", key="open_flip", icon=":material/visibility:"):
            with frame.attempt():
                told = signin.client().learning.open_flip(model["model_id"], seq)
                st.session_state["opened_flip"] = told
                st.rerun()
    last = st.session_state.get("opened_flip")
    if last and last["seq"] in named:
        _flip(last)


def _line(flip: Json, opened: bool) -> str:
    name = flip.get("transaction_id") or flip["seq"]
    change = f"{words.percent(flip['champion'])} → {words.percent(flip['challenger'])}"
    return f"{'✓' if opened else '○'}  {name}  ·  {change}"


def _flip(told: Json) -> None:
    with st.container(border=True):
        amount = words.money(told.get("amount_minor"), told.get("currency") or frame.base_currency())
        truth = "✕ Fraud" if told["fraud"] else "✓ Not fraud"
        st.markdown(
            f"**{words.plain(told['transaction_id'])}** · {amount} · {frame.when(told['occurred_at'])} · {truth}"
        )
        left, right = st.columns(2, gap="medium")
        for column, who, name in ((left, "champion", "Champion"), (right, "challenger", "This model")):
            with column:
                outcome = words.sign_and_word(told.get(f"{who}_outcome"), words.OUTCOMES)
                st.markdown(f"**{name}**: {words.percent(told[who])}, {outcome}")
                rows = [
                    {
                        "Input": each["phrase"],
                        "Value": _value(each["value"]),
                        "Moves the margin by": f"{each['effect']:+.2f}",
                    }
                    for each in told.get(f"{who}_inputs") or []
                ]
                if rows:
                    frame.table(rows, height="content")


def _value(value: Any) -> str:
    if value is None:
        return words.ABSENT
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


def sign_off(model: Json) -> None:
    """Let a model decide, or turn it down, by someone who has the evidence above before them."""
    st.markdown("##### Sign-off")
    with st.form("sign_off_form", border=True):
        told = "Bring it back" if model["status"] == "retired" else "Let it decide"
        reason = st.text_input(
            "Reason: what did you see in the comparison and the flips?", key="sign_off_reason", max_chars=2000
        )
        left, right = st.columns([1, 3])
        agreed = left.form_submit_button(told, icon=":material/approval:", key="sign_off")
        refused = model["status"] == "challenger" and right.form_submit_button(
            "Turn it down", icon=":material/block:", key="turn_down"
        )
    if not (agreed or refused):
        return
    if len(reason.strip()) < LEAST:
        st.warning("Write a reason; it goes into the record with your name.")
        return
    with frame.attempt():
        if agreed:
            signin.client().sign_off(model["model_id"], reason.strip())
        else:
            signin.client().learning.turn_down(model["model_id"], reason.strip())
        st.rerun()


def trial(model: Json, entities: list[str]) -> None:
    """Have a model tried on live traffic before it decides all: as a shadow, or for a share of an entity's values."""
    with st.popover("Try it on live traffic", icon=":material/science:"):
        st.caption(
            "A shadow answers and is never obeyed. A rollout decides for the same customers every time."
        )
        share = st.slider("Share it decides, in %: 0 is a shadow", 0, 50, 0, 5, key="trial_share")
        entity = (
            st.selectbox("Drawn by", entities, key="trial_entity", disabled=not share) if entities else ""
        )
        reason = st.text_input("Reason", key="trial_reason", max_chars=2000)
        if st.button("Start", key="start_trial", disabled=len(reason.strip()) < LEAST):
            with frame.attempt():
                calls = signin.client().learning
                if share:
                    calls.roll_out(model["model_id"], str(entity), share / 100, reason.strip())
                else:
                    calls.shadow(model["model_id"], reason.strip())
                st.success("It is on trial; the page Safety, section Trials, shows what it answers.")


def roll_back() -> None:
    """One step back to the champion before."""
    with st.popover("Roll back", icon=":material/undo:"):
        st.caption("The model before decides again from the next payment on. It needs no second person.")
        reason = st.text_input("Reason", key="rollback_reason", max_chars=2000)
        if st.button("Roll back now", key="roll_back", disabled=len(reason.strip()) < LEAST):
            with frame.attempt():
                signin.client().learning.roll_back(reason.strip())
                st.rerun()
