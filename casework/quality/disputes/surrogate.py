"""What do disputed cases have in common, in a few words that a guideline could answer?

A decision tree of depth three is grown on one half of the cases and measured on the other, so that the shares it
reports are not flattered by its own search. A permutation test on that other half says whether the pattern is more than
chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np

from casework.quality.disputes.against import Case, Fact
from casework.quality.subgroups import wilson

DEPTH = 3
MIN_DISPUTED = 40
MIN_CASES = 150
MOST_LEVELS = 12
MOST_EXAMPLES = 5
PERMUTATIONS = 2000
_LEAST_LEAF, _LEAF_SHARE = 15, 0.05


@dataclass(frozen=True, slots=True)
class Column:
    """One input of the tree: a number, or whether a fact is one word (`level`)."""

    name: str
    values: np.ndarray
    level: str | None = None


def surrogate(
    cases: Sequence[Case], *, phrases: Mapping[str, str] | None = None, seed: int = 0
) -> dict[str, Any]:
    """Groups of cases by how often they are disputed, most disputed first, each in words with examples.

    `phrases` gives people's words for a fact. The state is "insufficient data" with too few cases or disputes, "no
    pattern" when the other half does not bear it out, else "enough".
    """
    disputed = np.array([case.disputed for case in cases], dtype=bool)
    found: dict[str, Any] = {
        "n": len(cases),
        "disputed": int(disputed.sum()),
        "share": wilson(int(disputed.sum()), len(cases)),
        "groups": [],
        "p": None,
    }
    columns = _columns(cases)
    few = min(int(disputed.sum()), int((~disputed).sum())) < MIN_DISPUTED or len(cases) < MIN_CASES
    if few or not columns:
        needed = f"{MIN_CASES} cases with facts, {MIN_DISPUTED} disputed and {MIN_DISPUTED} not, are needed"
        return found | {"state": "insufficient data", "sentence": f"Insufficient data: {needed}."}
    grown = np.array([_half(case.item, seed) for case in cases])
    table = np.column_stack([column.values for column in columns])
    tree, leaf = _grown(table, disputed, grown)
    found["p"] = _chance(leaf[~grown], disputed[~grown], seed)
    found["groups"] = _groups(tree, leaf, columns, cases, ~grown, phrases or {})
    return found | _finding(found)


def _half(item: str, seed: int) -> bool:
    return blake2b(f"{seed}:{item}".encode(), digest_size=1).digest()[0] < 128


def _columns(cases: Sequence[Case]) -> list[Column]:
    names = sorted({name for case in cases for name in case.facts})
    return [column for name in names for column in _encoded(name, [case.facts.get(name) for case in cases])]


def _encoded(name: str, values: Sequence[Fact]) -> list[Column]:
    """A number with NaN for what is missing, or one column for each common word; nothing where all are the same."""
    given = [value for value in values if value is not None]
    if all(isinstance(value, int | float) for value in given):
        numbers = np.array([np.nan if value is None else float(value) for value in values])
        return [Column(name, numbers)] if len(np.unique(numbers[~np.isnan(numbers)])) > 1 else []
    levels, counts = np.unique([str(value) for value in given], return_counts=True)
    kept = levels[np.argsort(-counts, kind="stable")][:MOST_LEVELS]
    if len(levels) < 2:
        return []
    return [
        Column(name, np.array([float(str(value) == level) for value in values]), str(level)) for level in kept
    ]


def _grown(table: np.ndarray, disputed: np.ndarray, half: np.ndarray) -> tuple[Any, np.ndarray]:
    """The tree, and the leaf of every case. Imported here: scikit-learn takes a second to load."""
    from sklearn.tree import DecisionTreeClassifier

    least = max(_LEAST_LEAF, int(_LEAF_SHARE * half.sum()))
    model = DecisionTreeClassifier(max_depth=DEPTH, min_samples_leaf=least, random_state=0)
    model.fit(table[half], disputed[half])
    return model.tree_, model.apply(table)


def _chance(leaf: np.ndarray, disputed: np.ndarray, seed: int) -> float:
    """How often shuffled disputes spread over the groups at least as unevenly (sum of squares between groups)."""
    of = np.unique(leaf, return_inverse=True)[1]
    size, said = np.bincount(of), np.bincount(of, disputed)
    shuffled = np.random.default_rng(seed).multivariate_hypergeometric(
        size, int(disputed.sum()), PERMUTATIONS
    )
    as_uneven = (shuffled**2 / size).sum(axis=1) >= float((said**2 / size).sum()) - 1e-9
    return float((1 + as_uneven.sum()) / (1 + PERMUTATIONS))


def _groups(
    tree: Any, leaf: np.ndarray, columns: Sequence[Column], cases: Sequence[Case], other: np.ndarray,
    phrases: Mapping[str, str],
) -> list[dict[str, Any]]:  # fmt: skip
    rows = []
    for node, path in _paths(tree):
        here = [int(i) for i in np.flatnonzero(leaf == node)]
        measured = [i for i in here if other[i]]
        said = [cases[i].item for i in here if cases[i].disputed]
        share = wilson(sum(cases[i].disputed for i in measured), len(measured))
        rows.append(
            {"words": _words(path, columns, phrases), "disputed": share, "examples": said[:MOST_EXAMPLES]}
        )
    return sorted(rows, key=lambda row: -(row["disputed"]["value"] or 0.0))


Path = list[tuple[int, float, bool]]


def _paths(tree: Any, node: int = 0, path: Path | None = None) -> list[tuple[int, Path]]:
    """Each leaf with the way to it: column, border, whether at most the border."""
    path = path or []
    if tree.children_left[node] == tree.children_right[node]:
        return [(node, path)]
    column, border = int(tree.feature[node]), float(tree.threshold[node])
    return [
        *_paths(tree, int(tree.children_left[node]), [*path, (column, border, True)]),
        *_paths(tree, int(tree.children_right[node]), [*path, (column, border, False)]),
    ]


def _words(path: Path, columns: Sequence[Column], phrases: Mapping[str, str]) -> str:
    """`amount above 120 and at most 300, channel is not pos`."""
    parts = []
    named = {columns[at].name for at, _, below in path if columns[at].level is not None and not below}
    for place in dict.fromkeys(column for column, _, _ in path):
        column = columns[place]
        name = phrases.get(column.name) or column.name.replace("_", " ")
        most = [border for at, border, below in path if at == place and below]
        least = [border for at, border, below in path if at == place and not below]
        if column.level is not None and most and column.name in named:
            continue  # what it is says already what it is not
        if column.level is not None:
            parts.append(f"{name} {'is not' if most else 'is'} {column.level}")
            continue
        ends = [f"above {_number(max(least))}"] if least else []
        ends += [f"at most {_number(min(most))}"] if most else []
        parts.append(f"{name} {' and '.join(ends)}")
    return ", ".join(parts) or "all cases"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _finding(found: Mapping[str, Any]) -> dict[str, Any]:
    top = max(found["groups"], key=lambda group: group["disputed"]["low"] or 0.0)
    above = (top["disputed"]["low"] or 0.0) > found["share"]["value"]
    if len(found["groups"]) < 2 or found["p"] >= 0.05 or not above:
        return {
            "state": "no pattern",
            "sentence": "The disputed cases share nothing that holds on the half the tree has not seen.",
        }
    return {
        "state": "enough",
        "sentence": f"Disputes gather where {top['words']}: {top['disputed']['value']:.0%} of {top['disputed']['n']} "
        f"such cases, against {found['share']['value']:.0%} of all.",
    }
