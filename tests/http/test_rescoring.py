"""Can the past be answered again with what decides now, without leaving a trace?"""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from data.ledger import Ledger
from tests.http.test_cli import Shell, shell, shop

__all__ = ["shell", "shop"]  # fixtures


def events(workspace: Path) -> int:
    with Ledger.open(workspace / "secondlook.duckdb") as ledger:
        return int(ledger.read("SELECT count(*) AS n FROM events")[0]["n"])


def test_the_past_is_answered_again_without_a_trace(shell: Shell, shop: Path, tmp_path: Path) -> None:
    before = events(shop)
    code, said, _ = shell("rescore", "--workspace", shop, "--json", "--out", tmp_path / "scores.parquet")
    told = json.loads(said)
    assert code == 0 and told["payments"] == 400 == sum(told["outcomes"].values())
    scores = pq.read_table(tmp_path / "scores.parquet")
    assert scores["seq"].to_pylist() == list(range(1, 401))
    assert set(scores["outcome"].to_pylist()) <= {"approve", "review", "decline"}
    assert events(shop) == before


def test_a_stretch_holds_its_first_day_and_not_its_last(shell: Shell, shop: Path) -> None:
    code, said, _ = shell(
        "rescore", "--since", "2026-01-02", "--until", "2026-01-04", "--workspace", shop, "--json"
    )
    assert code == 0 and json.loads(said)["payments"] == 48


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--since", "2031-01-01"), "there is no payment in this stretch"),
        (("--out", "taken.parquet"), "this file exists"),
    ],
)
def test_what_cannot_be_answered_is_said(
    shell: Shell,
    shop: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, str],
    problem: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("taken.parquet").write_bytes(b"mine")
    code, _, complaint = shell("rescore", *words, "--workspace", shop)
    assert code == 2 and problem in complaint
    assert Path("taken.parquet").read_bytes() == b"mine"


@pytest.mark.parametrize(("since", "left"), [("2026-01-01", {"a.parquet"}), ("2031-01-01", set())])
def test_a_file_of_somebody_else_beside_the_scores_stays(
    shell: Shell, shop: Path, tmp_path: Path, since: str, left: set[str]
) -> None:
    mine, out = tmp_path / "a.parquet.part", tmp_path / "a.parquet"
    mine.write_bytes(b"mine")
    before = {path.name for path in tmp_path.iterdir()}
    code, _, _ = shell("rescore", "--since", since, "--out", out, "--workspace", shop)
    assert code == (0 if left else 2)
    assert mine.read_bytes() == b"mine"
    assert {path.name for path in tmp_path.iterdir()} - before == left
