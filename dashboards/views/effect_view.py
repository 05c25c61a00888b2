"""What would a change have done to the payments of the past: whom it stops, whom it lets go, what is known of them?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboards.pieces import frame, words

Json = dict[str, Any]
GROUPS = {"gained": "Stopped only by the change", "both": "Stopped by both", "lost": "Let go by the change"}
BECAUSE = {"settings": "the change itself", "capacity": "others took, or left, the day's reviews"}
KNOWN = {"unknown": "Not known", "legitimate": "✓ Legitimate", "fraud": "✕ Fraud"}


def finding(preview: Json) -> str:
    """The effect in one sentence: a title."""
    flipped, total = preview["flipped"], preview["decisions"]
    if not flipped:
        return f"None of {words.count(total)} payments would have been answered otherwise"
    before, after = (preview["cases"][side]["a_day"] for side in ("before", "after"))
    change = after - before
    much = f"{words.number(abs(change), 1)} {'more' if change > 0 else 'fewer'}"
    work = f"{much if abs(change) >= 0.05 else 'as many'} cases a day"
    return (
        f"{words.count(flipped)} of {words.count(total)} payments would have been answered otherwise: "
        f"{words.count(preview['alerts']['gained']['count'])} stopped, "
        f"{words.count(preview['alerts']['lost']['count'])} let go, {work}"
    )


def share(found: Mapping[str, Any] | None) -> str:
    """`12 %  (8 % to 17 %)`, or that it is not known."""
    if not found or found.get("value") is None:
        return "not known"
    return (
        f"{words.percent(found['value'])}  ({words.percent(found['low'])} to {words.percent(found['high'])})"
    )


def alarms(preview: Json) -> None:
    """What nobody should approve without noticing."""
    for told in frame.items(preview, "alarms"):
        st.warning(words.sentence(str(told["sentence"])), icon=":material/warning:")


def groups(preview: Json, currency: str) -> None:
    """Alerts gained, kept and lost: the estimate first, the naive figure and the verdicts beside it."""
    rows = [
        {
            "Payments": name,
            "Count": words.count(group["count"]),
            "Amount": words.money(group["amount_minor"], currency, short=True),
            "Estimated fraud": share(group["estimate"]["fraud_share"]),
            "Naive: among known outcomes": f"{share(group['fraud_share'])} of {words.count(group['known'])}",
            "Confirmed by reviewers": share(group["share_confirmed"]),
            "Known fraud": words.money(group["fraud_amount_minor"], currency, short=True),
        }
        for key, name in GROUPS.items()
        for group in (preview["alerts"][key],)
    ]
    right = st.column_config.TextColumn(alignment="right")
    frame.table(rows, column_config={n: right for n in rows[0] if n != "Payments"}, height="content")
    told = [
        f"**{name}.** {words.sentence(preview['alerts'][key]['told'])}"
        for key, name in GROUPS.items()
        if preview["alerts"][key]["count"]
    ]
    if told:
        with st.expander("Where the estimates come from, and why they differ from the naive share"):
            st.markdown("  \n".join(told))


def work(preview: Json) -> None:
    """Outcomes and work, before and after."""
    left, right = st.columns([1.3, 1], gap="medium")
    with left:
        st.markdown("##### Answers: now in rows, with the change in columns")
        rows = [
            {"Now": words.sign_and_word(was, words.OUTCOMES)}
            | {words.sign_and_word(then, words.OUTCOMES): words.count(n) for then, n in row.items()}
            for was, row in preview["matrix"].items()
        ]
        numbers = st.column_config.TextColumn(alignment="right")
        frame.table(rows, column_config={n: numbers for n in rows[0] if n != "Now"}, height="content")
    with right:
        st.markdown("##### Work")
        before, after = preview["cases"]["before"], preview["cases"]["after"]
        told = [
            ("Cases a day", "a_day", 1),
            ("On the busiest day", "busiest_day", 0),
            ("Days at capacity", "days_at_capacity", 0),
            ("Analyst hours a day", "analyst_hours_a_day", 2),
        ]
        rows = [
            {
                "Work": f"{name} (capacity {words.count(after['capacity'])})" if name == told[0][0] else name,
                "Now": words.number(before[key], digits),
                "With the change": words.number(after[key], digits),
            }
            for name, key, digits in told
        ]
        numbers = st.column_config.TextColumn(alignment="right")
        frame.table(rows, column_config={"Now": numbers, "With the change": numbers}, height="content")


def rules(preview: Json) -> None:
    """The rules whose hits or standing differ."""
    if not preview["rules"]:
        return
    st.markdown("##### Rules that hit otherwise")
    rows = [
        {
            "Rule": words.capital(rule["id"].replace("_", " ")),
            "Status": f"{rule['status_before'] or 'new'} → {rule['status_after'] or 'gone'}"
            if rule["status_before"] != rule["status_after"]
            else rule["status_after"],
            "Hits now": words.count(rule["hits_before"]),
            "Hits with the change": words.count(rule["hits_after"]),
            "Gained": words.count(rule["gained"]),
            "Lost": words.count(rule["lost"]),
        }
        for rule in preview["rules"]
    ]
    right = st.column_config.TextColumn(alignment="right")
    frame.table(
        rows, column_config={n: right for n in rows[0] if n not in ("Rule", "Status")}, height="content"
    )


def flips(preview: Json, currency: str, *, first: int = 0) -> None:
    """The payments that flip, largest amounts first, with the reasons of both sides."""
    rows = [
        {
            "Payment": f"decisions?id={flip['transaction_id']}",
            "Amount": words.money(flip["amount_minor"], currency),
            "Now": words.sign_and_word(flip["before"]["outcome"], words.OUTCOMES),
            "Then": words.sign_and_word(flip["after"]["outcome"], words.OUTCOMES),
            "Turned out": KNOWN[flip["known"]],
            "Why": _why(flip),
            "Flips by": BECAUSE.get(flip["because"], flip["because"]),
        }
        for flip in preview["flips"]
    ]
    if not rows:
        return
    of = words.count(preview["flipped"])
    st.markdown(
        f"##### Payments that flip: {first + 1} to {first + len(rows)} of {of}, largest amounts first"
    )
    link = st.column_config.LinkColumn(display_text=r"id=(.*)$")
    right = st.column_config.TextColumn(alignment="right")
    frame.table(rows, column_config={"Payment": link, "Amount": right}, height="content")


def _why(flip: Json) -> str:
    """The reasons of the stricter side: a payment that is let go has none of its own."""
    asked = "before" if flip["after"]["outcome"] == "approve" else "after"
    side = flip[asked]
    return f"{'Now' if asked == 'before' else 'Then'}: {'; '.join(side['reasons']) or side['sentence']}"


def not_known(preview: Json) -> None:
    """How far the truth has come in, and what cannot be told at all."""
    lines = [preview["maturity"]["sentence"], *preview["not_known"]]
    st.caption("  \n".join(words.sentence(line) for line in lines))
