"""How does the institution stand: what was decided, what waits, and who is treated how?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import charts, frame, words
from dashboards.pieces.drawing import show_chart
from dashboards.pieces.palette import palette
from dashboards.views.watch_view import NAIVE, rate

Json = dict[str, Any]


def show() -> None:
    frame.head("Summary", "What was decided, what waits, and how it falls on different groups of people.")
    summary = signin.client().summary()
    _periods(summary)
    _waiting(summary)
    left, right = st.columns(2, gap="medium")
    with left:
        _counts("why cases were opened", summary.get("cases_by_reason") or {}, words.REASONS)
    with right:
        labels = {code: f"{sign} {word}" for code, (sign, word, _) in words.VERDICTS.items()}
        _counts("what reviewers said", summary.get("verdicts") or {}, labels)
        confirmed = summary.get("share_confirmed_by_reviewers") or {}
        if confirmed.get("n"):
            st.caption(
                f"Share confirmed by reviewers: {words.percent(confirmed.get('value'))} of "
                f"{words.count(confirmed['n'])} first verdicts. "
                "It is what people said of payments chosen for them, not a fraud rate."
            )
    estimates = summary.get("estimates")
    _estimates(estimates)
    _subgroups(summary.get("subgroups") or {}, (estimates or {}).get("subgroups") or {})


def _periods(summary: Json) -> None:
    periods = {
        "Last day": summary.get("decisions_last_day"),
        "Last 30 days": summary.get("decisions_last_30_days"),
        "All decisions": summary.get("decisions"),
    }
    for column, (label, counts) in zip(st.columns(3, border=True), periods.items(), strict=True):
        with column:
            _period(label, counts or {})


def _period(label: str, counts: Json) -> None:
    total = counts.get("total", 0)
    st.metric(label, words.count(total))
    told = [
        f"{words.badge(outcome, words.OUTCOMES)} {words.count(counts.get(outcome, 0))}"
        + (f" :gray[({words.percent(counts.get(outcome, 0) / total)})]" if total else "")
        for outcome in words.OUTCOMES
    ]
    st.markdown("  \n".join(told))


def _waiting(summary: Json) -> None:
    tasks, cases = summary.get("tasks") or {}, summary.get("cases") or {}
    facts = {
        "Tasks waiting": words.count(tasks.get("open", 0)),
        "Being worked on": words.count(tasks.get("claimed", 0)),
        "Cases open": words.count(cases.get("open", 0)),
        "In adjudication": words.count(cases.get("in_adjudication", 0)),
        "Cases overdue": words.count(summary.get("overdue_cases", 0)),
        "Frauds reported": words.count((summary.get("outcomes") or {}).get("fraud", 0)),
    }
    for column, (label, value) in zip(st.columns(len(facts)), facts.items(), strict=True):
        column.metric(label, value)
    champion = summary.get("champion")
    if champion:
        st.page_link("app_pages/models.py", label=f"The model that decides: {champion}",
                     icon=":material/network_node:", query_params={"model": champion})  # fmt: skip
    else:
        st.caption("No model decides yet; the rules decide alone.")


def _counts(what: str, counts: Mapping[str, int], labels: Mapping[str, str]) -> None:
    """Counts as bars, under what stands out in them."""
    total = sum(counts.values())
    if not total:
        frame.empty(f"Nothing yet of {what}", "Decisions open cases; reviewers answer them.")
        return
    first = max(counts, key=lambda code: counts[code])
    share = words.percent(counts[first] / total)
    st.subheader(f"{words.title_of(first, labels)}: {share} of {words.count(total)}", anchor=False)
    st.caption(words.capital(what))
    rows = [
        {"name": words.title_of(code, labels), "count": n}
        for code, n in sorted(counts.items(), key=lambda item: -item[1])
    ]
    told = "; ".join(f"{row['name']} {row['count']}" for row in rows)
    show_chart(charts.shares, rows, palette(), told=told, key=f"counts {what}")


def _estimates(found: Json | None) -> None:
    """Fraud and recall as far as they can be known, each beside its naive figure."""
    st.subheader(_fraud_finding(found), anchor=False)
    if found is None:
        st.caption("Not estimated yet: the weekly job 'digest' does it.")
        return
    told = found["overall"]
    rows = [
        {
            "Rate": "Fraud among all decisions",
            "Estimated": rate(told["fraud_share"]),
            "Naive": rate(told["naive_fraud_share"]),
        },
        {
            "Rate": "Share of fraud declined or put before a person",
            "Estimated": rate(told["recall"]),
            "Naive": rate(told["naive_recall"]),
        },
    ]
    frame.table(rows, height="content")
    st.caption(
        f"{words.count(told['decisions'])} matured decisions up to {frame.when(found['until'])}. {NAIVE}"
    )


def _fraud_finding(found: Json | None) -> str:
    """What the estimates say, in a sentence: the title of their table."""
    told = (found or {}).get("overall") or {}
    fraud, caught = (told.get(name) or {} for name in ("fraud_share", "recall"))
    if fraud.get("value") is None or caught.get("value") is None:
        return "How much fraud, and how much of it is stopped"
    share, stopped = words.percent(fraud["value"], 1), words.percent(caught["value"], 0)
    return f"About {share} of payments are fraud; {stopped} of it is declined or put before a person"


def _subgroups(table: Json, estimated: Json) -> None:
    attribute = table.get("attribute", "")
    st.subheader(f"By {attribute.replace('_', ' ')}" if attribute else "By group", anchor=False)
    groups = table.get("groups") or []
    if not groups:
        frame.empty(
            "There is no subgroup table.", table.get("sentence") or "The policy names no protected attribute."
        )
        return
    st.markdown(f"##### {words.plain(table.get('sentence', ''))}")
    wrong = {row["value"]: row["false_positive"] for row in estimated.get("groups") or []}
    rows = [
        {
            "Group": group["value"],
            "Decisions": words.count(group["n"]),
            "Approved": _rate(group.get("approve"), digits=1),
            "Reviewed": _rate(group.get("review")),
            "Declined": _rate(group.get("decline")),
            "Confirmed by reviewers": _rate(group.get("share_confirmed")),
            "Good customers stopped, estimated": rate(wrong.get(group["value"])),
            "Naive": rate((wrong.get(group["value"]) or {}).get("naive")),
            "Fraud among reported outcomes": _rate(group.get("fraud_share_of_outcomes")),
        }
        for group in groups
    ]
    right = st.column_config.TextColumn(alignment="right")
    frame.table(rows, height="content", column_config={"Decisions": right})
    st.caption(
        "Shares with 95 % Wilson intervals. Outcomes are known of payments that went through: not a random sample. "
        "Good customers who stayed declined never show: the estimate has released payments stand for them, the naive "
        "share leaves them out."
    )


def _rate(rate: Json | None, digits: int | None = None) -> str:
    if not rate or rate.get("value") is None:
        return words.ABSENT
    value, low, high = (words.percent(rate[name], digits) for name in ("value", "low", "high"))
    return f"{value}  ({low} to {high})"


show()
