"""How was this review drawn: who else looks, what do they see, and with which probability?"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from engine.draws import draw
from engine.policy import Policy

SCORE_SHOWN, BLIND_FIRST = "score_shown", "blind_first"
PRIMARY, SECOND, ADJUDICATION, AUDIT = "primary", "second", "adjudication", "audit"
GOLDEN, RE_SERVE, TRAINING = "golden", "re_serve", "training"
PILOT = "pilot"
BLIND_KINDS = (PRIMARY, SECOND, AUDIT, GOLDEN, RE_SERVE, PILOT)
"""Kinds of task whose reviewer must know nothing of what others said, nor which of these kinds it is."""
REPEATED_KINDS = (GOLDEN, RE_SERVE, TRAINING, PILOT)
"""Kinds that show a past payment again, to one person: their verdicts measure the person. They settle nothing, are no
label and enter no agreement."""
COUNTED_KINDS = (PRIMARY, SECOND, AUDIT)
"""Kinds whose verdicts are a reviewer's fresh opinion of a payment."""
REVIEWER_ROLES = ("analyst",)
ADJUDICATOR_ROLES = ("team_lead",)


@dataclass(frozen=True, slots=True)
class Design:
    """How one transaction is reviewed. `second` is why a second person looks: "" (nobody), "random" or
    "four_eyes"; `second_probability` is the chance with which that came about. `third` says whether a third person
    looks too, which only random second reviews draw, with `third_probability`. `arm_probability` is the chance of the
    display arm that was drawn."""

    arm: str
    second: str
    second_probability: float
    third: bool = False
    third_probability: float = 0.0
    arm_probability: float = 1.0


def draw_design(policy: Policy, key: bytes, transaction_id: str, amount_minor: int | None) -> Design:
    """Draw arm and second review of a transaction by its id alone, so that neither score nor verdict can
    matter.

    Both reviewers get the same arm, so every random second review counts in the agreement headline.
    """
    sampling = policy.sampling
    arm, chance = draw_arm(policy, key, transaction_id)
    if draw(key, "second_review", transaction_id) < sampling.second_review:
        third = draw(key, "third_review", transaction_id) < sampling.third_review
        return Design(arm, "random", sampling.second_review, third, sampling.third_review, chance)
    if amount_minor is not None and 0 < policy.four_eyes_amount_minor <= amount_minor:
        return Design(arm, "four_eyes", 1.0, arm_probability=chance)
    return Design(arm, "", 0.0, arm_probability=chance)


def draw_arm(policy: Policy, key: bytes, subject: str) -> tuple[str, float]:
    """The display arm of a subject, and with which probability it was to get that one."""
    share = policy.sampling.blind_first
    return (BLIND_FIRST, share) if draw(key, "arm", subject) < share else (SCORE_SHOWN, 1.0 - share)


def opaque_id(key: bytes, prefix: str, *parts: str) -> str:
    """An id that says nothing: two tasks on one transaction cannot be recognised by their ids."""
    message = b"".join(len(part).to_bytes(4, "big") + part for part in (p.encode() for p in (prefix, *parts)))
    return f"{prefix}_{hmac.new(key, b'id' + message, hashlib.sha256).hexdigest()[:16]}"


def kinds_for(role: str, *, in_training: bool = False) -> tuple[str, ...]:
    """Which kinds of task a role may be given.

    Team leads adjudicate and see everything; because they do, they are never given a blind task. Whoever is in
    training gets past cases only.
    """
    if role in REVIEWER_ROLES:
        return (TRAINING,) if in_training else BLIND_KINDS
    return (ADJUDICATION,) if role in ADJUDICATOR_ROLES else ()
