"""By which keyed name does the ledger know a customer whose own name must not lie in it?

A pseudonym is the entity's name, `_`, and 128 bits of HMAC-SHA-256 over entity and value, in 32 hexadecimal digits.
Its key is derived from the ledger's, which lies outside the workspace. White space around a value is stripped and
nothing else changed. What has this form already is taken for a pseudonym and left as it is, so that making one twice
changes nothing.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Set
from dataclasses import replace
from typing import TYPE_CHECKING

from data.errors import MappingError

if TYPE_CHECKING:
    from data.incoming.mapping_columns import Mapping
    from data.ledger import Ledger

ABOUT = "pseudonyms"
"""The row of `about` that names the ledger's pseudonymous entities; there is none where no entity is."""

_PURPOSE = b"second look: pseudonyms of entities, 1"
_BYTES = 16
_MADE = re.compile(rf"[0-9a-f]{{{2 * _BYTES}}}\Z")


class Pseudonyms:
    """Makes the pseudonyms of one ledger. Never shown, compared or stored: it holds a key."""

    __slots__ = ("_key",)

    def __init__(self, secret: bytes) -> None:
        """`secret` is the ledger's key, from which one for this purpose alone is derived."""
        self._key = hmac.digest(secret, _PURPOSE, "sha256")

    def of(self, entity: str, value: str) -> str:
        """The pseudonym of a value of this entity; '' where nothing but white space was given."""
        plain = value.strip()
        if not plain or is_pseudonym(entity, plain):
            return plain
        # No name of an entity holds a NUL, so two entities, or an entity and a value, are never taken for each other.
        made = hmac.digest(self._key, f"{entity}\0{plain}".encode(), "sha256")
        return f"{entity}_{made[:_BYTES].hex()}"


def is_pseudonym(entity: str, value: str) -> bool:
    """Whether this has the form of a pseudonym of the entity; whose key made it cannot be told."""
    start = f"{entity}_"
    return value.startswith(start) and bool(_MADE.match(value, len(start)))


def keyed(mapping: Mapping, ledger: Ledger) -> Mapping:
    """The mapping, able to make pseudonyms under the ledger's key.

    MappingError where the ledger has no key, or was made with other entities as pseudonyms: a person would then be two.
    """
    rows = ledger.read("SELECT value FROM about WHERE name = ?", [ABOUT])
    since = frozenset(str(rows[0]["value"]).split(",")) if rows else frozenset()
    if since != mapping.pseudonymous:
        raise MappingError(
            f"the ledger keeps pseudonyms of {_listed(since)}, and the mapping asks for those of"
            f" {_listed(mapping.pseudonymous)}",
            where=mapping.where,
            hint="This is fixed from the beginning, or the same person would be two. Make a new workspace for it.",
        )
    if not mapping.pseudonymous:
        return mapping
    if ledger.sealer is None:
        raise MappingError(
            f"{_listed(mapping.pseudonymous)} are to be pseudonyms, and this ledger has no key to make them with",
            where=mapping.where,
            hint="Make a workspace with `secondlook init DIR --mapping FILE`, which makes a key outside of it.",
        )
    return replace(mapping, pseudonyms=Pseudonyms(ledger.sealer.key.secret))


def _listed(entities: Set[str]) -> str:
    return ", ".join(sorted(entities)) or "no entities"
