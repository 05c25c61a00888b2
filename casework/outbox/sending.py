"""How does a message reach its receiver, and what is made of the answer?"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from typing import Any
from urllib.parse import urlsplit

import httpx

from casework.outbox import endpoints
from data.errors import InputError

AGENT = "second-look/1"
_TIMEOUT = httpx.Timeout(10.0, connect=3.0)
LONGEST_SECONDS = 15.0
"""From looking the name up to the end of the answer's head: _TIMEOUT is for each read, and some send a byte at a
time."""
LookUp = Callable[[str, int], Sequence[str]]
"""The addresses that a host's name stands for, for a port; OSError if it stands for none."""


def addresses_of(host: str, port: int) -> list[str]:
    """What the system's resolver says, in the order in which it would have them tried."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


def post(
    tls: ssl.SSLContext,
    key: bytes,
    hosts: Collection[str],
    delivery: dict[str, Any],
    timestamp: int,
    look_up: LookUp = addresses_of,
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
        request = httpx.Request("POST", url, content=body.encode(), headers=headers)
        return asyncio.run(_told(tls, request, url, look_up))
    except InputError as refused:
        return False, refused.what
    except TimeoutError:
        return False, f"no whole answer within {LONGEST_SECONDS:.0f} seconds"
    # httpx reads addresses more strictly than we do, and what DNS takes for no name at all is a UnicodeError.
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as broken:
        return False, f"{type(broken).__name__}: {broken}"


async def _told(tls: ssl.SSLContext, request: httpx.Request, url: str, look_up: LookUp) -> tuple[bool, str]:
    """The answer of the first address that takes the connection. TimeoutError."""
    async with asyncio.timeout(LONGEST_SECONDS):
        *others, last = await _outward(url, look_up)
        for address in others:
            try:
                return await asked(tls, request, address)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # nothing was sent; the next address is of the same receiver
        return await asked(tls, request, last)


async def asked(tls: ssl.SSLContext, request: httpx.Request, address: str) -> tuple[bool, str]:
    """The answer's first line, from its head alone, which h11 ends at 100 KB: its body is never read.

    It is sent to `address`, which was checked, and to nothing the name may stand for a moment later; the certificate
    is held to the name.
    """
    there = request.url.copy_with(host=address)
    to_name = {"sni_hostname": request.url.raw_host.decode("ascii")}
    async with (
        httpx.AsyncClient(verify=tls, timeout=_TIMEOUT, follow_redirects=False, trust_env=False) as client,
        client.stream(
            "POST", there, content=request.content, headers=request.headers, extensions=to_name
        ) as answer,
    ):
        return answer.is_success, f"{answer.status_code} {answer.reason_phrase}".strip()


async def _outward(url: str, look_up: LookUp) -> Sequence[str]:
    """Addresses to try. InputError for a name that stands for one inside: nobody who may only name hosts gets to our
    network."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    if endpoints.is_loopback(host):
        return [host]
    found = await _beside(lambda: look_up(host, port), f"looking up {host}")
    if any(endpoints.is_inward(address) for address in found):
        raise InputError(f"the host '{host}' resolves to an address inside", where="url")
    return found


async def _beside(look: Callable[[], Sequence[str]], what: str) -> Sequence[str]:
    """What `look` returns, from a thread that nobody waits for longer than for the answer: a resolver takes as long as
    it likes and cannot be stopped, and asyncio's own threads are waited for at the end."""
    found: Future[Sequence[str]] = Future()
    found.set_running_or_notify_cancel()

    def run() -> None:
        try:
            found.set_result(look())
        except Exception as problem:  # noqa: BLE001 - whoever waits must hear of it
            found.set_exception(problem)

    threading.Thread(target=run, name=what, daemon=True).start()
    return await asyncio.wrap_future(found)
