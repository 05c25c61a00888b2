"""How do other settings fare beside those that decide, as a shadow or for a share of the customers?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words

Json = dict[str, Any]
READERS = ("risk_manager", "admin", "auditor")
KINDS = {"shadow": ("◌", "Shadow", "violet"), "rollout": ("◐", "Rollout", "blue")}


def show(*, may_stop: bool) -> None:
    """The list of trials, newest first, each with its figures and a stop button."""
    trials = frame.items(signin.client().safety.trials(), "trials")
    if not trials:
        frame.empty(
            "Nothing is tried.",
            "`secondlook safety shadow strict/policy.yaml` has other settings answer beside; "
            "`secondlook safety rollout` lets them decide for a share of the customers.",
        )
    for trial in trials:
        _trial(trial, may_stop=may_stop)


def _trial(trial: Json, *, may_stop: bool) -> None:
    running = trial["stopped_at"] is None
    with st.container(border=True):
        left, right = st.columns([4, 1], vertical_alignment="center")
        with left:
            drawn = f", {words.percent(trial['share'])} of all {trial['entity']} values, always the same ones"
            share = drawn if trial["entity"] else ""
            st.markdown(f"{words.badge(trial['kind'], KINDS)} **{words.plain(trial['name'])}**{share}")
            taking = "running" if trial["takes_part"] else "suspended: other features have come into force"
            until = taking if running else f"stopped {frame.when(trial['stopped_at'])}"
            st.caption(
                f"since {frame.when(trial['started_at'])} by {words.plain(trial['started_by'])}, {until}: "
                f"{words.plain(trial['reason'])}"
            )
        with right, st.container(horizontal=True, horizontal_alignment="right"):
            if running and may_stop:
                _stop(trial)
        if frame.role() in READERS and trial["decisions"]:
            with frame.attempt():
                _figures(signin.client().safety.trial(trial["trial_id"]))
        else:
            st.caption(f"{trial['decisions']:,} decisions, {trial['differing']:,} answered otherwise.")


def _stop(trial: Json) -> None:
    with st.popover("Stop", icon=":material/stop_circle:"):
        reason = st.text_input(
            "Reason", value="stopped by hand", key=f"why_{trial['trial_id']}", max_chars=2000
        )
        if st.button("Stop now", key=f"stop_{trial['trial_id']}", type="primary"):
            with frame.attempt():
                signin.client().safety.stop_trial(trial["trial_id"], reason.strip())
                st.rerun()


def _figures(report: Json) -> None:
    currency = frame.base_currency()
    names = ("What decides", "The shadow") if report["kind"] == "shadow" else ("The others", "The candidate")
    rows = [
        {
            "Side": name,
            "Decisions": side["decisions"],
            "Approve": side["approve"],
            "Review": side["review"],
            "Decline": side["decline"],
            "Alert rate": _share(side["alert_rate"]),
            "Decline rate": _share(side["decline_rate"]),
            "Known fraud let through": f"{side['known_fraud_let_through']:,} "
            f"({words.money(side['known_fraud_let_through_minor'], currency)})",
        }
        for name, side in zip(names, (report["live"], report["candidate"]), strict=True)
    ]
    frame.table(rows, height="content")
    if differences := report.get("differences"):
        for label, key in (("Alert rate", "alert_rate"), ("Decline rate", "decline_rate")):
            if difference := differences[key]:
                st.caption(f"{label}, candidate less the others: {_points(difference)}.")
    st.caption(report["caveat"])
    if flips := report.get("flips"):
        with st.expander(f"{report['flipped']:,} payments answered otherwise"):
            frame.table([_flip(flip, currency) for flip in flips], height="content")


def _flip(flip: Json, currency: str) -> Json:
    return {
        "Decided": frame.when(flip["decided_at"]),
        "Payment": flip["transaction_id"],
        "Amount": words.money(flip["amount_minor"], currency),
        "Answered": words.sign_and_word(flip["answered"], words.OUTCOMES),
        "Would have been": words.sign_and_word(flip["outcome"], words.OUTCOMES),
        "Probability": words.percent(flip["probability"]),
    }


def _share(share: Json) -> str:
    if share["value"] is None:
        return words.ABSENT
    return (
        f"{words.percent(share['value'])} ({words.percent(share['low'])} to {words.percent(share['high'])})"
    )


def _points(difference: Json) -> str:
    value, low, high = (f"{100 * difference[name]:+.1f}" for name in ("value", "low", "high"))
    return f"{value} percentage points ({low} to {high})"
