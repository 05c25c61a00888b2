"""How does the team stand: what waits where, when does it clear, who is here, and what do reviewers report?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, lines_chart, words
from dashboards.pieces.drawing import show_chart
from dashboards.pieces.palette import palette
from dashboards.views import learning_view

Json = dict[str, Any]
RIGHT = st.column_config.TextColumn(alignment="right")
QUEUES = {"default": "Everybody's"}
INBOX = {**words.FLAGS, "correction": "A wrong input"}


def show() -> None:
    frame.head("Team", "What waits, when it clears at the pace of the last weeks, and who is here.")
    team = signin.client().work.team()
    _outlook(team["forecast"])
    with st.container(key="stacked_team"):
        left, right = st.columns([1.4, 1], gap="medium")
    with left:
        _queues(team["queues"])
        _adjudications(team["adjudications"])
        _moves(team)
        _reported(team)
    with right:
        _inbox()
        _people(team["people"])
        learning_view.newcomers(team["people"])
    _training()
    learning_view.guideline()


def _outlook(forecast: Json) -> None:
    """The finding first: does the backlog clear, and does anything miss its deadline?"""
    arrivals, reviews = forecast["arrivals_per_day"], forecast["reviews_per_day"]
    with st.container(border=True):
        st.markdown(f"##### {_finding(forecast)}")
        figures = {
            "Waiting": words.count(forecast["backlog"]),
            "Arrive a day": _mean(arrivals),
            "Answered a day": _mean(reviews),
            "Capacity a day": words.count(forecast["capacity_per_day"]),
            "Miss their deadline": _missing(forecast),
        }
        for column, (name, value) in zip(st.columns(len(figures)), figures.items(), strict=True):
            column.metric(name, value)
        if forecast["by_day"] and forecast["known"]:
            show_chart(
                lines_chart.arrivals, forecast["by_day"], palette(), told=_finding(forecast), key="by_day"
            )
            st.caption(
                f"Arrivals and answers by day (UTC). Forecast: 400 futures made of whole past days drawn from the last "
                f"{forecast['days']}, nearest deadline first; ranges are 80 %, those of the daily means 95 %."
            )


def _finding(forecast: Json) -> str:
    if not forecast["known"]:
        return f"Too few days on record for a forecast ({forecast['days']}; it takes 7)."
    clears = forecast["clears_in_days"]
    if clears["value"] is None:
        return "At this pace the backlog does not clear within 60 days."
    latest = f"{clears['high']}" if clears["high"] is not None else "more than 60"
    about = words.plural(clears["value"], "day")
    return f"At this pace the backlog clears in about {about} ({clears['low']} to {latest})."


def _mean(figure: Json | None) -> str:
    return words.ABSENT if figure is None else f"{figure['value']:g} ({figure['low']:g}–{figure['high']:g})"


def _missing(forecast: Json) -> str:
    missed = forecast["will_miss"]
    return words.ABSENT if missed is None else f"{missed['value']} ({missed['low']}–{missed['high']})"


def _queues(queues: list[Json]) -> None:
    st.subheader("Queues", anchor=False)
    rows = [
        {
            "Queue": _named(queue["queue"]),
            "Open": queue["open"],
            "Being worked on": queue["claimed"],
            "Due in a day": queue["due_in_a_day"],
            "Nearest deadline": words.due(queue["nearest_deadline"], frame.now())
            if queue["nearest_deadline"]
            else words.ABSENT,
            "Money": words.money(queue["amount_minor"] or 0, frame.base_currency(), short=True),
            "Analysts here": queue["served_by"],
        }
        for queue in queues
    ]
    frame.table(rows, column_config={"Money": RIGHT}, height="content")
    for queue in queues:
        if queue["open"] and not queue["served_by"]:
            name = words.plain(_named(queue["queue"]))
            st.warning(
                f"Nobody who is here takes from **{name}**: move its tasks, or place somebody.",
                icon=":material/person_off:",
            )


def _named(queue: str) -> str:
    """A queue as people say it."""
    return words.title_of(queue, QUEUES)


def _adjudications(waiting: list[Json]) -> None:
    st.subheader("To adjudicate", anchor=False)
    if not waiting:
        st.caption("Nothing. A task comes here when reviewers differ, cannot tell, or escalate.")
        return
    rows = [
        {
            "Due": words.due(task["deadline"], frame.now()),
            "Why": "↑ Escalated" if task["escalated"] else "⚖ Verdicts do not settle it",
            "Amount": words.money(task["amount_minor"], frame.base_currency()),
            "Held by": task["claimed_by"] or words.ABSENT,
        }
        for task in waiting
    ]
    if frame.role() != "team_lead":  # the only one who adjudicates, and with a page to do it on
        frame.table(rows, column_config={"Amount": RIGHT}, height="content" if len(rows) <= 8 else 320)
        return
    picked = frame.table(rows, on_select="rerun", selection_mode="single-row", key="adjudications",
                         column_config={"Amount": RIGHT}, height="content" if len(rows) <= 8 else 320)  # fmt: skip
    for index in picked["selection"]["rows"]:
        st.session_state["wanted"] = waiting[index]["task_id"]
        st.switch_page("app_pages/review.py", query_params={"task": waiting[index]["task_id"]})
    st.caption("Select a row to take it.")


def _moves(team: Json) -> None:
    """Move what waits in one queue to another, or onto a desk."""
    if frame.role() != "team_lead":
        return
    queues = [queue["queue"] for queue in team["queues"]] or ["default"]
    people = [person["user_id"] for person in team["people"] if person["role"] == "analyst"]
    with st.expander("Move tasks", icon=":material/swap_horiz:"), st.form("move", border=False):
        one, two = st.columns(2)
        source = one.selectbox("From queue", queues, format_func=_named)
        number = two.number_input("How many, the most urgent first", 1, 100, 10)
        others = (queue for queue in queues if queue != "default")
        target = one.selectbox("To queue", ["default", *others], format_func=_named)
        person = two.selectbox("Onto the desk of", people, index=None, placeholder="anybody")
        reason = st.text_input("Reason", max_chars=400)
        if not st.form_submit_button("Move", icon=":material/swap_horiz:"):
            return
    if len(reason.strip()) < 3:
        st.warning("Write a reason.")
        return
    with frame.attempt():
        client = signin.client()
        listed = frame.items(client.tasks(status="open", queue=source, order="deadline", limit=500), "tasks")
        urgent = [task for task in listed if task["kind"] != "adjudication"]
        done = (
            client.work.move([t["task_id"] for t in urgent[:number]], target, person or "", reason)
            if urgent
            else []
        )
        moved = sum(result["moved"] for result in done)
        stayed = sorted({result["why"] for result in done if not result["moved"]})
        st.success(
            f"{words.plural(moved, 'task')} moved."
            + (f" Others stay: {'; '.join(stayed)}." if stayed else "")
        )


def _inbox() -> None:
    if frame.role() not in ("team_lead", "risk_manager", "admin"):
        return
    flags = signin.client().work.inbox()
    st.subheader(f"Inbox ({len(flags)})" if flags else "Inbox", anchor=False)
    if not flags:
        st.caption("Empty. Flags that your role can put right come here, without the reviewer's name.")
    for flag in flags[:8]:
        with st.container(border=True, gap="xsmall"):
            st.markdown(
                f":orange-badge[⚑ {INBOX.get(flag['kind'], flag['kind'])}] {words.plain(flag['detail'])}"
            )
            with st.container(horizontal=True, vertical_alignment="center"):
                st.page_link("app_pages/decisions.py", label=flag["transaction_id"], icon=":material/search:",
                             query_params={"id": flag["transaction_id"]})  # fmt: skip
                with st.popover("Answer", type="tertiary"):
                    said = st.text_area(
                        "What was done about it?", max_chars=2000, key=f"said_{flag['flag_id']}"
                    )
                    if st.button("Answer", key=f"answer_{flag['flag_id']}", disabled=not said.strip()):
                        with frame.attempt():
                            signin.client().work.answer_flag(flag["flag_id"], said)
                            st.rerun()


def _people(people: list[Json]) -> None:
    st.subheader("People", anchor=False)
    rows = [
        {
            "Who": person["user_id"],
            "Teams": ", ".join(team.replace("_", " ") for team in person["teams"]) or words.ABSENT,
            "Holds": person["held"],
            "On the desk": person["set_aside"],
            "Away": f"until {frame.when(person['away_until'])}" if person["away_until"] else words.ABSENT,
        }
        for person in people
    ]
    frame.table(rows, height="content")
    if frame.role() == "team_lead":
        _place(people)


def _place(people: list[Json]) -> None:
    with st.popover("Teams, limit, away", icon=":material/badge:"):
        names = [person["user_id"] for person in people if person["role"] == "analyst"]
        if not names:
            return
        user = st.selectbox("Who", names)
        person = next(p for p in people if p["user_id"] == user)
        teams = st.text_input("Teams, with commas", ", ".join(person["teams"]), key=f"teams_{user}")
        languages = st.text_input(
            "Languages, with commas", ", ".join(person["languages"]), key=f"lang_{user}"
        )
        limit = st.number_input(
            "Tasks held at once (0: as policy says)", 0, 100, person["held_limit"], key=f"limit_{user}"
        )
        days, back = _absence(person)
        if st.button("Save", key="save_place"):
            with frame.attempt():
                work = signin.client().work
                work.place(user, teams.split(","), languages.split(","), int(limit))
                if back or days:
                    until = None if back else (frame.now() + timedelta(days=days)).isoformat()
                    work.away(until, user)
                st.rerun()


def _absence(person: Json) -> tuple[int, bool]:
    """For how many days from now somebody shall be away (0: as it is), and whether he or she is back."""
    user, until = person["user_id"], person["away_until"]
    back = False
    if until:
        st.caption(f":material/beach_access: Away until {frame.when(until)}.")
        back = st.checkbox("Is back", key=f"back_{user}")
    label = "Away for days from now (0: as it is)" if until else "Away for days (0: here)"
    return int(st.number_input(label, 0, 365, 0, key=f"away_{user}", disabled=back)), back


def _reported(team: Json) -> None:
    st.subheader("Reported by reviewers, last 28 days", anchor=False)
    if not team["skips"] and not team["deserved"]:
        st.caption("Nothing yet: why tasks were given back, and whether alerts deserved a review.")
    if team["deserved"]:
        frame.table([_undeserved(row) for row in team["deserved"]], height="content")
    if team["skips"]:
        rows = [
            {
                "Given back because": words.capital(row["reason"].replace("_", " ")),
                "Times": row["n"],
                "People": row["people"],
            }
            for row in team["skips"]
        ]
        frame.table(rows, height="content")


def _undeserved(row: Json) -> Json:
    """Of the alerts of one reason, how many reviewers said did not deserve a review."""
    share = row["share"]
    between = f"({words.percent(share['low'])} to {words.percent(share['high'])})"
    return {
        "Opened because": words.title_of(row["reason"], words.REASONS)
        if row["reason"]
        else "No reason on record",
        "Needed no review": f"{words.percent(share['value'])}  {between}",
        "Asked": row["asked"],
    }


def _training() -> None:
    """Only on request: that it was read is recorded."""
    if frame.role() != "team_lead":
        return
    with st.expander("Who might need training, on what", icon=":material/school:"):
        st.caption(
            "By name, never a ranking: where adjudicators decided otherwise. That you read it is recorded."
        )
        if not st.button("Show", key="show_training"):
            return
        found = signin.client().work.training_needs()
        if not found["needs"]:
            st.caption(f"Nobody has {found['least']} adjudicated verdicts on one kind of case yet.")
            return
        rows = [
            {
                "Who": row["reviewer"],
                "Kind of case": words.title_of(row["reason"], words.REASONS),
                "Adjudicated": row["n"],
                "Decided otherwise": f"{words.percent(row['share']['value'])} "
                f"({words.percent(row['share']['low'])} to {words.percent(row['share']['high'])})",
                "Fraud dismissed": row["missed"],
                "Honest confirmed": row["accused"],
            }
            for row in found["needs"]
        ]
        frame.table(rows, height="content")


show()
