"""Who is this, according to the institution's own identity provider (OpenID Connect)?

The console's sign-in ends with an ID token. The API trusts nobody's word about it, not even the console's: it verifies
the provider's signature, issuer, audience and times itself, and then looks for the person an admin linked to that name.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from urllib.parse import urlsplit

import httpx
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from casework.people.keys import needs_reason
from casework.people.permissions import Person, Role
from casework.people.signin import NotSignedIn
from data.errors import ConflictError, InputError, NotFoundError, SecondLookError
from data.events import EventDraft
from data.ledger import Ledger, Writer

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
"""Only signatures of a key that the provider alone holds: no 'none', and no secret shared with the console."""
KINDS = ("email", "subject")
LONGEST_TOKEN = 16_384
_LEEWAY_SECONDS = 60
_KEYS_FRESH = timedelta(hours=1)
_ASK_AGAIN = timedelta(minutes=1)
_MOST_ASKING = 5
"""Sign-ins that wait for the provider's keys at once: one asks for them, the others wait for what it is told."""
_SOON_SECONDS = 2
_LONGEST_NAME = 320
Fetch = Callable[[str], Mapping[str, Any]]
_REFUSED = "the identity provider's token cannot be accepted"
_HINT = "Sign in again; if that does not help, ask an admin whether your account is linked."


class ProviderAway(SecondLookError):
    """The provider's keys cannot be had just now: HTTP 503. `wait_seconds` says when to come again."""

    def __init__(self, issuer: str, wait_seconds: int) -> None:
        self.wait_seconds = wait_seconds
        super().__init__(
            "the identity provider's keys cannot be read",
            where=issuer,
            hint=f"Try again in {wait_seconds} s, or sign in with a password; if it stays, tell whoever runs the"
            " server.",
        )


def _fetched(url: str) -> Mapping[str, Any]:
    answer = httpx.get(url, timeout=5.0, follow_redirects=False)
    answer.raise_for_status()
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


@dataclass(frozen=True, slots=True)
class _Keys:
    found: jwk.KeySet
    asked_at: datetime


