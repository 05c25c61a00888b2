"""What did each seed find, kept so that a run can be cut and go on, and what follows for the difference of two arms?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

Found = Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """Mean of paired differences over seeds, with the 95 % interval of Student's t, the percentile bootstrap, and how
    many seeds are above zero."""

    mean: float
    low: float
    high: float
    boot_low: float
    boot_high: float
    above: int
    seeds: int

    def __str__(self) -> str:
        t, b = f"[{self.low:+.4f}, {self.high:+.4f}]", f"[{self.boot_low:+.4f}, {self.boot_high:+.4f}]"
        return f"{self.mean:+.4f} {t} (bootstrap {b}; above zero in {self.above} of {self.seeds})"


def paired(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Second minus first, seed by seed."""
    d = np.asarray(second, dtype=float) - np.asarray(first, dtype=float)
    n = len(d)
    half = float(stats.t.ppf(0.975, n - 1) * d.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    rng = np.random.default_rng(n)
    drawn = d[rng.integers(0, n, (10_000, n))].mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Difference(float(d.mean()), d.mean() - half, d.mean() + half, low, high, int((d > 0).sum()), n)


def each(
    file: Path, seeds: Sequence[int], arms: Sequence[str], run: Callable[[int, str], Found]
) -> dict[str, list[Found]]:
    """Findings of every arm for every seed, in order of the seeds; what the file holds is not run again."""
    known: dict[str, Found] = json.loads(file.read_text()) if file.exists() else {}
    for seed in seeds:
        for arm in arms:
            key = f"{seed}/{arm}"
            if key not in known:
                known[key] = run(seed, arm)
                file.parent.mkdir(parents=True, exist_ok=True)
                part = file.with_suffix(".part")
                part.write_text(json.dumps(known, indent=1, sort_keys=True))
                part.replace(file)
                print(f"   seed {seed}, {arm}: done", flush=True)
    return {arm: [known[f"{seed}/{arm}"] for seed in seeds] for arm in arms}


def column(found: Sequence[Found], name: str) -> list[float]:
    return [float(one[name]) for one in found]
