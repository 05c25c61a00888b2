"""What is next, what is mine, and what else waits?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards import frame, signin, words

Json = dict[str, Any]
ANALYST = "analyst"
RIGHT = st.column_config.TextColumn(alignment="right")
HOW = {
    "analyst": "Take the next task. The draw shares the work among kinds of task, so that none of them starves.",
    "team_lead": "What waits, and what is yours to adjudicate.",
}
MOST_LISTED = 50


def show() -> None:
    client = signin.client()
    frame.head("Queue", HOW.get(frame.role(), "What waits, and for how long."))
    queue = client.queue()
    lanes = frame.items(queue, "lanes")
    _next(queue, lanes)
    _mine(frame.items(queue, "mine"))
    if len(lanes) > 1:
        _lanes(lanes)
    if queue.get("open_total"):
        with frame.attempt():
            _waiting(frame.items(client.tasks(status="open", limit=MOST_LISTED), "tasks"))


def _next(queue: Json, lanes: list[Json]) -> None:
    waiting, mine = queue.get("open_total", 0), frame.items(queue, "mine")
    idle = not waiting and not mine
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="large"):
        label = "Go on with my task" if mine else "Take the next task"
        if st.button(
            label, type="primary", shortcut="N", icon=":material/play_arrow:", disabled=idle, key="take_next"
        ):
            target = {"task": mine[0]["task_id"]} if mine else {"next": "1"}
            st.switch_page("app_pages/review.py", query_params=target)
        st.space("stretch")
        for name, value in _figures(queue, lanes).items():
            st.metric(name, value, width="content")
    if idle:
        frame.empty(
            "Nothing is waiting.",
            "New tasks come when a payment is worth a person's look, and from the random slice that is "
            "always looked at.",
        )


def _figures(queue: Json, lanes: list[Json]) -> dict[str, str]:
    deadlines = [lane["oldest_deadline"] for lane in lanes if lane.get("oldest_deadline")]
    money = sum(lane.get("amount_minor") or 0 for lane in lanes)
    return {
        "Waiting": words.count(queue.get("open_total", 0)),
        "Money in it": words.money(money, frame.base_currency(), short=True),
        "Nearest deadline": words.due(min(deadlines), frame.now()) if deadlines else words.ABSENT,
        "Done today": words.count(queue.get("done_today", 0)),
    }


def _mine(mine: list[Json]) -> None:
    if not mine:
        return
    st.subheader("Mine", anchor=False)
    for task in mine:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            amount = words.money(task.get("amount_minor"), frame.base_currency())
            st.page_link(
                "app_pages/review.py",
                label=f"**{words.plain(amount)}**, {words.plain(_whose(task))}",
                icon=":material/visibility:",
                query_params={"task": task["task_id"]},
            )
            st.space("stretch")
            st.caption(f"decision due {words.due(task.get('deadline'), frame.now())}")
            st.caption(
                f"held for you for {words.due(task.get('lock_expires_at'), frame.now()).removeprefix('in ')}"
            )


def _whose(task: Json) -> str:
    return f"{task.get('entity') or ''} {task.get('value') or words.ABSENT}".strip()


def _lanes(lanes: list[Json]) -> None:
    st.subheader("Lanes", anchor=False)
    rows = [
        {
            "Lane": words.title_of(lane["lane"], words.LANES),
            "Open": lane["open"],
            "Being worked on": lane["claimed"],
            "Nearest deadline": words.due(lane.get("oldest_deadline"), frame.now()),
            "Money": words.money(lane.get("amount_minor") or 0, frame.base_currency()),
        }
        for lane in lanes
    ]
    frame.table(rows, column_config={"Money": RIGHT}, height="content")


def _waiting(tasks: list[Json]) -> None:
    if not tasks:
        return
    analyst = frame.role() == ANALYST
    st.subheader("Waiting, to choose from" if analyst else "Waiting", anchor=False)
    picked = frame.table(
        [_row(task) for task in tasks],
        on_select="rerun",
        selection_mode="single-row",
        key="waiting_table",
        height=min(420, 36 * (len(tasks) + 1) + 2),
        column_config={"Amount": RIGHT},
    )
    for index in picked["selection"]["rows"]:
        _open(tasks[index], claim=analyst)
    if analyst:
        st.caption(
            "The largest amounts first; select a row to take that one. Tasks that were drawn at random are not listed: "
            "they come with the button only."
        )
    else:
        st.caption("Adjudications and the most expected money first; select a row to read it.")


def _open(task: Json, *, claim: bool) -> None:
    if claim:
        st.session_state["wanted"] = task["task_id"]
    st.switch_page("app_pages/review.py", query_params={"task": task["task_id"]})


def _row(task: Json) -> Json:
    return {
        "Due": words.due(task.get("deadline"), frame.now()),
        "Amount": words.money(task.get("amount_minor"), frame.base_currency()),
        words.capital(str(task.get("entity") or "entity")): task.get("value") or words.ABSENT,
        "Paid": frame.when(task.get("occurred_at")),
        "Lane": words.title_of(str(task.get("lane") or task.get("lane_shown") or ""), words.LANES),
    }


show()
