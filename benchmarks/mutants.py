"""Would a test notice if the deciding core decided a little differently?

python -m benchmarks.mutants [MODULE ...] [--sample 40] [--seed 1] [--seconds 60]

Each mutant is a module with one small change: a comparison that is met a step later, `and` for `or`, another sign, a
number one higher, a condition the other way round; in the text of a query likewise. It is run against the tests that
are there to defend the module, in a process of its own, without touching any file. A mutant that no test fails on
survives, and is listed on stderr: either its change makes no difference (to be judged by reading it), or a test is
missing.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import random
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from benchmarks.machine import machine
from benchmarks.soak_page import record

ROOT = Path(__file__).resolve().parents[1]
_WINDOWS = (
    "tests/engine/features/test_known_labels.py",
    "tests/engine/features/test_online_features.py",
    "tests/engine/features/test_feature_contract.py",
    "tests/engine/features/test_feature_arithmetic.py",
    "tests/engine/features/test_one_busy_entity.py",
    "tests/engine/features/test_feature_parity.py",
)
TESTS: dict[str, tuple[str, ...]] = {
    "engine.triage": (
        "tests/engine/triage/test_limits_of_triage.py",
        "tests/engine/triage/test_triage.py",
        "tests/engine/triage/test_widening.py",
    ),
    "engine.costs": ("tests/engine/triage/test_triage.py", "tests/engine/triage/test_counterfactual.py"),
    "engine.policy": ("tests/engine/policy", "tests/engine/triage/test_triage.py"),
    "engine.rules.compiled": (
        "tests/engine/rules/test_rule_set.py",
        "tests/engine/rules/test_python_equals_sql.py",
        "tests/engine/rules/test_inline_tests.py",
    ),
    "casework.quality.agreement.coefficients": (
        "tests/casework/agreement/test_agreement_published_values.py",
        "tests/casework/agreement/test_agreement_edges.py",
        "tests/casework/agreement/test_agreement_intervals.py",
    ),
    "casework.quality.agreement.intervals": (
        "tests/casework/agreement/test_agreement_intervals.py",
        "tests/casework/agreement/test_agreement_edges.py",
    ),
    "engine.measuring.intervals": ("tests/engine/model/test_model_intervals.py",),
    "engine.features.history": _WINDOWS,
    "engine.features.known_labels": _WINDOWS,
    "engine.features.tracked_entity": _WINDOWS,
    "casework.learning.labels.labels": (
        "tests/casework/test_labels.py",
        "tests/casework/test_label_changes.py",
    ),
    "engine.breaker": ("tests/engine/safety/test_breaker.py",),
    "data.storage.appending": (
        "tests/data/test_appending.py",
        "tests/data/test_ledger.py",
        "tests/data/test_journal.py",
    ),
    "data.integrity.table_sums": (
        "tests/data/test_table_sums.py",
        "tests/data/test_vouching.py",
        "tests/data/test_migrations.py::test_a_sealed_ledger_that_was_changed_is_not_brought_up_to_date",
        "tests/data/test_sealing.py",
        "--deselect=tests/data/test_sealing.py::test_sql_and_python_make_the_same_sums",
    ),
    "casework.cases.open_cases": ("tests/casework/test_open_cases.py",),
    "casework.cases.joining": (
        "tests/casework/test_open_cases.py",
        "tests/http/test_joining.py::test_an_alert_joins_the_open_case_raises_it_and_is_not_due_later",
        "tests/http/test_joining.py::test_alerts_join_without_asking_duckdb_and_leave_what_asking_would",
        "tests/http/test_joining.py::test_an_old_case_and_a_closed_one_take_no_alert",
    ),
    "casework.quality.consensus.worth": ("tests/casework/scorecards/test_worth_of_verdicts.py",),
}
_HEAVY = ("numpy", "scipy.stats", "pytest", "hypothesis", "duckdb", "pyarrow", "pandas", "sqlglot", "yaml")
_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_SIGNS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult
}  # fmt: skip
_QUIET = ("-W", "ignore::pytest.PytestAssertRewriteWarning")  # they are imported before the fork
_SQL = {
    "<=": "<", "<": "<=", ">": ">=", ">=": ">", "+": "-", "AND": "OR", "OR": "AND", "NOT ": "", "IN (": "NOT IN (",
    "min(": "max(", "max(": "min(", "least(": "greatest(", "true": "false", "false": "true", "1.0": "0.5",
}  # fmt: skip
_SQL_WORD = re.compile(
    r"<=|>=|<>|[<>+]|\b(?:AND\b|OR\b|NOT |IN \(|arg_max|(?:min|max|least)\(|true|false|1\.0)"
)
_IS_SQL = re.compile(r"\b(SELECT|CASE WHEN|FROM)\b")
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed module: where, what stood there and what stands there now, and the whole source."""

    line: int
    was: str
    now: str
    source: str


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a source text, in the order of its lines."""
    tree = ast.parse(source)
    places = [number for number, node in enumerate(_nodes(tree)) if _changed(node)]
    for number in places:
        node = _nodes(tree)[number]
        for way in range(len(_changed(node))):
            copy = deepcopy(tree)
            theirs = _nodes(copy)[number]
            made = _changed(theirs)[way]
            whole = _Replacing(theirs, made).visit(copy)
            yield Mutant(
                getattr(node, "lineno", 0),
                _told(node, made),
                _told(made, node),
                ast.unparse(ast.fix_missing_locations(whole)),
            )


def _nodes(tree: ast.AST) -> list[ast.AST]:
    """Nodes whose change is a change of behaviour: no annotations, no decorators, no words of errors."""
    found: list[ast.AST] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        found.append(node)
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list") or isinstance(node, ast.Raise):
                continue
            inner = value if isinstance(value, list) else [value]
            waiting.extend(each for each in reversed(inner) if isinstance(each, ast.AST))
    return found


def _changed(node: ast.AST) -> list[ast.AST]:
    """What may stand in a node's place."""
    match node:
        case ast.Compare(ops=[op], left=left, comparators=right) if type(op) in _COMPARISONS:
            return [ast.Compare(left, [_COMPARISONS[type(op)]()], right)]
        case ast.BoolOp(op=op, values=values):
            return [ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)]
        case ast.BinOp(op=op, left=left, right=right) if type(op) in _SIGNS:
            return [ast.BinOp(left, _SIGNS[type(op)](), right)]
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return [inner]
        case ast.Constant(value=str() as value) if _IS_SQL.search(value):
            return [ast.Constant(text) for text in _changed_sql(value)]
        case ast.Constant(value=bool() as value):
            return [ast.Constant(not value)]
        case ast.Constant(value=int() | float() as value):
            return [ast.Constant(value + 1)]
        case ast.If(test=test, body=body, orelse=orelse):
            return [ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)]
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return [ast.IfExp(test, orelse, body)]
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if name in _CALLS:
            return [ast.Call(ast.Name(_CALLS[name], ast.Load()), args, keywords)]
    return []


