"""How do thieves find out which stolen cards still work? With tiny payments in quick succession, then a real one."""

from __future__ import annotations

import numpy as np

from data.simulator.payments import Payments, minor
from data.simulator.typologies.campaigns import (
    Scene,
    campaign_sizes,
    either,
    fraudulent,
    position_in_campaign,
    running_sum,
)


def test_cards(scene: Scene, count: int) -> Payments:
    """Six to twenty-six payments per campaign: the first four fifths try cards, the rest spend on some of them."""
    rng, sizes = scene.rng, campaign_sizes(scene.rng, count, 6, 26)
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


test_cards.__test__ = False  # type: ignore[attr-defined]  # the name is the trade's word, not a test of ours


def _moments(scene: Scene, sizes: np.ndarray, spending: np.ndarray) -> np.ndarray:
    """Tests minutes apart in a brisk campaign, hours apart in a patient one; spending up to two days later."""
    pace = np.exp(scene.rng.normal(np.log(1200), 1.5, len(sizes)))
    gaps = scene.rng.exponential(np.repeat(pace, sizes))
    start = np.repeat(scene.campaign_starts(len(sizes), 3.0), sizes)
    later = scene.rng.uniform(0.05, 2.0, len(gaps)) * 86_400
    return start + running_sum(gaps, sizes) + np.where(spending, later, 0.0)


def _merchants(scene: Scene, campaign: np.ndarray, campaigns: int, spending: np.ndarray) -> np.ndarray:
    """Two shops to try cards at per campaign, any weak shop to spend at."""
    tried = scene.weak_merchants("testing", campaigns * 2).reshape(campaigns, 2)
    which = scene.rng.integers(0, 2, len(campaign))
    return either(spending, scene.weak_merchants("resale", len(campaign)), tried[campaign, which])


def _devices(scene: Scene, campaign: np.ndarray, campaigns: int, second: np.ndarray) -> np.ndarray:
    """Half the campaigns use one device throughout, half a new identity for each payment."""
    start = np.zeros(campaigns)
    np.maximum.at(start, campaign, second)
    one = scene.strangers_devices(start)[campaign]
    return either((scene.rng.random(campaigns) < 0.5)[campaign], one, scene.strangers_devices(second))
