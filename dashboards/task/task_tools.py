"""What else can a reviewer do with a task than answer it: say more, attach, set aside, hand up?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboards.access import signin
from dashboards.calls.client import ApiError
from dashboards.pieces import frame, words
from dashboards.task import unsent

Json = dict[str, Any]
Done = Callable[[str, str], None]
FILE_KINDS = ["png", "jpg", "jpeg", "pdf", "txt"]
LARGEST_MB = 4
"""What the API takes at all; policy may allow less, and says so."""
DESERVED = {"yes": "Yes", "no": "No"}
SKIPS = {
    "needs information": "I need information I do not have",
    "I know the customer": "I know the customer",
    "language": "I do not read the language",
    "not my field": "It is not my field",
    "break": "I am going on a break",
}


def joined(page: Json) -> None:
    """Other payments of the same case, and whether any came since the task was opened."""
    others = page.get("joined") or []
    if not others:
        return
    fresh = [other for other in others if other.get("since_open")]
    currency = page["transaction"]["currency"]
    if fresh:
        text = f"**{words.plural(len(fresh), 'more alert')} of this customer joined the case since this task opened.**"
        st.warning(text, icon=":material/add_alert:")
    with st.expander(f"This case holds {words.plural(len(others), 'other payment')}", expanded=bool(fresh)):
        rows = [
            {
                "Paid": frame.when(other["occurred_at"]),
                "Amount": words.money(other.get("amount_minor"), currency),
                "Payment": other["transaction_id"],
                "Joined": frame.when(other["added_at"]),
            }
            for other in others
        ]
        frame.table(
            rows, height="content", column_config={"Amount": st.column_config.TextColumn(alignment="right")}
        )


def escalation_notes(page: Json) -> None:
    """What those who handed it up wrote."""
    for note in page.get("escalation_notes") or []:
        st.info(f"**Escalated**: “{words.plain(note)}”", icon=":material/north:")


def put_back(task_id: str, done: Done) -> None:
    """Give the task back, with the reason that is reported to the team lead."""
    with st.popover("Put back", type="tertiary", icon=":material/keyboard_return:"):
        reason = st.radio(
            "Why do you give it back?", list(SKIPS), format_func=SKIPS.__getitem__, key=f"skip_{task_id}"
        )
        st.caption("It goes to somebody else, and you are not offered it again.")
        if st.button("Put it back", shortcut="B", key="put_back"):
            _try(
                lambda: signin.client().release(task_id, reason or "other"),
                done,
                task_id,
                "The task is back in its lane.",
            )


def wait(page: Json, done: Done) -> None:
    """Set the task aside until a moment before its deadline."""
    task_id = page["task_id"]
    with st.popover("Set aside", type="tertiary", icon=":material/snooze:"):
        st.markdown("**Come back to it later**")
        left = words.due(page.get("deadline"), frame.now())
        st.caption(f"It is yours alone until then, and comes first. Its deadline runs on: {left}.")
        here = ZoneInfo(frame.zone())
        usual = usual_return(page, here)
        day = st.date_input("Day", value=usual.date(), key=f"aside_day_{task_id}")
        hour = st.time_input("Time", value=usual.time(), key=f"aside_time_{task_id}")
        reason = st.text_input("What are you waiting for?", max_chars=400, key=f"aside_reason_{task_id}")
        if st.button("Set aside", icon=":material/snooze:", key="set_aside"):
            until = datetime.combine(day, hour, here).isoformat()
            _try(
                lambda: signin.client().work.snooze(task_id, until, reason),
                done,
                task_id,
                "The task waits for you.",
            )


def usual_return(page: Json, here: ZoneInfo) -> datetime:
    """Tomorrow at nine; half-way to the deadline where that is sooner."""
    now = frame.now().astimezone(here)
    morning = datetime.combine(now.date() + timedelta(days=1), time(9), here)
    deadline = words.moment(page.get("deadline"))
    half = morning if deadline is None else now + (deadline - now) / 2
    return min(morning, half).replace(second=0, microsecond=0)


def hand_up(page: Json, done: Done) -> None:
    """Hand the task to a team lead, saying what follows from that."""
    task_id = page["task_id"]
    if page.get("kind_shown") == "adjudication":
        return
    with st.popover("Escalate", type="tertiary", icon=":material/north:"):
        st.markdown("**Hand it up to a team lead**")
        st.caption("The team lead reads your note and decides; it will not come back to you.")
        place, key = f"task:{task_id}:escalation", f"up_{task_id}"
        unsent.restored(place, key)
        note = st.text_area("Why?", max_chars=4000, key=key, on_change=unsent.keep, args=(place, key)) or ""
        unsent.as_typed()
        if st.button("Escalate", icon=":material/north:", key="escalate", disabled=len(note.strip()) < 3):
            _try(
                lambda: signin.client().work.escalate(task_id, note), done, task_id, "A team lead has it now."
            )


def say_more(page: Json, key: Callable[[str, str], str], saving: Json) -> None:
    """What may be said beside the verdict: whether the alert was worth a look, the amount at loss, a wrong input."""
    task_id, currency = page["task_id"], page["transaction"]["currency"]  # the institution's own
    with st.popover("Say more", type="tertiary", icon=":material/edit_note:"):
        st.segmented_control(
            "Did this deserve a review, whatever your verdict?",
            list(DESERVED), format_func=DESERVED.__getitem__, key=key("deserved", task_id), **saving,
        )  # fmt: skip
        st.number_input(
            f"Amount at loss, {currency}", min_value=0.0, value=None, step=words.least(currency),
            format=f"%.{words.minor_digits(currency)}f", placeholder="if it differs from the payment",
            key=key("loss", task_id), **saving,
        )  # fmt: skip
        wrong, right = st.columns(2)
        wrong.selectbox(
            "A wrong input",
            inputs_of(page),
            index=None,
            placeholder="None",
            key=key("wrong", task_id),
            **saving,
        )
        right.text_input("It should be", max_chars=400, key=key("right", task_id), **saving)
        files(page)


def inputs_of(page: Json) -> list[str]:
    """The names that a correction may be of."""
    return list(page["transaction"].get("attributes") or {}) + list(page["transaction"]["entities"])


def files(page: Json) -> None:
    """Files on the payment, and the way to attach one."""
    for file in page.get("files") or []:
        download(file)
    given = st.file_uploader(
        "Attach a file", type=FILE_KINDS, max_upload_size=LARGEST_MB, key=f"file_{page['task_id']}"
    )
    if given is not None:
        attach(f"tasks/{page['task_id']}", given)


def attach(where: str, given: Any) -> None:
    """Send a file that was just chosen, once."""
    sent = st.session_state.setdefault("files_sent", set())
    if given.file_id in sent:
        return
    with frame.attempt():
        kept = signin.client().work.attach(where, given.name, given.getvalue())
        sent.add(given.file_id)
        st.success(f"Kept as {words.plain(kept['name'])}.", icon=":material/attach_file:")


def download(file: Json) -> None:
    """One file, as a download; greyed where retention took it."""
    size = f"{max(1, round(file['bytes'] / 1000)):,} kB"
    if file.get("removed_at"):
        st.caption(f":material/attach_file: {words.plain(file['name'])} ({size}), removed: its time was over")
        return
    st.download_button(
        f"{words.plain(file['name'])} ({size})",
        data=lambda: signin.client().work.file(file["file_id"]),
        file_name=file["name"], mime=file["media_type"], icon=":material/attach_file:", type="tertiary",
        key=f"download_{file['file_id']}",
    )  # fmt: skip


def _try(act: Callable[[], Any], done: Done, task_id: str, notice: str) -> None:
    try:
        act()
    except ApiError as error:
        if error.status == signin.SIGNED_OUT:
            raise
        frame.show_error(error)
        return
    done(task_id, notice)
