"""How was this review drawn: who else looks, what do they see, and with which probability?"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from engine.draws import draw
from engine.policy import Policy

SCORE_SHOWN, BLIND_FIRST = "score_shown", "blind_first"
PRIMARY, SECOND, ADJUDICATION, AUDIT = "primary", "second", "adjudication", "audit"
BLIND_KINDS = (PRIMARY, SECOND, AUDIT)
"""Kinds of task whose reviewer must know nothing of what others said."""
REVIEWER_ROLES = ("analyst",)
ADJUDICATOR_ROLES = ("team_lead",)


@dataclass(frozen=True, slots=True)
class Design:
    """How one transaction is reviewed. `second` is why a second person looks: "" (nobody), "random" or
    "four_eyes"; `second_probability` is the chance with which that came about."""

    arm: str
    second: str
    second_probability: float


def draw_design(policy: Policy, key: bytes, transaction_id: str, amount_minor: int | None) -> Design:
    """Draw arm and second review of a transaction by its id alone, so that neither score nor verdict can
    matter.

    Both reviewers get the same arm, so every random second review counts in the agreement headline.
    """
    sampling = policy.sampling
    arm = BLIND_FIRST if draw(key, "arm", transaction_id) < sampling.blind_first else SCORE_SHOWN
    if draw(key, "second_review", transaction_id) < sampling.second_review:
        return Design(arm, "random", sampling.second_review)
    if amount_minor is not None and 0 < policy.four_eyes_amount_minor <= amount_minor:
        return Design(arm, "four_eyes", 1.0)
    return Design(arm, "", 0.0)


def opaque_id(key: bytes, prefix: str, *parts: str) -> str:
    """An id that says nothing: two tasks on one transaction cannot be recognised by their ids."""
    message = b"".join(len(part).to_bytes(4, "big") + part for part in (p.encode() for p in (prefix, *parts)))
    return f"{prefix}_{hmac.new(key, b'id' + message, hashlib.sha256).hexdigest()[:16]}"


def kinds_for(role: str) -> tuple[str, ...]:
    """Which kinds of task a role may be given.

    Team leads adjudicate and see everything; because they do, they are never given a blind task.
    """
    if role in REVIEWER_ROLES:
        return BLIND_KINDS
    return (ADJUDICATION,) if role in ADJUDICATOR_ROLES else ()
