"""What do a threshold, a spending history, an interval or a count look like as a chart?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from statistics import median
from typing import Any

import altair as alt

from dashboards.pieces import words
from dashboards.pieces.palette import Palette

Json = Mapping[str, Any]


Picture = alt.LayerChart | alt.FacetChart
"""What Altair calls a layered chart."""


def rows_of(values: Sequence[Mapping[str, Any]]) -> alt.InlineData:
    """Rows to draw, inside the chart itself."""
    return alt.InlineData(values=[dict(value) for value in values])


def day_axis(**axis: Any) -> alt.X:
    """Days of UTC across, as text such as `2026-03-01` has them: the reader's own zone would move them by one."""
    return alt.X(
        "day:T", title=None, scale=alt.Scale(type="utc"), axis=alt.Axis(format="%-d %b", grid=False, **axis)
    )


def rows_of_days(values: Sequence[Json]) -> alt.InlineData:
    """Rows to draw whose `day` is text such as `2026-03-01`, each with its day in words."""
    days = [date.fromisoformat(value["day"]) for value in values]
    return rows_of(
        [{**value, "told_day": f"{d:%a} {d.day} {d:%b}"} for value, d in zip(values, days, strict=True)]
    )


def day_told() -> alt.Tooltip:
    """The day under the pointer, of `rows_of_days`. As words: tooltips print times in the reader's zone alone, whatever
    their time unit (vega-lite's issue 7185)."""
    return alt.Tooltip("told_day:N", title="day (UTC)")


def threshold_strip(probability: float, thresholds: Json, colours: Palette) -> Picture:
    """Where the probability lies between approve, review and decline; the scale gives small shares more room."""
    zones = _zones(float(thresholds["review_at"]), float(thresholds["decline_at"]))
    ticks = sorted({zone["from"] for zone in zones} | {1.0})
    axis = alt.Axis(
        values=ticks,
        title=None,
        labelExpr="format(datum.value * 100, '.3~g') + ' %'",
        grid=False,
        labelOverlap="greedy",
        ticks=False,
        domain=False,
        labelPadding=3,
    )
    scale = alt.Scale(type="pow", exponent=0.5, domain=[0, 1])
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[0, 1]))
    kinds = alt.Scale(domain=list(words.OUTCOMES), range=[colours.approve, colours.review, colours.decline])
    bands = alt.Chart(rows_of(zones)).mark_bar(height=18, opacity=0.34).encode(
        x=alt.X("from:Q", scale=scale, axis=axis), x2=alt.X2("to:Q"), y=y,
        color=alt.Color("zone:N", legend=None, scale=kinds),
    )  # fmt: skip
    names = alt.Chart(rows_of(zones)).mark_text(fontSize=11, color=colours.ink).encode(
        x=alt.X("mid:Q", scale=scale), y=y, text=alt.Text("word:N")
    )  # fmt: skip
    here = alt.Chart(rows_of([{"p": probability, "y": 0.88}])).mark_point(
        shape="triangle-down", size=120, filled=True, opacity=1, color=colours.ink
    ).encode(x=alt.X("p:Q", scale=scale), y=y)  # fmt: skip
    return dressed(alt.layer(bands, names, here).properties(height=68), colours)


def _zones(review_at: float, decline_at: float) -> list[dict[str, Any]]:
    found = []
    for start, end, zone in (
        (0.0, review_at, "approve"),
        (review_at, decline_at, "review"),
        (decline_at, 1.0, "decline"),
    ):
        width = end**0.5 - start**0.5
        if width > 0:
            word = words.sign_and_word(zone, words.OUTCOMES)
            mid = ((end**0.5 + start**0.5) / 2) ** 2
            found.append(
                {
                    "from": start,
                    "to": end,
                    "zone": zone,
                    "mid": mid,
                    "word": word if width > 0.18 else word[0],
                    "y": 0.36,
                }
            )
    return found


