"""How should a payment system ask for a decision, so that it always has an answer in time?

One deadline for the whole question. Within it: a time-out for each attempt, and the same id each time, so that a
payment decided twice over is decided once. After it, or where the engine says that it cannot decide: your own fail-safe
outcome by amount, marked as such, and the same payment sent again later, so that it is on record and counts in what
comes after.

    python docs/examples/client.py http://127.0.0.1:8000 TOKEN < payment.json
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

DEADLINE_SECONDS = 1.5
ATTEMPT_SECONDS = 0.5
REVIEW_FROM, DECLINE_FROM = 250.0, 5000.0
AGAIN = (429, 500, 502, 503, 504)
"""Answers after which the same payment may be sent again; any other 4xx is a mistake of the sender's own."""


@dataclass(frozen=True)
class Decided:
    """An outcome, and whether the engine gave it. One that it did not give must be sent again later."""

    outcome: str
    by_engine: bool
    why: str = ""

    @property
    def to_send_again(self) -> bool:
        return not self.by_engine


def fail_safe(payment: Mapping[str, Any], suggested: str = "") -> str:
    """What happens to a payment nobody decided: yours to choose. The engine's suggestion (the policy's fail-safe
    outcome, which a 503 carries) holds for small amounts; large ones are held, the largest refused."""
    amount = float(payment["amount"])
    if amount >= DECLINE_FROM:
        return "decline"
    if amount >= REVIEW_FROM:
        return "review"
    return suggested or "approve"


def decide(
    client: httpx.Client,
    payment: Mapping[str, Any],
    *,
    deadline: float = DEADLINE_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Decided:
    """The engine's outcome, or the fail-safe one when the deadline has passed. ValueError for a payment it refuses."""
    until, suggested, why, pause = clock() + deadline, "", "", 0.05
    while (left := until - clock()) > 0:
        try:
            answer = client.post("/v1/decisions", json=payment, timeout=min(ATTEMPT_SECONDS, left))
        except (
            httpx.TransportError
        ) as error:  # nobody there, or no answer in time: it may be decided all the same
            why = type(error).__name__
        else:
            if answer.status_code == 200:
                return Decided(answer.json()["outcome"], by_engine=True)
            told = answer.json() if "json" in answer.headers.get("content-type", "") else {}
            why = f"{answer.status_code} {told.get('title', '')}".strip()
            if answer.status_code not in AGAIN:
                raise ValueError(f"{why}: {told.get('detail', '')}")
            suggested = told.get("fail_safe", suggested)
            wait = float(answer.headers.get("retry-after", 0))
            if wait > until - clock():
                break  # it would come too late for this payment
            pause = max(pause, wait)
        sleep(min(pause * (0.5 + random.random()), max(0.0, until - clock())))
        pause *= 2
    return Decided(fail_safe(payment, suggested), by_engine=False, why=why)


def main() -> int:
    url, token = sys.argv[1:3]
    with httpx.Client(base_url=url, headers={"authorization": f"Bearer {token}"}) as client:
        decided = decide(client, json.load(sys.stdin))
    print(json.dumps({"outcome": decided.outcome, "by_engine": decided.by_engine, "why": decided.why}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
