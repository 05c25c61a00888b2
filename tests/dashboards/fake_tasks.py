"""What do the task pages of the made-up institution look like?"""

from __future__ import annotations

from typing import Any

from fake_clock import ahead, stamp

Json = dict[str, Any]
THRESHOLDS = {"review_at": 0.18, "decline_at": 0.86}

FEATURES: list[tuple[str, str, str, Any, str, float]] = [
    (
        "amount_ratio_30d",
        "this amount against the customer's mean of 30 days",
        "ratio",
        14.1,
        "14.1 times",
        1.62,
    ),
    ("device_customer_distinct_7d", "customers seen on this device in 7 days", "count", 4, "4", 1.18),
    (
        "customer_device_seconds_since_first",
        "how long the customer has used this device",
        "seconds",
        540,
        "9 min",
        0.74,
    ),
    ("customer_txn_count_1d", "payments by this customer in 1 day", "count", 6, "6", 0.41),
    ("local_night", "it is night where the customer lives", "flag", True, "yes", 0.22),
    ("channel", "how the payment was made", "category", "ecom", "ecom", 0.12),
    ("merchant_category", "what the merchant sells", "category", "electronics", "electronics", 0.07),
    (
        "merchant_fraud_share_30d",
        "share of fraud at this merchant in 30 days",
        "share",
        None,
        "not known",
        0.02,
    ),
    ("customer_txn_count_30d", "payments by this customer in 30 days", "count", 31, "31", -0.34),
    ("customer_seconds_since_first", "how long the customer is known", "seconds", 63072000, "2 years", -0.86),
]
RULES = [
    {
        "id": "shared_device_burst",
        "title": "One device, many customers",
        "state": "hit",
        "floor": "review",
        "reason": "4 customers used this device within 7 days; the rule asks for a person from 3.",
        "runbook": "Open the device's other customers. Family members share an address; mules rarely do.",
        "false_positives": "Families and shared flats, call centres, school computers.",
    },
    {
        "id": "takeover_new_device_high_amount",
        "title": "New device and an unusual amount",
        "state": "hit",
        "floor": "review",
        "reason": "The device is 9 minutes old for this customer and the amount is 14.1 times the usual.",
        "runbook": "Look for a change of phone number or address in the last days before the payment.",
        "false_positives": "A new phone bought with the same card on the same day.",
    },
    {
        "id": "merchant_learned_fraud",
        "title": "Merchant with recent fraud",
        "state": "missing",
        "floor": "review",
        "reason": "The share of fraud at this merchant is not known: no labels are old enough.",
        "runbook": "",
        "false_positives": "",
    },
]
GUIDELINE = {
    "version": "g_2026-03",
    "text": (
        "## Shared devices and account takeover\n"
        "1. **Read the facts first**: who, what, where, how much, how new.\n"
        "2. A new device is weak evidence alone; with an unusual amount it is strong.\n"
        "3. Confirm when two independent facts point the same way. Dismiss when the history explains them.\n"
        "4. Unsure is an honest answer; say what is missing.\n\n"
        "*Golden question*: would I say the same if the amount were a tenth?"
    ),
}


def history() -> list[Json]:
    amounts = [
        3890,
        6410,
        2275,
        8120,
        5400,
        1299,
        4490,
        7350,
        3120,
        9900,
        2550,
        6075,
        4820,
        5190,
        3345,
        61200,
    ]
    categories = ["groceries", "fuel", "restaurants", "clothing", "groceries", "electronics"]
    return [
        {
            "transaction_id": f"t_{88100 + i}",
            "occurred_at": stamp(days=1.9 * (len(amounts) - i) + 0.3),
            "amount_minor": amount,
            "currency": "EUR",
            "entities": {"customer": "customer_0412", "merchant": f"merchant_{(i * 7) % 23:03d}"},
            "attributes": {"channel": "pos" if i % 3 else "ecom", "merchant_category": categories[i % 6]},
            "known_fraud": i == 4,
        }
        for i, amount in enumerate(amounts)
    ]


def task_page(
    number: int, *, arm: str = "score_shown", amount: int = 81200, lane: str = "money_at_risk"
) -> Json:
    shown = arm == "score_shown"
    bars = [
        {"name": n, "phrase": phrase, "value_text": text, "contribution": push}
        for n, phrase, _, _, text, push in FEATURES
    ]
    base, margin = -3.9, -3.9 + sum(b["contribution"] for b in bars)
    return {
        "task_id": f"k_{number:04d}",
        "kind_shown": "review",
        "lane_shown": lane,
        "question": "Did this customer make this payment?",
        "why": {
            "reason": "rule_asks" if shown else "review",
            "sentence": "Two rules ask for a person: one device, many customers; new device and an unusual amount."
            if shown
            else "This payment was chosen for review.",
        },
        "transaction": {
            "transaction_id": f"t_{90000 + number}",
            "occurred_at": stamp(minutes=47 + number),
            "amount_minor": amount,
            "currency": "EUR",
            "entities": {
                "customer": "customer_0412",
                "card": "card_0412_1",
                "device": "device_2207",
                "merchant": "merchant_014",
            },
            "attributes": {
                "channel": "ecom",
                "country": "DE",
                "merchant_country": "NL",
                "merchant_category": "electronics",
            },
            "personal_masked": {"customer_name": "C••••••• 412", "email": "c•••@example.org"},
        },
        "arm": arm,
        "probability": 0.67 if shown else None,
        "thresholds": THRESHOLDS if shown else None,
        "features": [
            {"name": n, "phrase": phrase, "unit": unit, "value": value, "text": text}
            for n, phrase, unit, value, text, _ in FEATURES
        ],
        "explanation": {"base": base, "margin": margin, "probability": 0.67, "bars": bars} if shown else None,
        "rules": RULES if shown else [],
        "history": history(),
        "guideline": GUIDELINE,
        "claimed_by": "",
        "lock_expires_at": ahead(minutes=14),
        "deadline": ahead(hours=2, minutes=55),
        "draft": None,
        "previous_verdicts": [],
    }


def adjudication_page() -> Json:
    page = task_page(9, amount=129900, lane="adjudication")
    page["kind_shown"] = "adjudication"
    page["why"] = {"reason": "adjudication", "sentence": "Two reviewers gave different verdicts."}
    page["previous_verdicts"] = [
        {
            "reviewer": "analyst-1",
            "value": "confirmed_fraud",
            "typology": "account_takeover",
            "confidence": "high",
            "note": "New device, then the largest payment ever.",
            "seconds": 41,
            "arm": "score_shown",
            "given_at": stamp(hours=3),
        },
        {
            "reviewer": "analyst-2",
            "value": "legitimate",
            "typology": "",
            "confidence": "low",
            "note": "",
            "seconds": 18,
            "arm": "blind_first",
            "given_at": stamp(hours=1),
        },
    ]
    return page


def unknown_entity_page() -> Json:
    """No history, no model: a new customer decided by rules alone."""
    page = task_page(4, amount=4999, lane="uncertain")
    page |= {"probability": None, "explanation": None, "history": [], "thresholds": THRESHOLDS}
    page["rules"] = []
    return page
