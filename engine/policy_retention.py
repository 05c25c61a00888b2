"""How long are personal values and reviewers' handling times kept?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from engine.fields import Fields

LEAST = timedelta(days=183)
"""Logs of an automated decision are kept for at least six months (EU AI Act, Article 26(6))."""


@dataclass(frozen=True, slots=True)
class Retention:
    """`personal`: from when a payment was recorded, None for until erased by hand; `telemetry`: from the verdict."""

    personal: timedelta | None = None
    telemetry: timedelta = timedelta(days=365)


def read_retention(top: Fields) -> Retention:
    """The optional key `retention` of policy.yaml."""
    part = top.fields("retention", optional=True)
    if part is None:
        return Retention()
    found = Retention(
        personal=part.duration("personal") if "personal" in part.value else None,
        telemetry=part.duration("telemetry", "365d"),
    )
    if found.personal is not None and found.personal < LEAST:
        raise part.error(
            "personal values would go before six months are over",
            "personal",
            hint="Say 183d or more, or leave it out.",
        )
    part.done()
    return found
