"""What do honest customers buy, when, where and from which device?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data.simulator.categories import closed_on_sunday, column
from data.simulator.drift import honest_amount_factor, moves_online
from data.simulator.payments import APP, ECOM, HONEST, NO_DEVICE, POS, Payments, minor
from data.simulator.population import FAVOURITES, choose_merchants
from data.simulator.streams import Flags, Floats, Ints, stream, weighted
from data.simulator.world import World

_WEEKDAY = np.array([0.95, 0.93, 0.96, 1.0, 1.16, 1.22, 0.88])
# Shares of online payments from an office or library computer, and from a device never seen before.
_SHARED_DEVICE, _STRANGE_DEVICE = 0.006, 0.03
_FAVOURITE_WEIGHTS: Floats = 0.62 ** np.arange(FAVOURITES, dtype=np.float64)


def spend(world: World, count: int) -> Payments:
    """`count` honest payments, in no particular order."""
    rng, people = stream(world.config.seed, "spending"), world.people
    customer, day = _who_and_when(world, rng, count)
    place = people.whereabouts(customer, day.astype(float))
    online = rng.random(count) < people.online[customer]
    online |= moves_online(world.config.drift, day, rng)
    merchant = _where(world, rng, customer, place, online)
    category, online = world.merchants.category[merchant], world.merchants.online[merchant]
    day = _avoid_sundays(world, rng, day, category, online)
    payments = Payments(
        second=world.in_utc(day, world.local_seconds(rng, category), place),
        customer=customer,
        card=people.usual_card(rng, customer),
        merchant=merchant,
        device=_device(world, rng, customer, day, online),
        country=_seen_country(world, rng, place, merchant, online),
        channel=_channel(world, rng, customer, online),
        amount_minor=honest_amounts(world, rng, customer, merchant, day),
        typology=np.full(count, HONEST, dtype=np.int64),
        campaign=np.full(count, HONEST, dtype=np.int64),
    )
    return _shopping_sprees(world, rng, payments)


def day_weights(world: World) -> Floats:
    """Relative number of payments by day: weekends and pay days."""
    config = world.config
    days = np.arange(config.days)
    month_day = (np.datetime64(config.start, "D") + days).astype(object)
    payday = np.array([1.12 if d.day in (1, 2, 3, 27, 28, 29, 30) else 1.0 for d in month_day])
    return _WEEKDAY[_weekday(world, days)] * payday


def honest_amounts(world: World, rng: np.random.Generator, customer: Ints, merchant: Ints, day: Ints) -> Ints:
    """Minor units: the category's price level, the shop's, the customer's, and now and then a splurge."""
    category = world.merchants.category[merchant]
    level = (
        np.log(column("median"))[category]
        + world.merchants.price[merchant]
        + world.people.affluence[customer]
    )
    spread = column("spread")[category] * 0.8
    splurge = np.where(rng.random(len(customer)) < 0.02, rng.uniform(0.8, 2.1, len(customer)), 0.0)
    major = np.exp(level + spread * rng.standard_normal(len(customer)) + splurge)
    return minor(major * honest_amount_factor(world.config.drift, day))


def _who_and_when(world: World, rng: np.random.Generator, count: int) -> tuple[Ints, Ints]:
    """Customers in proportion to activity and time since joining, and a day on which they were customers."""
    weights = np.cumsum(day_weights(world))
    before = np.concatenate([[0.0], weights])
    joined = np.clip(world.people.joined, 0, world.config.days - 1).astype(np.int64)
    present = weights[-1] - before[joined]
    customer = weighted(rng, world.people.activity * present, count)
    point = before[joined[customer]] + rng.random(count) * present[customer]
    return customer, np.minimum(np.searchsorted(weights, point), world.config.days - 1)


def _where(world: World, rng: np.random.Generator, customer: Ints, place: Ints, online: Flags) -> Ints:
    """A favourite at home two times in three, else something popular: websites are sometimes foreign."""
    foreign = online & (rng.random(len(customer)) < 0.2)
    country = np.where(foreign, world.somewhere_abroad(rng, len(customer)), place)
    popular = choose_merchants(rng, world.merchants, country, online)
    slot = weighted(rng, _FAVOURITE_WEIGHTS, len(customer))
    people = world.people
    favourite = np.where(online, people.favourite_site[customer, slot], people.favourite_shop[customer, slot])
    at_home = place == people.home[customer]
    return np.where((rng.random(len(customer)) < 0.66) & (at_home | online), favourite, popular)


def _avoid_sundays(world: World, rng: np.random.Generator, day: Ints, category: Ints, online: Flags) -> Ints:
    shut = (_weekday(world, day) == 6) & (closed_on_sunday()[category] > 0) & ~online
    moved = np.where(rng.random(len(day)) < 0.6, day - 1, day + 1)
    stays = ~shut | (rng.random(len(day)) < 0.12) | (moved < 0) | (moved >= world.config.days)
    return np.where(stays, day, moved)


def _device(world: World, rng: np.random.Generator, customer: Ints, day: Ints, online: Flags) -> Ints:
    """Online payments come from own devices, some from a new one or from one that many share."""
    count = len(customer)
    device = world.people.usual_device(rng, customer, day.astype(float))
    shared = np.flatnonzero(rng.random(count) < _SHARED_DEVICE)
    public = world.new_devices(-rng.exponential(500, max(1, len(world.people) // 400)))
    device[shared] = public[rng.integers(0, len(public), len(shared))]
    strange = np.flatnonzero(online & (rng.random(count) < _STRANGE_DEVICE))
    fresh = rng.random(len(strange)) < 0.4
    age = np.where(fresh, rng.exponential(2, len(strange)), rng.exponential(200, len(strange)))
    device[strange] = world.new_devices(day[strange].astype(float) - age)
    return np.where(online, device, NO_DEVICE)


def _seen_country(world: World, rng: np.random.Generator, place: Ints, merchant: Ints, online: Flags) -> Ints:
    """Where the payment seems to come from: in a shop the shop's country; online now and then a detour."""
    detour = rng.random(len(place)) < 0.015
    elsewhere = np.where(detour, world.somewhere_abroad(rng, len(place)), place)
    return np.where(online, elsewhere, world.merchants.country[merchant])


def _channel(world: World, rng: np.random.Generator, customer: Ints, online: Flags) -> Ints:
    in_app = rng.random(len(customer)) < world.people.likes_app[customer]
    return np.where(online, np.where(in_app, APP, ECOM), POS).astype(np.int64)


def _shopping_sprees(world: World, rng: np.random.Generator, payments: Payments) -> Payments:
    """One payment in twelve follows another of the same customer within the hour, as a tour of shops does."""
    count = len(payments)
    follower = np.flatnonzero(rng.random(count) < 0.085)
    if count < 2 or not len(follower):
        return payments
    order = np.lexsort((payments.second, payments.customer))
    rank = np.empty(count, dtype=np.int64)
    rank[order] = np.arange(count)
    leader = order[np.maximum(rank[follower] - 1, 0)]
    same = (payments.customer[leader] == payments.customer[follower]) & (leader != follower)
    follower, leader = follower[same], leader[same]
    second, country = payments.second.copy(), payments.country.copy()
    second[follower] = world.inside(payments.second[leader] + rng.exponential(900, len(follower)) + 20)
    online = payments.channel[follower] != POS
    country[follower] = np.where(online, payments.country[leader], country[follower])
    return replace(payments, second=second, country=country)


def _weekday(world: World, day: Ints) -> Ints:
    return (world.config.start.weekday() + day) % 7
