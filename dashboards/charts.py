"""What does a score, a threshold or a spending history look like? Altair charts whose titles state the finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import altair as alt

from dashboards import words
from dashboards.palette import Palette

Json = Mapping[str, Any]
MOST_BARS = 8
_LABELS = 318
_ROW = 24


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the waterfall: from `start` to `end` in log-odds, with what is printed beside it."""

    label: str
    start: float
    end: float
    kind: str
    text: str
    told: str

    def as_dict(self) -> dict[str, Any]:
        low, high = sorted((self.start, self.end))
        return {"label": self.label, "low": low, "high": high, "kind": self.kind, "text": self.text, "told": self.told}


def waterfall_rows(explanation: Json) -> list[Row]:
    """The steps from a typical payment to this one's score: largest first, the smallest ones together."""
    bars = sorted(explanation["bars"], key=lambda bar: -abs(bar["contribution"]))
    shown, rest = bars[:MOST_BARS], bars[MOST_BARS:]
    at = float(explanation["base"])
    rows = [Row("A typical payment", 0.0, at, "base", f"{at:+.2f}", "Where every payment starts")]
    for bar in shown:
        push = float(bar["contribution"])
        label = words.capital(f"{bar['phrase']}: {bar['value_text']}")
        rows.append(Row(label, at, at + push, _kind(push), f"{push:+.2f}", words.pull(push)))
        at += push
    if rest:
        push = sum(float(bar["contribution"]) for bar in rest)
        told = f"{words.plural(len(rest), 'smaller influence')}, together"
        rows.append(Row(told, at, at + push, _kind(push), f"{push:+.2f}", words.pull(push)))
    margin, probability = float(explanation["margin"]), explanation.get("probability")
    meant = f" → {words.percent(probability)} calibrated" if probability is not None else ""
    told = "The sum of the above, then calibrated to a probability"
    rows.append(Row("This payment", 0.0, margin, "total", f"{margin:+.2f}{meant}", told))
    return rows


def _kind(push: float) -> str:
    return "fraud" if push > 0 else "legitimate"


def waterfall(explanation: Json, rules: Sequence[Json], colours: Palette) -> alt.LayerChart:
    """SHAP waterfall in log-odds, with the rules that were hit on the same picture."""
    rows = waterfall_rows(explanation)
    hits = [rule for rule in rules if rule.get("state") == "hit"]
    order = [row.label for row in rows] + [_rule_label(rule) for rule in hits]
    ends = [row.end for row in rows]
    reach = max(ends) - min(ends) + 0.2
    domain = (min(ends) - 0.04 * reach, max(ends) + 0.16 * reach)
    axis = alt.Axis(labelLimit=_LABELS, minExtent=_LABELS, maxExtent=_LABELS, labelPadding=8, ticks=False, domain=False)
    y = alt.Y("label:N", sort=order, title=None, axis=axis)
    layers = _step_layers(rows, y, alt.Scale(domain=list(domain), nice=False), colours)
    if hits:
        layers += _rule_layers(hits, y, domain, colours)
    return _dressed(alt.layer(*layers).properties(height=_ROW * len(order) + 8), colours)


def _step_layers(rows: Sequence[Row], y: alt.Y, scale: alt.Scale, colours: Palette) -> list[alt.Chart]:
    steps = alt.Data(values=[row.as_dict() for row in rows if row.kind in ("fraud", "legitimate")])
    stops = alt.Data(values=[row.as_dict() | {"high": row.end} for row in rows if row.kind in ("base", "total")])
    title = "◀ towards legitimate      score in log-odds      towards fraud ▶"
    x = alt.X("low:Q", scale=scale, axis=alt.Axis(title=title, tickCount=5, titlePadding=6))
    at_end = alt.X("high:Q", scale=scale)
    kinds = alt.Scale(domain=["fraud", "legitimate"], range=[colours.decline, colours.approve])
    tooltip = [alt.Tooltip("label:N", title="What"), alt.Tooltip("told:N", title="Effect"), alt.Tooltip("text:N", title="Log-odds")]
    bars = alt.Chart(steps).mark_bar(height=14, cornerRadius=2).encode(
        y=y, x=x, x2="high:Q", tooltip=tooltip, color=alt.Color("kind:N", legend=None, scale=kinds)
    )  # fmt: skip
    points = alt.Chart(stops).mark_point(filled=True, shape="diamond", size=150, opacity=1, color=colours.accent).encode(
        y=y, x=at_end, tooltip=tooltip
    )  # fmt: skip
    amounts = alt.Chart(steps).mark_text(align="left", dx=5, color=colours.ink, fontSize=12)
    texts = [_stop_text(row, rows, colours) for row in rows if row.kind in ("base", "total")]
    return [bars, points, *(mark.encode(y=y, x=at_end, text="text:N") for mark in (amounts, *texts))]


