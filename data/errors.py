"""Which errors can Second Look raise on purpose, and what must each one tell the reader?

SecondLookError
 + InputError          bad input of any kind: exit code 2, HTTP 400 or 422
 |  + MappingError     the mapping file, or a file that does not fit it
 |  + ConfigError      features, rules, policy or list files
 + NotFoundError       HTTP 404
 + ConflictError       the state of things does not allow it: HTTP 409
 + PermissionDenied    HTTP 403
 + LedgerError         the ledger file itself
    + LedgerBusyError  another process owns it
    + DiskError        the disk is full, read-only or broken: HTTP 503
    + ChainBrokenError an event does not match its hash
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class SecondLookError(Exception):
    """An error whose text says what happened, where, what was allowed, and what to do.

    `what` is a sentence without a full stop; `where` names file:line:column, a field or an id; `allowed`
    lists what would have been accepted;`hint` is the next step for the reader.
    """

    def __init__(self, what: str, *, where: str = "", allowed: str = "", hint: str = "") -> None:
        self.what, self.where, self.allowed, self.hint = what, where, allowed, hint
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        if self.allowed:
            text += f" (allowed: {self.allowed})"
        return f"{text}. {self.hint}" if self.hint else text


class InputError(SecondLookError):
    """Something given to us cannot be used."""


class MappingError(InputError):
    """A mapping file is wrong, or a data file does not fit it."""


class ConfigError(InputError):
    """A features, rules, policy or list file is wrong."""


class NotFoundError(SecondLookError):
    """Nothing of that name exists, or not for this person."""


class ConflictError(SecondLookError):
    """The request is well formed, but the present state of things does not allow it."""


class PermissionDenied(SecondLookError):
    """This person's role does not allow it."""


class LedgerError(SecondLookError):
    """The ledger file cannot be used as it is."""


class LedgerBusyError(LedgerError):
    """Another process owns the ledger."""


class CheckpointBusyError(LedgerError):
    """A read that began before the last change is under way; the write-ahead log stays until the next checkpoint."""


class MemoryShortError(LedgerError):
    """A question needs more memory than DuckDB has left at this moment; nothing was changed."""


class DiskError(LedgerError):
    """The disk does not take what is written; nothing of it is recorded."""


class ChainBrokenError(LedgerError):
    """An event does not match the hash chain."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint such as "Did you mean 'amount'?", or an empty text when nothing known is close to `word`."""
    by_lower = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f"Did you mean '{by_lower[close[0]]}'?" if close else ""
