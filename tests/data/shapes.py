"""What do small made-up files of well-known shapes look like?"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

Row = dict[str, Any]
BAF_NUMBERS = (
    *("name_email_similarity", "prev_address_months_count", "current_address_months_count"),
    *("days_since_request", "intended_balcon_amount", "zip_count_4w", "velocity_6h", "velocity_24h"),
    *("velocity_4w", "bank_branch_count_8w", "date_of_birth_distinct_emails_4w", "credit_risk_score"),
    *("bank_months_count", "proposed_credit_limit", "session_length_in_minutes", "device_distinct_emails_8w"),
    "device_fraud_count",
)
BAF_FLAGS = (
    *("email_is_free", "phone_home_valid", "phone_mobile_valid", "has_other_cards", "foreign_request"),
    "keep_alive_session",
)


def handbook(random: random.Random, n: int, fraud: bool) -> Row:
    at = datetime(2018, 4, 1) + timedelta(minutes=40 * n)
    return {
        "TRANSACTION_ID": n,
        "TX_DATETIME": at.isoformat(" "),
        "CUSTOMER_ID": random.randrange(40),
        "TERMINAL_ID": random.randrange(60),
        "TX_AMOUNT": round(random.lognormvariate(3 + 2 * fraud, 0.6), 2),
        "TX_FRAUD": int(fraud),
        "TX_FRAUD_SCENARIO": int(fraud),
    }


def ulb(random: random.Random, n: int, fraud: bool) -> Row:
    values = {f"V{i}": round(random.gauss(3 * fraud * (i < 4), 1), 6) for i in range(1, 29)}
    # R wrote 1e+05 for the round number, and so the published file has it.
    time = "1e+05" if n == 500 else 200 * n
    return {"Time": time, **values, "Amount": round(random.lognormvariate(3, 1), 2), "Class": int(fraud)}


def ieee_cis(random: random.Random, n: int, fraud: bool) -> Row:
    def some(value: Any) -> Any:
        return "" if random.random() < 0.2 else value

    return {
        "TransactionID": 2987000 + n,
        "isFraud": int(fraud),
        "TransactionDT": 86400 + 7200 * n,
        "TransactionAmt": round(random.lognormvariate(4 + fraud, 1), 3),
        "ProductCD": random.choice("WHCSR"),
        "card1": random.randrange(1000, 1100),
        "card2": some(float(random.randrange(100, 200))),
        "card3": some(float(random.choice((150, 185)))),
        "card4": random.choice(("visa", "mastercard")),
        "card6": random.choice(("debit", "credit")),
        "addr1": some(float(random.randrange(100, 150))),
        "addr2": some(87.0),
        "dist1": some(float(random.randrange(300))),
        "P_emaildomain": some(random.choice(("gmail.com", "yahoo.com"))),
        "R_emaildomain": some("protonmail.com" if fraud else "gmail.com"),
        "C1": float(random.randrange(9)),
        "C13": float(random.randrange(30)),
        "D1": some(float(random.randrange(600))),
    }


def paysim(random: random.Random, n: int, fraud: bool) -> Row:
    amount = round(random.lognormvariate(7 + 2 * fraud, 1), 2)
    return {
        "step": 1 + n // 2,
        "type": random.choice(("TRANSFER", "CASH_OUT"))
        if fraud
        else random.choice(("PAYMENT", "CASH_OUT", "DEBIT")),
        "amount": amount,
        "nameOrig": f"C{random.randrange(10**9)}",
        "oldbalanceOrg": amount,
        "newbalanceOrig": 0.0,
        "nameDest": f"{random.choice('CM')}{random.randrange(300)}",
        "oldbalanceDest": 0.0,
        "newbalanceDest": 0.0 if fraud else amount,
        "isFraud": int(fraud),
        "isFlaggedFraud": 0,
    }


def baf(random: random.Random, n: int, fraud: bool) -> Row:
    numbers = {name: round(random.gauss(2 * fraud, 1), 6) for name in BAF_NUMBERS}
    return {
        "fraud_bool": int(fraud),
        "income": round(random.random(), 1),
        **numbers,
        "payment_type": random.choice(("AA", "AB", "AC")),
        "customer_age": random.randrange(20, 80, 10),
        "employment_status": random.choice(("CA", "CB")),
        "housing_status": random.choice(("BA", "BC")),
        **{name: random.randrange(2) for name in BAF_FLAGS},
        "source": random.choice(("INTERNET", "TELEAPP")),
        "device_os": random.choice(("linux", "windows")),
        "month": n // 250,
    }


SHAPES: dict[str, Callable[[random.Random, int, bool], Row]] = {
    "handbook": handbook, "ulb": ulb, "ieee-cis": ieee_cis, "paysim": paysim, "baf": baf,
}  # fmt: skip


def rows(shape: str, count: int = 1000, every: int = 5) -> Iterator[Row]:
    """Rows of that shape; one in `every` is fraud, and easy to find."""
    chance = random.Random(7)
    for n in range(count):
        yield SHAPES[shape](chance, n, n % every == 2)


def write_shape(path: Path, shape: str, count: int = 1000) -> Path:
    """A CSV file of that shape."""
    made = list(rows(shape, count))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(made[0]))
        writer.writeheader()
        writer.writerows(made)
    return path
