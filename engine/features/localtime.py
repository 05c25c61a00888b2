"""What do the clocks of the institution show at a moment, and when were they changed?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

NIGHT_HOURS = 7  # 00:00 to 06:59 is night, as in the Fraud Detection Handbook
SATURDAY = 5

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_STEP = 12 * 3_600_000_000


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def micros(moment: datetime) -> int:
    """Microseconds since 1970 in UTC, exact."""
    return (moment - _EPOCH) // _MICROSECOND


def offset_us(name: str, at_us: int) -> int:
    """How far the zone's clocks are ahead of UTC at `at_us`, in microseconds."""
    local = (_EPOCH + timedelta(microseconds=at_us)).astimezone(zone(name))
    shift = local.utcoffset()
    assert shift is not None
    return shift // _MICROSECOND


def offsets(name: str, first_us: int, last_us: int) -> list[tuple[int, int]]:
    """The zone's offsets over [first_us, last_us]: (from, offset), both in microseconds, in order of time.

    Found by probing twice a day and halving, so it holds for any zone whose clocks change at most once in
    twelve hours.
    """
    found = [(first_us, offset_us(name, first_us))]
    at = first_us
    while at < last_us:
        following = min(at + _STEP, last_us)
        shift = offset_us(name, following)
        if shift != found[-1][1]:
            found.append((_change(name, at, following), shift))
        at = following
    return found


def _change(name: str, before_us: int, after_us: int) -> int:
    """The first microsecond in (before_us, after_us] that shows the later offset."""
    old = offset_us(name, before_us)
    while after_us - before_us > 1:
        middle = (before_us + after_us) // 2
        if offset_us(name, middle) == old:
            before_us = middle
        else:
            after_us = middle
    return after_us
