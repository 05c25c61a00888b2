"""What can only be made by whoever holds the ledger's key: seals of events, of tables, of anchors?

An event's `hash` can be checked by anybody, and made anew by anybody who rewrites the whole chain. Its seal is
HMAC-SHA256 under the ledger's key over that hash, which covers everything before it.
"""

from __future__ import annotations

import hashlib
import hmac

from data.integrity.keyring import LedgerKey

_BLOCK = 64


class Sealer:
    """Makes seals under one key. The two halves of HMAC's key are hashed once, so that a seal costs about 1 us."""

    def __init__(self, key: LedgerKey) -> None:
        self.key = key
        padded = key.secret.ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))
        self.row_secret = self.of(b"rows").hex()
        """Enters the digest of every row, so that nobody without the key can choose rows that add up."""

    def of(self, content: bytes) -> bytes:
        """HMAC-SHA256 of the content (RFC 2104), 32 bytes."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(content)
        outer.update(inner.digest())
        return outer.digest()

    def fits(self, content: bytes, seal: bytes | None) -> bool:
        """Whether this is the content's seal."""
        return seal is not None and hmac.compare_digest(self.of(content), seal)
