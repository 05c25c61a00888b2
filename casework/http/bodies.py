"""What do all request bodies have in common: which fields, how long, and which numbers?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

LONGEST_ID = 128
EARLIEST_YEAR, LATEST_YEAR = 1900, 2200
_CONTROL = {chr(n) for n in range(32)} | {"\x7f"}


def _printable(text: str) -> str:
    if any(character in _CONTROL for character in text):
        raise ValueError("control characters are not allowed here")
    # Half of a surrogate pair is valid JSON but cannot be stored as UTF-8.
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("this is not valid Unicode text")
    return text


def _in_reach(moment: datetime) -> datetime:
    # At the ends of what a datetime can hold, its UTC form or a window before it would be out of range.
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        raise ValueError(f"the year must be from {EARLIEST_YEAR} to {LATEST_YEAR}")
    return moment.astimezone(UTC)


class Body(BaseModel):
    """A body with exactly these fields; NaN and infinity are refused at the door."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


Identifier = Annotated[str, Field(min_length=1, max_length=LONGEST_ID), AfterValidator(_printable)]
ShortText = Annotated[str, Field(max_length=LONGEST_ID), AfterValidator(_printable)]
Reason = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_printable)]
Note = Annotated[str, Field(max_length=4000)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_reach)]
"""A moment with its offset, in UTC from here on."""
