"""Which rules and policy decide, what is proposed, and who approves it?"""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from dashboards import frame, signin, words

Json = dict[str, Any]
OWNERS = ("risk_manager", "admin")
SECTIONS = {"running": "Running", "proposed": "Proposed", "policy": "Policy"}


def show() -> None:
    frame.head(
        "Rules", "What runs is the approved set. Files are proposals until a second person approves them."
    )
    section = frame.choice("Section", "section", SECTIONS, default="running")
    client = signin.client()
    if section == "running":
        _rules(client.rules())
    elif section == "proposed":
        _drafts(client.drafts())
    else:
        st.code(client.policy().get("file", ""), language="yaml")


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
    else:
        st.caption(f"Approved set `{answer['set_id']}`. Select a rule to read it.")


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
        st.markdown(words.badge(rule.get("status"), words.STATUSES))
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


def _drafts(answer: Any) -> None:
    drafts = frame.items(answer, "drafts")
    if not drafts:
        frame.empty(
            "Nothing is proposed.", "Edit a file in the workspace's rules folder; it appears here as a draft."
        )
        return
    for draft in drafts:
        with st.container(border=True):
            st.markdown(f"**{words.plain(draft['path'])}** {words.plain(draft.get('change', ''))}")
            st.code("\n".join(draft.get("diff") or []), language="diff")
    for problem in frame.items(answer, "problems"):
        where, what, hint = (words.plain(problem.get(part, "")) for part in ("where", "what", "hint"))
        st.error(f"**{where}** {what}. {hint}")
    if frame.role() in OWNERS:
        _approve(drafts)


def _approve(drafts: list[Json]) -> None:
    with st.form("approve", border=True):
        paths = [str(draft.get("path")) for draft in drafts]
        chosen = st.multiselect("Approve", paths, default=paths)
        reason = st.text_input(
            "Reason", placeholder="What changes for customers and analysts, and why it is right"
        )
        if st.form_submit_button("Approve", type="primary", icon=":material/approval:"):
            if len(reason.strip()) < 3 or not chosen:
                st.warning("Choose at least one file and write a reason.")
                return
            with frame.attempt():
                done = signin.client().approve(reason.strip(), chosen)
                st.success(f"Approved: set {done.get('set_id', '')} decides from the next transaction on.")


show()
