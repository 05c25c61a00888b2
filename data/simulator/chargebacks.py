"""When does the institution hear that a payment was fraud, and when is what it hears wrong?"""

from __future__ import annotations

import numpy as np

from data.simulator.config import TYPOLOGIES
from data.simulator.payments import HONEST, POS, Payments
from data.simulator.streams import Flags, Floats, Ints, stream, weighted

FRAUD_REASON_CODES = ("fraud_card_absent", "fraud_card_present", "fraud_account_takeover")
NON_FRAUD_REASON_CODES = ("not_received", "not_as_described", "duplicate", "cancelled")
REASON_CODES = FRAUD_REASON_CODES + NON_FRAUD_REASON_CODES

MEDIAN_DELAY_DAYS = 20.0
_SPREAD = 0.65
_LONGEST_DAYS = 120.0

# Share of frauds ever disputed. Tiny payments go unnoticed; the scammed are ashamed or not entitled.
_FILED = {
    "card_testing": 0.62,
    "account_takeover": 0.93,
    "merchant_compromise": 0.90,
    "shared_devices": 0.85,
    "first_party_abuse": 1.0,
    "scam_payment": 0.6,
}
_HONEST_DISPUTES = 0.0012
_HONEST_CALLED_FRAUD = 0.15


def is_fraud_reason(reason_code: str) -> bool:
    """Whether a chargeback with this code says that the payment was fraud."""
    return reason_code in FRAUD_REASON_CODES


def file_chargebacks(payments: Payments, seed: int) -> tuple[Ints, Floats, Ints]:
    """(row of the payment, second it became known, index into REASON_CODES), in the order of becoming known.

    The delay is lognormal with a median of MEDIAN_DELAY_DAYS, at least half a day, at most 120; many become
    known only after the last simulated day.
    """
    rng = stream(seed, "chargebacks")
    row = np.flatnonzero(_disputed(payments, rng))
    delay = np.exp(rng.normal(np.log(MEDIAN_DELAY_DAYS), _SPREAD, len(row)))
    known = payments.second[row] + np.clip(delay, 0.5, _LONGEST_DAYS) * 86_400
    reason = _reasons(payments.take(row), rng)
    order = np.argsort(known, kind="stable")
    return row[order], known[order], reason[order]


def _disputed(payments: Payments, rng: np.random.Generator) -> Flags:
    by_typology = np.array(
        [_FILED[name] for name in TYPOLOGIES] + [_HONEST_DISPUTES]
    )  # HONEST is the last, -1
    return rng.random(len(payments)) < by_typology[payments.typology]


def _reasons(payments: Payments, rng: np.random.Generator) -> Ints:
    """What the disputes are called: honest customers mostly complain of goods, abusers claim either."""
    count = len(payments)
    honest = payments.typology == HONEST
    abuse = payments.typology == TYPOLOGIES.index("first_party_abuse")
    takeover = payments.typology == TYPOLOGIES.index("account_takeover")
    fraud = np.where(payments.channel == POS, 1, 0)
    fraud = np.where(takeover & (rng.random(count) < 0.5), 2, fraud)
    complaint = len(FRAUD_REASON_CODES) + weighted(rng, np.array([0.45, 0.25, 0.12, 0.18]), count)
    complaint = np.where(abuse, len(FRAUD_REASON_CODES), complaint)
    called_fraud = np.where(honest, _HONEST_CALLED_FRAUD, np.where(abuse, 0.6, 0.98))
    return np.where(rng.random(count) < called_fraud, fraud, complaint).astype(np.int64)
