"""Which changes wait for a second person, and what does that person have to see before saying yes or no?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.calls.client import ApiError
from dashboards.pieces import frame, words
from dashboards.views import proposal_view, rule_editor

Json = dict[str, Any]
SECTIONS = {"open": "Open", "settled": "Settled"}
OWNERS = ("risk_manager", "admin")
AUTHORS = (*OWNERS, "team_lead")
PREVIEWERS = (*OWNERS, "auditor")
_SHORTEST_REASON = 3


def show() -> None:
    chosen = st.query_params.get("proposal")
    if chosen:
        _one(signin.client().proposal(chosen))
    else:
        _inbox()


def _inbox() -> None:
    frame.head(
        "Proposals",
        "A change decides nothing until a second person has approved exactly what they looked at.",
    )
    section = frame.choice("Section", "section", SECTIONS, default="open")
    found = signin.client().proposals(status="open" if section == "open" else "")
    rows = [p for p in found["proposals"] if (p["status"] == "open") == (section == "open")]
    if rows:
        _table(rows, section)
    elif section == "open":
        frame.empty(
            "Nothing waits for approval.",
            "Edit a rule on the Rules page, or a file in the workspace, and propose it.",
        )
    else:
        frame.empty(
            "Nothing has been settled yet.", "Approved, rejected and withdrawn changes are kept here."
        )
    if section == "open":
        _edited()


def _table(rows: list[Json], section: str) -> None:
    shown = [
        {
            "Proposal": p["proposal_id"],
            "Status": words.sign_and_word(p["status"], words.PROPOSALS),
            "Changes": words.listed(c["path"].removeprefix("catalogue/") for c in p["changes"]),
            "Why": p["reason"],
            "By": p["author"],
            "When": frame.when(p["proposed_at"]),
            **({"For you": _for_you(p)} if section == "open" else {"Settled by": p["settled_by"]}),
        }
        for p in rows
    ]
    picked = frame.table(shown, on_select="rerun", selection_mode="single-row", key=f"proposals_{section}")
    if chosen := picked["selection"]["rows"]:
        st.query_params["proposal"] = rows[chosen[0]]["proposal_id"]
        st.rerun()
    st.caption("Select a proposal to look at it.")


def _for_you(proposal: Json) -> str:
    if _me() in proposal["authors"]:
        return "Yours: another person looks"
    return "Look and decide" if frame.role() in OWNERS else words.ABSENT


def _me() -> str:
    who = signin.me()
    return who.user if who else ""


def _edited() -> None:
    """Files that somebody edited in the workspace and nobody has proposed yet."""
    if frame.role() not in AUTHORS:
        return
    drafts = [d for d in frame.items(signin.client().drafts(), "drafts") if not d.get("proposed_in")]
    if not drafts:
        return
    st.subheader("Edited in the workspace, not proposed", anchor=False)
    for draft in drafts:
        with st.expander(f"{draft['path']} ({draft['change']})"):
            proposal_view.diff(draft.get("diff") or [])
    with st.form("propose_edited", border=False):
        paths = [str(draft["path"]) for draft in drafts]
        chosen = st.multiselect("Files", paths, default=paths)
        reason = st.text_input(
            "Reason", placeholder="What changes for customers and analysts, and why it is right"
        )
        if st.form_submit_button("Propose", type="primary") and _said(reason) and chosen:
            with frame.attempt():
                _go(signin.client().propose(reason.strip(), {"edited": chosen}))


def _said(reason: str) -> bool:
    if len(reason.strip()) >= _SHORTEST_REASON:
        return True
    st.warning("Write a reason; it is kept with the change.")
    return False


def _go(proposal: Json) -> None:
    st.query_params["proposal"] = proposal["proposal_id"]
    st.rerun()


def _one(found: Json) -> None:
    frame.head(f"Proposal {found['proposal_id']}", f"{found['author']}, {frame.when(found['proposed_at'])}")
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("All proposals", icon=":material/arrow_back:", type="tertiary", key="all_proposals"):
            st.query_params.pop("proposal", None)
            for section in SECTIONS:
                st.session_state.pop(f"proposals_{section}", None)
            st.rerun()
        st.markdown(words.badge(found["status"], words.PROPOSALS), width="content")
        if found["status"] == "open" and frame.role() in AUTHORS and len(found["files"]) == 1:
            path = found["files"][0]["path"]
            if st.button("Change it", icon=":material/edit:", type="tertiary", key="revise"):
                rule_editor.open_file(path, replaces=found["proposal_id"])
    st.markdown(f"**Why:** {words.plain(found['reason'])}")
    if found["status"] != "open":
        _settled(found)
        proposal_view.files(found)
        return
    above = st.container()  # filled last, since the past takes a moment to decide again
    left, right = st.columns([1.35, 1], gap="large")
    with left:
        proposal_view.files(found)
    with right:
        if found.get("overtaken"):
            paths = words.plain(words.listed(found["overtaken"]))
            st.error(f"**Overtaken.** {paths} changed in the approved set since. Propose the change anew.")
        proposal_view.checks(found)
        proposal_view.steps(found)
        _decide(found)
    if frame.role() in PREVIEWERS:
        with above:
            _effect(found)


def _settled(found: Json) -> None:
    told = (
        f"{words.PROPOSALS[found['status']][1]} by {found['settled_by']}, {frame.when(found['settled_at'])}"
    )
    st.markdown(f"**{told}:** {words.plain(found['settled_reason'])}")
    if found.get("set_id"):
        st.caption(f"In force as `{found['set_id']}`.")


def _effect(found: Json) -> None:
    """The effect on the last thirty days, worked out once for this content and this set."""
    kept = st.session_state.get("effect")
    wanted = (found["content_sha256"], found["resulting_set_id"])
    if not kept or kept[0] != wanted:
        with st.spinner("Deciding the last thirty days again …"):
            try:
                answer: Json | ApiError = signin.client().consequences.effect(found["proposal_id"], limit=0)
            except ApiError as error:
                if error.status == signin.SIGNED_OUT:
                    raise
                answer = error
        kept = st.session_state["effect"] = (wanted, answer)
    if isinstance(kept[1], ApiError):
        proposal_view.refusal(kept[1])
    else:
        proposal_view.effect(kept[1], frame.base_currency(), found["proposal_id"])


def _decide(found: Json) -> None:
    """Approve or reject; or take back what one wrote oneself."""
    mine = _me() in found["authors"]
    if mine:
        st.info("You wrote this. Another risk manager or admin decides.", icon=":material/group:")
    elif found["you_may_not_approve"]:
        st.info(words.capital(words.plain(found["you_may_not_approve"])) + ".", icon=":material/lock:")
        return
    with st.form("decide", border=True):
        reason = st.text_input("Reason", placeholder="What you looked at, and why it is right or wrong")
        with st.container(horizontal=True):
            if mine:
                answers = {"withdraw": st.form_submit_button("Withdraw", icon=":material/undo:")}
            else:
                blocked = bool(found["problems"] or found.get("overtaken"))
                answers = {
                    "approve": st.form_submit_button(
                        "Approve", type="primary", icon=":material/approval:", disabled=blocked
                    ),
                    "reject": st.form_submit_button("Reject", icon=":material/close:"),
                }
        for answer, pressed in answers.items():
            if pressed and _said(reason):
                _answer(found, answer, reason.strip())
    st.caption(f"Content `{found['content_sha256'][:12]}`, set `{found['resulting_set_id']}`.")


def _answer(found: Json, answer: str, reason: str) -> None:
    client, proposal_id = signin.client(), found["proposal_id"]
    with frame.attempt():
        if answer == "approve":
            done = client.approve(found, reason)
            notice = f"Approved: {done['set_id']} decides from the next transaction on."
            if left := done.get("files_left_alone"):
                notice += f" Edited meanwhile and left alone in the workspace: {words.listed(left)}."
        elif answer == "reject":
            client.reject(proposal_id, reason)
            notice = f"{proposal_id} is rejected."
        else:
            client.withdraw(proposal_id, reason)
            notice = f"{proposal_id} is withdrawn."
        st.session_state["notice"] = notice
        st.session_state.pop("effect", None)
        st.rerun()


show()
