"""What happened at the made-up institution, as the tables a real one would hand over?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from data.simulator.categories import CATEGORY_NAMES
from data.simulator.chargebacks import REASON_CODES, file_chargebacks
from data.simulator.config import TYPOLOGIES, InstitutionConfig
from data.simulator.drift import fraud_plan
from data.simulator.payments import CHANNELS, HONEST, NO_DEVICE, Payments, together
from data.simulator.places import COUNTRIES
from data.simulator.population import AGE_BANDS
from data.simulator.spending import spend
from data.simulator.streams import Flags, Floats, Ints, stream
from data.simulator.typologies import COMMIT
from data.simulator.typologies.campaigns import Scene
from data.simulator.world import DAY, World, make_world


@dataclass(frozen=True, slots=True)
class Simulated:
    """The tables of one simulated institution, transactions in the order of time.

    `transactions`: transaction_id, occurred_at (UTC, ms), customer, card, merchant, device (null in a shop),
    country (where the payment came from), merchant_category, merchant_country, channel (pos ecom app), amount
    (decimal(12, 2)), currency, device_age_days (null in a shop), age_band, customer_name, email.
    `chargebacks`: transaction_id, known_at, reason_code, by known_at; some lie after the last day. `truth`:
    transaction_id, is_fraud, typology, campaign_id ("" where there is none), one row per transaction. It is
    for judging, never for importing.
    """

    transactions: pa.Table
    chargebacks: pa.Table
    truth: pa.Table


def simulate(config: InstitutionConfig) -> Simulated:
    """Makes up an institution: the same config gives the same tables."""
    world = make_world(config)
    planned = fraud_plan(config)
    honest = spend(world, config.transactions - sum(count for _, count, _ in planned))
    parts = [honest]
    for order, (typology, count, first_day) in enumerate(planned):
        scene = Scene(world, honest, stream(config.seed, f"{order} {typology}"), first_day)
        committed = COMMIT[typology](scene, count)
        # Two plans of one typology (a drift that brings more of it) must not share campaign numbers.
        parts.append(replace(committed, campaign=committed.campaign + 100_000 * (first_day > 0)))
    payments = together(parts).in_order_of_time()
    ids = _transaction_ids(len(payments))
    return Simulated(
        transactions=_transactions(world, payments, ids),
        chargebacks=_chargebacks(config, payments, ids),
        truth=_truth(payments, ids),
    )


def _transactions(world: World, payments: Payments, ids: pa.Array) -> pa.Table:
    merchants, people, seed = world.merchants, world.people, world.config.seed
    used = payments.device != NO_DEVICE
    customers = np.arange(len(people)) + 1
    return pa.table(
        {
            "transaction_id": ids,
            "occurred_at": _timestamps(world.config, payments.second),
            "customer": _words([f"cust_{i:06d}" for i in customers], payments.customer),
            "card": _words(_shuffled("card", int(people.cards.sum()), seed), payments.card),
            "merchant": _words(_shuffled("merch", len(merchants.category), seed), payments.merchant),
            "device": _words(_shuffled("dev", world.devices, seed), payments.device, used),
            "country": _words(COUNTRIES, payments.country),
            "merchant_category": _words(CATEGORY_NAMES, merchants.category[payments.merchant]),
            "merchant_country": _words(COUNTRIES, merchants.country[payments.merchant]),
            "channel": _words(CHANNELS, payments.channel),
            "amount": _decimals(payments.amount_minor),
            "currency": _words([world.config.currency], np.zeros(len(payments), dtype=np.int64)),
            "device_age_days": _device_ages(world, payments, used),
            "age_band": _words(AGE_BANDS, people.age_band[payments.customer]),
            "customer_name": _words([f"Customer {i}" for i in customers], payments.customer),
            "email": _words([f"c{i}@example.org" for i in customers], payments.customer),
        }
    )


def _chargebacks(config: InstitutionConfig, payments: Payments, ids: pa.Array) -> pa.Table:
    row, known, reason = file_chargebacks(payments, config.seed)
    return pa.table(
        {
            "transaction_id": ids.take(pa.array(row)),
            "known_at": _timestamps(config, known),
            "reason_code": _words(REASON_CODES, reason),
        }
    )


def _truth(payments: Payments, ids: pa.Array) -> pa.Table:
    fraud = payments.typology != HONEST
    names = np.array([*TYPOLOGIES, ""])[payments.typology]  # HONEST is -1, the last
    campaigns = ["" if n < 0 else f"{name}-{n:06d}" for name, n in zip(names, payments.campaign, strict=True)]
    return pa.table(
        {
            "transaction_id": ids,
            "is_fraud": pa.array(fraud),
            "typology": pa.array(names.tolist(), pa.string()),
            "campaign_id": pa.array(campaigns, pa.string()),
        }
    )


def _transaction_ids(count: int) -> pa.Array:
    """Numbered in the order of time, so that an id says nothing about fraud."""
    return pa.array([f"tx_{i:08d}" for i in range(1, count + 1)], pa.string())


def _shuffled(prefix: str, count: int, seed: int) -> list[str]:
    """Names whose numbers say nothing about the order in which the simulator made the things."""
    numbers = stream(seed, f"names of {prefix}").permutation(count) + 1
    return [f"{prefix}_{number:06d}" for number in numbers.tolist()]


def _words(names: Sequence[str], index: Ints, present: Flags | None = None) -> pa.Array:
    places = pa.array(index, mask=None if present is None else ~present)
    return pa.array(list(names), pa.string()).take(places)


def _timestamps(config: InstitutionConfig, second: Floats) -> pa.Array:
    midnight = datetime(config.start.year, config.start.month, config.start.day, tzinfo=UTC)
    micros = np.rint(second * 1000).astype(np.int64) * 1000 + int(midnight.timestamp()) * 1_000_000
    return pa.array(micros).cast(pa.timestamp("us", tz="UTC"))


def _decimals(amount_minor: Ints) -> pa.Array:
    """Exact decimals from cents: a decimal128 is its unscaled value in 16 bytes, low word first."""
    words = np.zeros((len(amount_minor), 2), dtype=np.int64)
    words[:, 0] = amount_minor
    buffers = [None, pa.py_buffer(words.tobytes())]
    return pa.Array.from_buffers(pa.decimal128(12, 2), len(amount_minor), buffers)


def _device_ages(world: World, payments: Payments, used: Flags) -> pa.Array:
    """Whole days since the device was first seen anywhere."""
    born = world.births()[np.where(used, payments.device, 0)]
    age = np.floor(np.maximum(payments.second / DAY - born, 0.0))
    return pa.array(age, mask=~used)