def spending_finding(history: Sequence[Json], amount_minor: float) -> str:
    """How this amount compares with the entity's earlier ones, in a sentence."""
    earlier = [float(row["amount_minor"]) for row in history if row.get("amount_minor") is not None]
    if not earlier:
        return "There are no earlier payments to compare with"
    usual, larger = median(earlier), sum(amount >= amount_minor for amount in earlier)
    compared = (
        f"{words.times(amount_minor / usual)} the median" if usual > 0 else "more than the median of nothing"
    )
    rank = "the largest" if larger == 0 else f"{words.count(larger)} as large"
    return f"{compared} of {words.plural(len(earlier), 'earlier payment')}, {rank}"


SPENDING_KINDS = {"earlier": "earlier payment", "known_fraud": "known fraud", "this": "this payment"}


def spending(history: Sequence[Json], transaction: Json, colours: Palette) -> Picture:
    """Amounts over time, with the median of the earlier ones; this payment is the large diamond."""
    currency = transaction["currency"]
    known = [row for row in history if row.get("amount_minor") is not None]
    points = [_point(row, currency, "known_fraud" if row.get("known_fraud") else "earlier") for row in known]
    kinds = list(SPENDING_KINDS)
    tooltip = [
        alt.Tooltip("at:T", title="When", format="%d %b %Y %H:%M"),
        alt.Tooltip("told:N", title="Amount"),
        alt.Tooltip("what:N", title="What"),
    ]
    marks = alt.Chart(rows_of([*points, _point(transaction, currency, "this")])).mark_point(
        filled=True, opacity=0.9
    )
    layers: list[alt.Chart] = [
        marks.encode(
            x=alt.X("at:T", title=None, axis=alt.Axis(tickCount=6, grid=False)),
            y=alt.Y(
                "amount:Q",
                title=currency,
                axis=alt.Axis(tickCount=4),
                scale=alt.Scale(type="symlog", constant=10),
            ),
            tooltip=tooltip,
            size=_larger_if_this(260, 60),
            shape=alt.Shape(
                "kind:N", legend=None, scale=alt.Scale(domain=kinds, range=["circle", "cross", "diamond"])
            ),
            color=alt.Color(
                "kind:N",
                legend=None,
                scale=alt.Scale(domain=kinds, range=[colours.quiet, colours.decline, colours.accent]),
            ),
        )
    ]
    if points:
        line = alt.Chart(rows_of([{"usual": median(p["amount"] for p in points)}]))
        layers.insert(0, line.mark_rule(strokeDash=[4, 4], color=colours.quiet).encode(y=alt.Y("usual:Q")))
    return dressed(alt.layer(*layers).properties(height=190), colours)


def small_spending(history: Sequence[Json], transaction: Json, colours: Palette) -> Picture:
    """The same without axes, to stand under the amount."""
    currency = transaction["currency"]
    known = [row for row in history if row.get("amount_minor") is not None]
    points = [_point(row, currency, "known_fraud" if row.get("known_fraud") else "earlier") for row in known]
    scale = alt.Scale(type="symlog", constant=10)
    kinds = alt.Scale(domain=list(SPENDING_KINDS), range=[colours.quiet, colours.decline, colours.accent])
    shapes = alt.Scale(domain=list(SPENDING_KINDS), range=["circle", "cross", "diamond"])
    tooltip = [
        alt.Tooltip("at:T", title="When", format="%d %b %Y %H:%M"),
        alt.Tooltip("told:N", title="Amount"),
    ]
    dots = rows_of([*points, _point(transaction, currency, "this")])
    marks = alt.Chart(dots).mark_point(filled=True, opacity=0.9).encode(
        x=alt.X("at:T", axis=None), y=alt.Y("amount:Q", axis=None, scale=scale), tooltip=tooltip,
        size=_larger_if_this(150, 32),
        shape=alt.Shape("kind:N", legend=None, scale=shapes), color=alt.Color("kind:N", legend=None, scale=kinds),
    )  # fmt: skip
    layers = [marks]
    if points:
        line = alt.Chart(rows_of([{"usual": median(p["amount"] for p in points)}]))
        usual = alt.Y("usual:Q", axis=None, scale=scale)
        layers.insert(0, line.mark_rule(strokeDash=[4, 4], color=colours.quiet).encode(y=usual))
    return dressed(alt.layer(*layers).properties(height=54), colours)


