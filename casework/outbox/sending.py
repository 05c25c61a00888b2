"""How does a message reach its receiver, and what is made of the answer?"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import defaultdict
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from casework.outbox import endpoints, messages
from data.errors import InputError
from data.ledger import Ledger

AGENT = "second-look/1"
_TIMEOUT = httpx.Timeout(10.0, connect=3.0)
LONGEST_SECONDS = 15.0
"""From connecting to the end of the answer's head: _TIMEOUT is for each read, and some send a byte at a time."""


def deliver(
    ledger: Ledger, key: bytes, hosts: Callable[[], Collection[str]], clock: Callable[[], datetime]
) -> dict[str, int]:
    """Send what is due; {"sent", "failed", "dead"}.

    Each answer is recorded at once, so that a stop in between repeats at most one message, with the same id. After a
    failure the same receiver is left alone until the next round. Only one round runs at a time (the schedule sees to
    it).
    """
    done = {"sent": 0, "failed": 0, "dead": 0}
    waiting = defaultdict(list)
    for delivery in messages.due(ledger, clock()):
        waiting[delivery["webhook_id"]].append(delivery)
    if not waiting:
        return done
    tls = httpx.create_ssl_context(trust_env=False)
    for queue in waiting.values():
        for delivery in queue:
            result = _send(ledger, tls, key, hosts(), delivery, clock)
            done[result] += 1
            if result != "sent":
                break
    return done


def _send(
    ledger: Ledger,
    tls: ssl.SSLContext,
    key: bytes,
    hosts: Collection[str],
    delivery: dict[str, Any],
    clock: Callable[[], datetime],
) -> str:
    took, answer = post(tls, key, hosts, delivery, int(clock().timestamp()))
    with ledger.writing() as w:
        if took:
            messages.arrived(w, delivery, answer, clock())
            return "sent"
        return "dead" if messages.failed(w, delivery, answer, clock()) == messages.DEAD else "failed"


def post(
    tls: ssl.SSLContext, key: bytes, hosts: Collection[str], delivery: dict[str, Any], timestamp: int
) -> tuple[bool, str]:
    """Whether the receiver took it (any 2xx) within LONGEST_SECONDS, and what it said in a few words."""
    url, body, message_id = delivery["url"], delivery["body"], delivery["message_id"]
    headers = {
        "content-type": "application/json",
        "user-agent": AGENT,
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": endpoints.signature(key, delivery["webhook_id"], message_id, timestamp, body),
    }
    try:
        endpoints.check(url, hosts)  # the policy may have changed since it was registered
        _refuse_inward(url)
        return asyncio.run(_asked(tls, url, body.encode(), headers))
    except InputError as refused:
        return False, refused.what
    except TimeoutError:
        return False, f"no whole answer within {LONGEST_SECONDS:.0f} seconds"
    # httpx reads addresses more strictly than we do, and what DNS takes for no name at all is a UnicodeError.
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as broken:
        return False, f"{type(broken).__name__}: {broken}"


async def _asked(tls: ssl.SSLContext, url: str, body: bytes, headers: dict[str, str]) -> tuple[bool, str]:
    """The answer's first line, from its head alone, which h11 ends at 100 KB: its body is never read. TimeoutError."""
    async with (
        httpx.AsyncClient(verify=tls, timeout=_TIMEOUT, follow_redirects=False, trust_env=False) as client,
        asyncio.timeout(LONGEST_SECONDS),
        client.stream("POST", url, content=body, headers=headers) as answer,
    ):
        return answer.is_success, f"{answer.status_code} {answer.reason_phrase}".strip()


def _refuse_inward(url: str) -> None:
    """InputError for a name that stands for an address inside: nobody who may only name hosts gets to our network."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if endpoints.is_loopback(host):
        return
    found = socket.getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM)
    if any(endpoints.is_inward(str(address[4][0])) for address in found):
        raise InputError(f"the host '{host}' resolves to an address inside", where="url")
