"""Is a file that a command writes there when all of it is, and nobody else's touched?"""

from __future__ import annotations

from pathlib import Path

import pytest

from casework.cli.output import whole_file
from data.errors import ConflictError


def test_a_file_is_there_once_it_is_whole_and_nothing_beside_it(tmp_path: Path) -> None:
    out, others = tmp_path / "a.csv", tmp_path / "a.csv.part"
    others.write_text("mine")
    with whole_file(out) as part:
        part.write_text("all")
        assert not out.exists()
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {
        "a.csv": "all",
        "a.csv.part": "mine",
    }


def test_of_a_file_that_could_not_be_finished_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full"), whole_file(tmp_path / "a.csv") as part:
        part.write_text("half")
        raise OSError("full")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_somebody_made_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    with pytest.raises(ConflictError, match="exists"), whole_file(out) as part:
        part.write_text("late")
        out.write_text("mine")
    assert [each.read_text() for each in tmp_path.iterdir()] == ["mine"]
