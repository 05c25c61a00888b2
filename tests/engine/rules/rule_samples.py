"""The demo institution's files, and small feature sets and rules, for the tests of this folder."""

from __future__ import annotations

from pathlib import Path

from data.incoming.mapping import load_mapping
from engine.features.feature_set import FeatureSet
from engine.features.spec import load_features
from engine.rules.lists import Lists, load_lists

RULES = Path(__file__).parents[3] / "rules"

KINDS = {
    "count_1d": "integer",
    "count_7d": "integer",
    "ratio": "number",
    "share": "number",
    "channel": "category",
    "country": "category",
    "night": "flag",
    "new": "flag",
}

RULE = """\
id: many_payments
version: 1
title: Many payments within a day
status: live
typology: card_testing
severity: high
owner: risk-manager-1
description: Too many.
when:
  all:
    - customer_txn_count_1d >= 5
    - any:
        - amount_minor < 2000
        - channel = 'app'
on_missing: review
then:
  floor: decline
  reason: "{customer_txn_count_1d} payments, now {amount_minor}"
false_positives: Parking apps.
runbook: Look at the merchants.
history: [{version: 1, at: 2026-01-05, change: First version}]
tests:
  - {name: five small ones, given: {customer_txn_count_1d: 5, amount_minor: 1999, channel: ecom}, expect: hit}
  - {name: five in the app, given: {customer_txn_count_1d: 5, amount_minor: 9000, channel: app}, expect: hit}
  - {name: four, given: {customer_txn_count_1d: 4, amount_minor: 100, channel: app}, expect: no_hit}
  - {name: large ones, given: {customer_txn_count_1d: 5, amount_minor: 2000, channel: ecom}, expect: no_hit}
"""


def demo_files() -> dict[str, bytes]:
    """The repository's rules folder as an approved set names it."""
    return {
        path.relative_to(RULES).as_posix(): path.read_bytes()
        for path in sorted(RULES.rglob("*"))
        if path.is_file()
    }


def demo_features() -> FeatureSet:
    mapping = load_mapping(RULES / "mapping.yaml")
    return load_features((RULES / "features.yaml").read_bytes(), "rules/features.yaml", mapping)


def demo_lists() -> Lists:
    return load_lists((RULES / "lists.yaml").read_bytes())
