"""Which uniform number belongs to this subject, so that nobody without the key can foresee it?"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from engine.decision import Draws

_SCALE = 1 << 53
_BLOCK = 64


def draw(key: bytes, purpose: str, subject: str) -> float:
    """A uniform number in [0, 1) fixed by the workspace's secret key, a purpose and a subject's id.

    The first 53 bits of HMAC-SHA256 (RFC 2104) over the length-prefixed purpose and subject, so that two pairs
    never share a message. The same arguments always give the same number; different purposes are independent.
    """
    begun, outer = _begun(key, purpose)
    said, inner, outer = subject.encode(), begun.copy(), outer.copy()
    inner.update(len(said).to_bytes(4, "big") + said)
    outer.update(inner.digest())
    return (int.from_bytes(outer.digest()[:8], "big") >> 11) / _SCALE


@lru_cache(maxsize=64)
def _begun(key: bytes, purpose: str) -> tuple[Any, Any]:
    """The inner and outer hash of the HMAC once they have the key, and the inner one the purpose; only ever copied."""
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    said = purpose.encode()
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + len(said).to_bytes(4, "big") + said)
    return inner, hashlib.sha256(bytes(byte ^ 0x5C for byte in block))


def transaction_draws(key: bytes, transaction_id: str, audit_share: float, explore_share: float) -> Draws:
    """The audit and exploration draws of one transaction, beside the shares they are held against."""
    return Draws(
        audit=draw(key, "audit", transaction_id),
        audit_probability=audit_share,
        explore=draw(key, "explore", transaction_id),
        explore_probability=explore_share,
    )
