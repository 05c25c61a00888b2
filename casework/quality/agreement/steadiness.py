"""Does a person say the same when shown the same item again without knowing it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from casework.quality.agreement.coefficients import specific
from casework.quality.agreement.intervals import evidence, measure
from casework.quality.agreement.pairs import cohen_kappa
from casework.quality.agreement.table import patterns
from casework.quality.subgroups import wilson


@dataclass(frozen=True, slots=True)
class TwoLooks:
    """What one person said about one item at first and at a later look; `days` between them, NaN where not known."""

    item: str
    reviewer: str
    first: str
    later: str
    days: float = float("nan")


def steadiness(
    looks: Sequence[TwoLooks], *, positive: str, seed: int = 0, with_people: bool = True
) -> dict[str, Any]:
    """Intra-rater agreement: share of items on which the later look said the same (Wilson), Cohen's kappa of first
    against later look and agreement on the positive category, with how many said fraud only at first or only later.

    Nobody agrees with others more than with himself or herself by anything but luck, so this bounds what agreement
    between people can become. `with_people=False` leaves out the figures by person.
    """
    found = _figures(looks, positive, seed)
    if with_people:
        people = sorted({look.reviewer for look in looks})
        found["by_reviewer"] = {
            who: _figures([look for look in looks if look.reviewer == who], positive, seed) for who in people
        }
    return found


def _figures(looks: Sequence[TwoLooks], positive: str, seed: int) -> dict[str, Any]:
    known = sorted({word for look in looks for word in (look.first, look.later)} | {positive})
    rows = np.array([[known.index(look.first), known.index(look.later)] for look in looks], dtype=np.int64)
    rows = rows.reshape(-1, 2)
    counts = np.stack([(rows == c).sum(axis=1) for c in range(len(known))], axis=1).astype(float)
    place = known.index(positive)
    of_kappa = measure(
        "cohen_kappa",
        lambda r, w: cohen_kappa(r, w, len(known)),
        patterns(rows),
        evidence(counts, place),
        positives=True,
        seed=seed,
    )
    agreed = float(specific(counts, np.ones((1, len(counts))), place)[0]) if len(counts) else float("nan")
    days = np.array([look.days for look in looks], dtype=float)
    return {
        "n_looks": len(looks),
        "same": wilson(int((rows[:, 0] == rows[:, 1]).sum()), len(rows)),
        "positive_specific": None if np.isnan(agreed) else agreed,
        "cohen_kappa": of_kappa.as_json(),
        "positive_only_at_first": int(((rows[:, 0] == place) & (rows[:, 1] != place)).sum()),
        "positive_only_later": int(((rows[:, 0] != place) & (rows[:, 1] == place)).sum()),
        "median_days_between": None if np.isnan(days).all() else float(np.nanmedian(days)),
    }
