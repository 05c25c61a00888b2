"""What of customers who keep the goods and dispute the payment? They shop like anyone, and do it again."""

from __future__ import annotations

import numpy as np

from data.simulator.payments import Payments, minor
from data.simulator.spending import honest_amounts
from data.simulator.typologies.campaigns import Scene, campaign_sizes, fraudulent
from data.simulator.world import DAY


def abuse_chargebacks(scene: Scene, count: int) -> Payments:
    """Two to nine payments per abuser over weeks, own device and country, resale goods, somewhat dearer."""
    rng, sizes = scene.rng, campaign_sizes(scene.rng, count, 2, 9)
    campaign = np.repeat(np.arange(len(sizes)), sizes)
    start = scene.campaign_starts(len(sizes))
    customer = scene.victims(start)[campaign]
    span = min(45.0, 0.5 * scene.world.config.days) * DAY
    second = scene.pause_until_evening(start[campaign] + rng.random(count) * span, honest_hours=0.9)
    merchant = scene.weak_merchants("resale", count)
    day = np.minimum(second / DAY, scene.world.config.days - 1).astype(np.int64)
    ordinary = honest_amounts(scene.world, rng, customer, merchant, day)
    return fraudulent(
        scene,
        "first_party_abuse",
        campaign,
        second=second,
        customer=customer,
        merchant=merchant,
        device=scene.world.people.usual_device(rng, customer, second / DAY),
        country=scene.world.people.whereabouts(customer, second / DAY),
        channel=scene.online_channel(count, app=0.3),
        amount_minor=minor(ordinary / 100 * rng.uniform(1.0, 2.4, count)),
    )
