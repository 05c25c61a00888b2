"""Who is this? Passwords and tokens."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from argon2 import PasswordHasher, profiles
from argon2.exceptions import InvalidHashError, VerificationError

from casework.people import keys, names
from casework.people.guessing import Attempts
from casework.people.permissions import Person, Role
from data.errors import ConflictError, InputError, NotFoundError, SecondLookError
from data.events import EventDraft
from data.ledger import Ledger, Writer

COST = profiles.RFC_9106_LOW_MEMORY
"""What one try of a password costs whoever guesses: 64 MiB and three passes."""
TOKEN_LIFE = timedelta(hours=12)
_SHORTEST_PASSWORD, _LONGEST_PASSWORD = 10, 200
_ACTIVE = "SELECT 1 AS ok FROM users WHERE user_id = ? AND disabled_at IS NULL"
_NOBODY_HINT = "Sign in with POST /v1/sessions and send the token as 'Authorization: Bearer <token>'."


class NotSignedIn(SecondLookError):
    """Nobody is signed in, or the token is wrong, revoked or expired: HTTP 401."""


@dataclass(frozen=True, slots=True)
class Session:
    """A fresh sign-in. `token` is shown once and kept nowhere; the ledger holds its hash."""

    token: str
    person: Person
    expires_at: datetime


class _Held(NamedTuple):
    person: Person
    expires_at: datetime
    meter: keys.Meter | None = None


def _hasher() -> PasswordHasher:
    return PasswordHasher.from_parameters(COST)


def token_hash(token: str) -> str:
    """What the ledger keeps of a token (SHA-256: a token has 256 random bits, so no slow hash is needed)."""
    return hashlib.sha256(token.encode()).hexdigest()


def add_user(
    w: Writer, user_id: str, role: str, password: str, *, by: str, at: datetime, reason: str = ""
) -> Person:
    """Create a user. Raises InputError for a bad name, role or password, ConflictError if the name is taken."""
    names.check(user_id)
    if role not in set(Role):
        raise InputError(f"{role[:80]!r} is not a role", where="role", allowed=", ".join(Role))
    if not _SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
        raise InputError(
            "this password cannot be used",
            where="password",
            allowed=f"{_SHORTEST_PASSWORD} to {_LONGEST_PASSWORD} characters",
        )
    if w.read("SELECT 1 AS taken FROM users WHERE user_id = ?", [user_id]):
        raise ConflictError(f"there is already a user {user_id}", hint="Choose another name.")
    row = {"user_id": user_id, "role": role, "created_at": at, "disabled_at": None}
    w.insert("users", [{**row, "password_hash": _hasher().hash(password)}])
    told = {"user": user_id, "role": role, **({"reason": reason} if reason else {})}
    w.event(EventDraft(by, "user.created", f"user:{user_id}", told), at)
    return Person(user_id, Role(role))


class SignIn:
    """Checks passwords and tokens. Tokens are looked up in memory, so that a request costs no query."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._hasher = _hasher()
        # Verified when the user does not exist, so that the time taken does not tell.
        self._nobody = self._hasher.hash(secrets.token_hex(16))
        self._attempts = Attempts()
        # Held over a write and what it changes in memory, so that both change in the same order. Taken before the
        # ledger's own, never while writing.
        self._lock = threading.Lock()
        self._tokens: dict[str, _Held] = {}
        for row in ledger.read(
            "SELECT t.token_sha256, t.expires_at, u.user_id, u.role FROM tokens t JOIN users u USING (user_id) "
            "WHERE t.revoked_at IS NULL AND u.disabled_at IS NULL"
        ):
            person = Person(row["user_id"], Role(row["role"]))
            self._tokens[row["token_sha256"]] = _Held(person, row["expires_at"])
        for row in ledger.read(
            "SELECT k.* FROM api_keys k JOIN users u USING (user_id) "
            "WHERE k.revoked_at IS NULL AND u.disabled_at IS NULL"
        ):
            meter = keys.Meter(row["key_id"], row["per_second"])
            holder = keys.holder(row["user_id"], row["scopes"], row["key_id"])
            self._tokens[row["key_sha256"]] = _Held(holder, row["expires_at"], meter)

    def sign_in(self, user_id: str, password: str, at: datetime) -> Session:
        """A session for the right password; NotSignedIn for a wrong one, TooManyAttempts after several or while too
        many others sign in."""
        rows = self._ledger.read("SELECT * FROM users WHERE user_id = ? AND disabled_at IS NULL", [user_id])
        known = rows[0]["password_hash"] if rows else self._nobody
        with self._attempts.checking(user_id, at):
            if not self._matches(known, password) or not rows:
                raise NotSignedIn("the user name or the password is wrong", hint="Check both and try again.")
        self._attempts.right(user_id)
        return self.open(Person(user_id, Role(rows[0]["role"])), at)

    def person(self, token: str, at: datetime) -> Person:
        """Whose token or key this is, for one request.

        NotSignedIn if it is nobody's or has expired, TooManyRequests if it is a key that asks too often.
        """
        held = self._held(token, at)
        if held.meter is not None:
            held.meter.take(1, at)
        return held.person

    def known(self, token: str, at: datetime) -> Person:
        """Whose token this is, without counting a request. NotSignedIn if it is nobody's, or has expired."""
        return self._held(token, at).person

    def count_more(self, token: str, requests: int, at: datetime) -> None:
        """Count what a request of this token held besides its first transaction."""
        held = self._held(token, at)
        if held.meter is not None:
            held.meter.add(requests)

    def _held(self, token: str, at: datetime) -> _Held:
        found = self._tokens.get(token_hash(token)) if token else None
        if found is None:
            what = "this token is not valid" if token else "no token was sent"
            raise NotSignedIn(what, hint=_NOBODY_HINT)
        if at >= found.expires_at:
            raise NotSignedIn("this token has expired", hint=_NOBODY_HINT)
        return found

    def admit(self, token: str, person: Person, until: datetime) -> None:
        """Let a token in for the life of this process only, as whoever runs commands on the server's own machine."""
        with self._lock:
            self._tokens[token_hash(token)] = _Held(replace(person, local=True), until)

    def add_key(self, wanted: keys.Wanted, *, by: str, at: datetime) -> keys.NewKey:
        """Make an API key and let it in at once."""
        with self._lock:
            with self._ledger.writing() as w:
                made = keys.add(w, wanted, by=by, at=at)
            meter = keys.Meter(made.key_id, made.per_second)
            self._tokens[made.digest] = _Held(made.person, made.expires_at, meter)
        return made

    def revoke_key(self, key_id: str, *, by: str, reason: str, at: datetime) -> None:
        """Let an API key in no more, from now on."""
        with self._lock:
            with self._ledger.writing() as w:
                digest = keys.revoke(w, key_id, by=by, reason=reason, at=at)
            self._tokens.pop(digest, None)

    def sign_out(self, token: str, at: datetime) -> None:
        """Revoke one token at once. ConflictError for an API key, which only an admin takes back."""
        person = self.known(token, at)
        if person.key_id:
            raise ConflictError(
                "an API key does not sign out",
                where=person.key_id,
                hint="An admin revokes it, with a reason.",
            )
        digest = token_hash(token)
        with self._lock:
            with self._ledger.writing() as w:
                w.execute("UPDATE tokens SET revoked_at = ? WHERE token_sha256 = ?", [at, digest])
                w.event(EventDraft(person.user_id, "session.ended", f"user:{person.user_id}", {}), at)
            self._tokens.pop(digest, None)

    def disable(self, user_id: str, *, by: str, at: datetime, reason: str = "") -> None:
        """Stop a user from signing in, and revoke every token and key they hold."""
        with self._lock:
            with self._ledger.writing() as w:
                _disable(w, user_id, by, at, reason)
            self._tokens = {
                digest: held
                for digest, held in self._tokens.items()
                if held.person.user_id != user_id or held.person.local
            }

    def open(
        self,
        person: Person,
        at: datetime,
        through: str = "password",
        still: Callable[[Writer], object] | None = None,
    ) -> Session:
        """A session for a person who has shown who he or she is. NotSignedIn if the user was disabled meanwhile, or
        `still`, asked in the same write, finds that what was shown no longer holds."""
        token = secrets.token_urlsafe(32)
        digest, expires_at = token_hash(token), at + TOKEN_LIFE
        row = {"token_sha256": digest, "user_id": person.user_id, "created_at": at, "expires_at": expires_at}
        with self._lock:
            with self._ledger.writing() as w:
                if not w.read(
                    _ACTIVE, [person.user_id]
                ):  # since the password, or the ID token, was looked at
                    raise NotSignedIn("this user may not sign in any more", hint="Ask an admin.")
                if still is not None:
                    still(w)
                w.insert("tokens", [{**row, "revoked_at": None}])
                payload = {"expires_at": expires_at, "through": through}
                w.event(EventDraft(person.user_id, "session.started", f"user:{person.user_id}", payload), at)
            self._tokens[digest] = _Held(person, expires_at)
        return Session(token, person, expires_at)

    def _matches(self, known: str, password: str) -> bool:
        try:
            return self._hasher.verify(known, password)
        except (VerificationError, InvalidHashError):
            return False


def _disable(w: Writer, user_id: str, by: str, at: datetime, reason: str) -> None:
    if not w.read(_ACTIVE, [user_id]):
        raise NotFoundError(f"there is no active user {user_id[:80]}")
    w.execute("UPDATE users SET disabled_at = ? WHERE user_id = ?", [at, user_id])
    w.execute("UPDATE tokens SET revoked_at = ? WHERE user_id = ? AND revoked_at IS NULL", [at, user_id])
    w.execute(
        "UPDATE api_keys SET revoked_at = ?, revoked_by = ? WHERE user_id = ? AND revoked_at IS NULL",
        [at, by, user_id],
    )
    told = {"user": user_id, **({"reason": reason} if reason else {})}
    w.event(EventDraft(by, "user.disabled", f"user:{user_id}", told), at)
