"""How does a ring of mule accounts look? Several customers, new ones mostly, pay from one or two devices."""

from __future__ import annotations

import numpy as np

from data.simulator.payments import Payments, minor
from data.simulator.spending import honest_amounts
from data.simulator.streams import Floats, Ints
from data.simulator.typologies.campaigns import (
    Scene,
    campaign_sizes,
    either,
    fraudulent,
    position_in_campaign,
)
from data.simulator.world import DAY

ACCOUNTS = 7


def run_rings(scene: Scene, count: int) -> Payments:
    """Six to twenty growing payments per ring, over one to three weeks and up to ACCOUNTS accounts."""
    rng, sizes = scene.rng, campaign_sizes(scene.rng, count, 6, 20)
    rings = len(sizes)
    campaign = np.repeat(np.arange(rings), sizes)
    length = np.minimum(rng.uniform(6, 24, rings), 0.6 * scene.world.config.days)
    start = scene.campaign_starts(rings)
    progress = (position_in_campaign(sizes) + rng.random(count)) / sizes[campaign]
    second = scene.pause_until_evening(start[campaign] + progress * length[campaign] * DAY, honest_hours=0.8)
    members = _members(scene, start)
    customer = members[campaign, rng.integers(0, ACCOUNTS, count)]
    devices = scene.strangers_devices(np.repeat(start, 3)).reshape(rings, 3)
    own = scene.world.people.usual_device(rng, customer, second / DAY)
    merchant = scene.weak_merchants("resale", count)
    day = np.minimum(second / DAY, scene.world.config.days - 1).astype(np.int64)
    ordinary = honest_amounts(scene.world, rng, customer, merchant, day)
    return fraudulent(
        scene,
        "shared_devices",
        campaign,
        second=second,
        customer=customer,
        merchant=merchant,
        device=either(rng.random(count) < 0.8, devices[campaign, rng.integers(0, 3, count)], own),
        country=scene.apparent_country(customer, second, hidden=0.93),
        channel=scene.online_channel(count, app=0.45),
        amount_minor=minor(ordinary / 100 * (0.8 + 1.2 * progress)),
    )


def _members(scene: Scene, start: Floats) -> Ints:
    """Accounts of each ring, shape (rings, ACCOUNTS): opened in the two months before, or any if too few."""
    joined = scene.world.people.joined
    members = np.empty((len(start), ACCOUNTS), dtype=np.int64)
    for ring, second in enumerate(start):
        age = second / DAY - joined
        fresh = np.flatnonzero((age >= 0) & (age < 60))
        members[ring] = (
            scene.rng.choice(fresh, ACCOUNTS)
            if len(fresh) >= ACCOUNTS
            else scene.victims(np.full(ACCOUNTS, second))
        )
    return members
