"""How does a reviewer answer? The bar at the bottom: verdict keys, typology, reason, confidence, note, undo."""

from __future__ import annotations

import time
from collections.abc import Mapping
from statistics import median
from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.calls.client import ApiError
from dashboards.pieces import frame, words
from dashboards.task import task_tools, task_view, unsent

Json = dict[str, Any]
# Button label, key on the keyboard, icon, verdict.
ANSWERS = (
    ("Confirm fraud", "F", ":material/block:", "confirmed_fraud"),
    ("Dismiss", "D", ":material/check:", "legitimate"),
    ("Unsure", "U", ":material/question_mark:", "inconclusive"),
)
_FIELDS = ("typology", "reason_code", "confidence", "note", "deserved")
_MORE = ("wrong", "right", "loss")
_FLAGS = "flags"
LEAST_SECONDS = 0.8
"""An answer sooner than this after a task appeared is a key still held down from the one before."""
REFUSED_NOW = 409


def _key(field: str, task_id: str) -> str:
    return f"{field}_{task_id}"


def _filled(task_id: str) -> Json:
    """What the bar holds, half a correction included: the draft keeps it, the verdict is sent without."""
    filled: Json = {field: st.session_state.get(_key(field, task_id)) or "" for field in _FIELDS}
    wrong, right = (st.session_state.get(_key(field, task_id)) or "" for field in ("wrong", "right"))
    loss = st.session_state.get(_key("loss", task_id))
    return {
        **filled,
        _FLAGS: st.session_state.get(_key(_FLAGS, task_id)) or [],
        "corrections": {wrong: right} if wrong or right else {},
        "loss_minor": None if loss is None else round(loss * 10 ** words.minor_digits(frame.base_currency())),
    }


def _save_draft(task_id: str) -> None:
    """Keep what was typed at the API, so that a reload or an ended session loses nothing."""
    try:
        kept = signin.client().save_draft(task_id, _filled(task_id))
        if page := st.session_state.get("task_page"):
            page["lock_expires_at"] = kept["lock_expires_at"]  # typing is a sign of life, and renews it
        st.session_state["draft_state"] = (
            task_id,
            f"Draft saved {words.when(frame.now(), frame.zone(), seconds=True)[-8:]}",
        )
    except ApiError as error:
        unsent.hold(task_id, _filled(task_id))
        st.session_state["session_over"] = error.status == signin.SIGNED_OUT
        st.session_state["draft_state"] = (task_id, f":red[Draft not saved: {words.plain(error.title)}]")


def restore(page: Json) -> None:
    """Put a draft that the API kept back into the bar's fields. Call before the bar is drawn."""
    task_id = page["task_id"]
    late = unsent.held(task_id)
    draft = late or page.get("draft") or {}
    kept = {field: draft.get(field) for field in (*_FIELDS, _FLAGS)} | _more_of(page, draft)
    for field, value in kept.items():
        if _key(field, task_id) not in st.session_state and value not in (None, "", []):
            st.session_state[_key(field, task_id)] = value
    if late:
        _save_draft(task_id)


def _more_of(page: Json, draft: Json) -> Json:
    """What a draft says beside the verdict, as the fields of "Say more" hold it."""
    wrong, right = next(iter((draft.get("corrections") or {}).items()), ("", ""))
    loss = draft.get("loss_minor")
    return {
        "wrong": wrong if wrong in task_tools.inputs_of(page) else None,
        "right": right,
        "loss": None if loss is None else words.major(loss, frame.base_currency()),
    }


@frame.part()
def bar(page: Json) -> None:
    """The verdict bar. A fragment, so that typing does not redraw the task above it."""
    if st.session_state.get("session_over"):
        st.rerun()  # the whole page, which leads to the sign-in
    _fields(page["task_id"])
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for label, key, icon, value in ANSWERS:
            # All three weigh the same on the eye: the bar must not push towards an answer.
            if st.button(label, shortcut=key, icon=icon, key=f"answer_{value}"):
                _answer(page, value)
        _flags(page["task_id"])
        task_tools.say_more(page, _key, {"on_change": _save_draft, "args": (page["task_id"],)})
        task_tools.wait(page, _gone)
        task_tools.hand_up(page, _gone)
        task_tools.put_back(page["task_id"], _gone)
        undo_button()
        st.space("stretch")
        _apply_to_all(page)
        _told(page)


