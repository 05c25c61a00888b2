"""Is every package pinned, its licence known and no hazard to ours, and is nothing run that was only to be read?"""

from __future__ import annotations

import ast
import re
import runpy
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LICENCES: dict[str, Any] = runpy.run_path(str(ROOT / "docs" / "licences.py"), run_name="licences")
PRODUCT = [
    p for top in ("casework", "engine", "data", "dashboards") for p in sorted((ROOT / top).rglob("*.py"))
]
ROWS = list(LICENCES["rows"]())
# Each runs what is in the bytes or the text it is given.
RUNS_WHAT_IT_READS = {
    "eval",
    "exec",
    "compile",
    "unsafe_load",
    "full_load",
    "read_pickle",
    "to_pickle",
    "load_pickle",
}

# Python compiled from conditions that the closed grammar has taken apart and put together again.
KNOWN = {"engine/rules/compiled.py": {"compile", "eval", "exec"}}


def table() -> set[tuple[str, str, str]]:
    lines = (ROOT / "docs" / "licences.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return {(row[0], row[1], row[2]) for row in cells if row[0] != "package"}


def test_every_package_that_runs_is_pinned_to_one_version() -> None:
    pins = {LICENCES["plain"](name) for name in LICENCES["pinned"]()}
    assert not LICENCES["run_time"]() - pins


def test_every_package_we_name_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [
        *project["dependencies"],
        *(each for more in project["optional-dependencies"].values() for each in more),
    ]
    names = {
        LICENCES["plain"](re.split(r"[<>=;\[ ]", each)[0]) for each in named if "darwin'" not in each[-8:]
    }
    assert not names - {LICENCES["plain"](name) for name in LICENCES["pinned"]()} - {"xgboost"}


def test_the_page_of_licences_lists_every_pinned_package() -> None:
    missing = {(name, version) for name, version, *_ in ROWS} ^ {
        (name, version) for name, version, _ in table()
    }
    assert not missing, "run `make docs`"
    assert not [name for name, _, said in table() if not said]


def test_nothing_that_runs_is_under_a_licence_that_reaches_further_than_its_own_files() -> None:
    assert not [
        name for name, _, said, when in ROWS if when == "run time" and LICENCES["REACHING"].search(said)
    ]


@pytest.mark.parametrize(
    "said", ["GPL-3.0-or-later", "GNU Affero General Public License v3", "LGPLv3+", "SSPL-1.0"]
)
def test_such_a_licence_would_be_noticed(said: str) -> None:
    assert LICENCES["REACHING"].search(said)


def test_nothing_that_is_read_is_run() -> None:
    for path in PRODUCT:
        _runs_nothing(path)


def _runs_nothing(path: Path) -> None:
    tree = ast.parse(path.read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    bare = {c.func.id for c in calls if isinstance(c.func, ast.Name)}
    methods = {c.func.attr for c in calls if isinstance(c.func, ast.Attribute)} - {"compile"}
    found = (bare | methods) & RUNS_WHAT_IT_READS
    allowed = KNOWN.get(path.relative_to(ROOT).as_posix(), set())
    assert found <= allowed, path
    assert not [
        c for c in calls for k in c.keywords if k.arg in ("allow_pickle", "shell") and _true(k.value)
    ], path


def _true(value: ast.expr) -> bool:
    return not (isinstance(value, ast.Constant) and value.value is False)
