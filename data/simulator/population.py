"""Who are the customers and merchants: what do people own, like and spend, and where do they travel?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.simulator.categories import CATEGORIES, column
from data.simulator.config import InstitutionConfig
from data.simulator.places import ABROAD_SHARE, COUNTRIES, HOME_SHARE
from data.simulator.streams import Flags, Floats, Ints, stream, weighted

AGE_BANDS = ("18-24", "25-34", "35-49", "50-64", "65+")
DEVICE_SLOTS = 3
FAVOURITES = 6
_NEVER = 1e9


@dataclass(frozen=True, slots=True)
class Merchants:
    """One row per merchant; `weakness` in [0, 1] says how easily stolen cards pass there."""

    category: Ints
    country: Ints
    online: Flags
    price: Floats
    popularity: Floats
    weakness: Floats

    def attraction(self, taste: str) -> Floats:
        """Weight with which fraudsters choose each online merchant, by `resale` or `testing`; not all 0."""
        wanted = column(taste)[self.category] * np.sqrt(self.popularity) * (0.05 + self.weakness) ** 1.5
        return np.where(self.online, wanted + 1e-9, 0.0)


@dataclass(frozen=True, slots=True)
class People:
    """One row per customer; times are days from the start and may be negative.

    `affluence` is added to the logarithm of amounts; `device` and `device_from` have DEVICE_SLOTS columns and
    `favourite_shop`, `favourite_site` FAVOURITES; trips have two columns, `trip_from` is never where none is
    planned.
    """

    home: Ints
    activity: Floats
    affluence: Floats
    joined: Floats
    age_band: Ints
    online: Floats
    likes_app: Floats
    first_card: Ints
    cards: Ints
    device: Ints
    device_from: Floats
    favourite_shop: Ints
    favourite_site: Ints
    trip_from: Floats
    trip_until: Floats
    trip_to: Ints

    def __len__(self) -> int:
        return len(self.home)

    def whereabouts(self, customer: Ints, day: Floats) -> Ints:
        """The country each customer is in on that day."""
        place = self.home[customer]
        for trip in range(self.trip_from.shape[1]):
            away = (self.trip_from[customer, trip] <= day) & (day < self.trip_until[customer, trip])
            place = np.where(away, self.trip_to[customer, trip], place)
        return place

    def usual_device(self, rng: np.random.Generator, customer: Ints, day: Floats) -> Ints:
        """A device of the customer's own: the newest one most of the time."""
        owned = self.device_from[customer] <= day[:, None]
        owned[:, 0] = True  # whatever the day: a stolen account may be used before its owner joined
        liking = np.where(owned, self.device_from[customer], -_NEVER)
        liking = liking + rng.gumbel(0, 150, liking.shape)
        chosen = np.argmax(liking, axis=1)
        return self.device[customer, chosen]

    def usual_card(self, rng: np.random.Generator, customer: Ints) -> Ints:
        """A card of the customer's, the first one four times in five."""
        other = rng.integers(0, self.cards[customer])
        return self.first_card[customer] + np.where(rng.random(len(customer)) < 0.75, 0, other)


def draw_merchants(config: InstitutionConfig) -> Merchants:
    """Merchants by category and country: every country gets shops and websites, most at home."""
    rng, n = stream(config.seed, "merchants"), config.merchants
    category = weighted(rng, np.sqrt(column("popularity")), n)
    country = weighted(
        rng, 0.75 * HOME_SHARE / HOME_SHARE.sum() + 0.25 * ABROAD_SHARE / ABROAD_SHARE.sum(), n
    )
    size = rng.pareto(1.3, n) + 0.2
    share = column("popularity")[category] / np.maximum(
        np.bincount(category, minlength=len(CATEGORIES))[category], 1
    )
    return Merchants(
        category=category,
        country=country,
        online=rng.random(n) < column("online")[category],
        price=rng.normal(0, 0.3, n),
        popularity=share * np.minimum(size, 30),
        weakness=rng.beta(1, 3, n),
    )


