"""Does DuckDB get what waits in the journal, whatever one round of settling or the start of its thread runs into?"""

from __future__ import annotations

import threading
from pathlib import Path

import duckdb
import pytest

from data.integrity import chain
from data.storage import backlog
from data.storage.backlog import Backlog
from data.storage.journal import Journal
from tests.data.builders import new_ledger
from tests.data.test_journal import ids, record


@pytest.mark.parametrize("problem", [MemoryError(), duckdb.ConversionException("x"), OSError(28, "full")])
def test_a_round_that_fails_is_not_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    monkeypatch.setattr(backlog, "SETTLE_AFTER_SECONDS", 0)
    rounds = iter([problem])
    settled = threading.Event()

    def settle() -> None:
        if failed := next(rounds, None):
            raise failed
        waiting.take()
        waiting.done()
        settled.set()

    waiting = Backlog(Journal(tmp_path / "x.journal"), settle)
    waiting.add({"events": [{"seq": 1}]})
    assert settled.wait(10)
    waiting.stop()
    waiting.close()
    assert waiting.events == 0


def test_a_record_is_kept_where_no_thread_can_be_started_to_settle_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with new_ledger(tmp_path) as ledger:
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            record(ledger, "a")
        assert "no thread can be started" in caplog.text
        assert ids(ledger) == ["a"]
        record(ledger, "b")
        assert "ledger-settling" in {thread.name for thread in threading.enumerate()}
        assert ids(ledger) == ["a", "b"]
        assert chain.verify(ledger).ok
