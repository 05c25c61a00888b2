"""What may a payment system do with an API key, and how is a key made, listed and taken back?"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from casework.people.permissions import ALLOWED, Permission, Person, Role
from data.errors import ConflictError, InputError, NotFoundError, SecondLookError
from data.events import EventDraft
from data.ledger import Ledger, Writer

PREFIX = "slk_"
MOST_A_USER = 20
LONGEST_LIFE = timedelta(days=730)
FASTEST = 100_000
_LONGEST_NAME, _LONGEST_REASON = 64, 500

_P = Permission
SCOPES: Mapping[str, frozenset[Permission]] = {
    "decide": frozenset({_P.DECISIONS_REQUEST}),
    "import": frozenset({_P.TRANSACTIONS_IMPORT, _P.IMPORTS_READ}),
    "outcomes": frozenset({_P.OUTCOMES_REPORT}),
    "read": frozenset({_P.DECISIONS_READ, _P.DISPOSITIONS_READ, _P.WEBHOOKS_READ}),
    "metrics": frozenset({_P.METRICS_READ}),
}
"""What a key can be for. Together they are what an integrator may do: a key never does more than its user."""


class TooManyRequests(SecondLookError):
    """A key has used up its requests: HTTP 429. `wait_seconds` says when the next is let in."""

    def __init__(self, key_id: str, per_second: int, wait_seconds: int) -> None:
        self.wait_seconds = wait_seconds
        super().__init__(
            "this key asks too often",
            where=key_id,
            allowed=f"{per_second} a second",
            hint=f"Wait {wait_seconds} s, or ask an admin for a key that may ask more often.",
        )


class Meter:
    """Lets `per_second` requests a second through, and as many at once after a quiet second.

    One large batch is let in whole and paid for by those that follow, so that no batch is too large to be sent. Used by
    the event loop's thread alone.
    """

    __slots__ = ("_at", "_key_id", "_left", "_per_second")

    def __init__(self, key_id: str, per_second: int) -> None:
        self._key_id, self._per_second = key_id, per_second
        self._left, self._at = float(per_second), 0.0

    def take(self, requests: int, at: datetime) -> None:
        """Count these requests. TooManyRequests while earlier ones are not paid for."""
        now = at.timestamp()
        left = min(float(self._per_second), self._left + max(0.0, now - self._at) * self._per_second)
        self._left, self._at = left, now
        if left < 1.0:
            raise TooManyRequests(
                self._key_id, self._per_second, max(1, ceil((1.0 - left) / self._per_second))
            )
        self._left -= requests

    def add(self, requests: int) -> None:
        """Count what a request that was let in turned out to hold besides its first."""
        self._left -= requests


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made. `secret` is shown once; the ledger holds its hash."""

    key_id: str
    secret: str
    digest: str
    person: Person
    per_second: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an admin asks for: whose key, its name, scopes, requests a second, how long it lives, and why."""

    user_id: str
    name: str
    scopes: Collection[str]
    per_second: int
    life: timedelta
    reason: str


def hashed(secret: str) -> str:
    """What the ledger keeps of a key (SHA-256: it has 256 random bits, so no slow hash is needed)."""
    return hashlib.sha256(secret.encode()).hexdigest()


def permissions_of(scopes: Collection[str]) -> frozenset[Permission]:
    """Everything the scopes allow, and to ask who one is."""
    return frozenset({_P.SIGNED_IN}).union(*(SCOPES[scope] for scope in scopes))


def add(w: Writer, wanted: Wanted, *, by: str, at: datetime) -> NewKey:
    """Make a key. InputError for what cannot be asked for, NotFoundError for a user who cannot have one,
    ConflictError for a name taken or a key too many."""
    _check(wanted)
    users = w.read("SELECT role FROM users WHERE user_id = ? AND disabled_at IS NULL", [wanted.user_id])
    if not users or users[0]["role"] != Role.INTEGRATOR:
        raise NotFoundError(
            f"there is no system {wanted.user_id[:80]!r} that could hold a key",
            allowed="an active user with the role integrator",
            hint="Keys are for systems; people sign in. 'secondlook users add NAME --role integrator' makes one.",
        )
    held = w.read(
        "SELECT name FROM api_keys WHERE user_id = ? AND revoked_at IS NULL AND expires_at > ?",
        [wanted.user_id, at],
    )
    if any(row["name"] == wanted.name for row in held):
        raise ConflictError(f"{wanted.user_id} has a key named {wanted.name!r}", hint="Choose another name.")
    if len(held) >= MOST_A_USER:
        raise ConflictError(f"{wanted.user_id} has {len(held)} keys", hint="Revoke one first.")
    return _make(w, wanted, by, at)


def revoke(w: Writer, key_id: str, *, by: str, reason: str, at: datetime) -> str:
    """Let a key in no more; the hash it was known by. NotFoundError if there is no such key in use."""
    needs_reason(reason)
    found = w.read("SELECT key_sha256 FROM api_keys WHERE key_id = ? AND revoked_at IS NULL", [key_id])
    if not found:
        raise NotFoundError("there is no such key in use", where=key_id[:80])
    w.execute("UPDATE api_keys SET revoked_at = ?, revoked_by = ? WHERE key_id = ?", [at, by, key_id])
    w.event(EventDraft(by, "api_key.revoked", f"api_key:{key_id}", {"reason": reason}), at)
    return str(found[0]["key_sha256"])


def listed(ledger: Ledger) -> list[dict[str, Any]]:
    """Every key there was, the newest first, without secret or hash."""
    found = ledger.read(
        "SELECT key_id, user_id AS user, name, scopes, per_second, created_at, created_by, expires_at, revoked_at,"
        " revoked_by FROM api_keys ORDER BY created_at DESC, key_id"
    )
    return [{**row, "scopes": str(row["scopes"]).split()} for row in found]


def needs_reason(reason: str) -> None:
    """InputError unless a reason is given."""
    if not reason.strip() or len(reason) > _LONGEST_REASON:
        raise InputError(
            "this needs a reason", where="reason", allowed=f"1 to {_LONGEST_REASON} characters of text"
        )


def _check(wanted: Wanted) -> None:
    needs_reason(wanted.reason)
    if not wanted.name.strip() or len(wanted.name) > _LONGEST_NAME or not wanted.name.isprintable():
        raise InputError(
            "a key needs a name", where="name", allowed=f"1 to {_LONGEST_NAME} printable characters"
        )
    unknown = sorted(set(wanted.scopes) - SCOPES.keys())
    if unknown or not wanted.scopes:
        what = f"{unknown[0][:80]!r} is no scope" if unknown else "a key needs a scope"
        raise InputError(what, where="scopes", allowed=", ".join(SCOPES))
    if not 1 <= wanted.per_second <= FASTEST:
        raise InputError("no such rate", where="per_second", allowed=f"1 to {FASTEST} requests a second")
    if not timedelta(0) < wanted.life <= LONGEST_LIFE:
        raise InputError("a key must expire", where="days", allowed=f"1 to {LONGEST_LIFE.days} days")


def _make(w: Writer, wanted: Wanted, by: str, at: datetime) -> NewKey:
    key_id = f"key_{secrets.token_hex(6)}"
    secret = PREFIX + secrets.token_urlsafe(32)
    scopes = " ".join(scope for scope in SCOPES if scope in wanted.scopes)
    expires_at = at + wanted.life
    told = {
        "user_id": wanted.user_id, "name": wanted.name, "scopes": scopes, "per_second": wanted.per_second,
        "expires_at": expires_at,
    }  # fmt: skip
    row = {"key_id": key_id, "key_sha256": hashed(secret), "created_at": at, "created_by": by, **told}
    w.insert("api_keys", [{**row, "revoked_at": None, "revoked_by": ""}])
    w.event(EventDraft(by, "api_key.added", f"api_key:{key_id}", {**told, "reason": wanted.reason}), at)
    person = holder(wanted.user_id, scopes, key_id)
    return NewKey(key_id, secret, str(row["key_sha256"]), person, wanted.per_second, expires_at)


def holder(user_id: str, scopes: str, key_id: str) -> Person:
    """The integrator a key stands for, with what its scopes leave of the role."""
    may = frozenset(p for p in permissions_of(scopes.split()) if Role.INTEGRATOR in ALLOWED[p])
    return Person(user_id, Role.INTEGRATOR, may, key_id)