class Provider:
    """One identity provider, and the audience (client id) its tokens must be for. Its keys are fetched when needed.

    Anybody may show a token, so nobody's token has a provider that is away asked more than once a minute, and few wait.
    """

    def __init__(self, issuer: str, client_id: str, fetch: Fetch = _fetched) -> None:
        _check_address(issuer, "SECONDLOOK_OIDC_ISSUER")
        self.issuer, self.client_id = issuer, client_id
        self._fetch = fetch
        self._keys: _Keys | None = None
        self._failed_at: datetime | None = None
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(_MOST_ASKING)

    def names(self, id_token: str, at: datetime) -> list[tuple[str, str]]:
        """What the provider calls this person, as (kind, name): the subject, and the e-mail address if verified.

        NotSignedIn unless the token is the provider's, meant for us, and good at this moment; ProviderAway where its
        keys are needed and cannot be had.
        """
        claims = self._verified(id_token, at)
        found = [("subject", str(claims["sub"]))]
        if claims.get("email_verified") is True and isinstance(claims.get("email"), str):
            found.append(("email", str(claims["email"])))
        return found

    def _verified(self, id_token: str, at: datetime) -> Mapping[str, Any]:
        try:
            token = jwt.decode(id_token, self._keys_at(at, new=False), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            try:  # the provider may sign with a key that is newer than ours
                token = jwt.decode(id_token, self._keys_at(at, new=True), algorithms=ALGORITHMS)
            except (JoseError, ValueError) as error:
                raise NotSignedIn(_REFUSED, hint=_HINT) from error
        now = int(at.timestamp())
        rules = jwt.JWTClaimsRegistry(
            now,
            _LEEWAY_SECONDS,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        try:
            rules.validate(token.claims)
        except (JoseError, ValueError, TypeError) as error:
            raise NotSignedIn(_REFUSED, hint=_HINT) from error
        claims: Mapping[str, Any] = token.claims
        shared = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (shared or "azp" in claims) and claims.get("azp") != self.client_id:
            raise NotSignedIn(_REFUSED, hint=_HINT)
        return claims

    def _keys_at(self, at: datetime, *, new: bool) -> jwk.KeySet:
        held = self._held(at, new)
        if held is not None:
            return held
        if not self._places.acquire(blocking=False):
            raise ProviderAway(self.issuer, _SOON_SECONDS)
        try:
            with self._lock:
                return self._held(at, new) or self._asked_at(at)
        finally:
            self._places.release()

    def _held(self, at: datetime, new: bool) -> jwk.KeySet | None:
        """The keys in memory, None if they must be asked for; ProviderAway where that failed within the last minute."""
        held = self._keys
        age = abs(at - held.asked_at) if held else _KEYS_FRESH
        if held is not None and (age < _ASK_AGAIN or (not new and age < _KEYS_FRESH)):
            return held.found
        failed = self._failed_at
        if failed is not None and abs(at - failed) < _ASK_AGAIN:
            left = _ASK_AGAIN - abs(at - failed)
            raise ProviderAway(self.issuer, max(1, ceil(left / timedelta(seconds=1))))
        return None

    def _asked_at(self, at: datetime) -> jwk.KeySet:
        try:
            found = self._asked()
        except ProviderAway:
            self._failed_at = at
            raise
        self._keys, self._failed_at = _Keys(found, at), None
        return found

    def _asked(self) -> jwk.KeySet:
        try:
            about = self._fetch(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
            if about.get("issuer") != self.issuer:
                raise ValueError("another issuer")
            where = str(about.get("jwks_uri", ""))
            _check_address(where, "jwks_uri")
            return jwk.KeySet.import_key_set(self._fetch(where))  # type: ignore[arg-type]
        except (httpx.HTTPError, JoseError, InputError, KeyError, TypeError, ValueError) as error:
            raise ProviderAway(self.issuer, _ASK_AGAIN.seconds) from error


def from_environment(environment: Mapping[str, str]) -> Provider | None:
    """The provider that the environment names, None without one. InputError if only half of it is said."""
    issuer = environment.get("SECONDLOOK_OIDC_ISSUER", "")
    client_id = environment.get("SECONDLOOK_OIDC_CLIENT_ID", "")
    if not issuer and not client_id:
        return None
    if not issuer or not client_id:
        raise InputError(
            "an identity provider is half set up",
            where="environment",
            allowed="SECONDLOOK_OIDC_ISSUER and SECONDLOOK_OIDC_CLIENT_ID together, or neither",
        )
    return Provider(issuer, client_id)


def link(
    w: Writer,
    user_id: str,
    issuer: str,
    kind: str,
    name: str,
    key: bytes,
    *,
    by: str,
    reason: str,
    at: datetime,
) -> None:
    """Let whom the provider calls `name` (kind: email or subject) in as this user.

    Only a keyed hash of the name is kept. InputError for what is no name, NotFoundError for no active user,
    ConflictError if the name stands for somebody already.
    """
    needs_reason(reason)
    if kind not in KINDS or not name.strip() or len(name) > _LONGEST_NAME:
        raise InputError("this is no name at a provider", where="kind, name", allowed="; ".join(KINDS))
    if not w.read("SELECT 1 AS ok FROM users WHERE user_id = ? AND disabled_at IS NULL", [user_id]):
        raise NotFoundError(f"there is no active user {user_id[:80]}")
    digest = _digest(key, issuer, kind, name)
    if w.read("SELECT 1 AS ok FROM outside_names WHERE name_hmac = ? AND ended_at IS NULL", [digest]):
        raise ConflictError("this name is linked to somebody already", hint="Unlink that user first.")
    row = {"user_id": user_id, "issuer": issuer, "name_hmac": digest, "linked_at": at, "linked_by": by}
    w.insert("outside_names", [{**row, "ended_at": None}])
    told = {"issuer": issuer, "kind": kind, "reason": reason}
    w.event(EventDraft(by, "user.linked", f"user:{user_id}", told), at)


def unlink(w: Writer, user_id: str, *, by: str, reason: str, at: datetime) -> None:
    """Let nobody in as this user through a provider any more. NotFoundError if nobody was."""
    needs_reason(reason)
    if not w.read("SELECT 1 AS ok FROM outside_names WHERE user_id = ? AND ended_at IS NULL", [user_id]):
        raise NotFoundError(f"{user_id[:80]} is not linked to an identity provider")
    w.execute("UPDATE outside_names SET ended_at = ? WHERE user_id = ? AND ended_at IS NULL", [at, user_id])
    w.event(EventDraft(by, "user.unlinked", f"user:{user_id}", {"reason": reason}), at)


def digests_of(provider: Provider, id_token: str, key: bytes, at: datetime) -> list[str]:
    """What the ledger keeps of the names of this ID token's bearer. NotSignedIn for a token that is not accepted."""
    if len(id_token) > LONGEST_TOKEN:
        raise NotSignedIn(_REFUSED, hint=_HINT)
    return [_digest(key, provider.issuer, kind, name) for kind, name in provider.names(id_token, at)]


def person_linked(source: Ledger | Writer, digests: list[str]) -> Person:
    """The active user to whom these names (from `digests_of`) are linked. NotSignedIn if nobody is, or several are."""
    marks = ", ".join("?" for _ in digests)
    rows = source.read(
        "SELECT DISTINCT u.user_id, u.role FROM outside_names n JOIN users u USING (user_id)"
        f" WHERE n.name_hmac IN ({marks}) AND n.ended_at IS NULL AND u.disabled_at IS NULL",
        digests,
    )
    if len(rows) != 1:
        raise NotSignedIn("nobody here is linked to this account", hint="Ask an admin to link it.")
    return Person(rows[0]["user_id"], Role(rows[0]["role"]))


def check_linked(source: Ledger | Writer, digests: list[str], person: Person) -> None:
    """NotSignedIn unless these names are still linked to this person, in the same role."""
    if person_linked(source, digests) != person:
        raise NotSignedIn("this account was linked to somebody else meanwhile", hint="Sign in again.")


def _digest(key: bytes, issuer: str, kind: str, name: str) -> str:
    plain = name.strip().casefold() if kind == "email" else name
    return hmac.new(
        key, "\0".join(("outside-name", issuer, kind, plain)).encode(), hashlib.sha256
    ).hexdigest()


def _check_address(url: str, where: str) -> None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" and host and not parts.username:
        return
    if parts.scheme == "http" and (host == "localhost" or _is_loopback(host)):
        return
    raise InputError(
        "this is not an address to trust", where=where, allowed="https://..., or http:// on this machine"
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
