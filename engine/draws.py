"""Which uniform number belongs to this subject, so that nobody without the key can foresee it?"""

from __future__ import annotations

import hmac

from engine.decision import Draws

_SCALE = 1 << 53


def draw(key: bytes, purpose: str, subject: str) -> float:
    """A uniform number in [0, 1) fixed by the workspace's secret key, a purpose and a subject's id.

    The first 53 bits of HMAC-SHA256 (RFC 2104) over the length-prefixed purpose and subject, so that two pairs
    never share a message. The same arguments always give the same number; different purposes are independent.
    """
    message = b"".join(len(part).to_bytes(4, "big") + part for part in (purpose.encode(), subject.encode()))
    digest = hmac.digest(key, message, "sha256")
    return (int.from_bytes(digest[:8], "big") >> 11) / _SCALE


def transaction_draws(key: bytes, transaction_id: str, audit_share: float, explore_share: float) -> Draws:
    """The audit and exploration draws of one transaction, beside the shares they are held against."""
    return Draws(
        audit=draw(key, "audit", transaction_id),
        audit_probability=audit_share,
        explore=draw(key, "explore", transaction_id),
        explore_probability=explore_share,
    )
