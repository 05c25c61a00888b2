"""What was in force on some day: rules, policy, model and people?"""

from __future__ import annotations

from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words

Json = dict[str, Any]


def page() -> None:
    """A moment to choose, and the institution as it was then."""
    now = frame.now().astimezone(ZoneInfo(frame.zone()))
    day_box, time_box, _ = st.columns([1, 1, 3])
    day = day_box.date_input(
        "As of", value=now.date(), max_value=now.date(), key="day", bind="query-params", format="YYYY-MM-DD"
    )
    hour = time_box.time_input("At", value=time(23, 59), key="hour", step=900)
    at = datetime.combine(day, hour, tzinfo=ZoneInfo(frame.zone()))
    st.caption(f"Times are in {frame.zone()}.")
    with frame.attempt():
        told = signin.client().record.as_of(min(at, now).isoformat())
        _facts(told)
        with st.container(key="stacked_day"):
            left, right = st.columns([1.7, 1], gap="medium")
        with left:
            _rules(told["rules"])
        with right:
            _people(told["people"])
        _policy(told["policy"])


def _facts(told: Json) -> None:
    current, model, switch = told["set"], told["model"], told["kill_switch"]
    last = told["last_event"]
    stopped = (
        f"on since {frame.when(switch['turned_at'])}: {words.plain(switch['reason'])}"
        if switch["is_on"]
        else "off"
    )
    with st.container(border=True):
        frame.facts(
            [
                ("Approved set", f"`{current['set_id']}`"),
                ("Approved", f"{words.plain(current['approved_by'])}, {frame.when(current['approved_at'])}"),
                ("Model", f"`{model['model_id']}`" if model else "none: rules decided alone"),
                ("Deciding since", _since(model)),
                ("Kill switch", stopped),
                ("Snoozes in force", words.count(len(told["snoozes"]))),
                (
                    "Last event until then",
                    f"{words.count(last['seq'])} `{last['hash'][:12]}`" if last else words.ABSENT,
                ),
                ("Reason of the approval", words.plain(current["reason"] or words.ABSENT)),
            ],
            columns=4,
        )


def _since(model: Json | None) -> str:
    return f"{frame.when(model['since'])}, by {words.plain(model['promoted_by'])}" if model else words.ABSENT


def _rules(rules: list[Json]) -> None:
    live = sum(rule["status"] == "live" for rule in rules)
    st.markdown(f"##### {live} of {words.plural(len(rules), 'rule')} decided")
    frame.table(
        [
            {
                "Status": words.sign_and_word(rule["status"], words.STATUSES),
                "Rule": rule["title"],
                "Version": rule["version"],
                "Approved by": rule.get("approved_by") or words.ABSENT,
                "In force since": frame.when(rule.get("approved_at")),
                "Text (SHA-256)": rule["sha256"][:12],
            }
            for rule in rules
        ],
        height=430,
    )


def _people(people: list[Json]) -> None:
    st.markdown(f"##### {words.plural(len(people), 'person', 'people')} could sign in")
    frame.table(
        [
            {
                "Who": who["user_id"],
                "Role": words.title_of(who["role"], words.ROLES),
                "Since": frame.when(who["created_at"]),
            }
            for who in people
        ],
        height="content" if len(people) < 12 else 430,
    )


def _policy(policy: Json) -> None:
    with st.expander("The policy as it was read then"):
        st.json(policy, expanded=1)
