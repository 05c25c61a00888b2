from __future__ import annotations

import pytest
from feature_streams import EVERYTHING, MAPPING, feature_set

from data.errors import ConfigError
from data.incoming.mapping import load_mapping
from engine.features.spec import load_features

DAY = 86_400_000_000


def declare(*rows: str, top: str = "") -> str:
    return "\n".join(["version: 1", *([top] if top else []), "features:", *(f"  - {row}" for row in rows)])


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_features(text.encode(), "rules/features.yaml", MAPPING)
    return str(caught.value)


def test_features_keep_their_order_and_know_their_kinds() -> None:
    features = feature_set()
    assert features.names[0] == "amount_minor"
    assert features.names[-1] == "local_weekend"
    assert features.categorical == ("channel", "device_id")
    assert "trusted" in features.numeric
    assert "device_id" not in features.model_names
    entities = (("customer",), ("everyone",), ("order",), ("customer", "device"), ("device",))
    assert features.entities == entities


def test_a_set_says_how_far_it_looks_back() -> None:
    features = feature_set()
    assert features.horizon_us == 30_000_000
    assert features.memory_us == 39_000_000
    assert features.label_delay_us == 4_000_000
    assert features.spec("customer_first").window_us == features.horizon_us


def test_settings_that_are_not_written_have_defaults() -> None:
    features = load_features(declare("{name: a, measure: value}"), "f", MAPPING)
    settings = (features.horizon_us, features.lateness_us, features.label_delay_us, features.time_zone)
    assert settings == (365 * DAY, 30 * DAY, 7 * DAY, "UTC")


def test_a_label_delay_may_be_nothing() -> None:
    text = declare("{name: a, measure: value}", top="label_delay: 0d")
    assert load_features(text, "f", MAPPING).label_delay_us == 0


def test_units_and_phrases_are_made_up_where_the_author_gave_none() -> None:
    features = load_features(
        declare(
            "{name: a, entity: customer, measure: mean, window: 30d}",
            "{name: b, entity: [customer, device], measure: count, window: 12h}",
            "{name: c, entity: device, measure: fraud_share, window: 1d, phrase: how bad, unit: number}",
            "{name: d, derived: a / b}",
        ),
        "f",
        MAPPING,
    )
    assert [(f.unit, f.phrase) for f in features.features] == [
        ("money", "average amount of this customer, last 30 days"),
        ("count", "payments of this customer and device, last 12 hours"),
        ("number", "how bad"),
        ("ratio", "a / b"),
    ]


def test_a_mapping_file_gives_entities_and_attributes() -> None:
    mapping = load_mapping(
        b"""
version: 1
institution: shop
base_currency: EUR
time_zone: Europe/Berlin
transaction: {id: id, occurred_at: at, amount: amount, currency: {constant: EUR}}
entities: {customer: cust}
attributes: {channel: {column: ch, type: category}, age: {column: age, type: number}}
"""
    )
    rows = (
        "{name: channel, attribute: channel}",
        "{name: top, entity: customer, measure: max, of: age, window: 1d}",
    )
    features = load_features(declare(*rows), "f", mapping)
    assert features.time_zone == "Europe/Berlin"
    assert features.attribute_kinds == {"age": "number", "channel": "category"}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{name: a, measure: cuont, window: 1d, entity: customer}", "'measure' is 'cuont'"),
        ("{name: a, measure: count, window: 1 day, entity: customer}", "'window' is '1 day'"),
        ("{name: a, measure: count, window: 400d, entity: customer}", "is longer than the horizon"),
        (
            "{name: a, measure: fraud_share, window: 360d, entity: customer}",
            "with the label delay where there is one, is longer than the horizon",
        ),
        ("{name: a, measure: count, entity: customer}", "'window' is missing"),
        ("{name: a, measure: count, window: 1d}", "'entity' is missing"),
        ("{name: a, measure: count, window: 1d, entity: custmer}", "Did you mean 'customer'?"),
        ("{name: a, measure: count, window: 1d, entity: [customer, phone]}", "'phone' is not an entity"),
        ("{name: a, measure: count, window: 1d, entity: [device, device]}", "different entities"),
        ("{name: a, measure: mean, of: age, window: 1d, entity: customer}", "(allowed: amount)"),
        ("{name: a, measure: distinct, of: age, window: 1d, entity: customer}", "'of' is 'age'"),
        ("{name: a, measure: count, of: amount, window: 1d, entity: customer}", "unknown key 'of'"),
        ("{name: a, attribute: colour}", "'attribute' is 'colour'"),
        ("{name: A, measure: value}", "'A' cannot be a feature's name"),
        ("{name: seq, measure: value}", "'seq' cannot be a feature's name"),
        ("{name: a, derived: b + 1}", "uses 'b', which is no numeric feature declared above it"),
        ("{name: a, derived: 2 ** 3}", "only + - * / are known"),
        ("{name: a, measure: value, unit: euros}", "'unit' is 'euros'"),
        ("{name: a, measure: value, model: no}", "'model' must be true or false"),
    ],
)
def test_a_feature_that_cannot_be_computed_is_refused_where_it_stands(row: str, message: str) -> None:
    said = refusal(declare(row))
    assert said.startswith("rules/features.yaml:3:")
    assert message in said


def test_a_name_is_declared_once() -> None:
    said = refusal(declare("{name: a, measure: value}", "{name: a, measure: value}"))
    assert said == "rules/features.yaml:4:6: the feature 'a' is declared twice. Rename one of them."


def test_a_derived_feature_reads_no_category() -> None:
    said = refusal(declare("{name: channel, attribute: channel}", "{name: a, derived: channel * 2}"))
    assert "uses 'channel', which is no numeric feature" in said


@pytest.mark.parametrize(
    ("top", "message"),
    [
        ("time_zone: Mars/Olympus", "'Mars/Olympus' is not a time zone"),
        ("horizont: 1d", "unknown key 'horizont'"),
        ("horizon: 1y", "'horizon' is '1y'"),
    ],
)
def test_a_wrong_setting_is_refused_where_it_stands(top: str, message: str) -> None:
    said = refusal(declare("{name: a, measure: value}", top=top))
    assert said.startswith("rules/features.yaml:2:1: ")
    assert message in said


def test_a_file_without_features_is_refused() -> None:
    assert "0 features are declared (allowed: 1 to 500)" in refusal("version: 1\nfeatures: []")


def test_the_same_text_gives_an_equal_set() -> None:
    assert load_features(EVERYTHING, "f", MAPPING) == feature_set()