def draw_people(config: InstitutionConfig, merchants: Merchants) -> tuple[People, Floats]:
    """The customers, and for each of their devices the day it was first seen (negative: before the start)."""
    rng, n = stream(config.seed, "people"), config.customers
    cards = 1 + weighted(rng, np.array([0.7, 0.24, 0.06]), n)
    home = weighted(rng, HOME_SHARE, n)
    joined = np.where(rng.random(n) < 0.12, rng.uniform(0, 0.85 * config.days, n), -rng.uniform(30, 2000, n))
    device, device_from, born = _draw_devices(rng, joined, config.days)
    trip_from, trip_until, trip_to = _draw_trips(rng, n, config.days)
    people = People(
        home=home,
        activity=rng.gamma(1.6, 1.0, n) + 0.05,
        affluence=rng.normal(0, 0.4, n),
        joined=joined,
        age_band=weighted(rng, np.array([0.12, 0.2, 0.28, 0.24, 0.16]), n),
        online=rng.beta(2.2, 2.6, n),
        likes_app=rng.beta(1, 2, n),
        first_card=np.concatenate([[0], np.cumsum(cards)[:-1]]).astype(np.int64),
        cards=cards,
        device=device,
        device_from=device_from,
        favourite_shop=_draw_favourites(rng, home, merchants, online=False),
        favourite_site=_draw_favourites(rng, home, merchants, online=True),
        trip_from=trip_from,
        trip_until=trip_until,
        trip_to=trip_to,
    )
    return people, born


def choose_merchants(
    rng: np.random.Generator, merchants: Merchants, country: Ints, online: Flags, weight: Floats | None = None
) -> Ints:
    """A merchant for each row: a website or a shop in that country, or anywhere if it has none."""
    chosen = np.zeros(len(country), dtype=np.int64)
    popularity = merchants.popularity if weight is None else weight
    for sells_online in (False, True):
        kind = popularity * (merchants.online == sells_online)
        kind = kind if kind.sum() > 0 else popularity
        for place in range(len(COUNTRIES)):
            rows = np.flatnonzero((country == place) & (online == sells_online))
            local = kind * (merchants.country == place)
            chosen[rows] = weighted(rng, local if local.sum() > 0 else kind, len(rows))
    return chosen


def _draw_devices(rng: np.random.Generator, joined: Floats, days: int) -> tuple[Ints, Floats, Floats]:
    """Each customer's devices, when they start to use them, when each was born. One home in ten shares."""
    n = len(joined)
    since = np.column_stack(
        [joined - rng.exponential(700, n), joined - rng.exponential(300, n), rng.uniform(0, 4.0 * days, n)]
    )
    since[:, 1] = np.where(rng.random(n) < 0.55, since[:, 1], _NEVER)
    device = np.arange(n * DEVICE_SLOTS, dtype=np.int64).reshape(n, DEVICE_SLOTS)
    sharing = np.flatnonzero(rng.random(n) < 0.1)
    device[sharing, 0] = device[(sharing + 1) % n, 0]
    age = np.column_stack([joined - rng.exponential(400, n), np.minimum(since[:, 1], joined), since[:, 2]])
    return device, since, (age - rng.exponential(15, age.shape)).ravel()


def _draw_trips(rng: np.random.Generator, n: int, days: int) -> tuple[Floats, Floats, Ints]:
    """Two possible trips each: four people in ten go somewhere in 120 days, for about a week."""
    chance = 1 - 0.77 ** (days / 120)
    start = np.where(rng.random((n, 2)) < chance, rng.uniform(0, days, (n, 2)), _NEVER)
    return start, start + 2 + rng.exponential(6, (n, 2)), weighted(rng, ABROAD_SHARE, 2 * n).reshape(n, 2)


def _draw_favourites(rng: np.random.Generator, home: Ints, merchants: Merchants, *, online: bool) -> Ints:
    """FAVOURITES merchants per customer in the home country; the first is the most visited."""
    country = np.repeat(home, FAVOURITES)
    kind = np.full(len(country), online)
    return choose_merchants(rng, merchants, country, kind).reshape(len(home), FAVOURITES)
