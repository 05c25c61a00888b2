"""What does a rule's record look like: hits, fraud among them, what only it finds, and what speaks against it?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboards.pieces import frame, words
from dashboards.views import effect_view

Json = dict[str, Any]
FINDINGS = {
    "": "",
    "dead": "Dead",
    "redundant": "Redundant",
    "opposed": "Opposed",
    "contradictory": "Contradictory",
}
ENTRIES = {"entry_block": "Entries of the block list", "entry_review": "Entries of the review list"}
CHANGES = {"surge": "▲ surge", "silence": "▼ silence", "": ""}


def finding(found: Json) -> str:
    """What stands out, in a sentence: a title."""
    rules, currency = found["rules"], found["currency"]
    live = [rule for rule in rules if rule["status"] == "live"]  # a shadow rule stops nothing
    best = max(live or rules, key=lambda rule: rule["value_caught_minor"] if live else 0)
    quiet = sum(not rule["hits"] for rule in rules)
    told = f"{words.count(quiet)} of {len(rules)} rules hit nothing" if quiet else "Every rule hit something"
    if live and best["value_caught_minor"]:
        caught = words.money(best["value_caught_minor"], currency, short=True)
        return f"{best['title']} caught most known fraud, {caught}; {told[0].lower()}{told[1:]}"
    return f"No live rule caught known fraud yet; {told[0].lower()}{told[1:]}"


def alarms(found: Json) -> None:
    """Rules that hit more or less than their own history lets expect."""
    for alarm in found["alarms"]:
        word = CHANGES[alarm["change"]]
        st.warning(f"**{word}** {words.plain(alarm['sentence'])}", icon=":material/monitoring:")
    if not found["alarms"]:
        st.caption("No rule hits more or less than its own history lets expect.")


def table(rows: Sequence[Json], found: Json) -> int | None:
    """One line a rule; the place of the one that was selected."""
    currency = found["currency"]
    shown = [
        {
            "Rule": named(rule),
            "Hits": words.count(rule["hits"]),
            "Estimated fraud": _estimate(rule),
            "Naive": f"{_percent(rule['fraud_share'])} of {words.count(rule['known'])}"
            if rule["known"]
            else "",
            "Reviewers": _confirmed(rule["share_confirmed"]),
            "Caught": words.money(rule["value_caught_minor"], currency, short=True),
            "Only here": words.count(rule["only_here"]["count"]),
            "Repeat": words.ABSENT if rule["repeats"] is None else words.percent(rule["repeats"]["share"]),
            "Last 7 days (expected)": _rate(rule["rate"]),
        }
        for rule in rows
    ]
    right = st.column_config.TextColumn(alignment="right")
    picked = frame.table(
        shown,
        column_config={name: right for name in shown[0] if name != "Rule"}
        | {"Rule": st.column_config.TextColumn(width=355)},
        height=420,
        on_select="rerun",
        selection_mode="single-row",
        key="rule_report_table",
    )
    chosen = picked["selection"]["rows"]
    if not chosen:
        st.caption(
            "● live, ◌ shadow. Estimated: of all hits that something seen by chance stands for. Naive: fraud among "
            "known outcomes. Reviewers: confirmed by them. Only here: neither the model nor another live rule would "
            f"have stopped it. Repeat: hits after the first on the same {found['entity']}. Select a rule to read more."
        )
    return chosen[0] if chosen else None


def named(rule: Json) -> str:
    """The rule's title, with the sign of its status."""
    if rule["title"] in ENTRIES:
        return f"• {ENTRIES[rule['title']]}"
    title = rule["title"] if " " in rule["title"] else words.capital(rule["title"].replace("_", " "))
    return f"{words.STATUSES.get(rule['status'], ('•',))[0]} {title}"


def _estimate(rule: Json) -> str:
    told = effect_view.share(rule["estimate"]["fraud_share"])
    return f"{told} of {words.count(rule['estimate']['represents'])}" if told != "not known" else told


def _percent(share: Json) -> str:
    return words.ABSENT if share["value"] is None else words.percent(share["value"])


def _confirmed(share: Json) -> str:
    return words.ABSENT if not share["n"] else f"{words.percent(share['value'])} of {words.count(share['n'])}"


def _rate(rate: Json) -> str:
    change = CHANGES[rate["change"]]
    return f"{words.count(rate['hits'])} ({words.number(rate['expected'], 1)}) {change}".strip()