def _larger_if_this(this: int, other: int) -> alt.SizeValue:
    return alt.SizeValue(other, condition={"test": "datum.kind == 'this'", "value": this})


def _point(row: Json, currency: str, kind: str) -> dict[str, Any]:
    amount = float(row["amount_minor"] or 0)
    told = words.money(amount, currency)
    return {
        "at": row["occurred_at"],
        "amount": words.major(amount, currency),
        "told": told,
        "kind": kind,
        "what": SPENDING_KINDS[kind],
    }


def intervals(rows: Sequence[Json], colours: Palette, *, domain: tuple[float, float] = (0.0, 1.0)) -> Picture:
    """Estimates with their intervals: rows of name, value, low, high."""
    frame = rows_of(list(rows))
    y = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=240, ticks=False, domain=False))
    x = alt.X("low:Q", title=None, scale=alt.Scale(domain=list(domain)), axis=alt.Axis(tickCount=6))
    whiskers = (
        alt.Chart(frame)
        .mark_rule(strokeWidth=6, opacity=0.3, color=colours.accent)
        .encode(y=y, x=x, x2=alt.X2("high:Q"))
    )
    dots = alt.Chart(frame).mark_point(filled=True, size=110, opacity=1, color=colours.accent).encode(
        y=y, x=alt.X("value:Q"), tooltip=["name:N", "value:Q", "low:Q", "high:Q"]
    )  # fmt: skip
    return dressed(alt.layer(whiskers, dots).properties(height=34 * max(1, len(rows)) + 24), colours)


def shares(rows: Sequence[Json], colours: Palette) -> Picture:
    """Horizontal bars of name and count, with the count printed."""
    frame = rows_of(list(rows))
    y = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=260, ticks=False, domain=False))
    bars = alt.Chart(frame).mark_bar(height=14, cornerRadius=2, color=colours.accent).encode(
        y=y, x=alt.X("count:Q", title=None, axis=None)
    )  # fmt: skip
    texts = bars.mark_text(align="left", dx=5, color=colours.ink).encode(text=alt.Text("count:Q", format=","))
    return dressed(alt.layer(bars, texts).properties(height=28 * max(1, len(rows)) + 8), colours)


def dressed(chart: Picture, colours: Palette) -> Picture:
    """The chart in the console's own look."""
    return (
        chart.configure(
            background="transparent",
            font="Source Sans, sans-serif",
            padding={"left": 0, "right": 8, "top": 2, "bottom": 2},
        )
        .configure_view(strokeWidth=0)
        .configure_axis(
            labelColor=colours.ink,
            titleColor=colours.quiet,
            gridColor=colours.line,
            domainColor=colours.line,
            tickColor=colours.line,
            labelFontSize=12,
            titleFontSize=11,
            titleFontWeight="normal",
        )
    )


def pace(by_day: Sequence[Json], colours: Palette) -> Picture:
    """Answers by day: rows of day, n and the usual time to an answer, told in words."""
    bars = (
        alt.Chart(rows_of_days(by_day))
        .mark_bar(color=colours.accent, cornerRadius=2, size=12)
        .encode(
            x=day_axis(tickCount=7, labelOverlap=True),
            y=alt.Y("n:Q", title="answers", axis=alt.Axis(tickCount=3, gridOpacity=0.3)),
            tooltip=[
                day_told(),
                alt.Tooltip("n:Q", title="answers"),
                alt.Tooltip("told:N", title="usual time"),
            ],
        )
    )
    return dressed(alt.layer(bars).properties(height=130), colours)
