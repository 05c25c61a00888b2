"""Which kinds of merchants are there, what do things cost there, when are they open, and who steals there?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from data.simulator.streams import Floats


class Category(NamedTuple):
    """One kind of merchant.

    `median` is in major units, `spread` the standard deviation of its logarithm; `popularity` is the share of
    honest payments; `online` the share of its merchants that sell online; `rhythm` names the hours people go
    there; `resale` says how readily stolen cards are turned into goods there, `testing` how well it serves to
    try cards.
    """

    name: str
    median: float
    spread: float
    popularity: float
    online: float
    rhythm: str
    resale: float
    testing: float


CATEGORIES = (
    Category("grocery", 27, 0.65, 0.24, 0.06, "shop", 0.02, 0.0),
    Category("fuel", 52, 0.35, 0.07, 0.0, "day", 0.03, 0.0),
    Category("restaurant", 23, 0.60, 0.14, 0.20, "meal", 0.02, 0.05),
    Category("pharmacy", 17, 0.60, 0.05, 0.15, "shop", 0.02, 0.0),
    Category("transport", 11, 0.75, 0.09, 0.50, "day", 0.05, 0.15),
    Category("fashion", 47, 0.70, 0.09, 0.60, "shop", 0.35, 0.02),
    Category("electronics", 95, 0.95, 0.06, 0.60, "shop", 1.0, 0.02),
    Category("travel", 160, 0.90, 0.03, 0.80, "evening", 0.45, 0.02),
    Category("marketplace", 34, 0.90, 0.10, 1.0, "evening", 0.60, 0.10),
    Category("digital_goods", 6, 0.90, 0.08, 1.0, "evening", 0.35, 1.0),
    Category("gift_cards", 38, 0.60, 0.01, 0.85, "evening", 1.0, 0.20),
    Category("gambling", 24, 0.95, 0.015, 1.0, "night", 0.40, 0.20),
    Category("charity", 14, 0.90, 0.01, 0.90, "evening", 0.0, 0.80),
    Category("money_transfer", 130, 0.95, 0.015, 1.0, "day", 0.30, 0.0),
)

CATEGORY_NAMES = tuple(category.name for category in CATEGORIES)

# Relative weight of each local hour; night people are the tail, not the absence, of day people.
_HOURS = {
    "shop": [1, 1, 1, 1, 1, 2, 6, 18, 40, 60, 70, 72, 66, 60, 62, 70, 84, 92, 80, 50, 18, 6, 3, 2],
    "day": [2, 1, 1, 1, 3, 10, 35, 60, 62, 52, 48, 48, 50, 48, 48, 54, 66, 70, 54, 36, 24, 16, 9, 5],
    "meal": [3, 2, 1, 1, 1, 2, 8, 20, 24, 18, 20, 50, 80, 66, 28, 20, 26, 50, 86, 92, 66, 38, 18, 8],
    "evening": [12, 7, 4, 3, 3, 4, 8, 18, 28, 34, 38, 40, 44, 40, 38, 40, 46, 54, 64, 78, 88, 84, 60, 30],
    "night": [40, 30, 20, 12, 8, 6, 6, 8, 10, 12, 14, 16, 20, 20, 20, 22, 26, 32, 40, 54, 70, 80, 76, 58],
}


def hour_weights() -> Floats:
    """Share of each local hour by category, shape (categories, 24), rows sum to 1."""
    table = np.array([_HOURS[category.rhythm] for category in CATEGORIES], dtype=float)
    return table / table.sum(axis=1, keepdims=True)


def column(name: str) -> Floats:
    """One numeric field of every category, in order."""
    return np.array([getattr(category, name) for category in CATEGORIES], dtype=float)


def closed_on_sunday() -> Floats:
    """1.0 for categories whose shops (not websites) are shut on Sundays in most home countries."""
    return np.array([float(category.rhythm == "shop") for category in CATEGORIES])
