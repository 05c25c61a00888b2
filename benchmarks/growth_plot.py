"""What does growth look like? Draws docs/growth.png from what benchmarks.growth measured."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

matplotlib.use("Agg")

INK, FAINT, DECISION, FEATURES, TARGET = "#222222", "#8a8a8a", "#0072B2", "#009E73", "#D55E00"
FLAT = 1.2


def draw(found: list[dict[str, Any]], path: Path) -> None:
    """Decision time, memory and start against the payments of history; `found` as benchmarks.growth gives it."""
    sizes = [one["size"] for one in found]
    figure = Figure(figsize=(10.5, 3.4), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    _decisions(left, sizes, found)
    middle.plot(sizes, [one["state_bytes"] / 1e6 for one in found], "o-", color=DECISION)
    middle.set(yscale="log", title="Memory of the past, MB")
    right.plot(sizes, [one["start_cpu_s"] for one in found], "o-", color=DECISION, label="measured")
    right.plot(sizes, [size / 500_000 for size in sizes], "--", color=TARGET, label="500,000 a second")
    right.set(yscale="log", title="Rebuilt at start, CPU seconds")
    right.legend(frameon=False, fontsize=8)
    for axes in (left, middle, right):
        axes.set(xscale="log", xlabel="payments of history")
        axes.xaxis.set_major_formatter(FuncFormatter(_short))
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        axes.title.set_size(10)
    figure.savefig(path, dpi=130)


def _decisions(axes: Axes, sizes: list[int], found: list[dict[str, Any]]) -> None:
    for key, colour, label in (
        ("decision_cpu_us", DECISION, "a decision: features, rules, model, triage"),
        ("features_us", FEATURES, "of that, 41 features"),
    ):
        middle = [statistics.median(one[key]) for one in found]
        low, high = ([statistics.quantiles(one[key], n=4)[side] for one in found] for side in (0, 2))
        axes.plot(sizes, middle, "o-", color=colour, label=label)
        axes.fill_between(sizes, low, high, color=colour, alpha=0.15, linewidth=0)
    base = statistics.median(found[0]["decision_cpu_us"])
    axes.axhline(FLAT * base, linestyle="--", color=TARGET, label=f"{FLAT} times the smallest")
    axes.set(ylim=(0, None), title="p50, microseconds (band: quartiles of turns)")
    axes.legend(frameon=False, fontsize=8, loc="center left")


def _short(value: float, _: Any) -> str:
    return f"{value / 1e6:g} M" if value >= 1e6 else f"{value / 1e3:g} k"
