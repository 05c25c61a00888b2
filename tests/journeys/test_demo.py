"""Does the demo hold what it promises, at a tenth of its size?"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from casework.demo import telling
from casework.demo.build import build_demo
from casework.demo.world import Scale
from casework.workspace import Workspace
from data import chain
from data.ledger import Ledger

SMALL = Scale(days=118, history_days=90, transactions=14_000, customers=500, merchants=100, fraud_rate=0.03)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    root: Path = tmp_path_factory.mktemp("demo") / "workspace"
    until = datetime(2026, 3, 2, 13, 30, tzinfo=UTC)
    return root, build_demo(root, lambda step, done, total: None, scale=SMALL, until=until)


def test_every_part_of_the_loop_leaves_its_trace(built: tuple[Path, dict[str, Any]]) -> None:
    summary = built[1]
    assert all(summary["counts"].values()), summary["counts"]
    assert summary["retrains"][0]["result"] == "promoted"
    assert summary["retrains"][1]["result"] in ("promoted", "refused")
    assert summary["open_tasks"] > 0
    assert (
        summary["average_precision"] > 5 * summary["model_quality"]["frauds"] / summary["model_quality"]["n"]
    )
    assert summary["decision_latency_ms"]["n"] >= 200
    assert {group["value"] for group in summary["subgroups"]["groups"]} >= {"18-24", "65+"}


def test_the_record_of_the_demo_verifies_and_nothing_lies_in_the_future(
    built: tuple[Path, dict[str, Any]],
) -> None:
    root, summary = built
    with Ledger.open(Workspace(root).ledger_file) as ledger:
        assert chain.verify(ledger).ok
        times = ledger.read("SELECT recorded_at FROM events ORDER BY seq")
        moments = [row["recorded_at"] for row in times]
    assert moments == sorted(moments)
    assert moments[-1] == datetime(2026, 3, 2, 13, 30, tzinfo=UTC)
    assert summary["counts"]["events"] == len(moments)


def test_the_truth_never_enters_the_ledger(built: tuple[Path, dict[str, Any]]) -> None:
    with Ledger.open(Workspace(built[0]).ledger_file) as ledger:
        columns = ledger.read("DESCRIBE transactions")
    assert not {row["column_name"] for row in columns} & {"is_fraud", "typology", "campaign_id"}


def test_the_visitor_is_told_where_to_start(built: tuple[Path, dict[str, Any]]) -> None:
    told = "\n".join(telling.lines(built[1]))
    assert f"{built[1]['open_tasks']} tasks wait for you" in told
    assert "password second-look; as admin-1, analyst-1" in told
