"""Does the strict loader read what was written, and point at what it refuses?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data import strict_yaml
from data.errors import ConfigError, MappingError


def load(text: str | bytes) -> strict_yaml.Document:
    return strict_yaml.load(text, "policy.yaml")


def test_country_no_and_switches_stay_text() -> None:
    value = load("countries: [DE, NO, on, yes, y, off]\nflags: [true, False]").value
    assert value == {"countries": ["DE", "NO", "on", "yes", "y", "off"], "flags": [True, False]}


def test_numbers_nulls_dates_and_quoted_text() -> None:
    value = load("a: 12\nb: -0.5\nc: 1e3\nd: ~\ne:\nf: 2026-01-02\ng: '12'\nh: 1:30\ni: 1_000").value
    assert value == {
        "a": 12, "b": -0.5, "c": 1000.0, "d": None, "e": None, "f": "2026-01-02", "g": "12", "h": "1:30",
        "i": "1_000",
    }  # fmt: skip


def test_positions_point_at_keys_items_and_nearest_parents() -> None:
    document = load("version: 1\nrules:\n  - name: a\n  - name: b\n")
    assert document.at("version") == "policy.yaml:1:1"
    assert document.at("rules", 1, "name") == "policy.yaml:4:5"
    assert document.at("rules", 1, "absent", "deeper") == "policy.yaml:4:5"
    assert document.at() == "policy.yaml:1:1"


TWO_WAYS = "can be read in more than one way. Quote it for text, or write a plain number."
NO_ALIAS = "anchors and aliases (& and *) are not allowed."
NO_TAG = "is not allowed. Write the value without a tag."
NO_TOP = "Write it as `key: value` lines."
REFUSALS = {
    "a: 1\nb: 2\na: 3": "3:1: the key 'a' was already given at 1:1. Keep one of them.",
    "a: &x 1": f"1:4: {NO_ALIAS} Write the value out.",
    "? &x a\n: 1": f"1:3: {NO_ALIAS} Write the key out.",
    "a: !!python/name:os.system": f"1:4: the tag 'tag:yaml.org,2002:python/name:os.system' {NO_TAG}",
    "<<: {a: 1}": "1:1: merge keys (<<) are not allowed. Write the keys out.",
    "a: 1\n---\nb: 2": "2:1: a second document starts here. Keep one document per file.",
    "a: 007": f"1:4: '007' {TWO_WAYS}",
    "a: .nan": f"1:4: '.nan' {TWO_WAYS}",
    "a: 1e999": "1:4: the number '1e999' is too large. Quote it if it is text.",
    "1: a": "1:1: the key '1' is not text. Put it in quotes.",
    "[1]: a": "1:1: a key must be text. Quote it if it holds brackets or braces.",
    "": f"1:1: the file is empty. {NO_TOP}",
    "- a": f"1:1: the file must hold keys and values at its top. {NO_TOP}",
}


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_says_what_where_and_what_to_do(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert str(caught.value) == f"policy.yaml:{REFUSALS[text]}"


@pytest.mark.parametrize("text", ["a: [1, 2", "a: 'open", "a: b: c", "\ta: 1", "a: \x00"])
def test_broken_yaml_names_a_line(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^policy\.yaml:\d+:\d+: this is not valid YAML"):
        load(text)


def test_deep_nesting_and_large_files_are_refused() -> None:
    with pytest.raises(ConfigError, match="nested deeper than 40 levels"):
        load("a: " + "[" * 500 + "]" * 500)
    with pytest.raises(ConfigError, match="larger than 1000000 bytes"):
        load("a: " + "x" * 1_000_000)


def test_text_that_is_not_utf8_is_refused_with_its_place() -> None:
    with pytest.raises(ConfigError, match=r"policy\.yaml:2:4: the file is not UTF-8 text"):
        load(b"a: 1\nb: \xff\n")


def test_unknown_keys_are_refused_with_the_nearest_known_one() -> None:
    document = load("thresholds:\n  reveiw_at: 0.1\n")
    with pytest.raises(ConfigError) as caught:
        document.refuse_unknown(document.value["thresholds"], ("review_at", "decline_at"), "thresholds")
    assert str(caught.value) == (
        "policy.yaml:2:3: unknown key 'reveiw_at' (allowed: review_at, decline_at). Did you mean 'review_at'?"
    )


def test_a_missing_file_is_the_asked_class_of_error(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"mapping\.yaml: cannot be read \(No such file or directory\)"):
        strict_yaml.load_file(tmp_path / "mapping.yaml", where="mapping.yaml", error_class=MappingError)


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=8)
)
trees = st.recursive(
    scalars,
    lambda t: (
        st.lists(t, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=4), t, max_size=3)
    ),
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text("abcxyz", min_size=2, max_size=5), trees, min_size=1, max_size=4))
def test_any_json_is_read_as_json(value: dict) -> None:
    assert load(json.dumps(value)).value == value
