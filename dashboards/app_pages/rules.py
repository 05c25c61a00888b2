"""Which rules and policy decide, how did they get there, and where does one change them?"""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from dashboards import role_pages
from dashboards.access import signin
from dashboards.pieces import frame, words
from dashboards.views import proposal_view, rule_editor

Json = dict[str, Any]
AUTHORS = ("risk_manager", "admin", "team_lead")
SECTIONS = {"running": "Rules", "policy": "Other files", "history": "History"}


def show() -> None:
    if path := st.query_params.get("edit"):
        rule_editor.edit(path)
        return
    frame.head(
        "Rules", "What runs is the approved set. A change is a proposal until a second person approves it."
    )
    section = frame.choice("Section", "section", SECTIONS, default="running")
    if section == "running":
        _rules(signin.client().rules())
    elif section == "policy":
        _other_file()
    else:
        rule_editor.earlier_sets()


def _other_file() -> None:
    """Policy, lists, features and guidelines, as approved."""
    path = st.segmented_control(
        "File", rule_editor.OTHER_FILES, default=rule_editor.OTHER_FILES[0], label_visibility="collapsed"
    )
    if not path:
        return
    with frame.attempt():
        text = signin.client().file(path)["text"]
        _edit_button(path)
        st.code(text, language="markdown" if path.endswith(".md") else "yaml")


def _edit_button(path: str, label: str = "Edit") -> None:
    if frame.role() in AUTHORS and st.button(label, icon=":material/edit:", key="edit"):
        rule_editor.open_file(path)


def _rules(answer: Json) -> None:
    rules = frame.items(answer, "rules")
    if not rules:
        frame.empty(
            "No rules run.", "Put one YAML file per rule into the workspace's rules/catalogue and approve it."
        )
        return
    rows = [
        {
            "Status": words.sign_and_word(rule.get("status"), words.STATUSES),
            "Rule": rule.get("title") or rule["id"],
            "Version": rule.get("version"),
            "Typology": words.title_of(rule.get("typology") or "", words.TYPOLOGIES),
            "Severity": words.capital(str(rule.get("severity") or words.ABSENT)),
            "Asks for": _effect(rule.get("then") or {}),
            "Hits": rule.get("hits"),
            "Owner": rule.get("owner"),
        }
        for rule in rules
    ]
    picked = frame.table(
        rows, on_select="rerun", selection_mode="single-row", key="rules_table", height=_table_height()
    )
    chosen = picked["selection"]["rows"]
    if chosen:
        _rule(signin.client().rule(rules[chosen[0]]["id"]))
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        _edit_button(rule_editor.NEW, "New rule")
        st.caption(f"Approved set `{answer['set_id']}`. Select a rule to read it.", width="content")


def _table_height() -> int | Literal["content"]:
    """Less table once a rule is chosen, so that the rule itself is in sight."""
    chosen = (st.session_state.get("rules_table") or {}).get("selection", {}).get("rows")
    return 250 if chosen else "content"


def _effect(then: Json) -> str:
    """What a hit does: a floor under the outcome, or a pass."""
    if then.get("effect") in ("allow", "block"):
        return words.capital(then["effect"])
    return words.sign_and_word(then.get("floor"), words.OUTCOMES)


def _rule(rule: Json) -> None:
    left, right = st.columns([1, 1], gap="medium")
    with left:
        st.subheader(rule.get("title") or rule["id"], anchor=False)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(words.badge(rule.get("status"), words.STATUSES), width="content")
            if frame.role() in AUTHORS:
                _edit_button(f"catalogue/{rule['id']}.yaml")
                rule_editor.step(rule)
            if "rule_report" in role_pages.names(frame.role()) and st.button(
                "What rules bring", icon=":material/query_stats:", type="tertiary", key="to_report"
            ):
                st.switch_page("app_pages/rule_report.py")
        if rule.get("status") == "shadow":
            with frame.attempt():
                proposal_view.evidence(signin.client().evidence(rule["id"]))
        for label, key in (
            ("What it finds", "description"),
            ("Look at", "runbook"),
            ("Often innocent", "false_positives"),
        ):
            if rule.get(key):
                st.markdown(f"**{label}**  \n{words.plain(str(rule[key]))}")
        for change in rule.get("history") or []:
            st.caption(
                f"v{change.get('version')}, {change.get('at')}: {words.plain(str(change.get('change', '')))}"
            )
    with right:
        st.code(rule.get("file", ""), language="yaml", height=420)


show()
