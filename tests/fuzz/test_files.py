"""Is a settings file that somebody spoiled read, or refused with a place, and never an accident?"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data import strict_yaml
from data.errors import InputError
from data.incoming.mapping import load_mapping
from engine.features.feature_set import FeatureSet
from engine.features.spec import load_features
from engine.policy import load_policy
from engine.rules.conditions import Node, written
from engine.rules.grammar import GrammarError, parse_condition
from engine.rules.lists import load_lists
from engine.segments import load_segments

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "rules"
WHERE = "spoiled.yaml"
MAPPING = load_mapping(RULES / "mapping.yaml")


@cache
def features() -> FeatureSet:
    return load_features((RULES / "features.yaml").read_bytes(), "features.yaml", MAPPING)


def read_policy(content: bytes) -> None:
    policy = load_policy(content, WHERE)
    load_segments(content, policy, features(), load_lists(b"", "lists.yaml"), WHERE)


READERS: dict[str, tuple[Path, Callable[[bytes], Any]]] = {
    "policy": (RULES / "policy.yaml", read_policy),
    "features": (RULES / "features.yaml", lambda content: load_features(content, WHERE, MAPPING)),
    "lists": (RULES / "lists.yaml", lambda content: load_lists(content, WHERE)),
    "mapping": (RULES / "mapping.yaml", lambda content: load_mapping(content, WHERE)),
    "another mapping": (ROOT / "data/mappings/ieee-cis.yaml", lambda content: load_mapping(content, WHERE)),
}
ODD = (
    None, True, 0, -1, 1, 2**31, 2**63, 2**200, 0.5, -0.5, 1e308, 5e-324, "", " ", "x", "-1", "1e9", "NaN", "9" * 400,
    "default", "approve", "customer", "1h", "-1d", "0d", "99999999999d", "999999999999999w", "2026-01-01",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "../x", "a\x00b", "\U0001f600", [], {}, [[]], [None],
    {"": 1}, {"a": {"b": []}}, ["a", "a"], "amount_minor > 1", "Europe/Nowhere", "EUR", "UTC",
)  # fmt: skip
SPOILED = st.tuples(
    st.integers(0, 10**6),
    st.integers(0, 12),
    st.text("-:{}[]()'\"&*!|>%@#,? \n\tab09._<=;\u00a7", max_size=12),
)


def refused_with_a_place(read: Callable[[bytes], Any], content: bytes) -> None:
    try:
        read(content)
    except InputError as refused:
        assert refused.where.startswith(WHERE) and refused.what, repr(refused)
        assert len(str(refused)) < 2_000


def places(tree: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [found for key, value in inner for found in [(*here, key), *places(value, (*here, key))]]


def put(tree: Any, place: tuple[Any, ...], value: Any) -> None:
    for key in place[:-1]:
        tree = tree[key]
    tree[place[-1]] = value


EXAMPLES = pytest.mark.parametrize("examples", [25, pytest.param(4_000, marks=pytest.mark.soak)])


def often(examples: int) -> settings:
    return settings(
        max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )


@EXAMPLES
@pytest.mark.parametrize("kind", READERS)
def test_a_file_with_one_strange_value_is_read_or_refused_with_its_place(kind: str, examples: int) -> None:
    path, read = READERS[kind]
    tree = strict_yaml.load(path.read_bytes(), WHERE).value
    all_places = places(tree)

    @often(examples)
    @given(st.lists(st.tuples(st.sampled_from(all_places), st.sampled_from(ODD)), min_size=1, max_size=2))
    def spoil(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
        spoiled = json.loads(json.dumps(tree))
        for place, value in sorted(changes, key=lambda change: -len(change[0])):
            put(spoiled, place, value)
        refused_with_a_place(read, json.dumps(spoiled).encode())

    spoil()


@EXAMPLES
@pytest.mark.parametrize("kind", READERS)
def test_a_file_with_strange_signs_is_read_or_refused_with_its_place(kind: str, examples: int) -> None:
    path, read = READERS[kind]
    whole = path.read_text(encoding="utf-8")

    @often(examples)
    @given(st.lists(SPOILED, min_size=1, max_size=3))
    def spoil(cuts: list[tuple[int, int, str]]) -> None:
        text = whole
        for start, gone, new in cuts:
            start %= len(text) + 1
            text = text[:start] + new + text[start + gone :]
        refused_with_a_place(read, text.encode())

    spoil()


_WORDS = """
amount_minor channel night ratio ( ) , + - * / % = <> < > <= >= and or not in between is null case when then end
coalesce abs 1 0 -1 1e9 1e999 0x10 'app' 'a''b' ''' " ; -- /* */ @ $1 ? :: [ ] { } . .. || ~ exists select from cast
as list_contains low true false interval \u00e9 \x00 \\
"""
WORDS = st.sampled_from(_WORDS.split())
KINDS = {"amount_minor": "integer", "channel": "category", "night": "flag", "ratio": "number"}


@pytest.mark.parametrize("examples", [150, pytest.param(20_000, marks=pytest.mark.soak)])
def test_a_condition_of_any_words_is_understood_as_it_is_written_or_refused(examples: int) -> None:
    @often(examples)
    @given(st.lists(WORDS, max_size=14), st.sampled_from((" ", "", "\n", "  ")))
    def parse(words: list[str], between: str) -> None:
        try:
            node: Node = parse_condition(between.join(words), KINDS)
        except GrammarError as refused:
            assert str(refused)
            return
        assert parse_condition(written(node), KINDS) == node

    parse()
