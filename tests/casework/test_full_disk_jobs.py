"""What do jobs say, and what is on record of them, when the disk takes nothing?"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from casework.app import App
from casework.learning.retraining import retrain, runs
from casework.serving import jobs
from casework.serving.schedule import Job, Schedule
from data.errors import DiskError
from data.storage import disk
from tests.http.institution import make_workspace


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    opened = App.open(make_workspace(tmp_path_factory.mktemp("full") / "bank"))
    yield opened
    opened.close()


def test_a_checkpoint_asked_for_without_room_says_so_and_the_next_with_room_is_made(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    moving = Job("checkpoint", "move the log", jobs._CHECKPOINT, lambda by: jobs.checkpoint(app), False)
    schedule = Schedule(app.ledger, [moving], app.clock)
    with monkeypatch.context() as full:
        full.setattr(disk.shutil, "disk_usage", lambda _: SimpleNamespace(free=1024))
        refused = schedule.run_now("checkpoint", by="admin-1")
    assert refused["result"] == "failed"
    assert "there is no room for a checkpoint (0 MB free" in refused["detail"]
    assert schedule.run_now("checkpoint", by="admin-1")["result"] == "done"
    assert [row["last_result"] for row in schedule.table()] == ["done"]


def test_a_retrain_whose_export_the_disk_does_not_take_fails_with_a_sentence_and_no_folders(app: App) -> None:
    days = app.workspace.snapshots / "days"
    days.write_text("")  # where the export's folder would be: the system refuses to make it
    try:
        done = app.retrain("person", "risk-manager-1", "a test")
    finally:
        days.unlink()
    assert done["result"] == runs.FAILED
    assert "the disk does not take what is written (File exists). Make room" in done["sentence"]
    assert str(app.workspace.root) not in done["sentence"]


def test_a_retrain_that_a_full_disk_keeps_off_the_record_is_closed_when_there_is_room(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise DiskError("no room")

    with monkeypatch.context() as closing:
        closing.setattr(runs, "finish", full)
        left = app.retrain("person", "risk-manager-1", "a test")
    assert left["result"] == runs.RUNNING
    assert jobs.trigger(app, "scheduler") == "Nothing asks for a retrain before its time."
    closed = runs.one(app.ledger, left["run_id"])
    assert (closed["result"], closed["sentence"]) == (runs.FAILED, retrain.CUT_OFF)
