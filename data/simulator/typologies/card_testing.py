"""How do thieves learn which stolen cards still work? By many tiny payments, then a real one."""

from __future__ import annotations

import numpy as np

from data.simulator.payments import Payments, minor
from data.simulator.streams import Flags, Floats, Ints
from data.simulator.typologies.campaigns import (
    Scene,
    campaign_sizes,
    either,
    fraudulent,
    position_in_campaign,
    running_sum,
)


def try_cards(scene: Scene, count: int) -> Payments:
    """Five to eighteen payments per campaign: four fifths try cards, the rest spend on some of them."""
    rng, sizes = scene.rng, campaign_sizes(scene.rng, count, 5, 18)
    campaign, position = np.repeat(np.arange(len(sizes)), sizes), position_in_campaign(sizes)
    tests = np.maximum(np.ceil(0.8 * sizes).astype(np.int64), 1)
    spending = position >= tests[campaign]
    second = _moments(scene, sizes, spending)
    customer = scene.victims(second)
    first = (np.cumsum(sizes) - sizes)[campaign]
    tested = first + (rng.random(count) * tests[campaign]).astype(np.int64)
    customer = either(spending, customer[tested], customer)
    return fraudulent(
        scene,
        "card_testing",
        campaign,
        second=second,
        customer=customer,
        merchant=_merchants(scene, campaign, len(sizes), spending),
        device=_devices(scene, campaign, len(sizes), second),
        country=scene.apparent_country(customer, second, hidden=0.75),
        channel=scene.online_channel(count, app=0.1),
        amount_minor=minor(np.exp(rng.normal(np.where(spending, 4.1, 1.1), np.where(spending, 0.8, 0.75)))),
    )


def _moments(scene: Scene, sizes: Ints, spending: Flags) -> Floats:
    """Tests minutes apart in a brisk campaign, hours in a patient one; spending up to two days later."""
    pace = np.exp(scene.rng.normal(np.log(1200), 1.5, len(sizes)))
    gaps = scene.rng.exponential(np.repeat(pace, sizes))
    start = np.repeat(scene.campaign_starts(len(sizes)), sizes)
    later = scene.rng.uniform(0.05, 2.0, len(gaps)) * 86_400
    return start + running_sum(gaps, sizes) + np.where(spending, later, 0.0)


def _merchants(scene: Scene, campaign: Ints, campaigns: int, spending: Flags) -> Ints:
    """Two shops to try cards at per campaign, any weak shop to spend at."""
    tried = scene.weak_merchants("testing", campaigns * 2).reshape(campaigns, 2)
    which = scene.rng.integers(0, 2, len(campaign))
    return either(spending, scene.weak_merchants("resale", len(campaign)), tried[campaign, which])


def _devices(scene: Scene, campaign: Ints, campaigns: int, second: Floats) -> Ints:
    """A third of campaigns use one device throughout, the others a new identity for each payment."""
    start = np.full(campaigns, np.inf)
    np.minimum.at(start, campaign, second)
    one = scene.strangers_devices(start)[campaign]
    return either((scene.rng.random(campaigns) < 0.35)[campaign], one, scene.strangers_devices(second))
