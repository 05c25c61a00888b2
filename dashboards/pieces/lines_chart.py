"""What do measures over a share, or tasks by day, look like as lines?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from dashboards.pieces.charts import Picture, day_axis, day_told, dressed, rows_of, rows_of_days
from dashboards.pieces.palette import Palette


def over_share(rows: Sequence[Mapping[str, Any]], colours: Palette, title: str) -> Picture:
    """Lines of `y` over the share `x` (log scale), one for each `line`, labelled at their right end."""
    names = list(dict.fromkeys(str(row["line"]) for row in rows))
    shades = [colours.quiet, colours.accent, colours.review, colours.ink][: len(names)]
    percent = "format(datum.value * 100, '~g') + ' %'"
    x = alt.X(
        "x:Q",
        title=title,
        scale=alt.Scale(type="log"),
        axis=alt.Axis(values=[0.005, 0.01, 0.05, 0.1, 0.5], labelExpr=percent, grid=False),
    )
    colour = alt.Color("line:N", legend=None, scale=alt.Scale(domain=names, range=shades))
    base = alt.Chart(rows_of(rows)).encode(
        x=x, y=alt.Y("y:Q", title=None, axis=alt.Axis(tickCount=5)), color=colour
    )
    last = max(float(row["x"]) for row in rows)
    ends = [row for row in rows if row["x"] == last]
    labels = (
        alt.Chart(rows_of(ends))
        .mark_text(align="left", dx=6, fontSize=12)
        .encode(x=x, y=alt.Y("y:Q"), text=alt.Text("line:N"), color=colour)
    )
    return dressed(alt.layer(base.mark_line(strokeWidth=2.5), labels).properties(height=240), colours)


def arrivals(by_day: Sequence[Mapping[str, Any]], colours: Palette) -> Picture:
    """Tasks that arrived and tasks that were answered, by day."""
    rows = [
        {"day": row["day"], "what": what, "n": row[key]}
        for row in by_day
        for what, key in (("Arrived", "arrivals"), ("Answered", "reviews"))
    ]
    legend = alt.Legend(orient="top", title=None, symbolType="stroke", symbolSize=400)
    base = alt.Chart(rows_of_days(rows)).encode(
        x=day_axis(tickCount=7),
        y=alt.Y("n:Q", title="tasks", axis=alt.Axis(tickCount=3, tickMinStep=1, format="d", gridOpacity=0.3)),
        color=alt.Color(
            "what:N",
            scale=alt.Scale(domain=["Arrived", "Answered"], range=[colours.accent, colours.rule]),
            legend=legend,
        ),
        tooltip=[day_told(), "what:N", "n:Q"],
    )
    lines = base.mark_line(interpolate="monotone").encode(strokeDash=alt.StrokeDash("what:N", legend=legend))
    points = base.mark_point(filled=True, size=24)
    chart: alt.LayerChart = (lines + points).properties(height=150, background="transparent")
    return chart.configure_view(stroke=None).configure_axis(labelColor=colours.ink, domain=False)