def _apply_to_all(page: Json) -> None:
    """Whether the verdict shall hold for the other payments of the case too."""
    others = [other for other in page.get("joined") or [] if other.get("task_id")]
    if others:
        st.checkbox(f"Same for all {len(others) + 1} payments", key=_key("all", page["task_id"]))


def _fields(task_id: str) -> None:
    saving: Json = {"on_change": _save_draft, "args": (task_id,), "label_visibility": "collapsed"}
    with st.container(key="verdict_fields"):
        typology, reason, confidence, note = st.columns([1, 1.05, 1.5, 1.5], vertical_alignment="center")
    with typology:
        _choice("Typology", "typology", frame.typologies(), task_id, saving)
    with reason:
        _choice("Reason", "reason_code", words.REASON_CODES, task_id, saving)
    with (
        confidence,
        st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="confidence_field"),
    ):
        st.caption("Sure?", width="content", help="How sure you are of your answer.")
        st.segmented_control("Confidence", list(words.CONFIDENCES), key=_key("confidence", task_id),
                             format_func=words.CONFIDENCES.__getitem__, **saving)  # fmt: skip
    with note:
        st.text_input(
            "Note",
            placeholder="Note (kept as you type)",
            max_chars=4000,
            live="400ms",
            key=_key("note", task_id),
            **saving,
        )


def _choice(label: str, field: str, known: Mapping[str, str], task_id: str, saving: Json) -> None:
    key = _key(field, task_id)
    kept = st.session_state.get(key)  # a draft may hold what is no longer offered
    codes = [*known, *([kept] if kept and kept not in known else [])]
    st.selectbox(label, codes, index=None, placeholder=label, key=key,
                 format_func=lambda code: words.title_of(code, known), **saving)  # fmt: skip


def _flags(task_id: str) -> None:
    raised = st.session_state.get(_key(_FLAGS, task_id)) or []
    with st.popover(f"Flags ({len(raised)})" if raised else "Flags", type="tertiary", icon=":material/flag:"):
        st.pills("What is wrong with this task?", list(words.FLAGS), selection_mode="multi", key=_key(_FLAGS, task_id),
                 format_func=words.FLAGS.__getitem__, on_change=_save_draft, args=(task_id,))  # fmt: skip


def _told(page: Json) -> None:
    task_id, saved = st.session_state.get("draft_state", ("", ""))
    parts = [saved] if task_id == page["task_id"] and saved else []
    parts.append(f"Decision due {words.due(page.get('deadline'), frame.now())}")
    if held := words.moment(page.get("lock_expires_at")):
        left = words.due(held, frame.now()).removeprefix("in ")
        parts.append(f"yours for {left}" if held >= frame.now() else "not held for you any more")
    st.caption(" · ".join(parts), width="content")


def _answer(page: Json, value: str) -> None:
    task_id = page["task_id"]
    if time.monotonic() - st.session_state.get("shown_at", 0.0) < LEAST_SECONDS:
        st.toast("That was quick. Press the key again if you mean this payment.", icon=":material/speed:")
        return
    filled = _filled(task_id)
    corrections = {wrong: right for wrong, right in filled["corrections"].items() if wrong and right}
    verdict = {**filled, "corrections": corrections, "value": value, "version": page.get("version")}
    if value != "confirmed_fraud":
        verdict["typology"] = ""
    try:
        given = signin.client().give_verdict(task_id, verdict)
    except ApiError as error:
        if error.status == signin.SIGNED_OUT:
            raise
        if error.status == REFUSED_NOW:
            _read_again(task_id, error)
        frame.show_error(error)
        return
    _remember(given, value, task_view.is_blind(page))
    if st.session_state.get(_key("all", task_id)):
        _apply(page, {**verdict, "version": None}, given)
    leave_task(task_id)
    if page.get("kind_shown") == "training":  # what was right is told before the next one, and ends undo
        st.session_state.pop("last_verdict")
        st.query_params["task"] = task_id
    else:
        st.session_state["wanted"] = "next"
    st.rerun()


def _read_again(task_id: str, error: ApiError) -> None:
    """The page is not what it was: read it anew, with what was typed, and say above it why."""
    unsent.hold(task_id, _filled(task_id))
    st.session_state.pop("task_page", None)
    st.session_state["notice"] = words.plain(
        " ".join(part for part in (error.detail or error.title, error.hint) if part)
    )
    st.rerun()


