"""What do the simulated institution and its analysts look like? Draws docs/simulator.png."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from data.simulator import PROFILES, TYPOLOGIES, Drift, InstitutionConfig, SimulatedAnalyst, simulate

matplotlib.use("Agg")

DRIFT_DAY = 80
CONFIG = InstitutionConfig(seed=7, drift=Drift(day=DRIFT_DAY, new_share=0.4))
CASES, ANALYSTS = 3_000, 3
INK, FAINT = "#222222", "#8a8a8a"
# Okabe and Ito's colours, distinguishable with any colour vision.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#56B4E9", "#CC79A7", "#D55E00")
ARMS = (("score shown", "#0072B2", "o"), ("blind first", "#D55E00", "D"))


def payments_by_day() -> pd.DataFrame:
    """One row per day: all payments, and frauds by typology."""
    made = simulate(CONFIG)
    moments = made.transactions["occurred_at"].to_pandas()
    day = (moments - pd.Timestamp(CONFIG.start, tz="UTC")).dt.days
    typology = made.truth["typology"].to_pandas()
    return pd.crosstab(day, typology).reindex(columns=["", *TYPOLOGIES], fill_value=0)


def reviews_by_profile() -> pd.DataFrame:
    """Per profile, arm and analyst: share of frauds flagged, share of honest payments flagged, median seconds."""
    rng = np.random.default_rng(7)
    score = rng.beta(0.6, 3.4, CASES)
    fraud = rng.random(CASES) < score
    rows = []
    for profile in PROFILES:
        for arm, _, _ in ARMS:
            for number in range(1, ANALYSTS + 1):
                analyst = SimulatedAnalyst.named(f"analyst-{number}", profile)
                said = [
                    analyst.judge(
                        f"case-{n}",
                        fraud=bool(fraud[n]),
                        cue=float(score[n]) if arm == "score shown" else None,
                    )
                    for n in range(CASES)
                ]
                flagged = np.array([s.value != "legitimate" for s in said])
                seconds = float(np.median([s.seconds for s in said]))
                rows.append((profile, arm, flagged[fraud].mean(), flagged[~fraud].mean(), seconds))
    return pd.DataFrame(rows, columns=["profile", "arm", "recall", "false_positive_rate", "seconds"])


def draw(days: pd.DataFrame, reviews: pd.DataFrame) -> Figure:
    """The whole picture: payments and frauds by day above, analysts by profile below."""
    figure = Figure(figsize=(11, 8.6), dpi=130, layout="constrained")
    grid = figure.add_gridspec(3, 3, height_ratios=[0.8, 1.25, 1.15])
    above = figure.add_subplot(grid[0, :])
    draw_payments(above, days)
    draw_frauds(figure.add_subplot(grid[1, :], sharex=above), days)
    panels = (
        ("recall", "Analysts: frauds flagged (recall)", 1.0),
        ("false_positive_rate", "Honest payments flagged", 0.6),
        ("seconds", "Median seconds per case", 60.0),
    )
    for place, (column, title, top) in enumerate(panels):
        draw_profiles(figure.add_subplot(grid[2, place]), reviews, column, title, top, named=place == 0)
    return figure


def draw_payments(axes: Axes, days: pd.DataFrame) -> None:
    total = days.sum(axis=1)
    axes.bar(days.index, total, color="#cfcfcf", width=0.85)
    title(axes, f"Payments a day: {total.sum():,} in {len(days)} days, most on Saturdays and around pay day")
    axes.set_ylim(0)
    axes.tick_params(labelbottom=False)


def draw_frauds(axes: Axes, days: pd.DataFrame) -> None:
    floor = np.zeros(len(days))
    for typology, colour in zip(TYPOLOGIES, COLOURS, strict=True):
        counts = days[typology].to_numpy()
        axes.bar(days.index, counts, bottom=floor, color=colour, width=0.85, label=typology.replace("_", " "))
        floor += counts
    title(axes, f"Frauds a day by typology: {floor.sum() / days.to_numpy().sum():.1%} of all payments")
    axes.axvline(DRIFT_DAY - 0.5, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_ylim(0, 1.22 * floor.max())
    axes.set_xlim(-1, len(days))
    place = (DRIFT_DAY - 0.5, 1.2 * floor.max())
    axes.annotate(
        "drift: scam payments appear", place, (6, 0), textcoords="offset points", fontsize=9, va="top"
    )
    axes.set_xlabel("day", fontsize=9, color=INK)
    axes.legend(loc="upper left", ncols=3, frameon=False, fontsize=9, handlelength=1.2)


def draw_profiles(
    axes: Axes, reviews: pd.DataFrame, column: str, words: str, top: float, *, named: bool
) -> None:
    """Three analysts of each profile as dots, one row per profile, the two arms side by side."""
    for row, profile in enumerate(PROFILES):
        for arm_place, (arm, colour, marker) in enumerate(ARMS):
            values = reviews[(reviews["profile"] == profile) & (reviews["arm"] == arm)][column]
            height = np.full(len(values), row + (arm_place - 0.5) * 0.34)
            label = arm if row == 0 else None
            axes.scatter(
                values, height, s=30, color=colour, marker=marker, alpha=0.75, linewidth=0, label=label
            )
    axes.set_yticks(range(len(PROFILES)), [p.replace("_", " ") if named else "" for p in PROFILES])
    axes.set_ylim(len(PROFILES) - 0.5, -0.5)
    axes.set_xlim(-0.03 * top, top)
    if top <= 1:
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    for line in np.arange(len(PROFILES) - 1) + 0.5:
        axes.axhline(line, color="#eeeeee", linewidth=1, zorder=0)
    title(axes, words)
    if named:
        axes.legend(loc="lower right", fontsize=8, frameon=False, handletextpad=0.2)


def title(axes: Axes, words: str) -> None:
    axes.set_title(words, loc="left", fontsize=10, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK, labelsize=9)
    axes.spines[["left", "bottom"]].set_color(FAINT)


if __name__ == "__main__":
    draw(payments_by_day(), reviews_by_profile()).savefig(Path(__file__).with_name("simulator.png"))
