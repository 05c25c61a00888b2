"""What do the entities around a payment look like, from the payment to what it names to who else used it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from dashboards.pieces import words
from dashboards.pieces.charts import Picture, dressed, rows_of
from dashboards.pieces.palette import Palette

Json = Mapping[str, Any]
_ROW = 30
_COLUMNS = {0: 0.0, 1: 0.9, 2: 2.1}
_REACH = 3.0
KINDS = {"card": "square", "device": "triangle-up", "customer": "circle"}
"""Shapes of the usual kinds, so that no kind is told by its colour alone; any other is a diamond."""


def picture(links: Json, currency: str, colours: Palette) -> Picture:
    """The links as a tree of dots and lines: a line is as thick as payments it stands for, red where one was fraud."""
    places = _places(links)
    nodes = [_node(node, places[node["id"]], currency) for node in links["nodes"]]
    edges = [_edge(edge, places) for edge in links["edges"]]
    rows = max((place[1] for place in places.values()), default=0.0) + 1
    x = alt.Scale(domain=[-0.08, _REACH], nice=False, zero=False)
    y = alt.Scale(domain=[-0.7, rows - 0.3], reverse=True, nice=False, zero=False)
    return dressed(
        alt.layer(_lines(edges, x, y, colours), *_dots(nodes, x, y, colours)).properties(
            height=max(110, int(_ROW * rows) + 12)
        ),
        colours,
    )


def told(links: Json) -> str:
    """The same picture in sentences, for readers who do not see it."""
    return " ".join([*links["sentences"], links["limits"]])


def _places(links: Json) -> dict[str, tuple[float, float]]:
    """(column, row) of each node: the outermost get a row each, whatever leads to them stands in their middle."""
    leads: dict[str, list[str]] = {}
    for edge in links["edges"]:
        leads.setdefault(edge["from"], []).append(edge["to"])
    rows: dict[str, float] = {}
    free = 0
    own = leads.get("payment", [])
    for name in own:
        fresh = [other for other in leads.get(name, []) if other not in rows]
        for other in fresh:
            rows[other], free = float(free), free + 1
        if fresh:
            rows[name] = (rows[fresh[0]] + rows[fresh[-1]]) / 2
        else:
            rows[name], free = float(free), free + 1
    rows["payment"] = sum(rows[name] for name in own) / len(own) if own else 0.0
    hops = {node["id"]: node["hop"] for node in links["nodes"]}
    return {name: (_COLUMNS[hops[name]], row) for name, row in rows.items()}


def _node(node: Json, place: tuple[float, float], currency: str) -> dict[str, Any]:
    kind = str(node["kind"])
    named = f"{kind.replace('_', ' ')} {node['value']}"
    frauds = node.get("known_frauds") or 0
    if node["hop"] == 0:
        label, about = "this payment", words.money(node.get("amount_minor"), currency)
    else:
        counted = (
            words.plural(node.get("payments") or 0, "payment")
            if node.get("payments")
            else "never seen before"
        )
        hub = ", many meet here: not followed" if node.get("hub") else ""
        label, about = f"{named} · {counted}{hub}", counted
    label += f" · ✕ {words.plural(frauds, 'known fraud')}" if frauds else ""
    shape = "cross" if node["hop"] == 0 else KINDS.get(kind, "diamond")
    tone = "fraud" if frauds else "this" if node["hop"] == 0 else "other"
    return {
        "x": place[0],
        "y": place[1],
        "label": label,
        "about": about,
        "shape": shape,
        "tone": tone,
        "what": named,
    }


def _edge(edge: Json, places: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
    (x, y), (x2, y2) = places[edge["from"]], places[edge["to"]]
    tone = "fraud" if edge["known_frauds"] else "other"
    return {
        "x": x,
        "y": y,
        "x2": x2,
        "y2": y2,
        "tone": tone,
        "width": min(1.2 + edge["payments"] ** 0.5 / 2, 5.0),
    }


def _lines(edges: Sequence[Json], x: alt.Scale, y: alt.Scale, colours: Palette) -> alt.Chart:
    tones = alt.Scale(
        domain=["fraud", "other", "this"], range=[colours.decline, colours.quiet, colours.accent]
    )
    return alt.Chart(rows_of(edges)).mark_rule(opacity=0.45).encode(
        x=alt.X("x:Q", scale=x, axis=None), x2=alt.X2("x2:Q"), y=alt.Y("y:Q", scale=y, axis=None), y2=alt.Y2("y2:Q"),
        color=alt.Color("tone:N", legend=None, scale=tones),
        strokeWidth=alt.StrokeWidth("width:Q", legend=None, scale=None),
    )  # fmt: skip


def _dots(nodes: Sequence[Json], x: alt.Scale, y: alt.Scale, colours: Palette) -> list[alt.Chart]:
    tones = alt.Scale(
        domain=["fraud", "other", "this"], range=[colours.decline, colours.quiet, colours.accent]
    )
    place = {"x": alt.X("x:Q", scale=x, axis=None), "y": alt.Y("y:Q", scale=y, axis=None)}
    tooltip = [alt.Tooltip("what:N", title="What"), alt.Tooltip("about:N", title="Seen")]
    dots = alt.Chart(rows_of(nodes)).mark_point(filled=True, opacity=1, size=120).encode(
        **place, tooltip=tooltip, color=alt.Color("tone:N", legend=None, scale=tones),
        shape=alt.Shape("shape:N", legend=None, scale=None),
    )  # fmt: skip
    # What leads on is written above its dot, clear of the lines; the outermost beside theirs.
    inner = rows_of([node for node in nodes if node["x"] == _COLUMNS[1]])
    outer = rows_of([node for node in nodes if node["x"] >= _COLUMNS[2]])
    centre = rows_of([node for node in nodes if node["x"] == _COLUMNS[0]])
    above = alt.Chart(inner).mark_text(align="left", dx=-6, dy=-13, fontSize=12, color=colours.ink)
    below = alt.Chart(centre).mark_text(align="left", dx=-6, dy=17, fontSize=12, color=colours.ink)
    beside = alt.Chart(outer).mark_text(align="left", dx=10, fontSize=12, color=colours.ink)
    texts = [mark.encode(**place, text=alt.Text("label:N")) for mark in (above, below, beside)]
    # The paper's own colour around the letters keeps the lines off them.
    halos = [text.copy().encode(stroke=alt.value(colours.paper), strokeWidth=alt.value(4)) for text in texts]
    return [dots, *halos, *texts]
