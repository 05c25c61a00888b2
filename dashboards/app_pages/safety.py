"""Who stopped the engine, what has the breaker paused, and what is tried on live traffic?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import alarm_banner, frame, words
from dashboards.views import trial_view

Json = dict[str, Any]
STOPPERS = ("team_lead", "risk_manager", "admin")
STARTERS = ("risk_manager", "admin")
SECTIONS = {"now": "Now", "breaker": "Breaker", "trials": "Trials"}
KINDS = {
    "rule": "Rule",
    "model": "Model",
    "policy": "Policy",
    "declines": "All declines",
    "rollout": "Set on trial",
    "rollout_declines": "Declines of the set on trial",
}
BASES = {
    "history": "earlier decisions",
    "stated": "stated by a person",
    "nothing": "nothing known yet",
}


def show() -> None:
    frame.head(
        "Safety",
        "Stop the engine, see to alarms, and follow what is new until it has proved itself.",
        alarms=False,
    )
    section = frame.choice("Section", "section", SECTIONS, default="now")
    if section == "trials":
        trial_view.show(may_stop=frame.role() in STOPPERS)
        return
    told = signin.client().safety.overview()
    if section == "now":
        _now(told)
    else:
        _breaker(told)


def _now(told: Json) -> None:
    left, right = st.columns([1, 1.5], gap="medium")
    with left:
        _kill_switch(told)
        _capacity(told["capacity"])
    with right:
        _alarms(told["alarms"])
        _fail_safe(told["fail_safe"])


def _kill_switch(told: Json) -> None:
    switch = told["kill_switch"]
    with st.container(border=True):
        st.subheader("Kill switch", anchor=False)
        if switch["is_on"]:
            st.markdown(":red-badge[● On] No model, no automatic declines. Rules decide; people review.")
            who = f"{words.plain(switch['turned_by'])}, {frame.when(switch['turned_at'])}"
            st.caption(f"{who}: {words.plain(switch['reason'])}")
            if frame.role() in STARTERS:
                _turn(False)
            else:
                st.caption("A risk manager or admin who did not stop the engine starts it again.")
        else:
            st.markdown(":green-badge[○ Off] The engine decides as approved.")
            if frame.role() in STOPPERS:
                _turn(True)
        _turns(told["turns"])


def _turn(on: bool) -> None:
    label, icon = ("Stop the engine", "front_hand") if on else ("Start the engine", "play_arrow")
    with st.popover(label, icon=f":material/{icon}:"), st.form("kill_switch", border=False):
        st.markdown(
            "From the next payment on nothing is declined automatically, except for block lists, and the model is not "
            "asked. One person may stop; another one starts again."
            if on
            else "From the next payment on the engine decides as approved. Whoever stopped it cannot do this."
        )
        reason = st.text_input("Reason", max_chars=2000)
        sure = st.checkbox("I mean it")
        if not st.form_submit_button(label, icon=f":material/{icon}:", type="primary"):
            return
    if not sure or len(reason.strip()) < 3:
        st.warning("Write a reason and tick the box.")
        return
    with frame.attempt():
        signin.client().safety.turn_kill_switch(on, reason.strip())
        st.rerun()


def _turns(turns: list[Json]) -> None:
    for turn in turns[:4]:
        word = "stopped" if turn["is_on"] else "started"
        st.caption(
            f"{frame.when(turn['turned_at'])}: {word} by {words.plain(turn['turned_by'])}, "
            f"{words.plain(turn['reason'])}"
        )


def _capacity(capacity: Json) -> None:
    price = capacity["price_minor"]
    shown = "none left" if price is None else words.money(price, frame.base_currency())
    with st.container(border=True):
        frame.figure(
            "Price of a further review today",
            shown,
            capacity["sentence"],
            help_text="What a review must be worth beyond its own cost before a payment gets one.",
        )


def _alarms(alarms: list[Json]) -> None:
    st.subheader("Open alarms", anchor=False)
    if not alarms:
        frame.empty("No alarm is open.", "The breaker, a missing model or a failing rule would raise one.")
    for alarm in alarms:
        with st.container(border=True):
            st.markdown(f":material/notifications_active: {alarm_banner.sentence(alarm)}")
            st.caption(
                f"Raised {words.ago(alarm['raised_at'], frame.now())}, on {frame.when(alarm['raised_at'])}. "
                "It stays open until somebody says what came of it."
            )
            if frame.role() in STOPPERS:
                _acknowledge(alarm)


def _acknowledge(alarm: Json) -> None:
    with (
        st.form(f"ack_{alarm['alarm_id']}", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        reason = st.text_input(
            "What came of it",
            max_chars=2000,
            placeholder="a sale, an attack that was stopped, a rule to be mended …",
        )
        pressed = st.form_submit_button("Acknowledge", icon=":material/done:")
    if pressed and len(reason.strip()) >= 3:
        with frame.attempt():
            signin.client().safety.acknowledge(alarm["alarm_id"], reason.strip())
            st.rerun()
    elif pressed:
        st.warning("Write what came of it.")


def _fail_safe(rows: list[Json]) -> None:
    if not rows:
        return
    st.subheader("Decided without all it needs, last 30 days", anchor=False)
    names = {
        "no_model": "No model runs",
        "model_missing": "The champion's files are missing or altered",
        "model_failed": "The model failed",
        "kill_switch": "The kill switch was on",
    }
    frame.table(
        [
            {
                "Why": names.get(row["subject"], f"The rule {row['subject']} failed"),
                "Decisions": row["n"],
                "Last": frame.when(row["last_at"]),
            }
            for row in rows
        ],
        height="content",
    )


def _breaker(told: Json) -> None:
    limits = told["limits"]
    st.caption(
        f"New or changed is what is younger than {words.plural(limits['days'], 'day')} or has had fewer than "
        f"{limits['decisions']:,} decisions: it is paused when it speaks up far more often than expected, wrongly at "
        f"most once in {1 / limits['false_alarms']:,.0f}. What has stood long is never paused; its declines are "
        "reviewed until somebody has looked."
    )
    for act in [act for act in told["acts"] if act["in_force"]]:
        _act(act)
    nearest = max((-_by_evidence(watch) for watch in told["watches"]), default=0.0)
    st.markdown(
        f"##### {words.plural(len(told['watches']), 'thing')} watched; the nearest to being acted on has "
        f"{words.percent(min(nearest, 1.0), 0)} of the evidence it takes"
    )
    frame.table(
        [_watch(watch) for watch in sorted(told["watches"], key=_by_evidence)],
        height="content",
        column_config={
            "Watched": st.column_config.TextColumn(width=230),
            "Evidence": st.column_config.ProgressColumn(
                min_value=0.0,
                max_value=1.0,
                format="percent",
                help="Of what it takes for the breaker to act.",
            ),
        },
    )


def _by_evidence(watch: Json) -> float:
    return -float(watch["evidence"]) / float(watch["acts_at"])


def _watch(watch: Json) -> Json:
    named = str(watch["subject"]).replace("_", " ") if watch["kind"] == "rule" else watch["subject"]
    subject = "" if watch["kind"] in ("policy", "declines") else f" {named}"
    return {
        "Watched": f"{KINDS[watch['kind']]}{subject}",
        "Evidence": min(1.0, -_by_evidence(watch)),
        "Speaks up in": words.percent(watch["rate"]),
        "Expected at most": words.percent(watch["expected_at_most"]),
        "Acts, at 30 %": words.plural(watch["decisions_to_act_if_loud"], "decision")
        if watch["decisions_to_act_if_loud"]
        else "never",
        "Decisions": watch["decisions"],
        "Is": "new or changed" if watch["is_new"] else "long-standing",
        "Since": frame.when(watch["since"]),
        "From": BASES.get(watch["basis"], watch["basis"]),
    }


def _act(act: Json) -> None:
    paused = act["action"] == "pause"
    with st.container(border=True):
        st.markdown(
            f"{':red-badge[‖ Paused]' if paused else ':orange-badge[⌃ Capped]'} {alarm_banner.sentence(act)}"
        )
        st.caption(f"{frame.when(act['acted_at'])}")
        if frame.role() not in STARTERS:
            return
        with (
            st.form(f"resume_{act['act_id']}", border=False),
            st.container(horizontal=True, vertical_alignment="bottom"),
        ):
            reason = st.text_input("Why it may go on", max_chars=2000)
            rate = st.number_input(
                "Expected in % of decisions", 0.0, 99.0, value=None, placeholder="as it was when it acted"
            )
            pressed = st.form_submit_button("Let it go on", icon=":material/play_arrow:")
    if pressed and len(reason.strip()) >= 3:
        with frame.attempt():
            signin.client().safety.resume(act["act_id"], reason.strip(), rate / 100 if rate else None)
            st.rerun()
    elif pressed:
        st.warning("Write why it may go on.")


show()
