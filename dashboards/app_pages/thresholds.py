"""Where should the two cut-offs lie: what does each choice cost, ask of people, and do to good customers?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words
from dashboards.pieces.drawing import show_chart
from dashboards.pieces.palette import palette
from dashboards.views import tuner_view

Json = dict[str, Any]
OWNERS = ("risk_manager", "admin")


def show() -> None:
    frame.head(
        "Thresholds",
        "Move the two cut-offs, or what mistakes cost, and see what the past would have been.",
    )
    client = signin.client()
    with st.spinner("Reading the past", show_time=True):
        start = client.consequences.tuner(_costs())
    if not _costs():  # an answer tells the costs that were asked for: the policy's only where none were
        st.session_state["policy_costs_known"] = {**start["costs"], "reviews_per_day": start["capacity"]}
    _defaults(start)
    controls, picture = st.columns([1, 2.6], gap="medium")
    with controls:
        cuts = _sliders(start)
        by = _further(start)
    found = client.consequences.tuner({**cuts, **_costs(), "by": by, "curves": True})
    with picture:
        _curves(found)
    tuner_view.figures(found["asked"], found["current"], found)
    st.markdown("##### Side by side")
    tuner_view.comparison(found)
    if by:
        st.markdown(f"##### By {words.plain(by)}")
        tuner_view.segments(found["segments"], found)
    _small_print(found)
    if frame.role() in OWNERS:
        _propose(found)


def _costs() -> Json:
    """Costs and capacity that differ from the policy's, as the API wants them."""
    told: Json = st.session_state.get("tuner_costs") or {}
    return dict(told)


def _defaults(start: Json) -> None:
    """The sliders begin at the present cut-offs, or at the best pair where those depend on the amount."""
    now, best = start["current"], start["best_within_capacity"]
    for cut in tuner_view.CUTS:
        value = best[cut] if now[cut] is None else now[cut]
        st.session_state.setdefault(cut, tuner_view.nearest(value))


def _sliders(start: Json) -> Json:
    if st.session_state["review_at"] > st.session_state["decline_at"]:
        st.session_state["decline_at"] = st.session_state["review_at"]
    for cut, label in tuner_view.CUTS.items():
        st.select_slider(
            f"{label} (probability of fraud)", tuner_view.STEPS, key=cut, format_func=words.percent
        )
    best = start["best_within_capacity"]
    with st.container(horizontal=True):
        st.button(
            "Set to the best pair", icon=":material/target:", key="to_best", on_click=_set, args=(best,)
        )
        now = start["current"]
        if now["review_at"] is not None:
            st.button("Back to now", icon=":material/undo:", key="to_now", on_click=_set, args=(now,))
    return {cut: st.session_state[cut] for cut in tuner_view.CUTS}


def _set(setting: Json) -> None:
    for cut in tuner_view.CUTS:
        st.session_state[cut] = tuner_view.nearest(setting[cut])


def _further(start: Json) -> str:
    """Costs and capacity, and by what to split."""
    with st.popover("Costs and capacity", icon=":material/euro:", width="stretch"):
        _cost_form(start)
    if _costs():
        st.caption(":material/edit: Costs differ from the policy's.")
    attributes = ["", *start["attributes"]]
    return st.selectbox(
        "Split by",
        attributes,
        key="tuner_by",
        format_func=lambda name: name.replace("_", " ") if name else "nothing",
    )


def _cost_form(start: Json) -> None:
    currency, costs = start["currency"], start["costs"]
    with st.form("tuner_cost_form", border=False):
        share = st.number_input(
            "A missed fraud loses this share of its amount",
            0.0,
            10.0,
            float(costs["missed_fraud_share"]),
            0.05,
        )
        good = st.number_input(
            f"A good customer declined costs ({currency})", 0.01, 1e6,
            words.major(costs["good_declined_minor"], currency), 1.0,
        )  # fmt: skip
        review = st.number_input(
            f"A review costs ({currency})", 0.0, 1e6, words.major(costs["review_minor"], currency), 0.1
        )
        capacity = st.number_input("Reviews a day at most", 0, 10**6, int(start["capacity"]))
        used = st.form_submit_button("Use these", type="primary")
    if used:
        minor = 10 ** words.minor_digits(currency)
        asked = {
            "missed_fraud_share": share,
            "good_declined_minor": round(good * minor),
            "review_minor": round(review * minor),
            "reviews_per_day": int(capacity),
        }
        policy = st.session_state["policy_costs_known"]
        st.session_state["tuner_costs"] = {n: value for n, value in asked.items() if value != policy[n]}
        st.rerun()
    if _costs() and st.button("As in the policy", key="policy_costs"):
        st.session_state["tuner_costs"] = {}
        st.rerun()


def _curves(found: Json) -> None:
    st.markdown(f"##### {words.plain(tuner_view.verdict(found['asked'], found))}")
    measure = frame.choice("Measure", "measure", tuner_view.MEASURES, default="expected_cost")
    for column, cut in zip(st.columns(2, gap="medium"), tuner_view.CUTS, strict=True):
        with column:
            finding = tuner_view.curve_finding(cut, measure, found, found["asked"])
            st.markdown(f"**{words.plain(finding)}**")
            given = (cut, measure, found, found["asked"], palette())
            show_chart(tuner_view.curve, *given, told=finding, key=f"curve_{cut}_{palette().paper}")


def _small_print(found: Json) -> None:
    payments, as_of = words.count(found["decisions"]), frame.when(found["as_of"])
    period = f"{payments} payments of {found['days']} days, as known at {as_of}."
    left = found["without_probability"]
    told = [
        period,
        words.plain(tuner_view.by_amount(found)),
        words.plain(found["calibration"]["sentence"]),
        words.plain(found["intervals"]),
    ]
    if elsewhere := found["elsewhere"]["payments"]:
        named = words.listed(
            f"{words.count(n)} of {words.plain(name.replace('_', ' '))}" for name, n in elsewhere.items()
        )
        cases = words.number(found["elsewhere"]["cases_a_day"], 1)
        taken = f"they take {cases} cases a day of the capacity."
        told.insert(1, f"Left out, since other settings decide in their segments: {named}; {taken}")
    if left:
        told.insert(1, f"{words.count(left)} more were decided without a model and are left out.")
    st.caption("  \n".join(told))


def _propose(found: Json) -> None:
    """Hand the setting to a second person, or show what to paste."""
    proposal = found["proposal"]
    st.markdown("##### Propose this")
    left, right = st.columns([1.2, 1], gap="medium")
    with right:
        st.code(proposal["yaml"], language="yaml")
    with left:
        if not proposal["files"]:
            st.info("Paste these lines into policy.yaml: it is written in a way that no program should edit.")
            return
        with st.form("propose_thresholds", border=True):
            reason = st.text_input(
                "Reason", max_chars=2000, placeholder="What changes for customers and analysts"
            )
            sent = st.form_submit_button("Propose this", type="primary", icon=":material/approval:")
        if sent and len(reason.strip()) < 3:
            st.warning("Write a reason; the person who approves reads it.")
        elif sent:
            with frame.attempt():
                made = signin.client().propose(reason.strip(), {"files": proposal["files"]})
                st.success(f"Proposed as {words.plain(made['proposal_id'])}: another person looks at it.")
                st.page_link("app_pages/proposals.py", label="To the proposals", icon=":material/approval:")


show()
