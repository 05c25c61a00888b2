"""What does a thief do who got into a customer's account? Buys dearly what can be sold on."""

from __future__ import annotations

import numpy as np

from data.simulator.payments import Payments, minor
from data.simulator.spending import honest_amounts
from data.simulator.streams import Ints
from data.simulator.typologies.campaigns import Scene, campaign_sizes, either, fraudulent, running_sum
from data.simulator.world import DAY


def take_over_accounts(scene: Scene, count: int) -> Payments:
    """One customer per campaign, one to six payments over hours, most from a device not seen before."""
    rng, sizes = scene.rng, campaign_sizes(scene.rng, count, 1, 6)
    campaigns = len(sizes)
    campaign = np.repeat(np.arange(campaigns), sizes)
    start = scene.pause_until_evening(scene.campaign_starts(campaigns), honest_hours=0.6)
    customer = scene.victims(start)[campaign]
    second = start[campaign] + running_sum(rng.exponential(7_000, count), sizes)
    own = scene.world.people.usual_device(rng, customer, second / DAY)
    # Three in ten thieves act through the victim's own device: malware, a SIM swap, someone in the house.
    through_own = (rng.random(campaigns) < 0.3)[campaign]
    foreign = (rng.random(campaigns) < 0.65)[campaign]
    country = either(
        foreign, scene.apparent_country(customer, start[campaign], hidden=0.45), _home(scene, customer)
    )
    merchant = _shops(scene, customer)
    day = np.minimum(second / DAY, scene.world.config.days - 1).astype(np.int64)
    ordinary = honest_amounts(scene.world, rng, customer, merchant, day)
    boldness = np.exp(rng.normal(0.6, 0.6, campaigns))[campaign]
    return fraudulent(
        scene,
        "account_takeover",
        campaign,
        second=second,
        customer=customer,
        merchant=merchant,
        device=either(through_own, own, scene.strangers_devices(start)[campaign]),
        country=country,
        channel=scene.online_channel(count, app=0.3),
        amount_minor=minor(ordinary / 100 * boldness),
    )


def _home(scene: Scene, customer: Ints) -> Ints:
    return scene.world.people.home[customer]


def _shops(scene: Scene, customer: Ints) -> Ints:
    """Shops whose goods resell, but one time in four where the customer has stored a card."""
    stored = scene.rng.random(len(customer)) < 0.25
    return either(stored, scene.favourite_sites(customer), scene.weak_merchants("resale", len(customer)))
