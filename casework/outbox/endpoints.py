"""Where may messages be sent, who said so, and with which secret are they signed?

Only to hosts that the approved policy names, so that nobody can make this server call into its own network: over HTTPS
to names, over plain HTTP to this machine alone. Redirects are not followed and no proxy of the environment is used. A
name that resolves to a private address is refused when something is sent to it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Collection
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from data.errors import ConflictError, InputError, NotFoundError
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer

MOST = 10
LONGEST_URL = 500
_HOST = re.compile(r"([a-z0-9-]{1,63}\.)*[a-z0-9-]{1,63}\.?|\[?[0-9a-f:]+\]?")
_ACTIVE = "SELECT webhook_id, url, created_by, created_at FROM webhooks WHERE removed_at IS NULL"


def add(
    w: Writer, url: str, hosts: Collection[str], by: str, key: bytes, at: datetime, reason: str = ""
) -> tuple[dict[str, Any], str]:
    """Register an address; its row, and its secret, which is shown this once.

    InputError for an address that policy or its form forbids; ConflictError for one too many, or one there is.
    """
    check(url, hosts)
    there = active(w)
    if any(row["url"] == url for row in there):
        raise ConflictError("this address is registered already", where=url)
    if len(there) >= MOST:
        raise ConflictError("there are too many webhooks", allowed=f"{MOST}", hint="Remove one first.")
    row = {
        "webhook_id": f"webhook_{secrets.token_hex(8)}",
        "url": url,
        "created_by": by,
        "created_at": at,
        "removed_at": None,
    }
    w.insert("webhooks", [row])
    w.event(
        EventDraft(by, "webhook.added", f"webhook:{row['webhook_id']}", {"url": url, "reason": reason}), at
    )
    return row, secret(key, str(row["webhook_id"]))


def remove(w: Writer, webhook_id: str, by: str, at: datetime, reason: str = "") -> None:
    """Send nothing more there; what waits for it ends as dead. NotFoundError if there is none."""
    if not any(row["webhook_id"] == webhook_id for row in active(w)):
        raise NotFoundError("there is no such webhook", where=webhook_id[:80])
    w.execute("UPDATE webhooks SET removed_at = ? WHERE webhook_id = ?", [at, webhook_id])
    w.execute(
        "UPDATE deliveries SET status = 'dead', last_answer = 'the webhook was removed' "
        "WHERE webhook_id = ? AND status = 'waiting'",
        [webhook_id],
    )
    w.event(EventDraft(by, "webhook.removed", f"webhook:{webhook_id}", {"reason": reason}), at)


def active(source: Ledger | Writer) -> list[dict[str, Any]]:
    """Webhooks that messages go to: {webhook_id, url, created_by, created_at}, the oldest first."""
    return sorted(source.read(_ACTIVE), key=lambda row: (row["created_at"], row["webhook_id"]))


def secret(key: bytes, webhook_id: str) -> str:
    """The secret of a webhook, as its owner was shown it. It follows from the workspace's key and is kept nowhere."""
    return "whsec_" + base64.b64encode(_key(key, webhook_id)).decode()


def signature(key: bytes, webhook_id: str, message_id: str, timestamp: int, body: str) -> str:
    """The value of `webhook-signature`: HMAC-SHA256 over "id.timestamp.body", as the Standard Webhooks specification
    has it."""
    signed = f"{message_id}.{timestamp}.{body}".encode()
    digest = hmac.new(_key(key, webhook_id), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def check(url: str, hosts: Collection[str]) -> None:
    """InputError unless messages may be sent to this address."""
    allowed = ", ".join(f"https://{host}/..." for host in hosts) or "none: policy names no webhook hosts"
    if len(url) > LONGEST_URL or any(ord(letter) <= 32 or ord(letter) > 126 for letter in url):
        raise InputError("this is not an address", where="url", allowed=allowed)
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as problem:
        raise InputError("this is not an address", where="url", allowed=allowed) from problem
    if parts.username or parts.password or parts.fragment or port == 0 or not _HOST.fullmatch(host):
        raise InputError("this address has parts that are not allowed", where="url", allowed=allowed)
    if host not in hosts:
        hint = (
            "A host is allowed by naming it under 'webhooks' in policy.yaml, which a second person approves."
        )
        raise InputError(f"the host '{host[:80]}' is not allowed", where="url", allowed=allowed, hint=hint)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise InputError("messages go over https", where="url", allowed="https; http on this machine only")


def host_of(url: str) -> str:
    """The host of an address that was checked, in lower case."""
    return (urlsplit(url).hostname or "").lower()


def is_loopback(host: str) -> bool:
    """Whether this is an address of this machine, written as a number."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_inward(address: str) -> bool:
    """Whether a resolved address lies in a private or otherwise special network."""
    return not ipaddress.ip_address(address.split("%")[0]).is_global


def _key(key: bytes, webhook_id: str) -> bytes:
    return hmac.new(key, b"webhook:" + webhook_id.encode(), hashlib.sha256).digest()
