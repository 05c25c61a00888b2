"""Which typologies and reasons of verdicts are codes that everybody knows, and not somebody's own words?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

TYPOLOGIES = frozenset(
    {
        "card_testing",
        "account_takeover",
        "merchant_compromise",
        "shared_devices",
        "first_party_abuse",
        "scam_payment",
        "structuring",
        "other",
    }
)
"""The usual ones, which the console offers beside those that the institution's rules name."""
REASON_CODES = frozenset(
    {
        "unusual_amount",
        "new_device",
        "velocity",
        "shared_entity",
        "known_pattern",
        "explained_by_history",
        "customer_confirmed",
        "customer_denied",
        "missing_information",
        "other",
    }
)
"""Those that the console offers."""


def own_words(verdict: Mapping[str, Any], named_by_rules: Collection[str]) -> dict[str, str]:
    """What of a verdict's typology and reason is no code, by field: its author's words, which may have to be erased."""
    known = {"typology": TYPOLOGIES | {*named_by_rules}, "reason_code": REASON_CODES}
    return {
        field: str(verdict[field])
        for field, codes in known.items()
        if verdict[field] and verdict[field] not in codes
    }
