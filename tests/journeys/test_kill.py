"""Is anything answered ever lost, or anything half there, when the server dies at the worst moment? A shortened run of
benchmarks.kills, and what a restart knows."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from benchmarks import kills, reviewers
from benchmarks.kill_load import Answered, Load
from casework.workspace import Workspace
from data.ledger import Ledger
from tests.http.institution import large_payment, make_workspace
from tests.http.institution import payment as small_payment
from tests.journeys.running import serving


class UnderLoad(random.Random):
    """Luck that never kills while starting, and leaves half a second of load."""

    def random(self) -> float:
        return 0.15


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("kills") / "bank"
    reviewers.make(made, 40, 1)
    return made


def test_a_kill_under_load_loses_nothing_and_leaves_nothing_half_there(root: Path) -> None:
    """What comes up after it is started again by the test below, on the same workspace."""
    counts, analysts = kills.Counts(), reviewers.signed_in(root)
    assert kills.kill_once(root, counts, UnderLoad(), analysts) == []
    assert counts.answered > 0 and len(counts.restarts) == 1
    assert kills.looked_through(root, Answered(), counts, whole=True) == []


def test_what_is_lost_or_half_there_is_found(root: Path, tmp_path: Path) -> None:
    """The checks themselves, on a copy from which something was taken."""
    copy = tmp_path / "bank"
    shutil.copytree(root, copy)
    with Ledger.open(Workspace(copy).ledger_file) as ledger:
        last = ledger.read("SELECT max(transaction_seq) AS seq FROM decisions WHERE outcome = 'review'")[0][
            "seq"
        ]
        with ledger.writing() as w:
            w.execute("DELETE FROM case_transactions WHERE transaction_seq = ?", [last])
            w.execute("DELETE FROM decisions WHERE transaction_seq = 1", [])
        assert set(kills.half_there(ledger)) == {
            "1 transactions without one decision",
            "1 reviews without a case",
        }
    promised = Answered({"nobody-has-it": {"transaction_id": "nobody-has-it", "seq": 5}}, {"task_none"})
    found = kills.looked_through(copy, promised, kills.Counts(), whole=False)
    assert "the answered decision nobody-has-it is not on record" in found
    assert "the verdict on task_none is there 0 times" in found


@pytest.mark.soak
def test_after_a_kill_the_server_starts_again_and_knows_what_it_answered(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "bank")
    with serving(workspace) as running:
        token = {"authorization": f"Bearer {workspace.token_file.read_text().strip()}"}
        first = running.client().post("/v1/decisions", json=large_payment(1), headers=token).json()
        running.kill()
    with serving(workspace) as running:
        token = {"authorization": f"Bearer {workspace.token_file.read_text().strip()}"}
        client = running.client()
        assert client.post("/v1/decisions", json=large_payment(1), headers=token).json() == first
        following = client.post("/v1/decisions", json=small_payment(6), headers=token).json()
        assert following["features"]["customer_txn_count_1d"] == 1


def test_a_server_that_is_asked_to_stop_answers_what_it_took(root: Path) -> None:
    with serving(Workspace(root)) as running:
        token = (root / "server.token").read_text().strip()
        load = Load(running.url, token, [], "stopping")
        load.wait_for_answers(60)
        running.process.terminate()
        running.process.wait(60)
        got = load.end()
    assert got.complaints == []
    assert kills.looked_through(root, got, kills.Counts(), whole=False) == []
