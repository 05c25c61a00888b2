"""Does the code keep the shape that the house rules promise?"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("data", "engine", "casework", "dashboards", "benchmarks", "tests", "docs")
MODULES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))
PRODUCT = [p for p in MODULES if p.relative_to(ROOT).parts[0] in ("data", "engine", "casework", "dashboards")]
FORBIDDEN_NAMES = re.compile(r"^(utils?|helpers?|common|misc|managers?|services?)$")
FORBIDDEN_CLASSES = re.compile(r"(Manager|Helper|Service|Factory)$")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@dataclass
class Read:
    """What the checks ask of one file, gathered in one walk over its tree."""

    lines: int
    docstring: str | None
    functions: dict[str, int] = field(default_factory=dict)
    classes: list[str] = field(default_factory=list)
    imported: set[str] = field(default_factory=set)
    asks_while_writing: list[int] = field(default_factory=list)

    def take(self, node: ast.AST) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                self.functions[node.name] = max(length, self.functions.get(node.name, 0))
            case ast.ClassDef():
                self.classes.append(node.name)
            case ast.Import():
                self.imported |= {alias.name.split(".")[0] for alias in node.names}
            case ast.ImportFrom():
                self.imported.add((node.module or "").split(".")[0])
            case ast.With():
                self.asks_while_writing += asked_inside(node)


def asked_inside(block: ast.With) -> list[int]:
    """Lines that ask for what decides in a block that writes."""
    opened = [ast.unparse(item) for item in block.items]
    if not any(".writing()" in item for item in opened):
        return []
    if any("app.lock" in item or ".changing_" in item for item in opened):
        return []
    inner = [each for statement in block.body for each in ast.walk(statement)]
    return [each.lineno for each in inner if isinstance(each, ast.Attribute) and each.attr == "live"]


@cache
def read(path: Path) -> Read:
    text = path.read_text()
    tree = ast.parse(text)
    found = Read(len(text.splitlines()), ast.get_docstring(tree))
    for node in ast.walk(tree):
        found.take(node)
    return found


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
    lines = read(path).lines
    assert lines <= 350, f"{name(path)} has {lines} lines: split it by subject"


@of_each(MODULES)
def test_no_function_is_longer_than_60_lines(path: Path) -> None:
    long = {function: length for function, length in read(path).functions.items() if length > 60}
    assert not long, f"{name(path)}: {long}"


@of_each(MODULES)
def test_names_say_something(path: Path) -> None:
    assert not FORBIDDEN_NAMES.match(path.stem), f"{name(path)} does not say what it is about"
    vague = [each for each in read(path).classes if FORBIDDEN_CLASSES.search(each)]
    assert not vague, f"{name(path)}: {vague}"


@of_each(PRODUCT)
def test_every_module_opens_with_one_sentence(path: Path) -> None:
    assert read(path).docstring, f"{name(path)} does not say which question it answers"


@of_each(PRODUCT)
def test_nobody_asks_for_what_decides_while_a_write_is_open(path: Path) -> None:
    """Building it takes the application's lock, whose holder may wait for the write: neither would ever let go."""
    asked = read(path).asks_while_writing
    assert not asked, f"{name(path)}: lines {asked}"


@of_each(PRODUCT)
def test_only_data_opens_duckdb(path: Path) -> None:
    if path.relative_to(ROOT).parts[0] != "data":
        assert "duckdb.connect" not in path.read_text(), f"{name(path)} opens DuckDB; only data/ may"


@of_each(PRODUCT)
def test_nothing_of_ours_is_unpickled(path: Path) -> None:
    forbidden = read(path).imported & {"pickle", "joblib", "shelve", "dill", "cloudpickle"}
    assert not forbidden, f"{name(path)} imports {forbidden}"


def test_import_directions_hold() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([str(lint)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
