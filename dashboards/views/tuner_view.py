"""What do cut-offs cost and ask of people, as figures, curves and a comparison?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import streamlit as st

from dashboards.pieces import frame, words
from dashboards.pieces.charts import Picture, dressed, rows_of
from dashboards.pieces.palette import Palette

Json = dict[str, Any]
DAYS = 30  # money and customers are told for so many days
SETTINGS = {
    "current": "Now",
    "decided": "As really decided",
    "asked": "Yours",
    "best_within_capacity": "Best fixed pair within capacity",
    "best": "Best fixed pair",
    "cheapest_by_amount": "Best for each amount",
}
MEASURES = {
    "expected_cost": "Expected cost",
    "cases_a_day": "Cases a day",
    "expected_loss": "Expected loss",
    "good_declined": "Good customers declined",
}
MONEY = ("expected_cost", "expected_loss")
CUTS = {"review_at": "Review from", "decline_at": "Decline from"}
STEPS = (
    *(n / 10_000 for n in (5, 7, 10, 15, 20, 30, 40, 50, 70)),
    *(n / 1000 for n in (10, 12, 15, 20, 25, 30, 35, 40, 45, 50, 60, 70, 80, 90)),
    *(n / 100 for n in (10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 43, 46, 50)),
    *(n / 100 for n in (53, 56, 60, 63, 66, 70, 73, 76, 80, 83, 86, 90, 92, 94, 96, 98, 99, 100)),
)  # fmt: skip


def nearest(value: float) -> float:
    """The step of the sliders next to a probability."""
    return min(STEPS, key=lambda step: abs(step - value))


def in_days(found: Mapping[str, float], days: int) -> Json:
    """A figure over the whole period, told for DAYS days."""
    return {name: value * DAYS / max(days, 1) for name, value in found.items()}


def between(found: Mapping[str, float], digits: int = 1) -> str:
    return f"{words.number(found['low'], digits)} to {words.number(found['high'], digits)}"


def money_between(found: Mapping[str, float], currency: str) -> str:
    low, high = (words.money(found[end], currency, short=True) for end in ("low", "high"))
    return f"{low.removesuffix(' ' + currency)} to {high}"


def figures(yours: Json, now: Json, found: Json) -> None:
    """The setting asked for in six figures with their intervals, each beside the present one."""
    days, currency = found["days"], found["currency"]
    loss, good = (in_days(yours[name], days) for name in ("expected_loss", "good_declined"))
    loss_now, good_now = (in_days(now[name], days)["value"] for name in ("expected_loss", "good_declined"))
    with st.container(key="thirds_figures"):
        columns = st.columns(6, gap="small")
    told = (
        ("Approved a day", yours["approved_a_day"], now["approved_a_day"]["value"], 0),
        ("Cases a day", yours["cases_a_day"], now["cases_a_day"]["value"], 1),
        ("Analyst minutes a day", *_minutes(yours, now), 0),
    )
    for column, (label, value, before, digits) in zip(columns, told, strict=False):
        with column:
            frame.figure(
                label,
                words.number(value["value"], digits),
                f"95 %: {between(value, digits)}",
                f"now {words.number(before, digits)}",
            )
    with columns[3]:
        label = f"Expected loss, {DAYS} days"
        value_told = words.money(loss["value"], currency, short=True)
        frame.figure(
            label,
            value_told,
            f"95 %: {money_between(loss, currency)}",
            f"now {words.money(loss_now, currency, short=True)}",
        )
    with columns[4]:
        frame.figure(
            f"Good customers declined, {DAYS} days",
            words.number(good["value"], 1),
            f"95 %: {between(good)}",
            f"now {words.number(good_now, 1)}",
        )
    with columns[5]:
        share = yours["breach"]
        low, high = (words.percent(share[end], 0) for end in ("low", "high"))
        frame.figure(
            "Days over capacity",
            f"{yours['days_over_capacity']} of {yours['days']}",
            f"95 %: {low} to {high} of days",
            f"capacity {words.count(yours['capacity'])} cases a day",
        )


def _minutes(yours: Json, now: Json) -> tuple[Json, float]:
    """Work in minutes: hundredths of an hour are nobody's unit."""
    hours: Json = yours["analyst_hours_a_day"]
    return {name: 60 * value for name, value in hours.items()}, 60 * now["analyst_hours_a_day"]["value"]


def verdict(yours: Json, found: Json) -> str:
    """What the setting saves or costs against the present one, in a sentence."""
    saved, currency = in_days(yours["saves"], found["days"]), found["currency"]
    size = words.money(abs(saved["value"]), currency, short=True)
    ends = sorted(abs(saved[end]) for end in ("low", "high"))
    low, high = (words.money(end, currency, short=True) for end in ends)
    if saved["low"] <= 0 <= saved["high"]:
        return f"Your cut-offs cost about as much as the present setting ({size} apart in {DAYS} days, within chance)"
    word = "save" if saved["value"] > 0 else "cost"
    more = "" if saved["value"] > 0 else " more"
    return f"Your cut-offs {word} {size}{more} in {DAYS} days (95 %: {low} to {high})"