def one(rule: Json, found: Json) -> None:
    """One rule in full."""
    currency = found["currency"]
    st.subheader(rule["title"], anchor=False)
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"**Fraud among its hits**  \n{words.plain(rule['told'])}")
        for key, label in (
            ("only_here", "What only it finds"),
            ("beyond_model", "What the model would approve"),
        ):
            st.markdown(f"**{label}**  \n{words.plain(rule[key]['told'])}")
    with right:
        overlaps = [
            f"{o['id']} on {words.count(o['both'])} ({words.percent(o['share'])})" for o in rule["overlaps"]
        ]
        st.markdown(f"**Hits the same payments**  \n{words.plain(words.listed(overlaps) or 'none')}")
        if rule["repeats"]:
            again = rule["repeats"]
            st.markdown(
                f"**Repeat hits**  \n{words.count(again['hits'])} hits on {words.count(again['values'])} different "
                f"{words.plain(again['entity'])} values; {words.count(again['hit_again'])} were hit again, one "
                f"{words.count(again['most'])} times."
            )
        rate = rule["rate"]
        expected = f"{words.number(rate['expected'], 1)} expected from {rate['history_days']} days of its own history"
        st.markdown(
            f"**Last {rate['days']} days**  \n{words.count(rate['hits'])} hits, {expected} (p = {rate['p']:.2g})."
            + ("" if rate["silence_shows"] else " It hits so seldom that its silence could not be told.")
        )
    _snoozes(rule["snoozes"], currency)


def _snoozes(rows: Sequence[Json], currency: str) -> None:
    if not rows:
        return
    st.markdown("**What snoozes kept quiet**")
    frame.table(
        [
            {
                "For": f"{row['entity']} {row['value']}",
                "Until": frame.when(row["ended_at"] or row["expires_at"]),
                "Reason": row["reason"],
                "Silenced": words.count(row["silenced"]),
                "Amount": words.money(row["amount_minor"], currency),
                "Fraud among them since": f"{words.count(row['frauds'])} of {words.count(row['known'])} known",
                "Lost": words.money(row["fraud_minor"], currency),
            }
            for row in rows
        ]
    )


def review_finding(found: Json) -> str:
    """What a rule-set review came to, in a sentence."""
    retire, effect = found["pruning"]["retire"], found["pruning"]["effect"]
    doubted = sum(bool(rule["finding"]) for rule in found["rules"])
    if not retire:
        return f"{doubted} of {len(found['rules'])} rules have something against them; none should go"
    flips = words.plural(effect["flipped"], "payment")
    return f"{words.listed(retire)} could go: {flips} of {words.count(effect['decisions'])} would be answered otherwise"


def review_table(found: Json) -> None:
    """Each rule with what it decided, and what speaks against it."""
    rows = [
        {
            "Finding": FINDINGS.get(rule["finding"], rule["finding"]),
            "Rule": named(rule),
            "Why": rule["sentence"],
            "Hits": words.count(rule["hits"]),
            "Decides": words.count(rule["decides"]["count"]),
            "Estimated fraud in those": effect_view.share(rule["decides"]["estimate"]["fraud_share"]),
        }
        for rule in sorted(found["rules"], key=lambda r: (not r["finding"], -r["hits"]))
    ]
    right = st.column_config.TextColumn(alignment="right")
    frame.table(
        rows,
        column_config=dict.fromkeys(("Hits", "Decides", "Estimated fraud in those"), right)
        | {"Rule": st.column_config.TextColumn(width=270), "Why": st.column_config.TextColumn(width=420)},
        height=420,
    )
    st.caption(
        "● live, ◌ shadow. Decides: payments that would have been answered otherwise without the rule, at the same "
        "load of the day."
    )


def pruning(found: Json) -> None:
    """The proposal with its measured effect, and what stays although something speaks against it."""
    proposal = found["pruning"]
    stays = [words.plain(f"{kept['id']} stays. {kept['why']}") for kept in proposal["kept"]]
    if stays:
        st.caption("  \n".join(stays))
    if not proposal["retire"]:
        return
    effect = proposal["effect"]
    st.markdown("##### If they were retired")
    effect_view.alarms(effect)
    effect_view.groups(effect, found["currency"])
    effect_view.work(effect)
    effect_view.not_known(effect)
