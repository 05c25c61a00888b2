"""Does any mapping get a first set of files that loads, passes its own tests and is pinned?"""

from __future__ import annotations

import pytest

from data.mapping import Mapping, load_mapping
from engine.features.spec import load_features
from engine.policy import load_policy
from engine.rules.lists import load_lists
from engine.rules.loader import load_rules
from engine.rules.pinning import check_all_pins
from engine.rules.rule_set import RuleSet
from engine.rules.testing import failures, run_tests
from engine.templates import scaffold

HANDBOOK = """\
version: 1
institution: handbook
base_currency: EUR
time_zone: UTC
transaction: {id: TRANSACTION_ID, occurred_at: TX_DATETIME, amount: TX_AMOUNT, currency: {constant: EUR}}
entities: {customer: CUSTOMER_ID, terminal: TERMINAL_ID}
label: {column: TX_FRAUD, known_after: 7d}
"""
BARE = """\
version: 1
institution: bare
base_currency: JPY
transaction: {id: id, occurred_at: t, currency: {constant: JPY}}
entities: {account: a}
"""
RICH = """\
version: 1
institution: rich
base_currency: KWD
time_zone: Asia/Kuwait
transaction: {id: id, occurred_at: t, amount: amt, currency: cur}
entities: {customer: a, card: b, merchant: c, device: d, a_very_long_name_of_an_entity_that_nobody_would_choose: e}
attributes:
  risk_points: {column: r, type: number}
  channel: {column: ch, type: category}
  is_new: {column: n, type: flag}
personal: {email: mail}
label: {column: bad, known_after: 30d}
"""


def read(mapping: Mapping, files: dict[str, bytes]) -> RuleSet:
    features = load_features(files["features.yaml"], "features.yaml", mapping)
    return load_rules(files, features, load_lists(files["lists.yaml"]))


@pytest.mark.parametrize("text", [HANDBOOK, BARE, RICH])
def test_the_files_load_and_their_rules_are_pinned(text: str) -> None:
    mapping = load_mapping(text.encode())
    files = scaffold(mapping)
    assert load_policy(files["policy.yaml"]).currency == mapping.base_currency
    rules = read(mapping, files)
    assert len(rules) >= 2
    assert failures(run_tests(rules)) == []
    assert check_all_pins(rules) == []


def test_a_labelled_mapping_gets_label_features_on_each_entity() -> None:
    mapping = load_mapping(HANDBOOK.encode())
    features = load_features(scaffold(mapping)["features.yaml"], "features.yaml", mapping)
    for entity in ("customer", "terminal"):
        assert {f"{entity}_fraud_share_{w}" for w in ("1d", "7d", "30d")} <= set(features.names)
        assert {f"{entity}_amount_mean_{w}" for w in ("1d", "7d", "30d")} <= set(features.names)
    assert features.label_delay_us == 7 * 86_400_000_000
    assert not {"customer", "terminal"} & set(features.model_names)


def test_an_unlabelled_mapping_without_amounts_gets_neither_label_nor_money_features() -> None:
    mapping = load_mapping(BARE.encode())
    features = load_features(scaffold(mapping)["features.yaml"], "features.yaml", mapping)
    assert not [name for name in features.names if "fraud" in name or "amount" in name]


def test_personal_fields_are_never_features() -> None:
    assert b"email" not in scaffold(load_mapping(RICH.encode()))["features.yaml"]
