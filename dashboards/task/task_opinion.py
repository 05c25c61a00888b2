"""What did the engine think of a task's payment: the score in words, the rules, and the payments behind them?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.pieces import frame, waterfall, words
from dashboards.pieces.drawing import show_chart
from dashboards.pieces.palette import palette
from dashboards.task import beside_view

Json = dict[str, Any]


def explanation(page: Json) -> None:
    """The score taken apart: the strongest influences in words, then all of them, with the rules on the same axis."""
    found = page.get("explanation")
    if not found:
        frame.empty(
            "No explanation", "There is one when a model gave the score; here the rules decided alone."
        )
    else:
        sides = [
            f"**{name}**: {words.plain(said)}"
            for name, said in zip(("For fraud", "Against"), waterfall.finding(found), strict=True)
            if said
        ]
        st.markdown("  \n".join(sides))
        given = (found, page.get("rules") or [], palette())
        show_chart(waterfall.picture, *given, told=waterfall.told(found), key="waterfall")
    missing = [f["phrase"] for f in page.get("features") or [] if f.get("value") is None]
    if missing:
        st.caption(f":material/help: Not known for this payment: {words.plain(words.listed(missing))}.")


def spoken(page: Json) -> list[Json]:
    """The rules that said anything."""
    return [rule for rule in page.get("rules") or [] if rule.get("state") != "no_hit"]


def rules(page: Json) -> None:
    """Each rule that spoke, with what to look at, and on demand the payments that made it speak."""
    found = spoken(page)
    if not found:
        st.caption("No rule was hit.")
    for rule in found:
        with st.container(border=True, gap="xsmall"):
            _rule(page, rule)


def _rule(page: Json, rule: Json) -> None:
    floor = rule.get("floor") if rule["state"] == "hit" else None
    asks = f" asks for {words.badge(floor, words.OUTCOMES)}" if floor else ""
    title = words.plain(rule.get("title") or rule["id"])
    st.markdown(f"{words.badge(rule['state'], words.RULE_STATES)} **{title}**{asks}")
    if rule.get("reason"):
        st.markdown(words.capital(words.plain(rule["reason"])))
    for label, key in (("Look at", "runbook"), ("Often innocent", "false_positives")):
        if rule.get(key):
            st.caption(f"**{label}**: {words.plain(str(rule[key]))}")
    if rule["state"] == "hit":
        behind = st.expander(
            "The payments behind it", key=f"behind_{page['task_id']}_{rule['id']}", on_change="rerun"
        )
        if behind.open:
            with behind:
                beside_view.behind_rule(page, rule["id"])