def curve_finding(cut: str, measure: str, found: Json, yours: Json) -> str:
    """What the curve of one cut-off shows, in a sentence: its title."""
    other = "decline_at" if cut == "review_at" else "review_at"
    doing = {"review_at": "reviewing", "decline_at": "declining"}
    points = found["curves"][cut]
    if measure == "expected_cost":
        lowest = min(points, key=lambda point: point[measure]["value"])
        return (
            f"{words.capital(doing[cut])} from {words.percent(lowest['at'])} is cheapest "
            f"while {doing[other]} from {words.percent(yours[other])}"
        )
    at = yours[cut]
    here, half = (min(points, key=lambda point: abs(point["at"] - place)) for place in (at, at / 2))
    told = [_told(measure, point[measure]["value"], found) for point in (here, half)]
    return (
        f"{words.capital(doing[cut])} from {words.percent(at)} gives {told[0]}; "
        f"from {words.percent(half['at'])}, {told[1]}"
    )


def _told(measure: str, value: float, found: Json) -> str:
    if measure == "cases_a_day":
        return f"{words.number(value, 1)} cases a day"
    per = value * DAYS / max(found["days"], 1)
    if measure in MONEY:
        return f"{words.money(per, found['currency'], short=True)} lost"
    return f"{words.number(per, 0)} good customers declined"


def curve(cut: str, measure: str, found: Json, yours: Json, colours: Palette) -> Picture:
    """One measure against one cut-off, with its interval; the optimum, the present and your setting are marked."""
    rows = _points(cut, measure, found)
    unit = {"cases_a_day": "cases a day"}.get(measure, f"{found['currency']} in {DAYS} days")
    unit = f"customers in {DAYS} days" if measure == "good_declined" else unit
    ticks = [tick for tick in (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1) if tick >= rows[0]["at"]]
    axis = alt.Axis(
        values=ticks,
        labelExpr="format(datum.value * 100, '.3~g') + ' %'",
        grid=False,
        labelOverlap="greedy",
        labelSeparation=8,
    )
    x = alt.X("at:Q", title=CUTS[cut], axis=axis, scale=alt.Scale(type="log", domain=[rows[0]["at"], 1]))
    top = _top(rows, measure, found, yours[cut])
    scale = alt.Scale(domain=[0, top], clamp=True)
    y = alt.Y("value:Q", title=unit, scale=scale, axis=alt.Axis(tickCount=4, format="~s"))
    base = alt.Chart(rows_of([row for row in rows if row["value"] <= 1.4 * top]))
    tooltip = [alt.Tooltip("told:N", title=CUTS[cut]), alt.Tooltip("what:N", title=MEASURES[measure])]
    layers: list[alt.Chart] = [
        base.mark_area(opacity=0.16, color=colours.accent).encode(x=x, y=alt.Y("low:Q"), y2=alt.Y2("high:Q")),
        base.mark_line(color=colours.accent, strokeWidth=2.2).encode(x=x, y=y, tooltip=tooltip),
        *_marks(cut, measure, found, yours, x, colours),
    ]
    return dressed(alt.layer(*layers).properties(height=215), colours)


def _top(rows: list[Json], measure: str, found: Json, at: float) -> float:
    """How high the picture reaches: what is far dearer than anything one would choose is cut off."""
    chosen = min(rows, key=lambda row: abs(row["at"] - at))["value"]
    highest = max(row["high"] for row in rows)
    near = 3 * max(chosen, min(row["value"] for row in rows), _now_level(measure, found))
    return max(min(near, highest), 1e-6)


def _points(cut: str, measure: str, found: Json) -> list[Json]:
    rows = []
    for point in found["curves"][cut]:
        value = dict(point[measure])
        if measure != "cases_a_day":
            value = in_days(value, found["days"])
        if measure in MONEY:
            value = {name: words.major(each, found["currency"]) for name, each in value.items()}
        rows.append(
            {
                "at": point["at"],
                **value,
                "told": words.percent(point["at"]),
                "what": f"{words.number(value['value'], 1)} ({between(value)})",
            }
        )
    return rows


