"""Does any mapping get a first set of files that loads, passes its own tests and is pinned?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from data.incoming.mapping import Mapping, load_mapping
from data.mappings import names, text
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


NO_ENTITY = """\
version: 1
institution: nothing to count over
base_currency: EUR
transaction: {id: {from: row}, occurred_at: t, amount: a}
attributes: {v1: {column: v1, type: number}}
"""
APPLICATIONS = """\
version: 1
institution: applications
base_currency: EUR
transaction: {id: {from: row}, occurred_at: {column: m, unit: months, origin: 2025-01-01}, called: application}
attributes: {device_os: {column: os, type: category}, score: {column: s, type: number}}
label: {column: fraud, known_after: 30d}
"""


@pytest.mark.parametrize("name", names())
def test_every_ready_mapping_gets_general_rules_that_are_pinned(name: str) -> None:
    mapping = load_mapping(text(name).encode())
    rules = read(mapping, scaffold(mapping))
    assert len(rules) >= 1
    assert failures(run_tests(rules)) == []
    assert check_all_pins(rules) == []


def test_without_entities_everyones_usual_amount_and_the_categories_are_left() -> None:
    paid = scaffold(load_mapping(NO_ENTITY.encode()))
    assert [path for path in paid if path.startswith("catalogue/")] == [
        "catalogue/amount_far_above_usual.yaml"
    ]
    assert b"everyone_amount_deviations_7d" in paid["features.yaml"]
    applied = scaffold(load_mapping(APPLICATIONS.encode()))
    assert b"everyone" not in applied["features.yaml"]
    assert [path for path in applied if path.startswith("catalogue/")] == [
        "catalogue/device_os_on_block_list.yaml"
    ]
    assert b"blocked_device_os" in applied["lists.yaml"]


def test_applications_are_nowhere_called_payments() -> None:
    mapping = load_mapping(APPLICATIONS.replace("attributes:", "entities: {person: p}\nattributes:").encode())
    for path, content in scaffold(mapping).items():
        said = content.decode().replace("review_holds_payment", "")
        assert "payment" not in said, path
    assert b"applications of this person" in scaffold(mapping)["features.yaml"]


def test_a_clock_of_months_has_no_hours_and_no_weekends() -> None:
    features = scaffold(load_mapping(APPLICATIONS.encode()))["features.yaml"]
    assert b"local_" not in features


@pytest.mark.parametrize("given", [HANDBOOK, BARE, RICH, NO_ENTITY, APPLICATIONS])
def test_the_files_load_and_their_rules_are_pinned(given: str) -> None:
    mapping = load_mapping(given.encode())
    files = scaffold(mapping)
    assert load_policy(files["policy.yaml"]).currency == mapping.base_currency
    rules = read(mapping, files)
    assert len(rules) >= 1
    assert failures(run_tests(rules)) == []
    assert check_all_pins(rules) == []


@pytest.mark.parametrize("currency", ["JPY", "KWD"])
def test_costs_and_limits_are_as_many_minor_units_in_any_currency(currency: str) -> None:
    """Thirty of a currency without decimals would be a good customer turned away for small change."""
    usual = load_policy(scaffold(load_mapping(HANDBOOK.encode()))["policy.yaml"])
    theirs = load_policy(scaffold(load_mapping(HANDBOOK.replace("EUR", currency).encode()))["policy.yaml"])
    assert theirs == replace(usual, currency=currency)
    assert (usual.costs.good_declined_minor, usual.high_amount_minor) == (3_000, 500_000)


def test_a_labelled_mapping_gets_label_features_on_each_entity() -> None:
    mapping = load_mapping(HANDBOOK.encode())
    features = load_features(scaffold(mapping)["features.yaml"], "features.yaml", mapping)
    for entity in ("customer", "terminal"):
        assert {f"{entity}_fraud_share_{w}" for w in ("1d", "7d", "30d")} <= set(features.names)
        assert {f"{entity}_amount_mean_{w}" for w in ("1d", "7d", "30d")} <= set(features.names)
    assert features.label_delay_us == 7 * 86_400_000_000
    assert not {"customer", "terminal"} & set(features.model_names)


def test_amounts_are_held_against_a_habit_and_old_frauds_told_from_fresh_ones() -> None:
    mapping = load_mapping(HANDBOOK.encode())
    features = load_features(scaffold(mapping)["features.yaml"], "features.yaml", mapping)
    for entity in ("customer", "terminal"):
        wanted = {f"{entity}_amount_to_habit", f"{entity}_max_to_habit_7d", f"{entity}_fraud_count_older"}
        assert wanted <= set(features.model_names)
        assert f"{entity}_amount_habit" not in features.model_names


def test_an_unlabelled_mapping_without_amounts_gets_neither_label_nor_money_features() -> None:
    mapping = load_mapping(BARE.encode())
    features = load_features(scaffold(mapping)["features.yaml"], "features.yaml", mapping)
    assert not [name for name in features.names if "fraud" in name or "amount" in name]


def test_personal_fields_are_never_features() -> None:
    assert b"email" not in scaffold(load_mapping(RICH.encode()))["features.yaml"]
