"""Which features does a features file declare, and is each of them something this institution can compute?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from data import strict_yaml
from data.errors import did_you_mean
from engine.features.derived import ExpressionError, parse
from engine.features.feature_set import (
    CATEGORY,
    EVERYONE,
    FLAG,
    INTEGER,
    MEASURES,
    NUMBER,
    OWN,
    UNITS,
    FeatureSet,
    FeatureSpec,
)
from engine.features.phrases import default_phrase, default_unit
from engine.fields import Fields

__all__ = ["FeatureSet", "FeatureSpec", "load_features"]

MOST_FEATURES = 500
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")
_RESERVED = ("seq", "transaction_id", "occurred_at", "and", "or", "not", "is", "in", "null", "true", "false")
_AMOUNT_ONLY = ("sum", "mean", "std")
_INTEGERS = ("count", "distinct", "fraud_count", "frauds_learned", "local_hour")
_FLAGS = ("local_night", "local_weekend")


def load_features(text: bytes | str, where: str, mapping: Any) -> FeatureSet:
    """Read features.yaml against the institution's mapping.

    `where` names the file in errors. `mapping` has `.entities` (name -> column), `.attributes` (name ->
    something with `.type`: number, category or flag) and `.time_zone`. Raises ConfigError with
    file:line:column.
    """
    document = strict_yaml.load(text, where)
    top = Fields(document)
    top.integer("version", low=1, high=1)
    names = _Names(dict(mapping.entities), {n: _kind_of(a) for n, a in mapping.attributes.items()})
    lateness = _us(top.duration("lateness", "30d"))
    delay = 0 if top.raw("label_delay", "7d") == "0d" else _us(top.duration("label_delay", "7d"))
    zone = _zone(top, mapping)
    reader = _Reader(names, _us(top.duration("horizon", "365d")), delay)
    rows = list(top.each("features"))
    top.done()
    if not 0 < len(rows) <= MOST_FEATURES:
        raise top.error(f"{len(rows)} features are declared", "features", allowed=f"1 to {MOST_FEATURES}")
    for row in rows:
        reader.read(row)
    used = {f.of for f in reader.specs.values()} & names.attributes.keys()
    return FeatureSet(
        features=tuple(reader.specs.values()),
        horizon_us=reader.horizon_us,
        lateness_us=lateness,
        label_delay_us=delay,
        time_zone=zone,
        attribute_kinds={name: names.attributes[name] for name in sorted(used)},
    )


def _kind_of(attribute: Any) -> str:
    return str(attribute if isinstance(attribute, str) else attribute.type)


def _us(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)


def _zone(top: Fields, mapping: Any) -> str:
    name = top.text("time_zone", mapping.time_zone)
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as problem:
        raise top.error(f"'{name}' is not a time zone", "time_zone", hint="Write Europe/Berlin.") from problem
    return name


@dataclass(frozen=True)
class _Names:
    """What the mapping gives a feature to look at."""

    entities: Mapping[str, Any]
    attributes: Mapping[str, str]

    def kind(self, name: str) -> str:
        return INTEGER if name == "amount" else CATEGORY if name in self.entities else self.attributes[name]

    @property
    def countable(self) -> list[str]:
        return [*self.entities, *(n for n, kind in self.attributes.items() if kind != NUMBER)]

    @property
    def comparable(self) -> list[str]:
        return ["amount", *(n for n, kind in self.attributes.items() if kind == NUMBER)]


@dataclass
class _Reader:
    """Reads one feature after another, so that a derived one may use those above it."""

    names: _Names
    horizon_us: int
    delay_us: int
    specs: dict[str, FeatureSpec] = field(default_factory=dict)

    def read(self, row: Fields) -> None:
        name = self._name(row)
        if "derived" in row:
            spec = self._derived(row, name)
        elif "attribute" in row:
            of = self._known(row, "attribute", [*self.names.attributes, *self.names.entities])
            spec = self._spec(row, name, "attribute", self.names.kind(of), of=of)
        else:
            spec = self._measured(row, name)
        row.done()
        self.specs[name] = spec

    def _name(self, row: Fields) -> str:
        name = row.text("name", longest=63)
        if not _NAME.match(name) or name in _RESERVED:
            allowed = "small letters, digits and _, such as customer_txn_count_7d"
            raise row.error(f"'{name}' cannot be a feature's name", "name", allowed=allowed)
        if name in self.specs:
            raise row.error(f"the feature '{name}' is declared twice", "name", hint="Rename one of them.")
        return name

    def _derived(self, row: Fields, name: str) -> FeatureSpec:
        text = row.text("derived")
        try:
            expression = parse(text)
        except ExpressionError as problem:
            allowed = "feature names, decimal numbers, + - * / and parentheses"
            raise row.error(f"in '{text}' {problem}", "derived", allowed=allowed) from problem
        usable = [n for n, spec in self.specs.items() if spec.kind != CATEGORY]
        for used in expression.names:
            if used not in usable:
                what = f"'{text}' uses '{used}', which is no numeric feature declared above it"
                raise row.error(what, "derived", hint=did_you_mean(used, usable))
        return self._spec(row, name, "derived", NUMBER, expression=expression)

    def _measured(self, row: Fields, name: str) -> FeatureSpec:
        measure = row.choice("measure", MEASURES)
        of = self._of(row, measure)
        if measure in OWN:
            return self._spec(row, name, measure, self._kind(measure, of), of=of)
        entity = self._entity(row)
        window = self._window(row, measure)
        return self._spec(row, name, measure, self._kind(measure, of), entity=entity, of=of, window_us=window)

    def _of(self, row: Fields, measure: str) -> str:
        if measure in _AMOUNT_ONLY:
            return self._known(row, "of", ["amount"], "amount")
        if measure in ("max", "value"):
            return self._known(row, "of", self.names.comparable, "amount")
        return self._known(row, "of", self.names.countable) if measure == "distinct" else ""

    def _entity(self, row: Fields) -> tuple[str, ...]:
        if not isinstance(row.value.get("entity"), list):
            return (self._known(row, "entity", [*self.names.entities, EVERYONE]),)
        names = row.texts("entity", optional=False)
        for name in names:
            if name not in self.names.entities:
                allowed = ", ".join(self.names.entities)
                raise row.error(f"'{name}' is not an entity of the mapping", "entity", allowed=allowed)
        if not names or len(set(names)) != len(names):
            raise row.error("'entity' must name one or more different entities", "entity")
        return names

    def _window(self, row: Fields, measure: str) -> int:
        if measure in ("seconds_since_last", "seconds_since_first") and "window" not in row:
            return self.horizon_us
        window = _us(row.duration("window"))
        longest = self.horizon_us - (self.delay_us if measure in ("fraud_count", "fraud_share") else 0)
        if window > longest:
            what = "the window, with the label delay where there is one, is longer than the horizon"
            raise row.error(what, "window", allowed=f"up to {max(longest, 0) // 1_000_000}s")
        return window

    def _known(self, row: Fields, key: str, allowed: list[str], default: str | None = None) -> str:
        return row.choice(key, allowed, default)

    @staticmethod
    def _kind(measure: str, of: str) -> str:
        if measure in _FLAGS:
            return FLAG
        amount = measure in ("sum", "max", "value") and of == "amount"
        return INTEGER if amount or measure in _INTEGERS else NUMBER

    def _spec(self, row: Fields, name: str, measure: str, kind: str, **parts: Any) -> FeatureSpec:
        of, entity, window = parts.get("of", ""), parts.get("entity", ()), parts.get("window_us", 0)
        text = parts["expression"].text if "expression" in parts else ""
        return FeatureSpec(
            name=name,
            measure=measure,
            kind=kind,
            unit=row.choice("unit", UNITS, default_unit(measure, of, kind)),
            phrase=row.text("phrase", default_phrase(measure, of, entity, window, text), longest=200),
            model=row.flag("model", True),
            actionable=row.flag("actionable", True),
            **parts,
        )
