"""What do figures, intervals, shares and tables look like in the printable report?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any


def figure(measure: Mapping[str, Any]) -> tuple[str, str, str]:
    """Value, interval and bar of a figure; the reason where there is no interval."""
    value, low, high = (measure.get(key) for key in ("value", "low", "high"))
    if value is None:
        return "-", escape(str(measure.get("sentence", "no cases"))), ""
    if low is None or high is None:
        return f"{value:.3f}", escape(str(measure.get("sentence", ""))), ""
    return f"{value:.3f}", f"<span class=fixed>{low:.3f} to {high:.3f}</span>", bar(value, low, high)


def bar(value: float, low: float, high: float) -> str:
    """An interval on a scale that runs from 0 to 1 (from -1 where it must)."""
    start = -1.0 if low < 0 else 0.0

    def at(x: float) -> float:
        return round(4 + 192 * (x - start) / (1 - start), 1)

    label = f"{value:.2f}, from {low:.2f} to {high:.2f}"
    zero = f'<line x1="{at(0)}" x2="{at(0)}" y1="2" y2="16" stroke="#999"/>'
    return (
        f'<svg width="200" height="18" role="img" aria-label="{label}">'
        f'<line x1="4" x2="196" y1="9" y2="9" stroke="#ddd"/>{zero}'
        f'<line x1="{at(low)}" x2="{at(high)}" y1="9" y2="9" stroke="#0072B2" stroke-width="3"/>'
        f'<circle cx="{at(value)}" cy="9" r="4.5" fill="#0072B2"/></svg>'
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML already."""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in rows)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>\n{body}</tbody></table></div>'


def share(found: Mapping[str, Any]) -> str:
    if found["value"] is None:
        return "-"
    if found.get("low") is None:
        return f"{found['value']:.1%}"
    return f"{found['value']:.1%}<br><span class=faint>{found['low']:.1%} to {found['high']:.1%}, n {found['n']}</span>"


def chance(p: float) -> str:
    return "under 0.0001" if p < 0.0001 else f"{p:.4f}"
