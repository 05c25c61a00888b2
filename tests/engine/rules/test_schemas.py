"""Do the schemas that editors use and the loaders that decide say the same of every file?"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from rule_samples import RULES, demo_features, demo_files, demo_lists

from data import strict_yaml
from data.errors import ConfigError
from data.incoming.mapping import load_mapping
from engine.features.spec import load_features
from engine.policy import LANES, load_policy
from engine.rules.lists import load_lists
from engine.rules.loader import load_rule
from engine.schemas import schemas

FILES, FEATURES, LISTS = demo_files(), demo_features(), demo_lists()
MAPPING = load_mapping(RULES / "mapping.yaml")
SCHEMAS = {name: Draft202012Validator(schema) for name, schema in schemas().items()}
CATALOGUE = sorted(path for path in FILES if path.startswith("catalogue/"))
LOADERS: dict[str, Callable[[bytes, str], object]] = {
    "rule": lambda text, where: load_rule(text, where, FEATURES, LISTS, currency="EUR"),
    "policy": load_policy,
    "features": lambda text, where: load_features(text, where, MAPPING),
    "lists": load_lists,
}
SAMPLES = [
    ("rule", "catalogue/card_testing_burst.yaml"),
    ("rule", "catalogue/trusted_customer.yaml"),
    ("policy", "policy.yaml"),
    ("features", "features.yaml"),
    ("lists", "lists.yaml"),
]
OPEN = ("given", "transaction", "lists", "segments", "model")  # their keys are the author's own
Place = tuple[str | int, ...]


def plain(path: str) -> dict[str, Any]:
    return strict_yaml.load(FILES[path], path).value


def loads(kind: str, value: dict[str, Any], path: str) -> bool:
    text = json.dumps(value, ensure_ascii=False, default=str)  # JSON is YAML, and written fifty times as fast
    try:
        LOADERS[kind](text.encode(), path)
    except ConfigError:
        return False
    return True


def places(value: Any, here: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every mapping in a file; of a long list only some rows, as the others are alike."""
    if isinstance(value, dict):
        yield here, value
        for key, inner in value.items():
            yield from places(inner, (*here, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            if index in (0, 1, 6, 11, 15, 18, 20, 22, len(value) - 1):
                yield from places(inner, (*here, index))


def at(value: Any, place: Place) -> Any:
    for key in place:
        value = value[key]
    return value


def open_to(place: Place, key: str = "") -> bool:
    """Whether the keys of this mapping, or the value of this one, are the author's own."""
    row = place[:1] == ("tests",) and place[-2:-1] == ("history",)
    return bool(place) and (place[-1] in OPEN or (row and key not in ("ago", "amount")))


def mutants(whole: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The file with one key dropped, one key too many, or one value of another kind."""
    for place, mapping in places(whole):
        if place and not open_to(place):
            changed = copy.deepcopy(whole)
            at(changed, place)["no_such_key"] = 1
            yield f"{place} has a key too many", changed
        for key in mapping:
            if open_to(place, key):
                continue
            changed = copy.deepcopy(whole)
            del at(changed, place)[key]
            yield f"{place} has no {key}", changed
            for wrong in ([7], -5, "\u00a7", {"x": 1}, True):
                changed = copy.deepcopy(whole)
                at(changed, place)[key] = wrong
                yield f"{place}.{key} is {wrong!r}", changed


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_each_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name].schema)


@pytest.mark.parametrize("path", CATALOGUE)
def test_every_demo_rule_fits_the_schema(path: str) -> None:
    assert list(SCHEMAS["rule"].iter_errors(plain(path))) == []


@pytest.mark.parametrize(("kind", "path"), SAMPLES, ids=[path for _, path in SAMPLES])
def test_schema_and_loader_agree_on_good_and_on_spoiled_files(kind: str, path: str) -> None:
    whole = plain(path)
    assert SCHEMAS[kind].is_valid(whole) and loads(kind, whole, path)
    too_strict, too_lax, refused = [], [], 0
    for what, changed in mutants(whole):
        valid, loaded = SCHEMAS[kind].is_valid(changed), loads(kind, changed, path)
        refused += not valid
        too_strict += [what] * (loaded and not valid)
        too_lax += [what] * (valid and not loaded)
    assert refused > 20
    assert too_strict == []  # an editor never complains about a file that works
    assert [what for what in too_lax if not what.endswith(BEYOND[path])] == []


# What no schema can know: whether a name means something here, and whether shares add up.
BEYOND = {
    "catalogue/card_testing_burst.yaml": (".given is {'x': 1}", ".transaction is {'x': 1}"),
    "catalogue/trusted_customer.yaml": (".given is {'x': 1}",),
    "policy.yaml": tuple(f"('lanes',) has no {lane}" for lane in LANES),
    "features.yaml": tuple(
        f".{key} is {wrong}"
        for key in ("time_zone", "of", "attribute", "derived", "entity", "name")
        for wrong in ("'§'", "[7]")
    ),
    "lists.yaml": (),
}