def _changed_sql(text: str) -> list[str]:
    """The query with one word or sign changed, for each that can be."""
    found = [place for place in _SQL_WORD.finditer(text) if place[0] in _SQL]
    return [text[: place.start()] + _SQL[place[0]] + text[place.end() :] for place in found]


def _told(node: ast.AST, other: ast.AST) -> str:
    """A node's text; of a query, where it differs from the other."""
    if not (
        isinstance(node, ast.Constant) and isinstance(node.value, str) and isinstance(other, ast.Constant)
    ):
        return ast.unparse(node)
    pairs = enumerate(zip(node.value, str(other.value), strict=False))
    first = next((place for place, (was, now) in pairs if was != now), 0)
    return " ".join(node.value[max(0, first - 30) : first + 30].split())


class _Replacing(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self._new if node is self._old else super().generic_visit(node)


class _InItsPlace(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads one module from a changed source; all others as ever."""

    def __init__(self, module: str, source: str) -> None:
        self._module, self._source = module, source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._module:
            return None
        return importlib.util.spec_from_file_location(fullname, _file(fullname), loader=self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._source, str(_file(self._module)), "exec"), module.__dict__)


def _file(module: str) -> Path:
    return ROOT / (module.replace(".", "/") + ".py")


def survives(module: str, source: str, tests: Sequence[str], seconds: int) -> bool:
    """Whether all tests pass with this source in the module's place. Running out of time is noticed, too."""
    child = os.fork()
    if child == 0:
        _in_child(module, source, tests, seconds)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


def _in_child(module: str, source: str, tests: Sequence[str], seconds: int) -> None:
    signal.setitimer(signal.ITIMER_PROF, seconds)  # processor time, so that a busy machine kills no mutant
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    sys.meta_path.insert(0, _InItsPlace(module, source))
    import pytest

    ended = pytest.main(["-x", "-q", "--no-header", "-p", "no:xdist", *_QUIET, *tests])
    os._exit(0 if ended == pytest.ExitCode.OK else 1)


def report(module: str, sample: int, seed: int, seconds: int) -> str:
    """A table's line for a module, and its survivors below it on stderr."""
    source = _file(module).read_text(encoding="utf-8")
    if not survives(module, source, TESTS[module], seconds * 3):
        raise SystemExit(f"{module}: its tests do not pass as it is")
    every = list(mutants(source))
    chosen = random.Random(seed).sample(every, min(sample, len(every)))
    alive = []
    for mutant in sorted(chosen, key=lambda each: each.line):
        if survives(module, mutant.source, TESTS[module], seconds):
            alive.append(mutant)
            print(f"{module}:{mutant.line}: {mutant.was}  ->  {mutant.now}", file=sys.stderr, flush=True)
    return f"| {module} | {len(every)} | {len(chosen)} | {len(alive)} | {len(alive) / len(chosen):.0%} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", default=list(TESTS))
    parser.add_argument("--sample", type=int, default=40, help="mutants to try of each module")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=60, help="processor time a mutant's tests may take")
    given = parser.parse_args()
    unknown = sorted(set(given.modules) - set(TESTS))
    if unknown:
        parser.error(f"no tests are named for {unknown[0]} (there are: {', '.join(TESTS)})")
    os.chdir(ROOT)
    for name in _HEAVY:
        importlib.import_module(name)
    print(f"{machine()}; seed {given.seed}\n")
    lines = ["| module | mutants | tried | survived | share |", "|---|--:|--:|--:|--:|"]
    print("\n".join(lines))
    for module in given.modules:
        lines.append(report(module, given.sample, given.seed, given.seconds))
        print(lines[-1], flush=True)
    if set(given.modules) == set(TESTS):
        record("Mutants of the deciding core", f"python -m benchmarks.mutants --sample {given.sample}", lines)


if __name__ == "__main__":
    main()
