"""What is mine, what is next, and why is each here?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards import frame, signin, words
from dashboards.client import Client

Json = dict[str, Any]
REVIEWERS = ("analyst", "team_lead")


def show() -> None:
    client = signin.client()
    frame.head("Queue", "Take the next task; the lanes share the work so that no kind of it starves.")
    queue = client.queue()
    _next(queue)
    _mine(frame.items(queue, "mine"))
    _lanes(frame.items(queue, "lanes"))
    _waiting(client)


def _next(queue: Json) -> None:
    waiting, mine = queue.get("open_total", 0), frame.items(queue, "mine")
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="large"):
        label = "Go on with my task" if mine else "Take the next task"
        idle = not waiting and not mine
        if st.button(
            label, type="primary", shortcut="N", icon=":material/play_arrow:", disabled=idle, key="take_next"
        ):
            target = {"task": mine[0]["task_id"]} if mine else {"next": "1"}
            st.switch_page("app_pages/review.py", query_params=target)
        st.metric("Waiting", words.count(waiting), width="content")
        st.metric("Mine", words.count(len(mine)), width="content")
        st.metric("Done today", words.count(queue.get("done_today", 0)), width="content")
    if idle:
        frame.empty(
            "Nothing is waiting.",
            "New tasks come when a payment is worth a person's look, and from the random slice that is "
            "always looked at.",
        )


def _mine(mine: list[Json]) -> None:
    if not mine:
        return
    st.subheader("Mine", anchor=False)
    for task in mine:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.page_link(
                "app_pages/review.py",
                label=f"**{_why(task)}**",
                icon=":material/visibility:",
                query_params={"task": task["task_id"]},
            )
            st.markdown(words.money(task.get("amount_minor"), task.get("currency", "")))
            st.caption(f"decision due {words.due(task.get('deadline'), frame.now())}")
            st.caption(
                f"held for you for {words.due(task.get('lock_expires_at'), frame.now()).removeprefix('in ')}"
            )


def _why(task: Json) -> str:
    why = task.get("why") or {}
    return words.plain(why.get("sentence") or words.title_of(why.get("reason", ""), words.REASONS))


def _lanes(lanes: list[Json]) -> None:
    if not lanes:
        return
    st.subheader("Lanes", anchor=False)
    rows = [
        {
            "Lane": words.title_of(lane["lane"], words.LANES),
            "Open": lane["open"],
            "Being worked on": lane["claimed"],
            "Nearest deadline": words.due(lane.get("oldest_deadline"), frame.now()),
            "Money": words.major(lane.get("amount_minor") or 0, lane.get("currency", "EUR")),
        }
        for lane in lanes
    ]
    money = st.column_config.NumberColumn(format="localized")
    frame.table(rows, column_config={"Money": money}, height="content")


def _waiting(client: Client) -> None:
    with st.expander("Waiting tasks", on_change="rerun", key="waiting_open") as waiting:
        if not waiting.open:
            return
        tasks = frame.items(client.tasks(status="open"), "tasks")
        frame.table([_task_row(task) for task in tasks], height="content")


def _task_row(task: Json) -> Json:
    return {
        "Lane": words.title_of(str(task.get("lane_shown") or ""), words.LANES),
        "Why": _why(task),
        "Amount": words.money(task.get("amount_minor"), task.get("currency", "")),
        "Due": words.due(task.get("deadline"), frame.now()),
    }


show()
