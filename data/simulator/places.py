"""Where do customers and merchants live, and what time is it there?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from data.simulator.streams import Floats

# code, time zone, share of customers living there, share of foreign spending and of trips going there
_PLACES = (
    ("DE", "Europe/Berlin", 0.68, 0.20),
    ("AT", "Europe/Vienna", 0.10, 0.10),
    ("NL", "Europe/Amsterdam", 0.08, 0.12),
    ("NO", "Europe/Oslo", 0.05, 0.04),
    ("FR", "Europe/Paris", 0.05, 0.12),
    ("PL", "Europe/Warsaw", 0.04, 0.06),
    ("ES", "Europe/Madrid", 0.00, 0.12),
    ("IT", "Europe/Rome", 0.00, 0.10),
    ("GB", "Europe/London", 0.00, 0.08),
    ("US", "America/New_York", 0.00, 0.04),
    ("TH", "Asia/Bangkok", 0.00, 0.01),
    ("BR", "America/Sao_Paulo", 0.00, 0.01),
)

COUNTRIES = tuple(code for code, *_ in _PLACES)
HOME_SHARE: Floats = np.array([share for _, _, share, _ in _PLACES])
ABROAD_SHARE: Floats = np.array([share for *_, share in _PLACES])


def utc_offsets(start: date, days: int) -> Floats:
    """Seconds that local time is ahead of UTC at noon, shape (countries, days)."""
    noon = datetime(start.year, start.month, start.day, 12, tzinfo=UTC)
    table = np.zeros((len(_PLACES), days))
    for row, (_, zone, _, _) in enumerate(_PLACES):
        for day in range(days):
            offset = (noon + timedelta(days=day)).astimezone(ZoneInfo(zone)).utcoffset()
            table[row, day] = offset.total_seconds() if offset else 0.0
    return table
