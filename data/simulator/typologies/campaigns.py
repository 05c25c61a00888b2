"""What does every fraud campaign need: a time, victims, devices and places to spend?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.simulator.payments import APP, ECOM, Payments, typology_number
from data.simulator.population import FAVOURITES
from data.simulator.streams import Flags, Floats, Ints, weighted
from data.simulator.world import DAY, World


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a typology is carried out: the world, what honest people did in it, and from which day on."""

    world: World
    honest: Payments
    rng: np.random.Generator
    first_day: int = 0

    def campaign_starts(self, campaigns: int) -> Floats:
        """Seconds at which campaigns start: about evenly over the days, night as good as day, in no order."""
        share = (np.arange(campaigns) + self.rng.random(campaigns)) / campaigns
        days = self.world.config.days - self.first_day
        return (self.first_day + self.rng.permutation(share) * days) * DAY

    def around(self, second: Floats) -> Floats:
        """What would happen after the last day happens at the beginning, as the end of an earlier campaign.

        Otherwise the first weeks would see too little fraud, or the last ones too much.
        """
        first = self.first_day * DAY
        return first + np.mod(second - first, self.world.config.seconds - first)

    def victims(self, second: Floats) -> Ints:
        """A customer for each moment, among those who had joined by then; active ones are met more often."""
        people = self.world.people
        order = np.argsort(people.joined, kind="stable")
        reach = np.cumsum(np.sqrt(people.activity[order]))
        known = np.maximum(np.searchsorted(people.joined[order], second / DAY, side="right"), 1)
        point = self.rng.random(len(second)) * reach[known - 1]
        return order[np.minimum(np.searchsorted(reach, point, side="right"), known - 1)]

    def weak_merchants(self, taste: str, count: int) -> Ints:
        """Online merchants a fraudster picks for `resale` of goods or for `testing` cards."""
        return weighted(self.rng, self.world.merchants.attraction(taste), count)

    def favourite_sites(self, customer: Ints) -> Ints:
        """A website each customer often buys from."""
        slot = self.rng.integers(0, FAVOURITES, len(customer))
        return self.world.people.favourite_site[customer, slot]

    def strangers_devices(self, second: Floats) -> Ints:
        """A device nobody used here before, for each moment: half of them are fresh, half seen elsewhere."""
        fresh = self.rng.random(len(second)) < 0.5
        age = np.where(fresh, self.rng.exponential(1.5, len(second)), self.rng.exponential(120, len(second)))
        return self.world.new_devices(second / DAY - age)

    def apparent_country(self, customer: Ints, second: Floats, hidden: float) -> Ints:
        """Where payments seem to come from: the victim's country with probability `hidden`, else anywhere."""
        own = self.world.people.whereabouts(customer, second / DAY)
        return np.where(
            self.rng.random(len(customer)) < hidden, own, self.world.somewhere_abroad(self.rng, len(own))
        )

    def online_channel(self, count: int, app: float = 0.15) -> Ints:
        """Websites, and the app for a share of them."""
        return np.where(self.rng.random(count) < app, APP, ECOM).astype(np.int64)

    def pause_until_evening(self, second: Floats, honest_hours: float) -> Floats:
        """Moves that share of payments to hours in which honest people pay, keeping their order of days."""
        moved = self.rng.random(len(second)) < honest_hours
        hour = np.clip(self.rng.normal(16.5, 3.5, len(second)), 5, 22.9)
        return np.where(moved, np.floor(second / DAY) * DAY + hour * 3600, second)


def campaign_sizes(rng: np.random.Generator, total: int, low: int, high: int) -> Ints:
    """Sizes between low and high that sum to `total`; the last campaign takes what is left."""
    sizes = rng.integers(low, high + 1, max(1, -(-total // low)))
    needed = int(np.searchsorted(np.cumsum(sizes), total)) + 1
    sizes = sizes[:needed]
    sizes[-1] -= int(sizes.sum()) - total
    return sizes


def position_in_campaign(sizes: Ints) -> Ints:
    """0, 1, 2, ... within each campaign."""
    return np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)


def running_sum(values: Floats, sizes: Ints) -> Floats:
    """Sum of `values` so far within each campaign, the first of each counting 0."""
    total = np.cumsum(values)
    starts = np.cumsum(sizes) - sizes
    return total - np.repeat(total[starts], sizes)


def fraudulent(
    scene: Scene,
    typology: str,
    campaign: Ints,
    *,
    second: Floats,
    customer: Ints,
    merchant: Ints,
    device: Ints,
    country: Ints,
    channel: Ints,
    amount_minor: Ints,
) -> Payments:
    """The payments of one typology, with a card of each victim's."""
    return Payments(
        second=scene.around(second),
        customer=customer,
        card=scene.world.people.usual_card(scene.rng, customer),
        merchant=merchant,
        device=device,
        country=country,
        channel=channel,
        amount_minor=amount_minor,
        typology=np.full(len(campaign), typology_number(typology), dtype=np.int64),
        campaign=campaign,
    )


def either(chosen: Flags, yes: Ints, no: Ints) -> Ints:
    """np.where for index columns."""
    return np.where(chosen, yes, no).astype(np.int64)
