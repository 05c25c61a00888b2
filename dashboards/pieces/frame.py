"""What surrounds every page? Its head, the reader's clock, empty and error states, and small pieces pages share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from functools import wraps
from typing import Any, ParamSpec
from zoneinfo import ZoneInfo

import streamlit as st

from dashboards.access import signin
from dashboards.calls.client import UNREACHABLE, ApiError
from dashboards.pieces import alarm_banner, columns, words

P = ParamSpec("P")
REFUSED = 403
NOT_FOUND = 404
NOT_YET = {
    "nothing was decided yet": (
        "No payment has been decided yet.",
        "Import history with `secondlook import`, or let the payment system send transactions; then the past can be "
        "decided again here.",
    ),
    "no decision of this period has a probability": (
        "No payment of this period has a probability.",
        "The rules decided alone. Train a model first: on the page Jobs, or with `secondlook train`.",
    ),
}
"""What the API refuses only because there is nothing to read yet: an empty state, not an error."""


def now() -> datetime:
    """The present, for countdowns on screen."""
    return datetime.now(UTC)


def zone() -> str:
    """The reader's time zone."""
    return st.context.timezone or "UTC"


def when(value: str | None, *, seconds: bool = False) -> str:
    """A time in the reader's zone."""
    return words.when(value, zone(), seconds=seconds)


def midnight(day: date) -> datetime:
    """The beginning of a day in the reader's zone."""
    return datetime.combine(day, time(), tzinfo=ZoneInfo(zone()))


def head(title: str, subtitle: str = "", *, alarms: bool = True) -> None:
    """Title and one sentence at the left, the person at the right; no line of alarms where the page lists them."""
    told = alarm_banner.ask()
    left, right = st.columns([4, 1.8], vertical_alignment="center")
    with left, st.container(gap=None):
        st.title(title, anchor=False)
        if subtitle:
            st.caption(subtitle)
    with right, st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        if alarms:
            alarm_banner.link(told)
        person()
    alarm_banner.show(told, now(), alarms=alarms)
    notice()


def notice() -> None:
    """What the page before had to say, once."""
    if said := st.session_state.pop("notice", None):
        st.warning(said)


def person() -> None:
    """Who is signed in, and the way out."""
    who = signin.me()
    if who is None:
        return
    with st.popover(who.user, icon=":material/person:"):
        st.markdown(f"**{words.plain(who.user)}**  \n{words.title_of(who.role, words.ROLES)}")
        st.caption(f"Times are shown in {zone()}. Light and dark follow the menu ⋮ at the top right.")
        if st.button("Sign out", icon=":material/logout:", key="sign_out"):
            signin.sign_out()
            st.rerun()


def empty(title: str, what_would_fill_it: str) -> None:
    """An empty state: what is not there, and what would put something there."""
    with st.container(border=True):
        st.markdown(f"**{title}**")
        st.caption(what_would_fill_it)


def show_error(error: ApiError) -> None:
    """What went wrong, and what to do next."""
    if missing := next((told for what, told in NOT_YET.items() if what in error.detail), None):
        empty(*missing)
        return
    if error.status == REFUSED:
        st.warning(
            f"**Your role does not allow this.** {words.plain(error.detail or error.title)}",
            icon=":material/lock:",
        )
    elif error.status == NOT_FOUND:
        st.info(f"**{words.plain(error.title)}** {words.plain(error.detail)}", icon=":material/search_off:")
    else:
        st.error(f"**{words.plain(error.title)}** {words.plain(error.detail)}", icon=":material/error:")
    if error.hint:
        st.caption(words.plain(error.hint))
    if error.status == UNREACHABLE and st.button("Try again", shortcut="A", key="try_again"):
        st.rerun()


@contextmanager
def attempt() -> Iterator[None]:
    """Show an ApiError in place instead of giving up the page. An ended session is passed on."""
    try:
        yield
    except ApiError as error:
        if error.status == signin.SIGNED_OUT:
            raise
        show_error(error)


