"""What is a new snooze, entry, alarm or trial called, and is it given a reason and an end?"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from data.errors import InputError


def new_id(prefix: str, *parts: object) -> str:
    """A name fixed by what it is about and when it was made."""
    text = "\x1f".join(str(part) for part in parts)
    return f"{prefix}_{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def reason_of(text: str, what: str) -> str:
    """The reason, trimmed; InputError if there is none."""
    if len(text.strip()) < 3:
        raise InputError(f"{what} needs a reason", where="reason", hint="Say why in a few words.")
    return text.strip()


def end_of(expires: datetime, at: datetime, longest: timedelta, what: str) -> datetime:
    """The moment of expiry; InputError if it is past, or further away than may be decided at run time."""
    allowed = f"after {at:%Y-%m-%d %H:%M} and within {longest.days} days"
    if expires <= at:
        raise InputError(f"{what} would have expired already", where="expires_at", allowed=allowed)
    if expires - at > longest:
        hint = "What should hold for longer belongs in the files under rules/, where it is approved."
        raise InputError(f"{what} would hold for too long", where="expires_at", allowed=allowed, hint=hint)
    return expires
