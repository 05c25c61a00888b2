"""What does this payment need: a confirmation, a dismissal, or more than is known?"""

from __future__ import annotations

import time
from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.calls.client import ApiError
from dashboards.pieces import frame
from dashboards.task import second_thought, task_tabs, task_view, verdict_bar

Json = dict[str, Any]
TAKEN = 409


def show() -> None:
    if st.session_state.pop("session_over", False):
        raise ApiError(signin.SIGNED_OUT, "The session has ended")
    try:
        page = _wanted_page()
    except ApiError as error:
        _not_now(error)
        return
    if page is None:
        _nothing_here()
        return
    st.query_params["task"] = page["task_id"]
    shown = task_view.without_attribute(page, frame.protected_attribute())
    if page.get("status") == "done":  # what is told after an answer stands above the task, not below the fold
        second_thought.feedback(page)
        second_thought.offer(page)
    later = task_view.draw(shown)
    if page.get("status") == "done":
        _already_answered(page)
    elif page.get("claimed_by") == _user():
        verdict_bar.restore(page)
        with st.bottom:
            verdict_bar.bar(page)
    else:
        _offer_claim(page)
    task_tabs.fill(shown, later)


def _not_now(error: ApiError) -> None:
    """No task can be shown; what stands in the address stays, so that a reload asks for it again."""
    if error.status == signin.SIGNED_OUT:
        raise error
    frame.head("Review")
    frame.show_error(error)
    st.page_link("app_pages/queue.py", label="Back to the queue", icon=":material/inbox:")


def _user() -> str:
    who = signin.me()
    return who.user if who else ""


def _wanted_page() -> Json | None:
    """The task asked for by the address, by the last verdict or undo, or the one already held."""
    wanted = st.session_state.pop("wanted", None)
    if wanted == "next" or st.query_params.get("next"):
        st.query_params.clear()
        return _keep(signin.client().next_task())
    if wanted:
        return _claimed(wanted)
    held: Json | None = st.session_state.get("task_page")
    task_id = st.query_params.get("task")
    if held and task_id in (None, held["task_id"]):
        return held
    if task_id:
        return _keep(signin.client().task(task_id))
    mine = frame.items(signin.client().queue(), "mine")
    return _keep(signin.client().task(mine[0]["task_id"])) if mine else None


def _claimed(task_id: str) -> Json | None:
    """Claim a task and load its page."""
    client = signin.client()
    try:
        client.claim(task_id)
    except ApiError as error:
        if error.status != TAKEN:
            raise
        frame.show_error(error)
    return _keep(client.task(task_id))


def _keep(page: Json | None) -> Json | None:
    st.session_state["task_page"] = page
    st.session_state["shown_at"] = time.monotonic()
    return page


def _already_answered(page: Json) -> None:
    what = "past case" if page.get("kind_shown") == "training" else "task"
    with st.bottom, st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            f"Take the next {what}",
            type="primary",
            shortcut="N",
            icon=":material/play_arrow:",
            key="take_next",
        ):
            st.session_state["wanted"] = "next"
            st.rerun()
        st.caption("This task has been answered; you see it as it was, with what the engine thought.")


def _may_claim(page: Json) -> bool:
    """Analysts review; team leads adjudicate and are never given a blind task."""
    wanted = "team_lead" if page.get("kind_shown") == "adjudication" else "analyst"
    return frame.role() == wanted


def _offer_claim(page: Json) -> None:
    with st.bottom, st.container(horizontal=True, vertical_alignment="center"):
        if page.get("claimed_by"):
            st.info(
                f"{page['claimed_by']} is working on this task, so you can read it but not answer.",
                icon=":material/lock:",
            )
        elif not _may_claim(page):
            st.info("Your role can read this task but not answer it.", icon=":material/lock:")
        elif st.button("Claim this task", shortcut="N", type="primary", key="claim"):
            st.session_state["wanted"] = page["task_id"]
            st.rerun()
        verdict_bar.undo_button()


def _nothing_here() -> None:
    st.query_params.clear()
    frame.head("Review")
    if summary := verdict_bar.session_summary():
        st.success(summary, icon=":material/done_all:")
    frame.empty(
        "You hold no task.",
        "Take the next one; if none is waiting, new ones come when a payment is worth a person's look.",
    )
    with st.container(horizontal=True):
        if st.button(
            "Take the next task", type="primary", shortcut="N", icon=":material/play_arrow:", key="take_next"
        ):
            st.session_state["wanted"] = "next"
            st.rerun()
        verdict_bar.undo_button()
        st.page_link("app_pages/queue.py", label="Back to the queue", icon=":material/inbox:")


show()
