"""How does each part of the simulation get random numbers of its own, whatever the other parts do?"""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def stream(seed: int, part: str) -> np.random.Generator:
    """A generator that depends on the seed and the part's name alone."""
    return np.random.default_rng([abs(seed), int(seed < 0), zlib.crc32(part.encode())])


def weighted(rng: np.random.Generator, weights: Floats, size: int) -> Ints:
    """`size` indices drawn with probability in proportion to `weights` (0 or more, not all 0)."""
    cumulative = np.cumsum(weights)
    drawn = np.searchsorted(cumulative, rng.random(size) * cumulative[-1], side="right")
    return np.minimum(drawn, len(weights) - 1).astype(np.int64)
