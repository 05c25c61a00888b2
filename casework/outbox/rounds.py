"""Who sends what is due, so that no receiver waits for another, and when does it end?"""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

import httpx

from casework.outbox import messages, sending
from data.ledger import Ledger

log = logging.getLogger(__name__)
PATIENCE_SECONDS = 2.0
"""How long a round begins new messages and waits for answers. One that takes longer is waited for beside the rounds
after it, which leave its receiver alone."""


class Sender:
    """Sends to each receiver in order, and to all of them (endpoints.MOST) at once.

    Each answer is recorded at once, so that a stop in between repeats at most one message of each receiver, with the
    same id. After a failure the same receiver is left alone until the next round.
    """

    def __init__(
        self,
        ledger: Ledger,
        key: bytes,
        hosts: Callable[[], Collection[str]],
        clock: Callable[[], datetime],
    ) -> None:
        self._ledger, self._key, self._hosts, self._clock = ledger, key, hosts, clock
        self._at_work: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()  # guards the next two
        self._done: Counter[str] = Counter()
        self._broken: list[Exception] = []
        self._stopping = False

    def round(self) -> dict[str, int]:
        """Send what is due; {"sent", "failed", "dead"} since the last round was over. Only one runs at a time (the
        schedule sees to it). Raises what kept a message from being sent or its answer from being recorded."""
        # Looked at before what is due is read: what somebody is sending meanwhile must not be sent twice.
        busy = self._busy()
        waiting = defaultdict(list)
        for delivery in messages.due(self._ledger, self._clock()):
            if delivery["webhook_id"] not in busy:
                waiting[delivery["webhook_id"]].append(delivery)
        if waiting:
            tls = httpx.create_ssl_context(trust_env=False)
            for webhook_id, queue in waiting.items():
                self._start(webhook_id, tls, queue)
        self._wait(PATIENCE_SECONDS)
        return self._told()

    def stop(self, seconds: float) -> bool:
        """Begin no other message; whether those under way were over within that time. One that was not is sent again
        by the next server, with the same id."""
        self._stopping = True
        return self._wait(seconds)

    def _busy(self) -> list[str]:
        return [webhook_id for webhook_id, thread in dict(self._at_work).items() if thread.is_alive()]

    def _start(self, webhook_id: str, tls: ssl.SSLContext, queue: Sequence[dict[str, Any]]) -> None:
        # A daemon: the end of the program waits for no receiver.
        work = threading.Thread(target=self._send, args=(tls, queue), name=f"to {webhook_id}", daemon=True)
        self._at_work[webhook_id] = work
        work.start()

    def _wait(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        for thread in dict(self._at_work).values():
            thread.join(max(0.0, deadline - time.monotonic()))
        return not self._busy()

    def _told(self) -> dict[str, int]:
        with self._lock:
            done, self._done = self._done, Counter()
            broken, self._broken = self._broken, []
        for other in broken[1:]:
            log.warning("messages to another receiver are not sent either", exc_info=other)
        if broken:
            raise broken[0]
        return {result: done[result] for result in ("sent", "failed", "dead")}

    def _send(self, tls: ssl.SSLContext, queue: Sequence[dict[str, Any]]) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        try:
            for delivery in queue:
                result = self._sent(tls, delivery)
                with self._lock:
                    self._done[result] += 1
                if result != "sent" or self._stopping or time.monotonic() >= until:
                    return
        except Exception as problem:  # noqa: BLE001 - the round raises it, and the schedule records that
            with self._lock:
                self._broken.append(problem)

    def _sent(self, tls: ssl.SSLContext, delivery: dict[str, Any]) -> str:
        clock = self._clock
        took, answer = sending.post(tls, self._key, self._hosts(), delivery, int(clock().timestamp()))
        with self._ledger.writing() as w:
            if took:
                messages.arrived(w, delivery, answer, clock())
                return "sent"
            return "dead" if messages.failed(w, delivery, answer, clock()) == messages.DEAD else "failed"
