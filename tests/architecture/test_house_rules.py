"""Does the code keep the shape that the house rules promise?"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("data", "engine", "casework", "dashboards", "benchmarks", "tests", "docs")
MODULES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))
PRODUCT = [p for p in MODULES if p.relative_to(ROOT).parts[0] in ("data", "engine", "casework", "dashboards")]
FORBIDDEN_NAMES = re.compile(r"^(utils?|helpers?|common|misc|managers?|services?)$")
FORBIDDEN_CLASSES = re.compile(r"(Manager|Helper|Service|Factory)$")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def of_each(paths: Sequence[Path]) -> Callable[[Callable[[Path], None]], Callable[[], None]]:
    """One test for all files: thousands of tests a second long together would say no more than its list."""

    def made(check: Callable[[Path], None]) -> Callable[[], None]:
        def test() -> None:
            wrong = []
            for path in paths:
                try:
                    check(path)
                except AssertionError as broken:
                    wrong.append(str(broken).splitlines()[0])
            assert not wrong, "\n".join(wrong)

        return test

    return made


@of_each(MODULES)
def test_no_module_is_longer_than_350_lines(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= 350, f"{name(path)} has {lines} lines: split it by subject"


@of_each(MODULES)
def test_no_function_is_longer_than_60_lines(path: Path) -> None:
    long = {
        f.name: length
        for f in functions(ast.parse(path.read_text()))
        if (length := (f.end_lineno or f.lineno) - f.lineno + 1) > 60
    }
    assert not long, f"{name(path)}: {long}"


@of_each(MODULES)
def test_names_say_something(path: Path) -> None:
    assert not FORBIDDEN_NAMES.match(path.stem), f"{name(path)} does not say what it is about"
    classes = [n.name for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ClassDef)]
    assert not [c for c in classes if FORBIDDEN_CLASSES.search(c)]


@of_each(PRODUCT)
def test_every_module_opens_with_one_sentence(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring, f"{name(path)} does not say which question it answers"


@of_each(PRODUCT)
def test_nobody_asks_for_what_decides_while_a_write_is_open(path: Path) -> None:
    """Building it takes the application's lock, whose holder may wait for the write: neither would ever let go."""
    asked = [
        inner.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.With)
        and any(".writing()" in ast.unparse(item.context_expr) for item in node.items)
        and not any(
            "app.lock" in ast.unparse(item) or ".changing_" in ast.unparse(item) for item in node.items
        )
        for statement in node.body
        for inner in ast.walk(statement)
        if isinstance(inner, ast.Attribute) and inner.attr == "live"
    ]
    assert not asked, f"{name(path)}: lines {asked}"


@of_each(PRODUCT)
def test_only_data_opens_duckdb(path: Path) -> None:
    if path.relative_to(ROOT).parts[0] != "data":
        assert "duckdb.connect" not in path.read_text(), f"{name(path)} opens DuckDB; only data/ may"


@of_each(PRODUCT)
def test_nothing_of_ours_is_unpickled(path: Path) -> None:
    imported = {
        alias.name.split(".")[0]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in (node.names if isinstance(node, ast.Import) else [ast.alias(node.module or "")])
    }
    assert not imported & {"pickle", "joblib", "shelve", "dill", "cloudpickle"}


def test_import_directions_hold() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([str(lint)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
