"""Which rules are kept quiet for whom, who was put on a list, and what has each of these cost or caught?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import streamlit as st

from dashboards import role_pages
from dashboards.access import signin
from dashboards.pieces import frame, words

Json = dict[str, Any]
SETTERS = ("team_lead", "risk_manager", "admin")
PROPOSERS = (*SETTERS, "analyst")
SECTIONS = {"snoozes": "Snoozes", "entries": "List entries"}
STATES = {
    "in_force": ("●", "In force", "green"),
    "proposed": ("◐", "Proposed", "orange"),
    "expired": ("–", "Expired", "gray"),
    "ended": ("✕", "Ended", "gray"),
}
EFFECTS = {"block": ("✕", "Block", "red"), "review": ("◐", "Review", "orange")}


def show() -> None:
    frame.head(
        "Lists and snoozes",
        "Both hold at once, both expire, and both keep counting what they caught or silenced.",
    )
    section = frame.choice("Section", "section", SECTIONS, default="snoozes")
    if section == "snoozes":
        _snoozes(frame.items(signin.client().safety.snoozes(), "snoozes"))
    else:
        _entries(frame.items(signin.client().safety.entries(), "entries"))


def _snoozes(snoozes: list[Json]) -> None:
    if frame.role() in SETTERS:
        _new_snooze()
    if not snoozes:
        frame.empty("No rule is snoozed.", "A team lead snoozes a rule for one customer, card or device.")
    for snooze in snoozes:
        rule = f"**{_rule(snooze['rule_id'])}**" if snooze["rule_id"] else "every rule that asks"
        with st.container(border=True):
            _line(snooze, f"{rule} quiet for {_whose(snooze)}", snooze["made_by"], snooze["made_at"])
            _counts("silenced", snooze["silenced"])
            if snooze["state"] == "in_force" and frame.role() in SETTERS:
                _end(f"End {snooze['snooze_id']}", snooze["snooze_id"], signin.client().safety.end_snooze)


def _entries(entries: list[Json]) -> None:
    if frame.role() in PROPOSERS:
        _new_entry()
    if not entries:
        frame.empty(
            "Nobody was listed at run time.", "A confirmed case puts its card or device here in one step."
        )
    for entry in entries:
        with st.container(border=True):
            what = f"{words.badge(entry['effect'], EFFECTS)} {_whose(entry)}"
            _line(entry, what, entry["proposed_by"], entry["proposed_at"])
            _counts("caught", entry["caught"])
            if entry["case_id"]:
                st.page_link(
                    "app_pages/cases.py", label="The case it came from", icon=":material/folder_open:",
                    query_params={"id": entry["case_id"]}, disabled="cases" not in role_pages.names(frame.role()),
                )  # fmt: skip
            if entry["state"] in ("in_force", "proposed") and frame.role() in SETTERS:
                _entry_actions(entry)


def _entry_actions(entry: Json) -> None:
    with st.container(horizontal=True):
        if entry["state"] == "proposed" and st.button(
            "Put in force", icon=":material/done:", key=f"confirm_{entry['entry_id']}"
        ):
            with frame.attempt():
                signin.client().safety.confirm_entry(entry["entry_id"])
                st.rerun()
        _end("Take off the list", entry["entry_id"], signin.client().safety.end_entry)


def _whose(row: Json) -> str:
    return f"{words.plain(row['entity'])} **{words.plain(row['value'])}**"


def _line(row: Json, what: str, by: str, at: str) -> None:
    left, right = st.columns([3, 1], vertical_alignment="top")
    left.markdown(f"{words.badge(row['state'], STATES)} {what}")
    left.caption(f"{words.plain(row['reason'])} · {words.plain(by)}, {frame.when(at)}")
    ended = f"ended by {words.plain(row['ended_by'])}" if row["ended_at"] else ""
    with right.container(horizontal_alignment="right", gap=None):
        st.caption(ended or f"until {frame.when(row['expires_at'])}", width="content")
        if row["ended_reason"]:
            st.caption(words.plain(row["ended_reason"]), width="content")


def _counts(word: str, counted: Json) -> None:
    currency = frame.base_currency()
    if not counted["payments"]:
        st.caption(f"Nothing {word} yet.")
        return
    figures = [
        (f"Payments {word}", f"{counted['payments']:,}"),
        ("Amount", words.money(counted["amount_minor"], currency)),
        (
            "Known fraud since",
            f"{counted['known_fraud']:,} ({words.money(counted['fraud_minor'], currency)})",
        ),
        ("Confirmed by reviewers", f"{counted['confirmed_by_reviewers']:,}"),
    ]
    if word == "silenced":
        figures.append(("Fraud let through", words.money(counted["fraud_let_through_minor"], currency)))
    frame.facts(figures, columns=len(figures))
    if word == "silenced" and counted["by_rule"]:
        st.caption(
            ", ".join(
                f"{_rule(row['rule_id'])} {words.plural(row['n'], 'time')}" for row in counted["by_rule"]
            )
        )


def _end(label: str, name: str, end: Any) -> None:
    text = "End it" if label.startswith("End ") else label
    with st.popover(text, icon=":material/close:"):
        reason = st.text_input("Reason", key=f"why_{name}", max_chars=2000)
        if st.button(text, key=f"end_{name}", disabled=len(reason.strip()) < 3, type="primary"):
            with frame.attempt():
                end(name, reason.strip())
                st.rerun()


def _new_snooze() -> None:
    rules = [
        rule["id"]
        for rule in frame.items(signin.client().rules(), "rules")
        if rule.get("status") in ("live", "shadow") and (rule.get("then") or {}).get("effect") == "floor"
    ]
    with st.expander("Snooze a rule", icon=":material/snooze:"), st.form("snooze", border=False):
        first, second, third, fourth = st.columns([1, 1.4, 1.8, 1])
        entity = first.text_input("Entity", value="customer", max_chars=64)
        value = second.text_input("Its value", max_chars=128)
        rule = third.selectbox("Rule", ["", *rules], format_func=lambda name: name or "every rule that asks")
        days = fourth.number_input("For days", 1, 90, value=7)
        reason = st.text_input("Reason", max_chars=2000)
        if not st.form_submit_button("Snooze", icon=":material/snooze:"):
            return
    with frame.attempt():
        expires = frame.now() + timedelta(days=int(days))
        form = {"entity": entity.strip(), "value": value.strip(), "rule_id": rule, "reason": reason.strip()}
        signin.client().safety.snooze({**form, "expires_at": expires.isoformat()})
        st.rerun()


def _new_entry() -> None:
    label = "Put somebody on a list" if frame.role() in SETTERS else "Propose somebody for a list"
    with st.expander(label, icon=":material/block:"), st.form("entry", border=False):
        first, second, third, fourth = st.columns([1, 1.4, 1.2, 1])
        entity = first.text_input("Entity", value="device", max_chars=64)
        value = second.text_input("Its value", max_chars=128)
        effect = third.selectbox(
            "What happens", list(EFFECTS), format_func=lambda code: words.sign_and_word(code, EFFECTS)
        )
        days = fourth.number_input("For days", 1, 180, value=30)
        reason = st.text_input("Reason", max_chars=2000)
        if not st.form_submit_button(label, icon=":material/block:"):
            return
    with frame.attempt():
        expires = frame.now() + timedelta(days=int(days))
        form = {"entity": entity.strip(), "value": value.strip(), "effect": effect, "reason": reason.strip()}
        signin.client().safety.list_value({**form, "expires_at": expires.isoformat()})
        st.rerun()


def _rule(rule_id: str) -> str:
    """A rule's id as words."""
    return words.plain(words.capital(rule_id.replace("_", " ")))


show()
