"""What is next, what is mine, and what else waits?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words

Json = dict[str, Any]
ANALYST = "analyst"
RIGHT = st.column_config.TextColumn(alignment="right")
HOW = {
    "analyst": "Take the next task. The draw shares the work among kinds of task, so that none of them starves.",
    "team_lead": "What waits, and what is yours to adjudicate.",
}
MOST_LISTED = 50
ORDERS = {
    True: {"largest": "Largest first", "deadline": "Due first"},
    False: {"largest": "Most expected money first", "deadline": "Due first"},
}
DUE = {"any": "Any deadline", "day": "Due within a day", "hours": "Due within 4 hours"}
DUE_HOURS = {"day": "24", "hours": "4"}


def show() -> None:
    frame.head("Queue", HOW.get(frame.role(), "What waits, and for how long."))
    queue: Json = {}
    _next(queue)
    if not queue:
        return  # what went wrong stands in its place
    lanes = frame.items(queue, "lanes")
    _mine(frame.items(queue, "mine"))
    _set_aside(frame.items(queue, "set_aside"))
    if len(lanes) > 1:
        _lanes(lanes)
    if queue.get("open_total"):
        with frame.attempt():
            _waiting(lanes)
    _away(queue)


@frame.part(every=30)
def _next(told: Json) -> None:
    """What is next, asked anew at each drawing; what the API said goes into `told`, for the rest of the page."""
    queue = signin.client().queue()
    told.update(queue)
    lanes = frame.items(queue, "lanes")
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
        "Done today (UTC)": words.count(queue.get("done_today", 0)),
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
            if task.get("why_shown"):
                st.caption(words.title_of(task["why_shown"], words.REASONS))
            st.space("stretch")
            st.caption(f"decision due {words.due(task.get('deadline'), frame.now())}")
            st.caption(
                f"held for you for {words.due(task.get('lock_expires_at'), frame.now()).removeprefix('in ')}"
            )


def _set_aside(waiting: list[Json]) -> None:
    """What is on this person's desk but not begun: set aside until later, or put there by a team lead."""
    if not waiting:
        return
    st.subheader("On my desk", anchor=False)
    for task in waiting:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            amount = words.money(task.get("amount_minor"), frame.base_currency())
            st.markdown(f":material/snooze: **{words.plain(amount)}**, {words.plain(_whose(task))}")
            st.space("stretch")
            until = words.moment(task.get("snoozed_until"))
            later = until is not None and until > frame.now()
            st.caption(
                f"comes back {words.due(task['snoozed_until'], frame.now())}"
                if later
                else "ready to be taken up"
            )
            st.caption(f"decision due {words.due(task.get('deadline'), frame.now())}")
            if not later and st.button("Take it", key=f"take_{task['task_id']}", type="tertiary"):
                _open(task, claim=True)


def _away(queue: Json) -> None:
    """Here or away. Whoever is away gets no task, and what he or she held goes to others."""
    if frame.role() not in (ANALYST, "team_lead"):
        return
    until = words.moment(queue.get("away_until"))
    if until is not None and until > frame.now():
        st.warning(f"You are away until {frame.when(queue['away_until'])}.", icon=":material/beach_access:")
        if st.button("I am back", key="back"):
            with frame.attempt():
                signin.client().work.away(None)
                st.rerun()
        return
    with st.popover("I am going away", type="tertiary", icon=":material/beach_access:"):
        days = st.number_input("For how many days?", 1, 365, 1)
        st.caption("What you hold and have set aside goes to whoever is next.")
        if st.button("Away", key="away"):
            with frame.attempt():
                signin.client().work.away((frame.now() + timedelta(days=int(days))).isoformat())
                st.rerun()


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


def _waiting(lanes: list[Json]) -> None:
    """What waits, by filters that stay in the address."""
    analyst = frame.role() == ANALYST
    st.subheader("Waiting, to choose from" if analyst else "Waiting", anchor=False)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        order = frame.choice("Order", "order", ORDERS[analyst], default="largest")
        due = frame.choice("Due", "due", DUE, default="any")
        named = {lane["lane"]: words.title_of(lane["lane"], words.LANES) for lane in lanes}
        lane = (
            frame.choice("Lane", "lane", {"all": "Every lane", **named}, default="all")
            if len(named) > 1
            else ""
        )
    asked = {"order": order if order == "deadline" else "", "due_within_hours": DUE_HOURS.get(due, "")}
    found = signin.client().tasks(
        status="open", lane="" if lane == "all" else lane, limit=MOST_LISTED, **asked
    )
    _listed(frame.items(found, "tasks"), analyst)


def _listed(tasks: list[Json], analyst: bool) -> None:
    if not tasks:
        frame.empty(
            "No such task waits.",
            "Take the next one with the button above, or widen the filters."
            if analyst
            else "Widen the filters to see the rest.",
        )
        return
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
            "Select a row to take that one; why it is here is said once you hold it. Not all that waits is listed: "
            "the rest comes with the button only."
        )
    else:
        st.caption("Adjudications come first; select a row to read it.")


def _open(task: Json, *, claim: bool) -> None:
    if claim:
        st.session_state["wanted"] = task["task_id"]
    st.switch_page("app_pages/review.py", query_params={"task": task["task_id"]})


def _known(task: Json) -> Json:
    """Lane and reason, for those whom they tell nothing about which tasks are decided before the score is seen."""
    if "lane" not in task:
        return {}
    why = words.title_of(str(task.get("why_shown") or ""), words.REASONS).partition(":")[0]
    return {"Why": why, "Lane": words.title_of(task["lane"], words.LANES)}


def _row(task: Json) -> Json:
    return {
        "Due": words.due(task.get("deadline"), frame.now()),
        "Amount": words.money(task.get("amount_minor"), frame.base_currency()),
        words.capital(str(task.get("entity") or "entity")): task.get("value") or words.ABSENT,
        "Paid": frame.when(task.get("occurred_at")),
        **_known(task),
        **({"Queue": words.title_of(task["queue"], {"default": "Everybody's"})} if task.get("queue") else {}),
    }


show()
