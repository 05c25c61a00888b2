"""Which of several outcomes of one payment is in force?

The one reported last; of those the one known last, then the one recorded last; a tie goes to fraud. So a correction
that was known earlier than what it corrects still corrects it (docs/feature-contract.md). A view as of some moment asks
for `known_at` up to that moment first.
"""

from __future__ import annotations

ORDER = ("reported_seq", "known_at", "recorded_at", "is_fraud")
"""Columns of `outcomes`, the first matters most; the largest is in force."""
LATEST = f"({', '.join(ORDER)})"
"""The same in SQL, to be ordered by: arg_max(x, LATEST) is x of the outcome in force."""


def in_force(where: str = "true") -> str:
    """A SELECT of transaction_seq and is_fraud, a row for each transaction that has outcomes which satisfy `where`."""
    return (
        f"SELECT transaction_seq, arg_max(is_fraud, {LATEST}) AS is_fraud FROM outcomes WHERE {where} "
        "GROUP BY transaction_seq"
    )
