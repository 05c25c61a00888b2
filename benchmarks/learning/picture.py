"""How do the kept findings of both budgets look, week by week? python -m benchmarks.learning.picture FOLDER OUT.png"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from benchmarks.learning import budget, scarce
from benchmarks.learning.seeds import Found

matplotlib.use("Agg")
COLOURS = {budget.TOP.name: "#0072B2", budget.ASKED.name: "#D55E00"}  # Okabe and Ito


def kept(file: Path, arm: str) -> list[Found]:
    """Findings of an arm for the seeds that did not serve to choose (100 and up) and that both policies have."""
    found = json.loads(file.read_text())
    seeds = {int(key.split("/")[0]) for key in found}
    both = [s for s in sorted(seeds) if s >= 100 and all(f"{s}/{name}" in found for name in COLOURS)]
    return [found[f"{seed}/{arm}"] for seed in both]


def panel(axes: Axes, file: Path, title: str) -> None:
    """Mean over seeds with its 95 % interval, for both policies."""
    for arm, colour in COLOURS.items():
        weekly = np.array([one["weekly"] for one in kept(file, arm)])
        weeks, mean = np.arange(1, weekly.shape[1] + 1), weekly.mean(axis=0)
        half = stats.t.ppf(0.975, len(weekly) - 1) * weekly.std(axis=0, ddof=1) / np.sqrt(len(weekly))
        axes.plot(weeks, mean, color=colour, label=f"{arm} (n = {len(weekly)})")
        axes.fill_between(weeks, mean - half, mean + half, color=colour, alpha=0.2, linewidth=0)
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_xlabel("trainings, one a week")
    axes.set_ylim(0.5, 0.85)
    axes.spines[["top", "right"]].set_visible(False)


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print("usage: python -m benchmarks.learning.picture FOLDER OUT.png", file=sys.stderr)
        return 2
    folder, out = Path(arguments[0]), Path(arguments[1])
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    panel(
        left,
        folder / f"{budget.NAME}.json",
        "100 reviews a day: the highest scores\nteach all there is to learn",
    )
    panel(
        right,
        folder / f"{scarce.NAME}.json",
        "20 reviews a day, for some 80 frauds:\nasking about doubts teaches more",
    )
    left.set_ylabel("average precision, the week after")
    for axes in (left, right):
        axes.legend(frameon=False, loc="lower right", fontsize=8)
    figure.savefig(out, dpi=150)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