def _marks(cut: str, measure: str, found: Json, yours: Json, x: alt.X, colours: Palette) -> list[alt.Chart]:
    """The three settings on one curve: shape and word, not colour alone."""
    rows = _points(cut, measure, found)
    lowest = min(rows, key=lambda row: row["value"])
    marked: list[Json] = [{"at": yours[cut], "name": "yours", "kind": "yours", "dy": 24}]
    if measure == "expected_cost" and nearest(lowest["at"]) != yours[cut]:
        marked.append({"at": lowest["at"], "name": "cheapest", "kind": "optimum", "dy": 38})
    elif measure == "expected_cost":
        marked[0] |= {"name": "yours, the cheapest", "kind": "optimum"}
    now = found["current"]
    if now[cut] is not None and now[cut] != yours[cut]:
        marked.append({"at": now[cut], "name": "now", "kind": "now", "dy": 52})
    for mark in marked:
        closest = min(rows, key=lambda row: abs(row["at"] - float(mark["at"])))
        mark["value"] = closest["value"]
    kinds = alt.Scale(domain=["yours", "optimum", "now"], range=["circle", "diamond", "square"])
    hues = alt.Scale(domain=["yours", "optimum", "now"], range=[colours.ink, colours.approve, colours.review])
    points = alt.Chart(rows_of(marked))
    layers = [
        points.mark_point(filled=True, size=130, opacity=1).encode(
            x=x, y=alt.Y("value:Q"), shape=alt.Shape("kind:N", legend=None, scale=kinds),
            color=alt.Color("kind:N", legend=None, scale=hues), tooltip=["name:N"],
        ),
        *(
            alt.Chart(rows_of([mark]))
            .mark_text(dy=mark["dy"], dx=8, align="right", fontSize=12, fontWeight="bold")
            .encode(
                x=x,
                y=alt.Y("value:Q"),
                text=alt.Text("name:N"),
                color=alt.Color("kind:N", legend=None, scale=hues),
            )
            for mark in marked
        ),
    ]  # fmt: skip
    if now[cut] is None:
        level = _now_level(measure, found)
        line = alt.Chart(rows_of([{"value": level, "at": rows[0]["at"], "name": "now: cut-offs by amount"}]))
        layers += [
            line.mark_rule(strokeDash=[5, 4], color=colours.review).encode(y=alt.Y("value:Q")),
            line.mark_text(align="left", dx=4, dy=11, fontSize=11, color=colours.review).encode(
                x=x, y=alt.Y("value:Q"), text=alt.Text("name:N")
            ),
        ]
    return layers


def _now_level(measure: str, found: Json) -> float:
    value = float(found["current"][measure]["value"])
    if measure == "cases_a_day":
        return value
    value = value * DAYS / max(found["days"], 1)
    return words.major(value, found["currency"]) if measure in MONEY else value


def comparison(found: Json) -> None:
    """The settings side by side."""
    rows = [_row(name, found[key], found) for key, name in SETTINGS.items() if found.get(key)]
    right = st.column_config.TextColumn(alignment="right")
    frame.table(rows, column_config={name: right for name in rows[0] if name != "Setting"}, height="content")


def _row(name: str, setting: Json, found: Json) -> Json:
    currency, days = found["currency"], found["days"]
    loss, good, saves = (in_days(setting[key], days) for key in ("expected_loss", "good_declined", "saves"))
    by_amount = "by amount" if name in ("Now", "Best for each amount") else words.ABSENT
    return {
        "Setting": name,
        "Review from": by_amount if setting["review_at"] is None else words.percent(setting["review_at"]),
        "Decline from": by_amount if setting["decline_at"] is None else words.percent(setting["decline_at"]),
        "Cases a day": f"{words.number(setting['cases_a_day']['value'], 1)}  ({between(setting['cases_a_day'])})",
        "Days over capacity": f"{setting['days_over_capacity']} of {setting['days']}",
        f"Loss, {DAYS} days": f"{words.money(loss['value'], currency, short=True)}",
        f"Good declined, {DAYS} days": f"{words.number(good['value'], 1)}  ({between(good)})",
        f"Saves, {DAYS} days": words.ABSENT
        if name == "Now"
        else f"{words.money(saves['value'], currency, short=True)}  ({money_between(saves, currency)})",
    }


def by_amount(found: Json) -> str:
    """The cut-offs that follow from the costs at a small, a usual and a large amount, in a sentence."""
    told = [
        f"{words.money(row['amount_minor'], found['currency'])}: review from {words.percent(row['review_at'])}, "
        f"decline from {words.percent(row['decline_at'])}"
        for row in found["amount_minor"]
    ]
    return f"Best for each amount, while reviews have no price: {'; '.join(told)}."


def segments(parts: Sequence[Json], found: Json) -> None:
    """Now and yours in each segment, one row each."""
    rows = []
    for part in parts:
        days = part["current"]["days"]
        for key, name in (("current", "Now"), ("asked", "Yours")):
            row = _row(name, part[key], {**found, "days": days})
            rows.append({"Segment": part["value"], "Payments": words.count(part["decisions"]), **row})
    right = st.column_config.TextColumn(alignment="right")
    plain = ("Segment", "Setting")
    frame.table(rows, column_config={n: right for n in rows[0] if n not in plain}, height="content")
