"""What is one feature, and what does a set of features share?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from engine.features.derived import Expression

DAY_US = 86_400_000_000

# Measures over the earlier transactions of an entity, over labels, and of the transaction alone.
HISTORY = ("count", "sum", "mean", "max", "std", "distinct", "seconds_since_last", "seconds_since_first")
LABELS = ("fraud_count", "fraud_share", "frauds_learned")
OWN = ("value", "local_night", "local_weekend", "local_hour")
MEASURES = (*HISTORY, *LABELS, *OWN)
UNITS = ("money", "count", "seconds", "share", "ratio", "flag", "category", "number")

LEAST_SUM, LARGEST_SUM = -(2**63), 2**63 - 1
"""What fits into 8 bytes; a sum beyond is given as the nearer of them."""

EVERYONE = "everyone"
"""The entity that every transaction shares, for what is usual here at all."""

INTEGER, NUMBER, FLAG, CATEGORY = "integer", "number", "flag", "category"


@dataclass(frozen=True)
class FeatureSpec:
    """One declared feature.

    `measure` is one of MEASURES, or "attribute" or "derived". `entity` holds the names of the entity,
    several for a composite such as customer and device, none for a feature of the transaction alone. `of` is
    "amount" or the name of an attribute or entity. `window_us` is the window's length in microseconds (0
    where there is none). `kind` says what a value is: integer, number (double), flag or category; `model` is
    false for features that only rules read, `actionable` for those that "what would have changed the outcome" leaves
    as they are. `phrase` is for people.
    """

    name: str
    measure: str
    unit: str
    kind: str
    phrase: str
    entity: tuple[str, ...] = ()
    of: str = ""
    window_us: int = 0
    expression: Expression | None = field(default=None, repr=False)
    model: bool = True
    actionable: bool = True

    @property
    def is_label(self) -> bool:
        return self.measure in LABELS

    @property
    def is_history(self) -> bool:
        return self.measure in HISTORY


@dataclass(frozen=True)
class FeatureSet:
    """The declared features in order, and the settings they share (all durations in microseconds).

    `horizon_us` is the longest look back; `lateness_us` how late a transaction may arrive and still see
    whole windows; together they bound what has to be remembered (`memory_us`). `attribute_kinds` gives
    number, flag or category for every attribute that a feature reads.
    """

    features: tuple[FeatureSpec, ...]
    horizon_us: int = 365 * DAY_US
    lateness_us: int = 30 * DAY_US
    label_delay_us: int = 7 * DAY_US
    time_zone: str = "UTC"
    attribute_kinds: dict[str, str] = field(default_factory=dict)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(f.name for f in self.features)

    @cached_property
    def model_names(self) -> tuple[str, ...]:
        """Names of the features a model may learn from, in declared order."""
        return tuple(f.name for f in self.features if f.model)

    @cached_property
    def numeric(self) -> tuple[str, ...]:
        """Names whose values are numbers or flags (flags count as 0 and 1), rules-only ones included."""
        return tuple(f.name for f in self.features if f.kind != CATEGORY)

    @cached_property
    def categorical(self) -> tuple[str, ...]:
        """Names whose values are text, rules-only ones included."""
        return tuple(f.name for f in self.features if f.kind == CATEGORY)

    @cached_property
    def growing(self) -> tuple[str, ...]:
        """Names whose values rise with the length of the record itself."""
        return tuple(
            f.name for f in self.features if f.measure in ("seconds_since_last", "seconds_since_first")
        )

    @property
    def memory_us(self) -> int:
        return self.horizon_us + self.lateness_us

    @cached_property
    def entities(self) -> tuple[tuple[str, ...], ...]:
        """The entities (single or composite) that features look at, in order of first use."""
        return tuple(dict.fromkeys(f.entity for f in self.features if f.entity))

    @cached_property
    def _by_name(self) -> dict[str, FeatureSpec]:
        return {f.name: f for f in self.features}

    def spec(self, name: str) -> FeatureSpec:
        """The feature of that name; KeyError if there is none."""
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def of_entity(self, entity: tuple[str, ...]) -> tuple[FeatureSpec, ...]:
        return tuple(f for f in self.features if f.entity == entity)


def widest(features: Iterable[FeatureSpec]) -> int:
    """The longest window among `features`, in microseconds (0 without any)."""
    return max((f.window_us for f in features), default=0)
