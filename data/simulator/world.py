"""What do honest and dishonest payments have in common: people, merchants, clocks and a supply of devices?"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from data.simulator.categories import hour_weights
from data.simulator.config import InstitutionConfig
from data.simulator.places import ABROAD_SHARE, utc_offsets
from data.simulator.population import Merchants, People, draw_merchants, draw_people
from data.simulator.streams import Floats, Ints, weighted

DAY = 86_400.0


@dataclass(slots=True)
class World:
    """One institution's surroundings; only `device_born` grows, as strangers' devices appear."""

    config: InstitutionConfig
    people: People
    merchants: Merchants
    offsets: Floats
    device_born: list[Floats]
    devices: int
    _hours: Floats = field(default_factory=lambda: np.cumsum(hour_weights(), axis=1))

    def new_devices(self, born: Floats) -> Ints:
        """Numbers of devices nobody used before, one for each day of birth given."""
        first, self.devices = self.devices, self.devices + len(born)
        self.device_born.append(born)
        return np.arange(first, self.devices, dtype=np.int64)

    def births(self) -> Floats:
        """The day each device was first seen anywhere, by device number."""
        return np.concatenate(self.device_born)

    def local_seconds(self, rng: np.random.Generator, category: Ints) -> Floats:
        """A moment of the local day, in seconds, by the category's rhythm."""
        hour = (rng.random(len(category))[:, None] > self._hours[category]).sum(axis=1)
        return (np.minimum(hour, 23) + rng.random(len(category))) * 3600.0

    def in_utc(self, day: Ints, local: Floats, country: Ints) -> Floats:
        """Seconds from the start in UTC for a local time; what falls outside moves by a day."""
        second = day * DAY + local - self.offsets[country, np.clip(day, 0, self.config.days - 1)]
        return self.inside(second)

    def inside(self, second: Floats) -> Floats:
        """The same times, those outside the simulated days moved in by whole days where possible."""
        end = self.config.seconds
        late = np.maximum(np.ceil((second - end + 1) / DAY), 0)
        early = np.maximum(np.ceil(-second / DAY), 0)
        return np.clip(second - late * DAY + early * DAY, 0, end - 1)

    def somewhere_abroad(self, rng: np.random.Generator, size: int) -> Ints:
        """Countries drawn as trips and foreign websites are."""
        return weighted(rng, ABROAD_SHARE, size)


def make_world(config: InstitutionConfig) -> World:
    """Customers, merchants and clocks of an institution, before anything is bought."""
    merchants = draw_merchants(config)
    people, born = draw_people(config, merchants)
    return World(config, people, merchants, utc_offsets(config.start, config.days), [born], len(born))
