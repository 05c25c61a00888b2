"""When is it, in the made-up institution?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NOW = datetime.now(UTC).replace(microsecond=0)


def stamp(**ago: float) -> str:
    return (NOW - timedelta(**ago)).isoformat().replace("+00:00", "Z")


def ahead(**length: float) -> str:
    return (NOW + timedelta(**length)).isoformat().replace("+00:00", "Z")
