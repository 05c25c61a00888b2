"""What do second reviews, audits, golden cases and re-serves cost a week, and what do they let one say, and when?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words

Json = dict[str, Any]
# Share -> label, the most the slider goes to, its step.
SLIDERS = {
    "second_review": ("Second reviews, of cases", 1.0, 0.05),
    "third_review": ("Third reviews, of second ones", 1.0, 0.05),
    "audit": ("Audits, of automatic decisions", 0.05, 0.001),
    "golden": ("Golden cases, of tasks handed out", 0.3, 0.01),
    "re_serve": ("Re-serves, of tasks handed out", 0.2, 0.01),
}
KINDS = {
    "audit": "audits",
    "second": "second reviews",
    "third": "third reviews",
    "golden": "golden cases",
    "re_serve": "re-serves",
}
SHARES = ("recall", "false_positive_rate", "fraud_rate_outcomes", "fraud_rate_verdicts", "intra_rater")


def show() -> None:
    frame.head("Review design", "What measuring the reviewers costs, how sure the figures get, and when.")
    asked = _sliders()
    found = signin.client().work.review_design(asked)
    _cost(found)
    _figures(found)
    _assumed(found)
    _golden()


def _sliders() -> Json:
    """The shares to try; the policy's until somebody moves one."""
    if "design_now" not in st.session_state:
        st.session_state["design_now"] = signin.client().work.review_design({})["in_force"]
    now = st.session_state["design_now"]
    asked: Json = {}
    with st.container(border=True):
        columns = st.columns(3)
        for place, (name, (label, most, step)) in enumerate(SLIDERS.items()):
            asked[name] = columns[place % 3].slider(
                label,
                0.0,
                max(most, now[name]),
                float(now[name]),
                step,
                format="percent",
                key=f"share_{name}",
            )
        asked["weeks"] = columns[2].slider("Look ahead, weeks", 1, 104, 12, key="design_weeks")
        st.caption(
            "To change what is in force, propose the shares under `sampling` and `lanes` in policy.yaml."
        )
    return asked


def finding(found: Json) -> str:
    """What it costs beside what is in force, in one sentence."""
    cost = found["cost"]
    told = f"{cost['reviews_a_week']:.0f} reviews and {cost['hours_a_week']:.1f} hours a week"
    if abs(cost["reviews_a_week"] - cost["in_force_reviews_a_week"]) < 0.05:
        return f"As the policy stands, measuring costs {told}."
    before = f"{cost['in_force_reviews_a_week']:.0f} and {cost['in_force_hours_a_week']:.1f}"
    return f"This design costs {told}, against {before} in force."


def _cost(found: Json) -> None:
    cost, volumes = found["cost"], found["volumes"]
    st.markdown(f"##### {finding(found)}")
    parts = ", ".join(f"{n:.0f} {KINDS[kind]}" for kind, n in cost["by_kind"].items())
    st.caption(
        f"{parts}. Measured over {volumes['weeks']:.0f} weeks: {volumes['cases']:.0f} cases and "
        f"{words.count(round(volumes['automatic']))} automatic decisions a week, {volumes['analysts']} analysts, "
        f"{volumes['seconds']:.0f} s a review."
    )


def _figures(found: Json) -> None:
    rows = [
        {
            "Figure": row["title"],
            "A week": row["a_week"],
            "There are": row["have"],
            "Needed": words.ABSENT if row["needed"] is None else row["needed"],
            f"In {found['weeks']} weeks": row["after"],
            "95 % interval then": told(row),
            "Can be shown": _until(row["weeks_until"]),
            "Rests on": row["rule"],
        }
        for row in found["figures"]
    ]
    frame.table(rows, height="content")


def told(row: Json) -> str:
    """The expected value with its half width, or that there is not enough."""
    if row["half_width"] is None:
        return "insufficient data"
    if row["name"] in SHARES:
        digits = 2 if row["value"] < 0.1 else 0
        return f"{words.percent(row['value'], digits)} ± {words.percent(row['half_width'], digits)}"
    return f"{row['value']:.2f} ± {row['half_width']:.2f}"


def _until(weeks: int | None) -> str:
    if weeks is None:
        return "never, at this share"
    return "now" if weeks == 0 else f"in {words.plural(weeks, 'week')}"


def _assumed(found: Json) -> None:
    with st.expander("How this is worked out", icon=":material/functions:"):
        st.markdown(
            "- **Agreement**: delta method for two reviewers and two classes; shown from 100 payments with two "
            "reviewers, 10 in dispute and, for alpha, 40 on which somebody said fraud, as on the page Consistency.\n"
            "- **Recall, false positive rate, intra-rater, fraud rate from outcomes**: Wilson's interval.\n"
            "- **Fraud rate from verdicts**: Rogan and Gladen's correction; its interval includes how well golden "
            "cases tell the reviewers' own error rates.\n"
            "- Volumes, and how often reviewers differ: the last eight weeks. Formulas: docs/review-design.md."
        )
        for what in found["measured"]:
            st.markdown(f"- Measured: {words.plain(what)}")
        for what in found["assumed"]:
            st.markdown(f"- Assumed: {words.plain(what)}")


def _golden() -> None:
    cases = signin.client().work.golden_cases()
    using = [case for case in cases if case["retired_at"] is None]
    frauds = sum(case["is_fraud"] for case in using)
    st.subheader(f"Golden cases: {len(using)} in use, {frauds} of them fraud", anchor=False)
    if not cases:
        st.caption(
            "None yet. They come from past cases whose outcome is known and which an adjudicator agreed with."
        )
    else:
        frame.table([_golden_row(case) for case in cases[:200]], height="content" if len(cases) <= 8 else 320)
    if frame.role() == "team_lead":
        _nominate(using)


def _golden_row(case: Json) -> Json:
    return {
        "Payment": case["transaction_id"],
        "Truth": "✕ Fraud" if case["is_fraud"] else "✓ Legitimate",
        "Known from": "a nomination" if case["basis"] == "nominated" else "outcome and adjudication",
        "Answers": case["answers"],
        "Right": case["right"],
        "Since": frame.when(case["added_at"]),
        "Retired": words.plain(case["retired_because"]) or words.ABSENT,
    }


def _nominate(using: list[Json]) -> None:
    left, right = st.columns(2)
    with left.popover("Nominate a payment", icon=":material/add:"), st.form("nominate", border=False):
        name = st.text_input("Transaction", max_chars=128)
        fraud = st.radio("What it was", ["Fraud", "Legitimate"], horizontal=True)
        reason = st.text_input("How the truth is known", max_chars=2000)
        if st.form_submit_button("Nominate", type="primary"):
            with frame.attempt():
                signin.client().work.nominate(name.strip(), fraud == "Fraud", reason)
                st.rerun()
    with right.popover("Retire one", icon=":material/do_not_disturb_on:", disabled=not using):
        chosen = st.selectbox("Which", [case["transaction_id"] for case in using])
        why = st.text_input("Reason", max_chars=2000, key="retire_why")
        if st.button("Retire", key="retire", disabled=len(why.strip()) < 3):
            with frame.attempt():
                golden_id = next(case["golden_id"] for case in using if case["transaction_id"] == chosen)
                signin.client().work.retire_golden(golden_id, why)
                st.rerun()


show()
