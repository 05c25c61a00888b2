"""How does somebody write a change in the console: a text, what is wrong with it as it stands, and a reason?"""

from __future__ import annotations

from difflib import unified_diff
from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.calls.client import ApiError
from dashboards.pieces import frame, words
from dashboards.task import unsent
from dashboards.views import effect_view, proposal_view

Json = dict[str, Any]
NEW = "new"
OWNERS = ("risk_manager", "admin")
OTHER_FILES = ("policy.yaml", "lists.yaml", "features.yaml", "guidelines.md")
_TEXT = "draft_text"
_HEIGHT = 620
_LIVE = "\nstatus: live"
_EXCEPTION = "Kept with the approval, written into the rule's history, and shown as an exception."
TEMPLATE = """\
id: my_rule
version: 1
title: What it finds, in a few words
status: shadow
typology: account_takeover
severity: medium
owner: {user}
description: >-
  Why this is suspicious.
when:
  all:
    - amount_minor >= 50000
on_missing: no_hit
then:
  floor: review
  reason: "{{amount_minor}} is a lot"
false_positives: >-
  Which honest people this will stop.
runbook: >-
  What a reviewer does with a hit.
history:
  - {{version: 1, at: {today}, change: "First version, in shadow"}}
tests:
  - {{name: from 500 on, given: {{amount_minor: 50000}}, expect: hit}}
  - {{name: a cent below, given: {{amount_minor: 49999}}, expect: no_hit}}
"""


def open_file(path: str, *, replaces: str = "") -> None:
    """Go to the editor of a file of the set; NEW for a rule that does not exist yet. With `replaces`, go on from the
    text of an open proposal, to propose another in its place."""
    for name in (_TEXT, "checked"):
        st.session_state.pop(name, None)
    query = {"edit": path, **({"replaces": replaces} if replaces else {})}
    st.switch_page("app_pages/rules.py", query_params=query)


def _begun(path: str, running: str) -> str:
    """What the text starts with: that of the proposal to be replaced, the file as it runs, or a sound example."""
    if replaced := st.query_params.get("replaces"):
        files = frame.items(signin.client().proposal(replaced), "files")
        return next((str(f["text"]) for f in files if f["path"] == path and f.get("text")), running)
    return running or TEMPLATE.format(user=_me(), today=frame.now().date())


def edit(path: str) -> None:
    """The editor of one file: its text at the left, what a colleague would say of it at the right."""
    running, place = _running(path), _place(path)
    put_back = unsent.restored(place, _TEXT)
    begun = _begun(path, running)
    if _TEXT not in st.session_state:
        st.session_state[_TEXT] = begun
    named = "A new rule" if path == NEW else path.removeprefix("catalogue/").removesuffix(".yaml")
    frame.head(
        f"Edit: {named}",
        "Nothing is saved, and nothing decides otherwise, until it is proposed and approved.",
    )
    with st.container(horizontal=True):
        if st.button("Back to the rules", icon=":material/arrow_back:", type="tertiary", key="leave_editor"):
            _leave()
        if put_back:
            st.session_state["put_back"] = place
        changed = st.session_state[_TEXT] != begun
        if changed and st.button(
            "Start over", icon=":material/restart_alt:", type="tertiary", key="start_over"
        ):
            unsent.forget(place, _TEXT)
            st.session_state.pop("put_back", None)
            st.rerun()
    if changed and st.session_state.get("put_back") == place:
        st.info("This is what you had typed and not proposed.", icon=":material/history_edu:")
    left, right = st.columns([1.5, 1], gap="large")
    with left:
        text = st.text_area("Text", key=_TEXT, height=_HEIGHT, label_visibility="collapsed",
                            on_change=unsent.keep, args=(place, _TEXT))  # fmt: skip
        unsent.as_typed()
        st.caption("It is checked and kept as you type; nobody else sees it until you propose it.")
    target = path_of(text or "") if path == NEW else path
    with right:
        _looked_at(target, text or "", running)


def _running(path: str) -> str:
    """The file as it runs; empty for one that does not yet."""
    if path == NEW:
        return ""
    try:
        return str(signin.client().file(path)["text"])
    except ApiError as error:
        if error.status == frame.NOT_FOUND and st.query_params.get("replaces"):
            return ""
        raise


def _me() -> str:
    who = signin.me()
    return who.user if who else ""


def _leave() -> None:
    for name in ("edit", "replaces"):
        st.query_params.pop(name, None)
    st.session_state.pop(_TEXT, None)
    st.rerun()


def _place(path: str) -> str:
    """Where the API keeps what is typed here."""
    replaced = st.query_params.get("replaces", "")
    return f"file:{path}:{replaced}" if replaced else f"file:{path}"


def path_of(text: str) -> str:
    """Where a new rule belongs: its id is its file's name."""
    first = next((line for line in text.splitlines() if line.startswith("id:")), "id:")
    name = first.removeprefix("id:").split("#")[0].strip().strip("'\"")
    return f"catalogue/{name or 'my_rule'}.yaml"


