"""How are a week's digest, its figures and what training believes laid out for a reader?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboards.pieces import charts, frame, words
from dashboards.pieces.drawing import show_chart
from dashboards.pieces.palette import palette

Json = Mapping[str, Any]
NAIVE = (
    "Naive figures count whatever happens to be known. Frauds are reported within days and good payments only show by "
    "growing old, so naive shares of fraud are too high; declined payments never show at all, so naive recall is too "
    "low. Estimates weigh each payment whose truth could be seen by one over the chance of that. Both with 95 % "
    "intervals."
)


def rate(found: Json | None, absent: str = words.ABSENT) -> str:
    """A share with its interval, in one cell."""
    if not found or found.get("value") is None:
        return absent
    value, low, high = (words.percent(found[name], 1) for name in ("value", "low", "high"))
    return f"{value}  ({low} to {high})"


def week(digest: Json) -> None:
    """The headline, what to do, what changed, and what people were asked."""
    st.markdown(f"##### {words.plain(digest['headline'])}")
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("What to do", anchor=False)
        if not digest["todo"]:
            st.caption("Nothing.")
        for item in digest["todo"]:
            st.markdown(f"- {words.plain(item['sentence'])}  \n  :gray[{words.plain(item['who'])}]")
    with right:
        st.subheader("What changed", anchor=False)
        for sentence in digest["changed"]:
            st.markdown(f"- {words.plain(sentence)}")
    st.subheader("What people were asked", anchor=False)
    frame.table([_asked(row) for row in digest["asked"]], height="content")
    st.caption(
        "Which lane the next task comes from is drawn, and the chance of it is kept with the claim. Share confirmed by "
        "reviewers is what people said, not a fraud rate."
    )


def _asked(row: Json) -> dict[str, Any]:
    return {
        "For": words.capital(row["words"]),
        "Verdicts": words.count(row["verdicts"]),
        "Share": words.percent(row["share"]) if row["share"] is not None else words.ABSENT,
        "Share in the policy": words.percent(row["share_in_policy"]),
        "Hours": words.number(row["hours"], 1),
        "Confirmed by reviewers": rate(row["share_confirmed"]),
    }


def figures(digest: Json) -> None:
    """What probabilities promised beside what came, precision by lane and rule, and overrides."""
    st.subheader("Week by week", anchor=False)
    frame.table([_week(row) for row in digest["weeks"]], height="content")
    st.caption(NAIVE + " A week's actual figures are told once nine tenths of its payments have matured.")
    for title, name in (("Precision by lane", "lanes"), ("Precision by rule", "rules")):
        st.subheader(title, anchor=False)
        rows = [_precision(row) for row in digest[name]]
        if rows:
            frame.table(rows, height="content")
        else:
            st.caption("Nothing yet.")
    st.subheader("Where people and engine disagreed", anchor=False)
    frame.table([_override(row, digest["currency"]) for row in digest["overrides"]], height="content")
    st.caption(
        "Person right: of those whose truth is known by now, which is no fair sample while payments are young."
    )


def _week(row: Json) -> dict[str, Any]:
    expected, actual = row["expected"] or {}, row["actual"]
    young = words.ABSENT if actual["matured"] else "too young"
    return {
        "Week from": str(row["since"])[:10],
        "Decisions": words.count(row["decisions"]),
        "Fraud expected": words.percent(expected.get("fraud_share"), 1),
        "Fraud, estimated": rate(actual["fraud_share"], young),
        "Fraud, naive": rate(actual["naive_fraud_share"]),
        "Recall expected": words.percent(expected.get("recall"), 0),
        "Recall, estimated": rate(actual["recall"], young),
        "Recall, naive": rate(actual.get("naive_recall")),
    }


def _precision(row: Json) -> dict[str, Any]:
    return {
        "Name": words.title_of(row["name"], words.LANES),
        "Payments": words.count(row["payments"]) + ("" if row["enough"] else " (few)"),
        "Fraud, estimated": rate(row["estimate"]),
        "Fraud, naive": rate(row["naive"]),
        "Confirmed by reviewers": rate(row["share_confirmed"]),
    }


def _override(row: Json, currency: str) -> dict[str, Any]:
    return {
        "Direction": words.capital(row["words"]),
        "Payments": words.count(row["count"]),
        "Amount": words.money(row["amount_minor"], currency),
        "Truth known": words.count(row["known"]),
        "Person right": rate(row["person_right"]),
    }


def groups(digest: Json) -> None:
    """Declines and false alarms by the protected attribute."""
    table = digest["subgroups"]
    if not table["groups"]:
        frame.empty("There is no table of groups.", table["sentence"])
        return
    st.markdown(f"##### {words.plain(table['sentence'])}")
    rows = [
        {
            "Group": row["value"],
            "Decisions": words.count(row["n"]),
            "Declined": rate(row["decline"]),
            "q, declined": words.number(row["decline"]["q_value"], 3),
            "Good customers stopped, estimated": rate(row["false_positive"]),
            "Naive": rate(row["false_positive"]["naive"]),
            "q, stopped": words.number(row["false_positive"]["q_value"], 3),
        }
        for row in table["groups"]
    ]
    frame.table(rows, height="content")
    st.caption(
        "Each group against all others together, in both directions. q is the p-value corrected for the number of "
        "comparisons (Benjamini and Hochberg). Good customers who stayed declined are never seen: those released on "
        "purpose stand for them, which the naive share leaves out."
    )


def explored(digest: Json) -> None:
    """What releases on purpose cost, and what they taught."""
    told, currency = digest["exploration"], digest["currency"]
    st.markdown(f"##### {words.plain(told['sentence'])}")
    facts = {
        "Released": words.count(told["released"]),
        "Turned out fraud": words.count(told["frauds"]),
        "Lost by it": words.money(told["lost_minor"], currency),
        "Good among such declines": rate(told["good_among_declines"]),
        "Declined all the same": words.count(told["declined"]),
    }
    for column, (label, value) in zip(st.columns(len(facts)), facts.items(), strict=True):
        column.metric(label, value)
    caps, signed = told["caps"], told["signed_off"]
    limits = (
        f"The policy releases {words.percent(caps['share'])} of would-be declines up to "
        f"{words.money(caps['max_amount_minor'], currency)} each, at most {caps['max_per_day']} a day and "
        f"{words.money(caps['max_amount_per_day_minor'], currency)} together. Which ones is drawn with the workspace's "
        f"key, so nobody can foresee it. {words.count(told['out_of_reach'])} declines were beyond these caps, or on a "
        "block list, and stand for nothing."
    )
    st.caption(limits)
    if signed:
        who, why = words.plain(signed["by"]), words.plain(signed["reason"])
        st.caption(f"Signed off by {who}, {frame.when(signed['at'])}: {why}")
    rows = [{"name": row["day"][5:], "count": row["released"]} for row in told["by_day"] if row["released"]]
    if rows:
        show_chart(charts.shares, rows, palette(), told="Releases by day", key="explored by day")


def labels(table: Json) -> None:
    """What training believes, source by source."""
    st.subheader("What training believes", anchor=False)
    rows = [
        {
            "Source": words.capital(row["source"].replace("_", " ")),
            "Labels": words.count(row["labels"]),
            "Frauds": words.count(row["frauds"]),
            "Outranked": words.count(row["outranked"]),
            "Maturing": words.count(row["maturing"]),
            "Weight": words.number(row["weight"], 2),
            "Counts after": f"{row['matures_days']:g} d" if row["matures_days"] else "at once",
        }
        for row in table["sources"]
    ]
    frame.table(rows, height="content")
    st.caption(
        f"{words.count(table['labels'])} of {words.count(table['transactions'])} transactions have a label. In the "
        "policy's order: of several claims about one payment only the strongest source speaks."
    )


def label_changes(found: Json) -> None:
    """What two snapshots believe differently."""
    st.subheader("What changed since the last snapshot", anchor=False)
    names = [name for name in found["snapshots"] if name != found["before"]["name"]]
    st.markdown(words.plain(found["sentence"]))
    st.caption(
        f"`{found['before']['name']}` ({words.count(found['before']['labels'])} labels, as of "
        f"{frame.when(found['before']['as_of'])}) against what is believed at {frame.when(found['after']['as_of'])} "
        f"({words.count(found['after']['labels'])})."
    )
    if names:
        other = st.selectbox(
            "Compare with another snapshot", ["", *reversed(names)], width=420, key="other_snapshot"
        )
        if other and other != st.query_params.get("before"):
            st.query_params["before"] = other
            st.rerun()
    for kind, rows in found["examples"].items():
        if rows:
            with st.expander(
                f"{words.capital(kind.replace('_', ' '))}: {words.count(found['counts'][kind])}"
            ):
                frame.table([_changed(row) for row in rows], height="content")


def _changed(row: Json) -> dict[str, Any]:
    return {"Payment": row["transaction_id"], "Before": _side(row["before"]), "After": _side(row["after"])}


def _side(side: Json | None) -> str:
    if side is None:
        return words.ABSENT
    return f"{'fraud' if side['value'] else 'legitimate'}, {side['derivation'] or side['source']}"
