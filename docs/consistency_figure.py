"""Why do alpha and AC1 disagree about the same two reviewers? Draws docs/consistency.png."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from casework.quality.agreement.coefficients import gwet_ac1, krippendorff_alpha, raw, specific

matplotlib.use("Agg")

SKILLS = ((0.80, 0.95), (0.50, 0.85))
SHARES = np.concatenate([np.geomspace(0.002, 0.1, 40), np.linspace(0.11, 0.5, 40)])
BOTH_ONE_NEITHER = np.array([[2.0, 0.0], [1.0, 1.0], [0.0, 2.0]])
INK, FAINT = "#222222", "#8a8a8a"
# Okabe and Ito's colours, distinguishable with any colour vision.
LINES = {
    "raw agreement": ("#8a8a8a", raw),
    "Gwet's AC1": ("#0072B2", gwet_ac1),
    "positive agreement": ("#009E73", lambda rows, weights: specific(rows, weights, 0)),
    "Krippendorff's alpha": ("#D55E00", krippendorff_alpha),
}


def expected_shares(sensitivity: float, specificity: float) -> np.ndarray:
    """Per share of fraud, the shares of cases that both, one or neither of two analysts call fraud."""
    both = SHARES * sensitivity**2 + (1 - SHARES) * (1 - specificity) ** 2
    neither = SHARES * (1 - sensitivity) ** 2 + (1 - SHARES) * specificity**2
    return np.stack([both, 1 - both - neither, neither], axis=1) * 1e9


def draw() -> Figure:
    """Two panels, one per skill; the analysts are the same all along each line."""
    figure = Figure(figsize=(10.5, 4.2), dpi=130, layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, skill in zip(panels, SKILLS, strict=True):
        _panel(axes, *skill)
    panels[0].set_ylabel("agreement", color=INK, fontsize=9)
    figure.supxlabel("share of fraud among the cases (log scale)", fontsize=9, color=INK)
    return figure


def _panel(axes: Axes, sensitivity: float, specificity: float) -> None:
    weights = expected_shares(sensitivity, specificity)
    ends = []
    for name, (colour, statistic) in LINES.items():
        values = statistic(BOTH_ONE_NEITHER, weights)
        axes.plot(SHARES, values, color=colour, linewidth=2)
        ends.append((float(values[0]), name, colour))
    for height, (_, name, colour) in zip(_apart([end for end, *_ in ends]), ends, strict=True):
        axes.annotate(
            name, (SHARES[0], height), (-6, 0), textcoords="offset points", ha="right", va="center",
            color=colour, fontsize=9,
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(0.0002, 0.5)
    axes.set_xticks([0.002, 0.01, 0.05, 0.15, 0.5])
    axes.set_xticks([], minor=True)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share:.1%}".replace(".0%", "%")))
    axes.set_ylim(-0.03, 1)
    axes.set_title(
        f"Two analysts who find {sensitivity:.0%} of frauds\nand clear {specificity:.0%} of honest payments",
        loc="left", fontsize=10, color=INK,
    )  # fmt: skip
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.tick_params(colors=INK, labelsize=9)


def _apart(heights: list[float], gap: float = 0.055) -> list[float]:
    """The same heights, moved so that no two labels overlap."""
    placed = list(heights)
    order = sorted(range(len(heights)), key=heights.__getitem__)
    for lower, upper in pairwise(order):
        placed[upper] = max(placed[upper], placed[lower] + gap)
    return placed


if __name__ == "__main__":
    draw().savefig(Path(__file__).with_name("consistency.png"))
