"""How does a pilot look: one set of past cases before everybody, what they said, and what a new guideline changed?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words
from dashboards.views.consistency_view import told

Json = dict[str, Any]
_NEW = "A new set of cases"
_SHORT = {"legitimate": "Legitimate", "inconclusive": "Unsure", "confirmed_fraud": "Fraud"}
_MEASURES = {"raw": "Raw agreement", "alpha": "Krippendorff's alpha", "ac1": "Gwet's AC1"}


def show() -> None:
    """Every pilot, a form for the next, and the one that is opened."""
    client = signin.client().agreement
    pilots = client.pilots()["pilots"]
    _form(pilots)
    if not pilots:
        frame.empty(
            "No pilot has been run yet.",
            "A pilot puts one set of past cases on everybody's desk: where people differ, the guideline is silent.",
        )
        return
    frame.table([_row(one) for one in pilots], height="content")
    names = {one["pilot_id"]: one["name"] for one in pilots}
    picked = st.selectbox(
        "Open a pilot",
        list(names),
        index=None,
        format_func=names.__getitem__,
        key="pilot",
        placeholder="Choose one",
    )
    st.caption("It names people: that you look is recorded, and they can see it.")
    if picked:
        with frame.attempt():
            _pilot(client.pilot(picked))


def _row(one: Json) -> Json:
    return {
        "Pilot": one["name"],
        "Opened": frame.when(one["opened_at"]),
        "Cases": one["cases"],
        "People": one["people"],
        "Answered": f"{one['answered']} of {one['asked']}",
        "Guideline": one["guideline_version"],
        "State": "closed" if one["closed_at"] else "open",
    }


def _form(pilots: list[Json]) -> None:
    with st.popover("Open a pilot", icon=":material/science:"), st.form("pilot_form", border=False):
        name = st.text_input("Name", max_chars=200)
        follows = st.selectbox(
            "Cases",
            ["", *(one["pilot_id"] for one in pilots)],
            format_func={
                "": _NEW,
                **{p["pilot_id"]: f"Those of {p['name']}, again" for p in pilots},
            }.__getitem__,
        )
        cases = st.number_input("How many cases", 1, 500, 40)
        days = st.number_input("Days to answer", 1, 90, 7)
        st.caption(
            "Every analyst who is here gets each case next, without score or explanation. Nothing is settled by it."
        )
        if not st.form_submit_button("Open", type="primary"):
            return
    if not name.strip():
        st.warning("Give the pilot a name.")
        return
    with frame.attempt():
        signin.client().agreement.open_pilot({"name": name, "follows": follows, "cases": cases, "days": days})
        st.rerun()


def _pilot(found: Json) -> None:
    st.subheader(words.plain(found["name"]), anchor=False)
    if found["before"]:
        _change(found)
    else:
        frame.facts([(label, told(found["report"][name])) for name, label in _MEASURES.items()], columns=3)
    if found["closed_at"] is None and st.button(
        "Close this pilot", key="close_pilot", icon=":material/check:"
    ):
        with frame.attempt():
            signin.client().agreement.close_pilot(found["pilot_id"])
            st.rerun()
    _disputed(found["report"])
    for pair in found["report"]["pairs"]:
        _matrix(pair, found["report"]["categories"])


def _change(found: Json) -> None:
    change = found["change"]
    st.markdown(f"##### {words.plain(change['sentence'])}")
    rows = [
        {
            "": label,
            "Before": told(found["before"][name]),
            "After": told(found["report"][name]),
            "Change on the same cases": _difference(change[name]),
        }
        for name, label in _MEASURES.items()
    ]
    frame.table(rows, height="content")
    st.caption(
        f"{words.plural(change['n_cases'], 'case')} answered by two or more people both times, "
        f"{words.plural(found['days_between'], 'day')} apart. People may remember cases; two weeks between help."
    )
    if found["guideline_change"]:
        st.markdown("What changed in the guideline")
        st.code("\n".join(found["guideline_change"]), language="diff")


def _difference(one: Json) -> str:
    if one["difference"] is None:
        return words.ABSENT
    if one["low"] is None:
        return f"{one['difference']:+.2f}  (insufficient data)".replace("-", words.MINUS)
    return f"{one['difference']:+.2f}  ({one['low']:+.2f} to {one['high']:+.2f})".replace("-", words.MINUS)


def _disputed(report: Json) -> None:
    if not report["most_disputed"]:
        return
    st.markdown("Cases on which people differ most")
    rows = [
        {"Payment": one["item"]} | {_SHORT.get(kind, kind): n for kind, n in one["said"].items()}
        for one in report["most_disputed"]
    ]
    frame.table(rows, height="content")


def _matrix(pair: Json, categories: list[str]) -> None:
    first, second = pair["reviewers"]
    st.markdown(
        f"{words.plain(first)} (rows) and {words.plain(second)} (columns), {words.plural(pair['n'], 'case')}"
    )
    rows = [
        {first: _SHORT.get(kind, kind)}
        | {_SHORT.get(c, c): n for c, n in zip(categories, cells, strict=True)}
        for kind, cells in zip(categories, pair["matrix"], strict=True)
    ]
    frame.table(rows, height="content")