def _looked_at(path: str, text: str, running: str) -> None:
    if text == running:
        st.info(
            "Change something; errors, failing tests and unpinned numbers appear here.",
            icon=":material/edit:",
        )
        return
    found = _checked(path, text)
    if found is None:
        return
    errors = [f for f in found["findings"] if f["severity"] == "error"]
    proposal_view.checks({**found, "problems": errors}, text)
    with st.expander("What changes"):
        proposal_view.diff(_diff(running, text))
    if not errors and frame.role() in OWNERS:
        _effect(path, text)
    _propose(path, text, bool(errors), goes_live=_LIVE in text and _LIVE not in running)


def _checked(path: str, text: str) -> Json | None:
    kept = st.session_state.get("checked")
    if kept and kept[0] == (path, text):
        answer: Json = kept[1]
        return answer
    with frame.attempt():
        answer = signin.client().check({path: text})
        st.session_state["checked"] = ((path, text), answer)
        return answer
    return None


def _effect(path: str, text: str) -> None:
    """What the text would have done to the last thirty days; asked for, since it takes a moment."""
    if st.button("What would it have changed?", icon=":material/compare_arrows:", key="try_effect"):
        st.session_state.pop("tried", None)
        with frame.attempt(), st.spinner("Deciding the last thirty days again …"):
            st.session_state["tried"] = ((path, text), signin.client().consequences.effect_of({path: text}))
    tried = st.session_state.get("tried")
    if tried and tried[0] == (path, text):
        with st.container(border=True):
            st.markdown(f"**{effect_view.finding(tried[1])}**")
            effect_view.alarms(tried[1])


def _diff(old: str, new: str) -> list[str]:
    return list(unified_diff(old.splitlines(), new.splitlines(), lineterm=""))


def _propose(path: str, text: str, unsound: bool, goes_live: bool) -> None:
    with st.form("propose", border=True):
        reason = st.text_input(
            "Reason", placeholder="What changes for customers and analysts, and why it is right"
        )
        override = (
            st.text_input("Only without evidence from shadow: why it must go live", help=_EXCEPTION)
            if goes_live
            else ""
        )
        if not st.form_submit_button("Propose", type="primary", icon=":material/send:", disabled=unsound):
            return
    if len(reason.strip()) < 3:
        st.warning("Write a reason; it is kept with the change.")
        return
    with frame.attempt():
        made = signin.client().propose(
            reason.strip(),
            {"files": {path: text}},
            override_reason=override.strip(),
            replaces=st.query_params.get("replaces", ""),
        )
        st.session_state["notice"] = f"{made['proposal_id']} waits for a second person."
        unsent.forget(_place(st.query_params.get("edit", path)), _TEXT)
        st.switch_page("app_pages/proposals.py", query_params={"proposal": made["proposal_id"]})


def step(rule: Json) -> None:
    """Propose a rule's next step in its life, with a reason."""
    known = {status: words.capital(status) for status in rule.get("can_move_to") or []}
    with st.popover("Move to …", icon=":material/swap_horiz:"), st.form("step", border=False):
        to = st.selectbox("Status", list(known), format_func=known.__getitem__)
        reason = st.text_input("Reason", placeholder="Why now")
        override = st.text_input("Only without evidence from shadow: why it must go live", help=_EXCEPTION)
        if st.form_submit_button("Propose", type="primary") and reason.strip():
            with frame.attempt():
                made = signin.client().propose(
                    reason.strip(),
                    {"step": {"rule": rule["id"], "to": to}},
                    override_reason=override.strip(),
                )
                st.switch_page("app_pages/proposals.py", query_params={"proposal": made["proposal_id"]})


def earlier_sets() -> None:
    """Every approved set, and a proposal to go back to one of them."""
    sets = frame.items(signin.client().approved_sets(), "sets")
    rows = [
        {
            "Set": s["set_id"],
            "Approved by": s["approved_by"],
            "When": frame.when(s["approved_at"]),
            "Why": s["reason"],
        }
        for s in sets
    ]
    picked = frame.table(rows, on_select="rerun", selection_mode="single-row", key="sets_table")
    chosen = picked["selection"]["rows"]
    if frame.role() not in (*OWNERS, "team_lead"):
        return
    if not chosen or chosen[0] == 0:
        st.caption(
            "The first one runs. Select an earlier one to go back to it, as new versions of its rules."
        )
        return
    with st.form("back", border=True):
        set_id = sets[chosen[0]]["set_id"]
        reason = st.text_input(f"Reason to go back to {set_id}", placeholder="What went wrong since")
        if st.form_submit_button("Propose to go back", icon=":material/history:") and reason.strip():
            with frame.attempt():
                made = signin.client().propose(reason.strip(), {"back_to": set_id})
                st.switch_page("app_pages/proposals.py", query_params={"proposal": made["proposal_id"]})