def _remember(given: Json, value: str, blind: bool) -> None:
    verdict = given.get("verdict") or given
    kept = {name: verdict.get(name) for name in ("verdict_id", "task_id")}
    st.session_state["last_verdict"] = {**kept, "value": value, "blind": blind}
    st.session_state.setdefault("session_verdicts", []).append(
        {"value": value, "seconds": verdict.get("seconds")}
    )


def _apply(page: Json, verdict: Json, given: Json) -> None:
    """Give the same verdict on the case's other payments; undo takes all of them back."""
    others = [other["task_id"] for other in page["joined"] if other.get("task_id")]
    first = (given.get("verdict") or given)["verdict_id"]
    kept = {name: verdict[name] for name in (*_FIELDS, _FLAGS, "value")}
    try:
        results = signin.client().work.apply_to(others, kept, first)
    except ApiError as error:
        if error.status == signin.SIGNED_OUT:
            raise
        which = "other" if len(others) == 1 else f"other {len(others)}"
        st.session_state["notice"] = (
            f"This payment is answered; of the {which} it is not known: {words.plain(error.title)}. What is not "
            "answered waits in the queue, and undo takes back this one alone."
        )
        return
    st.session_state["last_verdict"]["others"] = [r["verdict_id"] for r in results if r["verdict_id"]]
    refused = [r["why"] for r in results if not r["verdict_id"]]
    if refused:
        st.session_state["notice"] = (
            f"{words.plural(len(refused), 'payment')} could not be answered: {words.plain(refused[0])}"
        )


def _gone(task_id: str, notice: str) -> None:
    """The task is no longer this person's."""
    leave_task(task_id)
    st.session_state["notice"] = notice
    st.switch_page("app_pages/queue.py")


def leave_task(task_id: str) -> None:
    """Forget everything this session holds of a task."""
    for name in ("task_page", "draft_state"):
        st.session_state.pop(name, None)
    for field in (*_FIELDS, *_MORE, _FLAGS, "all"):
        st.session_state.pop(_key(field, task_id), None)


def undo_button() -> None:
    """Take the last verdict back, so that its task opens again; after a blind one, see what the engine thought."""
    last = st.session_state.get("last_verdict")
    if not last:
        return
    if last["blind"] and st.button(
        "What the engine thought", icon=":material/visibility:", type="tertiary", key="reveal"
    ):
        # Whoever has seen the answer can no longer answer blind: the offer to undo ends here.
        st.session_state["revealed"] = st.session_state.pop("last_verdict")
        st.session_state.pop("task_page", None)
        st.switch_page("app_pages/review.py", query_params={"task": last["task_id"]})
    label = f"Undo “{words.VERDICTS[last['value']][1]}”"
    if st.button(label, shortcut="Z", icon=":material/undo:", type="tertiary", key="undo"):
        _undo(last)


def _undo(last: Json) -> None:
    try:
        _undo_others(last)
        page = signin.client().undo(last["verdict_id"])
    except ApiError as error:
        if error.status == signin.SIGNED_OUT:
            raise
        if (
            error.status == REFUSED_NOW
        ):  # too late, or the engine's opinion was read since: do not offer it again
            st.session_state.pop("last_verdict")
        frame.show_error(error)
        return
    st.session_state.pop("last_verdict")
    st.session_state.get("session_verdicts", [])[-1:] = []
    st.session_state["task_page"] = page
    st.query_params["task"] = page["task_id"]
    st.rerun()


def _undo_others(last: Json) -> None:
    """Take back what was applied to the case's other payments; what stays is said above the task."""
    others = last.get("others")
    if not others:
        return
    results = signin.client().work.undo_all(others)
    stay = {result["verdict_id"]: result["why"] for result in results if not result["undone"]}
    last["others"] = list(stay)  # what is taken back already is not asked for again
    if stay:
        why = words.plain(next(iter(stay.values())))
        st.session_state["notice"] = f"{words.plural(len(stay), 'verdict')} could not be taken back: {why}"


def session_summary() -> str:
    """What this sitting came to, in a sentence; '' before the first verdict."""
    given = st.session_state.get("session_verdicts") or []
    if not given:
        return ""
    counts = [
        f"{sum(v['value'] == value for v in given)} {label.lower()}"
        for value, (_, label, _) in words.VERDICTS.items()
        if any(v["value"] == value for v in given)
    ]
    seconds = [float(v["seconds"]) for v in given if v.get("seconds") is not None]
    pace = f", median {median(seconds):.0f} s each" if seconds else ""
    return f"This sitting: {words.plural(len(given), 'task')} ({words.listed(counts)}){pace}."
