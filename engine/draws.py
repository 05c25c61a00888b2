"""Which uniform number belongs to this subject, so that nobody without the key can foresee it?"""

from __future__ import annotations

import hmac
from functools import lru_cache

from engine.decision import Draws

_SCALE = 1 << 53


def draw(key: bytes, purpose: str, subject: str) -> float:
    """A uniform number in [0, 1) fixed by the workspace's secret key, a purpose and a subject's id.

    The first 53 bits of HMAC-SHA256 (RFC 2104) over the length-prefixed purpose and subject, so that two pairs
    never share a message. The same arguments always give the same number; different purposes are independent.
    """
    said, keyed = subject.encode(), _begun(key, purpose).copy()
    keyed.update(len(said).to_bytes(4, "big") + said)
    return (int.from_bytes(keyed.digest()[:8], "big") >> 11) / _SCALE


@lru_cache(maxsize=64)
def _begun(key: bytes, purpose: str) -> hmac.HMAC:
    """The HMAC once it has the key and the purpose; only ever copied."""
    said = purpose.encode()
    return hmac.new(key, len(said).to_bytes(4, "big") + said, "sha256")


def transaction_draws(key: bytes, transaction_id: str, audit_share: float, explore_share: float) -> Draws:
    """The audit and exploration draws of one transaction, beside the shares they are held against."""
    return Draws(
        audit=draw(key, "audit", transaction_id),
        audit_probability=audit_share,
        explore=draw(key, "explore", transaction_id),
        explore_probability=explore_share,
    )
