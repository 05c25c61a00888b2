"""What if the customer is talked into paying? All looks like the customer but how much and to whom."""

from __future__ import annotations

import numpy as np

from data.simulator.categories import CATEGORY_NAMES
from data.simulator.payments import Payments, minor
from data.simulator.spending import honest_amounts
from data.simulator.streams import Floats, Ints, weighted
from data.simulator.typologies.campaigns import Scene, campaign_sizes, fraudulent, running_sum
from data.simulator.world import DAY


def talk_into_paying(scene: Scene, count: int) -> Payments:
    """One to four transfers per victim within days, own device and country, far above the usual amount."""
    rng, sizes = scene.rng, campaign_sizes(scene.rng, count, 1, 4)
    campaigns = len(sizes)
    campaign = np.repeat(np.arange(campaigns), sizes)
    start = scene.pause_until_evening(scene.campaign_starts(campaigns), honest_hours=0.9)
    customer = _older(scene, start)[campaign]
    second = start[campaign] + running_sum(rng.exponential(0.5 * DAY, count), sizes)
    merchant = weighted(rng, _transfer_services(scene), campaigns)[campaign]
    day = np.minimum(second / DAY, scene.world.config.days - 1).astype(np.int64)
    ordinary = honest_amounts(scene.world, rng, customer, merchant, day)
    return fraudulent(
        scene,
        "scam_payment",
        campaign,
        second=second,
        customer=customer,
        merchant=merchant,
        device=scene.world.people.usual_device(rng, customer, second / DAY),
        country=scene.world.people.whereabouts(customer, second / DAY),
        channel=scene.online_channel(count, app=0.7),
        amount_minor=minor(ordinary / 100 * np.exp(rng.normal(1.0, 0.5, count))),
    )


def _transfer_services(scene: Scene) -> Floats:
    """Weights of the money transfer services; of any merchant where there is none."""
    merchants = scene.world.merchants
    wanted = merchants.category == CATEGORY_NAMES.index("money_transfer")
    return np.where(wanted, merchants.popularity, 0.0) if wanted.any() else merchants.popularity


def _older(scene: Scene, second: Floats) -> Ints:
    """Of two possible victims the older one."""
    one, other = scene.victims(second), scene.victims(second)
    age = scene.world.people.age_band
    return np.where(age[one] >= age[other], one, other)
