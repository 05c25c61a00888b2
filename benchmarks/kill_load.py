"""What goes on in a server that is about to be killed, and what did it promise?"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

import httpx

PAYERS, BATCH = 6, 40


@dataclass
class Answered:
    """What the server promised in one round: decisions by id, and tasks whose verdict it took."""

    decisions: dict[str, dict[str, Any]] = field(default_factory=dict)
    tasks: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)


class Load:
    """Payers, analysts and somebody who takes checkpoints, each in a thread, until the server is gone."""

    def __init__(self, url: str, token: str, analysts: list[str], round_name: str) -> None:
        self.got = Answered()
        self._url, self._name, self._over = url, round_name, threading.Event()
        works: list[Callable[[], None]] = [self._paying(n, token) for n in range(PAYERS)]
        works += [self._reviewing(each) for each in analysts] + [self._checkpointing(token)]
        self._threads = [threading.Thread(target=self._until_gone, args=[work]) for work in works]
        for thread in self._threads:
            thread.start()

    def wait_for_answers(self, seconds: float) -> None:
        """On a busy machine the first answer may come late; what counts begins with it."""
        until = time.monotonic() + seconds
        while not self.got.decisions and time.monotonic() < until:
            time.sleep(0.01)

    def end(self) -> Answered:
        self._over.set()
        for thread in self._threads:
            thread.join()
        return self.got

    def _until_gone(self, work: Callable[[], None]) -> None:
        while not self._over.is_set():
            try:
                work()
            except httpx.TransportError:
                return  # it died before this was answered: nothing was promised

    def _client(self, token: str) -> httpx.Client:
        return httpx.Client(base_url=self._url, timeout=30, headers={"authorization": f"Bearer {token}"})

    def _paying(self, payer: int, token: str) -> Callable[[], None]:
        client, numbers = self._client(token), iter(range(10**9))

        def body() -> dict[str, Any]:
            return payment(f"{self._name}-{payer}-{next(numbers)}", payer)

        def one() -> None:
            self._keep(client.post("/v1/decisions", json=body()), lambda told: [told])

        def many() -> None:
            sent = {"transactions": [body() for _ in range(BATCH)]}
            self._keep(client.post("/v1/decisions/batch", json=sent), lambda told: told["decisions"])

        return many if payer == 0 else one

    def _keep(self, answer: httpx.Response, decided: Callable[[Any], list[dict[str, Any]]]) -> None:
        if answer.status_code == 200:
            self.got.decisions |= {each["transaction_id"]: each for each in decided(answer.json())}
        elif answer.status_code not in (429, 503):
            self.got.complaints.append(f"status {answer.status_code}: {answer.text[:200]}")

    def _reviewing(self, token: str) -> Callable[[], None]:
        client = self._client(token)

        def review() -> None:
            taken = client.post("/v1/tasks/next")
            if taken.status_code != 200:
                time.sleep(0.1)
                return
            task_id = taken.json()["task_id"]
            body = {"value": "legitimate", "confidence": "medium"}
            if client.post(f"/v1/tasks/{task_id}/verdict", json=body).status_code == 201:
                self.got.tasks.add(task_id)

        return review

    def _checkpointing(self, token: str) -> Callable[[], None]:
        client = self._client(token)

        def checkpoint() -> None:
            time.sleep(random.random())
            client.post("/v1/jobs/checkpoint/run")

        return checkpoint


def payment(name: str, payer: int) -> dict[str, Any]:
    """Some everyday payments, and some so large that a person must look."""
    large = crc32(name.encode()) % 7 == 0
    return {
        "transaction_id": name,
        "occurred_at": datetime.now(UTC).isoformat(),
        "amount": "4000.00" if large else "12.50",
        "currency": "EUR",
        "entities": {
            "customer": f"c{payer}-{crc32(name.encode()) % 50}",
            "card": f"k{payer}",
            "merchant": f"m{payer}",
        },
        "attributes": {
            "merchant_category": "groceries",
            "merchant_country": "DE",
            "country": "DE",
            "channel": "pos",
        },
        "personal": {},
    }
