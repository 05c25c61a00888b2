"""Which features move the model, and in which direction, as pictures of a whole sample?"""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from engine.decision import Explanation
from engine.model.dataset import OTHER, CategoryCodes, Encoders

SHOWN = 15
SCATTERED = 4
SEED = 7


def importance(explanations: Sequence[Explanation]) -> dict[str, float]:
    """Mean absolute SHAP value of each feature in log-odds, largest first."""
    names = list(explanations[0].contributions)
    values = np.abs([list(e.contributions.values()) for e in explanations]).mean(axis=0)
    order = sorted(range(len(names)), key=lambda i: (-values[i], names[i]))
    return {names[i]: float(values[i]) for i in order}


def pictures(
    explanations: Sequence[Explanation], matrix: np.ndarray, encoders: Encoders, phrases: Mapping[str, str]
) -> dict[str, bytes]:
    """PNG files by name: `beeswarm.png`, and `dependence.png` for the features that matter most.

    `matrix` holds the explained rows as the model saw them. Drawn by the shap library from our own exact values.
    """
    columns = [encoders.names.index(n) for n in list(importance(explanations))[:SCATTERED]]
    with _drawing() as (plt, shap):
        values = _as_shap(shap, explanations, matrix, encoders, phrases)
        return {
            "beeswarm.png": _beeswarm(plt, shap, values),
            "dependence.png": _dependence(plt, shap, values, columns, encoders),
        }


def calibration_picture(curve: Sequence[Mapping[str, float]]) -> bytes:
    """Predicted against observed share of fraud as a PNG, on logarithmic axes since most bins are far below 1 %.

    A bin without fraud has no point, only the upper end of its interval; a bin stored without bounds only its point.
    """
    least = 10 ** np.floor(np.log10(max(min((b["predicted"] for b in curve), default=1e-5), 1e-7)))
    with _drawing() as (plt, _):
        figure, axes = plt.subplots(figsize=(4.5, 4.0))
        axes.plot([least, 1], [least, 1], color="#999999", linewidth=1)
        for b in curve:
            low, high = max(b.get("low", b["observed"]), least), max(b.get("high", b["observed"]), least)
            axes.plot([b["predicted"]] * 2, [low, high], color="#1f5fa8", linewidth=1.2)
        drawn = [b for b in curve if b["observed"] > 0]
        axes.plot([b["predicted"] for b in drawn], [b["observed"] for b in drawn], "o", color="#1f5fa8")
        axes.set(xscale="log", yscale="log", xlabel="predicted probability", ylabel="share of fraud found")
        return _png(plt, figure)


def _beeswarm(plt: Any, shap: Any, values: Any) -> bytes:
    shap.plots.beeswarm(values, max_display=SHOWN, show=False, plot_size=(9, 6))
    return _png(plt, plt.gcf())


def _dependence(plt: Any, shap: Any, values: Any, columns: Sequence[int], encoders: Encoders) -> bytes:
    figure, grid = plt.subplots(2, (len(columns) + 1) // 2, figsize=(10, 7.5), squeeze=False)
    for axes, column in zip(grid.flat, columns, strict=False):
        shap.plots.scatter(values[:, column], ax=axes, show=False, hist=False, color="#1f5fa8", alpha=0.5)
        axes.set_xlabel(textwrap.fill(values.feature_names[column], 40))
        axes.set_ylabel("SHAP (log-odds)")
        _name_levels(axes, encoders.categories.get(encoders.names[column]))
    for axes in list(grid.flat)[len(columns) :]:
        axes.remove()
    figure.tight_layout()
    return _png(plt, figure)


def _name_levels(axes: Any, codes: CategoryCodes | None) -> None:
    """Category codes mean nothing to a reader, their levels do."""
    if codes is not None:
        named = {**{code: level for level, code in codes.codes.items()}, codes.other: OTHER}
        ticks = sorted(named)[:: len(named) // 25 + 1]
        axes.set_xticks(ticks, [named[t] for t in ticks], rotation=90)


def _as_shap(
    shap: Any,
    explanations: Sequence[Explanation],
    matrix: np.ndarray,
    encoders: Encoders,
    phrases: Mapping[str, str],
) -> Any:
    return shap.Explanation(
        values=np.array([list(e.contributions.values()) for e in explanations]),
        base_values=np.array([e.base for e in explanations]),
        data=matrix.astype(np.float64),
        feature_names=[phrases.get(name, name) for name in encoders.names],
    )


@contextmanager
def _drawing() -> Iterator[tuple[Any, Any]]:
    """pyplot without a screen, and shap; imported here because together they take two seconds.

    shap scatters its points by NumPy's global randomness: it is fixed for the drawing and put back after it. Warnings
    about what a later matplotlib will remove are for shap's authors, not for whoever draws a card.
    """
    with warnings.catch_warnings():
        for kind in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", category=kind)
        yield from _drawn()


def _drawn() -> Iterator[tuple[Any, Any]]:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import shap

    before = np.random.get_state()
    np.random.seed(SEED)
    try:
        with plt.rc_context({"font.size": 9}):
            yield plt, shap
    finally:
        np.random.set_state(before)
        plt.close("all")


def _png(plt: Any, figure: Any) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=110, bbox_inches="tight", metadata={"Software": ""})
    plt.close(figure)
    return out.getvalue()
