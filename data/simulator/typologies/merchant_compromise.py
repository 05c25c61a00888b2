"""What happens after a merchant's card data leaked? Weeks later its customers' cards pay elsewhere."""

from __future__ import annotations

import numpy as np

from data.simulator.payments import Payments, minor
from data.simulator.streams import Floats, Ints
from data.simulator.typologies.campaigns import Scene, campaign_sizes, either, fraudulent
from data.simulator.world import DAY


def use_skimmed_cards(scene: Scene, count: int) -> Payments:
    """Five to eighteen payments per leak, with cards that paid at the leaking merchant, at few shops."""
    rng, sizes = scene.rng, campaign_sizes(scene.rng, count, 5, 18)
    campaigns = len(sizes)
    campaign = np.repeat(np.arange(campaigns), sizes)
    leak = scene.campaign_starts(campaigns)
    delay = 3 * DAY + rng.gamma(2.0, 5.0, count) * DAY
    second = scene.pause_until_evening(leak[campaign] + delay, honest_hours=0.75)
    customer = _whose_card_leaked(scene, leak, sizes)
    hands = rng.integers(0, 6, count)
    pool = scene.strangers_devices(np.repeat(leak + 5 * DAY, 6)).reshape(campaigns, 6)
    shops = scene.weak_merchants("resale", campaigns * 3).reshape(campaigns, 3)
    concentrated = rng.random(count) < 0.6
    merchant = either(
        concentrated, shops[campaign, rng.integers(0, 3, count)], scene.weak_merchants("resale", count)
    )
    return fraudulent(
        scene,
        "merchant_compromise",
        campaign,
        second=second,
        customer=customer,
        merchant=merchant,
        device=either(rng.random(count) < 0.45, pool[campaign, hands], scene.strangers_devices(second)),
        country=scene.apparent_country(customer, second, hidden=0.7),
        channel=scene.online_channel(count, app=0.08),
        amount_minor=minor(np.exp(rng.normal(4.1, 0.85, count))),
    )


def _whose_card_leaked(scene: Scene, leak: Floats, sizes: Ints) -> Ints:
    """For each campaign, customers who paid at one merchant in the ten days before the leak was closed."""
    honest, rng = scene.honest, scene.rng
    customers = np.empty(int(sizes.sum()), dtype=np.int64)
    place = 0
    for end, size in zip(leak, sizes, strict=True):
        recent = np.flatnonzero((honest.second > end - 10 * DAY) & (honest.second <= end + DAY))
        if len(recent):
            merchant = honest.merchant[rng.choice(recent)]
            exposed = np.unique(honest.customer[recent[honest.merchant[recent] == merchant]])
            customers[place : place + size] = rng.choice(exposed, size)
        else:
            customers[place : place + size] = scene.victims(np.full(size, end))
        place += size
    return customers