def _stop_text(row: Row, rows: Sequence[Row], colours: Palette) -> alt.Chart:
    """The figure of a stop, on the side of its mark where there is more room."""
    ends = [r.end for r in rows]
    at_right = row.end > (min(ends) + max(ends)) / 2
    frame = alt.Data(values=[row.as_dict() | {"high": row.end}])
    return alt.Chart(frame).mark_text(
        align="right" if at_right else "left", dx=-11 if at_right else 11, color=colours.ink, fontSize=12, fontWeight=700
    )  # fmt: skip


def _rule_label(rule: Json) -> str:
    return f"Rule: {str(rule.get('title') or rule.get('id'))[:44]}"


def _rule_layers(hits: Sequence[Json], y: alt.Y, ends: tuple[float, float], colours: Palette) -> list[alt.Chart]:
    rows = [
        {
            "label": _rule_label(rule),
            "low": ends[0],
            "high": ends[1],
            "text": f"◆ asks for at least {words.sign_and_word(rule.get('floor') or 'review', words.OUTCOMES)}, whatever the score",
            "why": rule.get("reason", ""),
        }
        for rule in hits
    ]
    frame = alt.Data(values=rows)
    tooltip = [alt.Tooltip("label:N", title="Rule"), alt.Tooltip("why:N", title="Reason")]
    band = alt.Chart(frame).mark_bar(height=20, cornerRadius=2, opacity=0.18, color=colours.rule)
    text = alt.Chart(frame).mark_text(align="left", dx=8, color=colours.ink, fontSize=12, fontWeight=600)
    return [band.encode(y=y, x="low:Q", x2="high:Q", tooltip=tooltip), text.encode(y=y, x="low:Q", text="text:N")]


def waterfall_told(explanation: Json) -> str:
    """The same picture in a sentence, for readers who do not see it."""
    bars = sorted(explanation["bars"], key=lambda bar: -abs(bar["contribution"]))[:3]
    told = [f"{bar['phrase']} ({bar['value_text']}) {words.pull(float(bar['contribution']))}" for bar in bars]
    return "Strongest first: " + "; ".join(told) + "."


def threshold_strip(probability: float, thresholds: Json, colours: Palette) -> alt.LayerChart:
    """Where the probability lies between approve, review and decline; the scale gives small shares more room."""
    zones = _zones(float(thresholds["review_at"]), float(thresholds["decline_at"]))
    ticks = sorted({zone["from"] for zone in zones} | {1.0})
    axis = alt.Axis(values=ticks, title=None, labelExpr="format(datum.value * 100, '.3~g') + ' %'", grid=False, labelOverlap="greedy", ticks=False, domain=False, labelPadding=3)
    scale = alt.Scale(type="pow", exponent=0.5, domain=[0, 1])
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[0, 1]))
    kinds = alt.Scale(domain=list(words.OUTCOMES), range=[colours.approve, colours.review, colours.decline])
    bands = alt.Chart(alt.Data(values=zones)).mark_bar(height=18, opacity=0.34).encode(
        x=alt.X("from:Q", scale=scale, axis=axis), x2="to:Q", y=y, color=alt.Color("zone:N", legend=None, scale=kinds)
    )  # fmt: skip
    names = alt.Chart(alt.Data(values=zones)).mark_text(fontSize=11, color=colours.ink).encode(
        x=alt.X("mid:Q", scale=scale), y=y, text="word:N"
    )  # fmt: skip
    here = alt.Chart(alt.Data(values=[{"p": probability, "y": 0.88}])).mark_point(
        shape="triangle-down", size=120, filled=True, opacity=1, color=colours.ink
    ).encode(x=alt.X("p:Q", scale=scale), y=y)  # fmt: skip
    return _dressed(alt.layer(bands, names, here).properties(height=58), colours)


def _zones(review_at: float, decline_at: float) -> list[dict[str, Any]]:
    found = []
    for start, end, zone in ((0.0, review_at, "approve"), (review_at, decline_at, "review"), (decline_at, 1.0, "decline")):
        width = end**0.5 - start**0.5
        if width > 0:
            word = words.sign_and_word(zone, words.OUTCOMES)
            mid = ((end**0.5 + start**0.5) / 2) ** 2
            found.append({"from": start, "to": end, "zone": zone, "mid": mid, "word": word if width > 0.18 else word[0], "y": 0.36})
    return found


