"""Which features can be computed over any institution's entities, amounts and labels?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import permutations

from data.incoming.mapping import Mapping
from engine.features.feature_set import EVERYONE

LONGEST_NAME = 63
MOST_SHARING = 4
"""Sharing features grow with the square of the entities, so only the first few entities get them, and long habits."""

_HEAD = """\
# What is known about a {called} at the moment it is decided. Made from the mapping; change it as you learn.
# A feature's name says whose, what, how, and over how long. `model: false` keeps a feature to the rules.
version: 1
horizon: 365d
label_delay: {delay}
time_zone: {zone}

features:
"""
_WEEK_AND_MONTH = (("7d", "7 days"), ("30d", "30 days"))
_WINDOWS = (("1d", "1 day"), *_WEEK_AND_MONTH)
Line = tuple[str, str]


def features_yaml(mapping: Mapping) -> str:
    """The text of features.yaml."""
    lines = [
        *_own(mapping),
        *_everyone(mapping),
        *_habits(mapping),
        *_sharing(mapping),
        *_labels(mapping),
        *_ratios(mapping),
        *_long_habits(mapping),
        *_old_and_fresh_frauds(mapping),
    ]
    seen: dict[str, str] = {}
    for name, rest in lines:
        if len(name) <= LONGEST_NAME:
            seen.setdefault(name, f"  - {{name: {name}, {rest}}}\n")
    delay = mapping.label.known_after if mapping.label and mapping.label.known_after else timedelta(days=7)
    return _HEAD.format(
        called=mapping.called, delay=f"{max(1, round(delay / timedelta(days=1)))}d", zone=mapping.time_zone
    ) + "".join(seen.values())


def _own(mapping: Mapping) -> Iterator[Line]:
    if mapping.amount:
        phrase = f"amount of this {mapping.called}"
        yield "amount_minor", f'measure: value, of: amount, unit: money, phrase: "{phrase}"'
    # A clock that counts days has no hours, and one that counts months no weekends either.
    if mapping.occurred_at.unit not in ("days", "months"):
        yield "local_hour", 'measure: local_hour, unit: number, phrase: "hour of the day"'
        yield "local_night", 'measure: local_night, unit: flag, phrase: "at night"'
    if mapping.occurred_at.unit != "months":
        yield "local_weekend", 'measure: local_weekend, unit: flag, phrase: "on a weekend"'
    for name in mapping.attributes:
        yield name, f'attribute: {name}, phrase: "{_spoken(name)}"'
    for name in mapping.entities:
        yield name, f'attribute: {name}, model: false, phrase: "the {_spoken(name)}"'


def _everyone(mapping: Mapping) -> Iterator[Line]:
    """What is usual here at all, where nothing can be counted over an entity and the clock knows hours."""
    if mapping.entities or mapping.occurred_at.unit in ("days", "months"):
        return
    for window, words in (("1h", "the last hour"), ("7d", "7 days")):
        rest = f"entity: {EVERYONE}, measure: count, window: {window}, unit: count"
        yield f"everyone_txn_count_{window}", f'{rest}, phrase: "{mapping.called}s of everyone in {words}"'
    if not mapping.amount:
        return
    for measure, words in (
        ("mean", "usual amount"),
        ("std", "spread of the amounts"),
        ("max", "largest amount"),
    ):
        rest = f"entity: {EVERYONE}, measure: {measure}, of: amount, window: 7d, unit: money"
        yield f"everyone_amount_{measure}_7d", f'{rest}, phrase: "{words} of everyone in 7 days"'
    derived = "(amount_minor - everyone_amount_mean_7d) / everyone_amount_std_7d"
    yield (
        "everyone_amount_deviations_7d",
        f'derived: "{derived}", unit: number, phrase: "deviations above the usual amount of everyone"',
    )


def _habits(mapping: Mapping) -> Iterator[Line]:
    for entity in mapping.entities:
        of, many = f"of this {_spoken(entity)}", f"{mapping.called}s"
        for window, words in (("1h", "the last hour"), ("1d", "the last day"), *_WEEK_AND_MONTH):
            rest = f"entity: {entity}, measure: count, window: {window}, unit: count"
            yield f"{entity}_txn_count_{window}", f'{rest}, phrase: "{many} {of} in {words}"'
        for window, words in _WINDOWS if mapping.amount else ():
            rest = f"entity: {entity}, measure: mean, of: amount, window: {window}, unit: money"
            yield f"{entity}_amount_mean_{window}", f'{rest}, phrase: "usual amount {of} (mean of {words})"'
        if mapping.amount:
            rest = f"entity: {entity}, measure: max, of: amount, window: 30d, unit: money"
            yield f"{entity}_amount_max_30d", f'{rest}, phrase: "largest amount {of} in 30 days"'
        since = f"entity: {entity}, measure: seconds_since_last, unit: seconds"
        yield f"{entity}_seconds_since_last", f'{since}, phrase: "since the last {mapping.called} {of}"'


def _sharing(mapping: Mapping) -> Iterator[Line]:
    for entity, other in permutations(list(mapping.entities)[:MOST_SHARING], 2):
        rest = f"entity: {entity}, measure: distinct, of: {other}, window: 7d, unit: count"
        phrase = f"different {_spoken(other)}s with this {_spoken(entity)} in 7 days"
        yield f"{entity}_{other}_distinct_7d", f'{rest}, phrase: "{phrase}"'


def _labels(mapping: Mapping) -> Iterator[Line]:
    if mapping.label is None:
        return
    for entity in mapping.entities:
        of = f"of this {_spoken(entity)}"
        for window, words in _WINDOWS:
            rest = f"entity: {entity}, measure: fraud_share, window: {window}, unit: share"
            yield (
                f"{entity}_fraud_share_{window}",
                f'{rest}, phrase: "share of known frauds {of} over {words}"',
            )
        rest = f"entity: {entity}, measure: fraud_count, window: 30d, unit: count"
        yield f"{entity}_fraud_count_30d", f'{rest}, phrase: "known frauds {of} over 30 days"'
        rest = f"entity: {entity}, measure: frauds_learned, window: 7d, unit: count"
        yield f"{entity}_frauds_learned_7d", f'{rest}, phrase: "frauds {of} that became known in 7 days"'


def _ratios(mapping: Mapping) -> Iterator[Line]:
    for entity in mapping.entities if mapping.amount else ():
        mean = f"{entity}_amount_mean_30d"
        if len(mean) <= LONGEST_NAME:
            phrase = f"this amount against the usual of this {_spoken(entity)}"
            yield (
                f"{entity}_amount_ratio_30d",
                f'derived: "amount_minor / {mean}", unit: ratio, phrase: "{phrase}"',
            )


def _long_habits(mapping: Mapping) -> Iterator[Line]:
    """Amounts against a habit of four months that leaves out the last two weeks, so that a thief who is already at work
    does not become the habit. With `_old_and_fresh_frauds` worth .02 average precision (docs/handbook.md)."""
    for entity in _first_few(mapping) if mapping.amount else ():
        of = f"of this {_spoken(entity)}"
        for window, words in (("14d", "14 days"), ("120d", "120 days")):
            rest = f"entity: {entity}, window: {window}, model: false"
            count, total = f"{mapping.called}s {of} in {words}", f"total amount {of} in {words}"
            yield f"{entity}_txn_count_{window}", f'{rest}, measure: count, unit: count, phrase: "{count}"'
            yield (
                f"{entity}_amount_sum_{window}",
                f'{rest}, measure: sum, of: amount, unit: money, phrase: "{total}"',
            )
        rest = f"entity: {entity}, measure: max, of: amount, window: 7d, unit: money"
        yield f"{entity}_amount_max_7d", f'{rest}, phrase: "largest amount {of} in 7 days"'
        total = f"({entity}_amount_sum_120d - {entity}_amount_sum_14d)"
        habit = f"{total} / ({entity}_txn_count_120d - {entity}_txn_count_14d)"
        phrase = f"habitual amount {of} (mean of 120 days without the last 14)"
        yield f"{entity}_amount_habit", f'derived: "{habit}", unit: money, model: false, phrase: "{phrase}"'
        for name, amount, words in (
            ("amount_to_habit", "amount_minor", "this amount"),
            ("max_to_habit_7d", f"{entity}_amount_max_7d", "largest amount of 7 days"),
        ):
            phrase = f"{words} against the habit {of}"
            yield (
                f"{entity}_{name}",
                f'derived: "{amount} / {entity}_amount_habit", unit: ratio, phrase: "{phrase}"',
            )


def _old_and_fresh_frauds(mapping: Mapping) -> Iterator[Line]:
    """Label windows of three days and three weeks, and frauds older than that: what was repaired is safe again."""
    for entity in _first_few(mapping) if mapping.label else ():
        of = f"of this {_spoken(entity)}"
        for window, words in (("3d", "3 days"), ("21d", "21 days")):
            rest = f"entity: {entity}, measure: fraud_share, window: {window}, unit: share"
            yield (
                f"{entity}_fraud_share_{window}",
                f'{rest}, phrase: "share of known frauds {of} over {words}"',
            )
        for window, words in (("21d", "21 days"), ("60d", "60 days")):
            rest = f"entity: {entity}, measure: fraud_count, window: {window}, unit: count, model: false"
            yield f"{entity}_fraud_count_{window}", f'{rest}, phrase: "known frauds {of} over {words}"'
        older = f"{entity}_fraud_count_60d - {entity}_fraud_count_21d"
        phrase = f"known frauds {of} that are old by now"
        yield f"{entity}_fraud_count_older", f'derived: "{older}", unit: count, phrase: "{phrase}"'


def _first_few(mapping: Mapping) -> list[str]:
    """The entities that get the wider features: not too many, and with room in a name for what is added to theirs."""
    return [
        e for e in list(mapping.entities)[:MOST_SHARING] if len(e) + len("_fraud_count_older") <= LONGEST_NAME
    ]


def _spoken(name: str) -> str:
    return name.replace("_", " ")
