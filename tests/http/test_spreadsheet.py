"""Does a spreadsheet that opens our CSV files run nothing of what others wrote?"""

from __future__ import annotations

import ast
import csv
from pathlib import Path

import pytest

from casework.cli.consensus import _lines
from casework.cli.learning import _write_csv
from casework.spreadsheet import safe

ROOT = Path(__file__).parents[2]
FORMULAS = ("=cmd|' /C calc'!A0", "+1+cmd()", "-2+3", "@SUM(1)", "\t=1", "\r=1", " =1", "＝1")


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_is_a_formula_becomes_a_text(text: str) -> None:
    assert safe(text) == "'" + text


@pytest.mark.parametrize("cell", ["t_1", "", "a=b", -5, -0.25, None, "-5", "+1.5e3", "customer@bank.example"])
def test_everything_else_stays_as_it_is(cell: object) -> None:
    assert safe(cell) == cell


def test_scored_files_hold_no_formula(tmp_path: Path) -> None:
    row = {"transaction_id": FORMULAS[0], "outcome": "review", "probability": 0.5, "reasons": ["@x", "y"]}
    _write_csv(tmp_path / "out.csv", [row])
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file))[1] == ["'" + FORMULAS[0], "review", "0.5", "'@x; y"]


def test_consensus_files_hold_no_formula() -> None:
    item = {"item": "=1+1", "label": "fraud", "posterior": 1.0, "n_reviewers": 2, "basis": "both",
            "posteriors": {"fraud": 1.0}}  # fmt: skip
    assert _lines({"classes": ["fraud"], "items": [item]})[1].startswith("'=1+1,fraud,")


def test_whoever_writes_csv_makes_its_cells_safe() -> None:
    """A new export of text has to use `safe`, or to be named here with what it writes."""
    writers = set()
    for path in [
        p for top in ("casework", "data", "engine", "dashboards") for p in (ROOT / top).rglob("*.py")
    ]:
        tree = ast.parse(path.read_text())
        calls = {
            n.func.attr
            for n in ast.walk(tree)
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)
        }
        if calls & {"writerow", "writerows", "to_csv", "write_csv"} and "import safe" not in path.read_text():
            writers.add(path.relative_to(ROOT).as_posix())
    assert writers == KNOWN


# Test data of the simulator's own making, in the layout of the institution whose file it plays.
KNOWN = {"data/simulator/files.py"}
