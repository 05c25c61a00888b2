"""How did a score come about? The SHAP waterfall in the analyst's words, with the rules on the same picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import altair as alt

from dashboards.pieces import words
from dashboards.pieces.charts import Picture, dressed, rows_of
from dashboards.pieces.palette import Palette

Json = Mapping[str, Any]
MOST_BARS = 8
_LABELS = 300
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
        return {
            "label": self.label,
            "low": low,
            "high": high,
            "kind": self.kind,
            "text": self.text,
            "told": self.told,
        }


def steps(explanation: Json) -> list[Row]:
    """The steps from a typical payment to this one's score: largest first, the smallest ones together."""
    bars = sorted(explanation["bars"], key=lambda bar: -abs(bar["contribution"]))
    shown, rest = bars[:MOST_BARS], bars[MOST_BARS:]
    at = float(explanation["base"])
    rows = [Row("A typical payment", 0.0, at, "base", f"{at:+.2f}", "Where every payment starts")]
    for bar in shown:
        push = float(bar["contribution"])
        label = words.capital(f"{bar['phrase']}: {bar['value_text']}")
        text = f"{push:+.2f} {words.strength(push)}"
        rows.append(Row(label, at, at + push, _kind(push), text, words.pull(push)))
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


def picture(explanation: Json, rules: Sequence[Json], colours: Palette) -> Picture:
    """SHAP waterfall in log-odds, with the rules that were hit on the same picture."""
    rows = steps(explanation)
    hits = [rule for rule in rules if rule.get("state") == "hit"]
    order = [row.label for row in rows] + [_rule_label(rule) for rule in hits]
    ends = [row.end for row in rows]
    reach = max(ends) - min(ends) + 0.2
    domain = (min(ends) - 0.04 * reach, max(ends) + 0.34 * reach)
    axis = alt.Axis(
        labelLimit=_LABELS, minExtent=_LABELS, maxExtent=_LABELS, labelPadding=8, ticks=False, domain=False
    )
    y = alt.Y("label:N", sort=order, title=None, axis=axis)
    layers = _step_layers(rows, y, alt.Scale(domain=list(domain), nice=False), colours)
    if hits:
        layers += _rule_layers(hits, y, domain, colours)
    return dressed(alt.layer(*layers).properties(height=_ROW * len(order) + 8), colours)


def _step_layers(rows: Sequence[Row], y: alt.Y, scale: alt.Scale, colours: Palette) -> list[alt.Chart]:
    moves = rows_of([row.as_dict() for row in rows if row.kind in ("fraud", "legitimate")])
    stops = rows_of([row.as_dict() | {"high": row.end} for row in rows if row.kind in ("base", "total")])
    title = "◀ towards legitimate      score in log-odds      towards fraud ▶"
    x = alt.X("low:Q", scale=scale, axis=alt.Axis(title=title, tickCount=5, titlePadding=6))
    at_end = alt.X("high:Q", scale=scale)
    kinds = alt.Scale(domain=["fraud", "legitimate"], range=[colours.decline, colours.approve])
    tooltip = [
        alt.Tooltip("label:N", title="What"),
        alt.Tooltip("told:N", title="Effect"),
        alt.Tooltip("text:N", title="Log-odds"),
    ]
    bars = alt.Chart(moves).mark_bar(height=14, cornerRadius=2).encode(
        y=y, x=x, x2=alt.X2("high:Q"), tooltip=tooltip, color=alt.Color("kind:N", legend=None, scale=kinds)
    )  # fmt: skip
    diamonds = alt.Chart(stops).mark_point(
        filled=True, shape="diamond", size=150, opacity=1, color=colours.accent
    )
    points = diamonds.encode(y=y, x=at_end, tooltip=tooltip)
    amounts = alt.Chart(moves).mark_text(align="left", dx=5, color=colours.ink, fontSize=12)
    texts = [_stop_text(row, rows, colours) for row in rows if row.kind in ("base", "total")]
    return [
        bars,
        points,
        *(mark.encode(y=y, x=at_end, text=alt.Text("text:N")) for mark in (amounts, *texts)),
    ]


def _stop_text(row: Row, rows: Sequence[Row], colours: Palette) -> alt.Chart:
    """The figure of a stop, on the side of its mark where there is more room."""
    ends = [r.end for r in rows]
    at_right = row.end > (min(ends) + max(ends)) / 2
    frame = rows_of([row.as_dict() | {"high": row.end}])
    align: Literal["left", "right"] = "right" if at_right else "left"
    dx = -11 if at_right else 11
    return alt.Chart(frame).mark_text(align=align, dx=dx, color=colours.ink, fontSize=12, fontWeight=700)


def _rule_label(rule: Json) -> str:
    return f"Rule: {rule.get('title') or rule.get('id')}"


def _floor(rule: Json) -> str:
    return words.sign_and_word(rule.get("floor") or "review", words.OUTCOMES)


def _rule_layers(
    hits: Sequence[Json], y: alt.Y, ends: tuple[float, float], colours: Palette
) -> list[alt.Chart]:
    rows = [
        {
            "label": _rule_label(rule),
            "low": ends[0],
            "high": ends[1],
            "text": f"◆ asks for at least {_floor(rule)}, whatever the score",
            "why": rule.get("reason", ""),
        }
        for rule in hits
    ]
    frame = rows_of(rows)
    tooltip = [alt.Tooltip("label:N", title="Rule"), alt.Tooltip("why:N", title="Reason")]
    band = alt.Chart(frame).mark_bar(height=20, cornerRadius=2, opacity=0.18, color=colours.rule)
    text = alt.Chart(frame).mark_text(align="left", dx=8, color=colours.ink, fontSize=12, fontWeight=600)
    return [
        band.encode(y=y, x=alt.X("low:Q"), x2=alt.X2("high:Q"), tooltip=tooltip),
        text.encode(y=y, x=alt.X("low:Q"), text=alt.Text("text:N")),
    ]


def finding(explanation: Json) -> tuple[str, str]:
    """The strongest reason for fraud and the strongest against it, each with its value; '' where there is none."""
    bars = sorted(explanation["bars"], key=lambda bar: -abs(bar["contribution"]))
    towards = (_said(bar) for bar in bars if bar["contribution"] > 0)
    against = (_said(bar) for bar in bars if bar["contribution"] < 0)
    return next(towards, ""), next(against, "")


def _said(bar: Json) -> str:
    return f"{bar['phrase']} ({bar['value_text']}), {words.pull(float(bar['contribution']))}"


def told(explanation: Json) -> str:
    """The same picture in a sentence, for readers who do not see it."""
    bars = sorted(explanation["bars"], key=lambda bar: -abs(bar["contribution"]))[:3]
    told = [f"{bar['phrase']} ({bar['value_text']}) {words.pull(float(bar['contribution']))}" for bar in bars]
    return "Strongest first: " + "; ".join(told) + "."