def spending_finding(history: Sequence[Json], amount_minor: float) -> str:
    """How this amount compares with the entity's earlier ones, in a sentence."""
    earlier = [float(row["amount_minor"]) for row in history if row.get("amount_minor") is not None]
    if not earlier:
        return "There are no earlier payments to compare with"
    usual, larger = median(earlier), sum(amount >= amount_minor for amount in earlier)
    compared = f"{words.times(amount_minor / usual)} the median" if usual > 0 else "more than the median of nothing"
    rank = "the largest" if larger == 0 else f"{words.count(larger)} as large or larger"
    return f"{compared} of {words.plural(len(earlier), 'earlier payment')}, {rank}"


SPENDING_KINDS = {"earlier": "earlier payment", "known_fraud": "known fraud", "this": "this payment"}


def spending(history: Sequence[Json], transaction: Json, colours: Palette) -> alt.LayerChart:
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
    marks = alt.Chart(alt.Data(values=[*points, _point(transaction, currency, "this")])).mark_point(filled=True, opacity=0.9)
    layers: list[alt.Chart] = [
        marks.encode(
            x=alt.X("at:T", title=None, axis=alt.Axis(tickCount=6, grid=False)),
            y=alt.Y("amount:Q", title=currency, axis=alt.Axis(tickCount=4), scale=alt.Scale(type="symlog", constant=10)),
            tooltip=tooltip,
            size=alt.condition("datum.kind == 'this'", alt.value(260), alt.value(60)),
            shape=alt.Shape("kind:N", legend=None, scale=alt.Scale(domain=kinds, range=["circle", "cross", "diamond"])),
            color=alt.Color(
                "kind:N", legend=None, scale=alt.Scale(domain=kinds, range=[colours.quiet, colours.decline, colours.accent])
            ),
        )
    ]
    if points:
        line = alt.Chart(alt.Data(values=[{"usual": median(p["amount"] for p in points)}]))
        layers.insert(0, line.mark_rule(strokeDash=[4, 4], color=colours.quiet).encode(y="usual:Q"))
    return _dressed(alt.layer(*layers).properties(height=190), colours)


def _point(row: Json, currency: str, kind: str) -> dict[str, Any]:
    amount = float(row["amount_minor"] or 0)
    told = words.money(amount, currency)
    return {"at": row["occurred_at"], "amount": words.major(amount, currency), "told": told, "kind": kind, "what": SPENDING_KINDS[kind]}


def intervals(rows: Sequence[Json], colours: Palette, *, domain: tuple[float, float] = (0.0, 1.0)) -> alt.LayerChart:
    """Estimates with their intervals: rows of name, value, low, high."""
    frame = alt.Data(values=list(rows))
    y = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=240, ticks=False, domain=False))
    x = alt.X("low:Q", title=None, scale=alt.Scale(domain=list(domain)))
    whiskers = alt.Chart(frame).mark_rule(strokeWidth=6, opacity=0.3, color=colours.accent).encode(y=y, x=x, x2="high:Q")
    dots = alt.Chart(frame).mark_point(filled=True, size=110, opacity=1, color=colours.accent).encode(
        y=y, x=alt.X("value:Q"), tooltip=["name:N", "value:Q", "low:Q", "high:Q"]
    )  # fmt: skip
    return _dressed(alt.layer(whiskers, dots).properties(height=34 * max(1, len(rows)) + 24), colours)


def shares(rows: Sequence[Json], colours: Palette) -> alt.LayerChart:
    """Horizontal bars of name and count, with the count printed."""
    frame = alt.Data(values=list(rows))
    y = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=260, ticks=False, domain=False))
    bars = alt.Chart(frame).mark_bar(height=14, cornerRadius=2, color=colours.accent).encode(
        y=y, x=alt.X("count:Q", title=None, axis=None)
    )  # fmt: skip
    texts = bars.mark_text(align="left", dx=5, color=colours.ink).encode(text=alt.Text("count:Q", format=","))
    return _dressed(alt.layer(bars, texts).properties(height=28 * max(1, len(rows)) + 8), colours)


def _dressed(chart: alt.LayerChart, colours: Palette) -> alt.LayerChart:
    return (
        chart.configure(background="transparent", font="Source Sans, sans-serif", padding={"left": 0, "right": 8, "top": 2, "bottom": 2})
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