def part(every: float | str | timedelta | None = None) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """A part of a page that runs by itself, again after `every` seconds where that is given.

    Streamlit lets no exception out of such a part: a refusal is shown in its place, and an ended session leads to the
    sign-in.
    """

    def wrapped(draw: Callable[P, None]) -> Callable[P, None]:
        @wraps(draw)
        def shown(*given: P.args, **named: P.kwargs) -> None:
            try:
                draw(*given, **named)
            except ApiError as error:
                if error.status == signin.SIGNED_OUT:
                    signin.forget(ended=True)
                    st.rerun()
                show_error(error)

        return st.fragment(shown, run_every=every)

    return wrapped


def facts(pairs: Sequence[tuple[str, str]], columns: int = 2) -> None:
    """Label and value pairs, in columns."""
    for start in range(0, len(pairs), columns):
        for column, (label, value) in zip(st.columns(columns), pairs[start : start + columns], strict=False):
            column.markdown(f":gray[{label}]  \n{value}")


def table(rows: Sequence[dict[str, Any]], **options: Any) -> Any:
    """A read-only table without row numbers, its figures at the right with their units."""
    options["column_config"] = columns.aligned(rows, options.get("column_config") or {})
    return st.dataframe(rows, hide_index=True, **options)


def choice(label: str, name: str, known: Mapping[str, str], *, default: str = "") -> str:
    """One of `known` codes, or ''; kept in the address as `?name=code`, so that a reload or a link finds it again.

    Streamlit's own binding would put the label there, with its sign.
    """
    asked, seen = st.query_params.get(name, ""), f"{name}_in_address"
    held = st.session_state.get(name)
    usable = held in known or (held is None and name in st.session_state and not default)
    if asked in known and asked != st.session_state.get(seen, ""):
        usable = False  # a link or the back button says otherwise than the page did last
    # Set in every run: what another page's choice of the same name left behind would be lost with that page's widget.
    st.session_state[name] = held if usable else asked if asked in known else default or None
    picked = st.segmented_control(
        label, list(known), key=name, format_func=known.__getitem__, required=bool(default),
        label_visibility="collapsed" if default else "visible",
    )  # fmt: skip
    if picked and picked != default:
        st.query_params[name] = picked
    elif name in st.query_params:
        del st.query_params[name]
    st.session_state[seen] = st.query_params.get(name, "")
    return picked or ""


def _policy() -> dict[str, Any]:
    if "policy" not in st.session_state:
        st.session_state["policy"] = signin.client().policy().get("policy") or {}
    found: dict[str, Any] = st.session_state["policy"]
    return found


def base_currency() -> str:
    """The institution's currency: what every amount in minor units is in."""
    return str(_policy().get("currency", ""))


def protected_attribute() -> str:
    """The attribute that is there for the subgroup table only; no reviewer should judge by it."""
    return str(_policy().get("protected_attribute") or "")


def typologies() -> dict[str, str]:
    """The typologies that the institution's own rules name, by code."""
    if "typologies" not in st.session_state:
        rules = items(signin.client().rules(), "rules")
        named = (str(rule.get("typology") or "") for rule in rules if rule.get("status") != "retired")
        st.session_state["typologies"] = words.typologies(named)
    found: dict[str, str] = st.session_state["typologies"]
    return found


def role() -> str:
    """The role of the signed-in person."""
    who = signin.me()
    return who.role if who else ""


def figure(label: str, value: str, *notes: str, help_text: str | None = None) -> None:
    """A figure with its label above and notes close below."""
    with st.container(gap="xxsmall"):
        st.metric(label, value, help=help_text)
        for note in notes:
            st.caption(note)


def items(answer: Any, *names: str) -> list[dict[str, Any]]:
    """The list in an API answer, whether it is bare or under one of `names`."""
    if isinstance(answer, list):
        return answer
    for name in names:
        if isinstance(answer, dict) and isinstance(answer.get(name), list):
            return answer[name]
    return []
