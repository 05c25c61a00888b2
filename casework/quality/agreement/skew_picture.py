"""How does the effect of skew look as a small picture with nothing to load?"""

from __future__ import annotations

from collections.abc import Mapping
from math import log
from typing import Any

_LINES = (("raw", "raw", "#5a5a5a"), ("ac1", "AC1", "#0072B2"), ("positive_specific", "on fraud", "#B25600"),
          ("alpha", "alpha", "#1b1b1b"))  # fmt: skip
_WIDTH, _HEIGHT = 560, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 90, 12, 40
_APART = 14.0


def picture(found: Mapping[str, Any]) -> str:
    """An inline SVG: each coefficient against the share of fraud (log scale), lines labelled at their end."""
    points = found["points"]
    low, high = log(points[0]["fraud"]), log(points[-1]["fraud"])

    def x(fraud: float) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * (log(fraud) - low) / (high - low), 1)

    def y(value: float) -> float:
        return round(_TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - max(value, 0.0)), 1)

    parts = [
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(v)}" y2="{y(v)}" stroke="#ddd"/>'
        f'<text x="{_LEFT - 8}" y="{y(v) + 4}" text-anchor="end" font-size="12">{v:g}</text>'
        for v in (0, 0.25, 0.5, 0.75, 1)
    ]
    parts += [
        f'<text x="{x(share)}" y="{_HEIGHT - 22}" text-anchor="middle" font-size="12">{share:.0%}</text>'
        for share in (0.01, 0.05, 0.1, 0.5)
    ]
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(
        f'<text x="{middle}" y="{_HEIGHT - 5}" text-anchor="middle" font-size="12">share of fraud</text>'
    )
    ends = _spread({key: y(points[-1][key]) for key, _, _ in _LINES})
    for key, name, colour in _LINES:
        way = " ".join(f"{x(p['fraud'])},{y(p[key])}" for p in points)
        width = 3 if key == "alpha" else 2
        parts.append(f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="{width}"/>')
        parts.append(
            f'<text x="{_WIDTH - _RIGHT + 6}" y="{ends[key] + 4:.1f}" font-size="13" fill="{colour}">{name}</text>'
        )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img" '
        f'aria-label="{found["sentence"]}">{"".join(parts)}</svg>'
    )


def _spread(ends: dict[str, float]) -> dict[str, float]:
    """Where labels stand so that none lies on another."""
    found: dict[str, float] = {}
    least = 0.0
    for key, place in sorted(ends.items(), key=lambda end: end[1]):
        found[key] = max(place, least)
        least = found[key] + _APART
    return found
