"""What does a server write about itself: does its log name nobody, and does it never wait for a reader?"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from casework import children
from casework.serving import server_log
from tests.http.institution import Institution, large_payment, make_workspace, payment, served

MARKERS = (
    "Planted-Name",
    "planted@example.org",
    "planted-device",
    "planted-merchant",
    "1234.56",
    "planted-note",
)


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Institution, Path]]:
    folder = tmp_path_factory.mktemp("logged")
    with server_log.writing_log(folder), served(make_workspace(folder / "bank")) as bank:
        yield bank, folder / server_log.FILE


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def marked(number: int) -> dict[str, Any]:
    return large_payment(
        number,
        amount="1234.56",
        entities={"device": "planted-device", "merchant": "planted-merchant"},
        personal={"customer_name": "Planted-Name", "email": "planted@example.org"},
    )


def test_decisions_are_logged_by_id_and_nothing_else_of_them(logged: tuple[Institution, Path]) -> None:
    bank, path = logged
    body = marked(1)
    bank.decide(body)
    bank.ask("integrator-1", "POST", "/v1/decisions", json={**marked(2), "amount": "planted-note"})
    bank.ask(
        "integrator-1", "POST", "/v1/decisions", json={**body, "amount": "1234.57"}
    )  # the id with other content
    told = next(line for line in lines(path) if line["message"] == "decided")
    assert told["ids"] == ["t1"] and told["count"] == 1 and sum(told["outcomes"].values()) == 1
    assert not [marker for marker in MARKERS if marker in path.read_text()]


def test_an_error_is_logged_by_its_kind_and_place_without_what_it_quotes(
    logged: tuple[Institution, Path], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    bank, path = logged

    def broken(*_: Any, **__: Any) -> None:
        raise ValueError("could not convert 'Planted-Name'")

    monkeypatch.setattr(bank.app.decider, "make", broken)
    answer = bank.ask("integrator-1", "POST", "/v1/decisions", json=marked(3))
    assert answer.status_code == 500 and "Planted" not in answer.text
    errors = [line["error"] for line in lines(path) if line["level"] == "error"]
    assert errors and "ValueError at " in errors[0] and "test_server_log.py" in errors[0]
    assert not [marker for marker in MARKERS if marker in path.read_text() + capfd.readouterr().err]


def test_metrics_count_decisions_and_name_nobody(logged: tuple[Institution, Path]) -> None:
    bank, _ = logged
    bank.decide(payment(10))
    bank.decide(marked(11))
    answer = bank.ask("integrator-1", "GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    text = answer.text
    assert 'secondlook_decisions_total{outcome="approve"}' in text
    for name in (
        "answer_seconds_bucket", "fail_safe_total", "ready 1.0", "waiting_transactions 0.0",
        "journal_waiting_events", "wal_bytes", "checkpoint_seconds_count", "journal_seconds_bucket", "open_alarms",
        "open_tasks", "serving{", "kill_switch 0.0",
    ):  # fmt: skip
        assert f"secondlook_{name}" in text, name
    assert "process_resident_memory_bytes" in text
    assert not [marker for marker in (*MARKERS, "t10") if marker in text]


def test_the_disk_is_timed_once_for_each_record_of_decisions(logged: tuple[Institution, Path]) -> None:
    bank, _ = logged

    def timed() -> int:
        text = bank.ask("integrator-1", "GET", "/metrics").text
        return int(float(text.split("secondlook_journal_seconds_count ")[1].split()[0]))

    before = timed()
    bank.decide(payment(21))
    bank.decide(payment(22))
    assert timed() == before + 2


def test_metrics_are_for_those_who_sign_in(logged: tuple[Institution, Path]) -> None:
    bank, _ = logged
    assert bank.ask("", "GET", "/metrics").status_code == 401
    assert bank.ask("analyst-1", "GET", "/metrics").status_code == 403


def test_a_job_that_ran_is_counted(logged: tuple[Institution, Path]) -> None:
    bank, _ = logged
    assert bank.ask("admin-1", "POST", "/v1/jobs/checkpoint/run", json={}).status_code == 200
    text = bank.ask("integrator-1", "GET", "/metrics").text
    assert 'secondlook_job_runs_total{job="checkpoint",result="done"} 1.0' in text
    assert "secondlook_checkpoint_seconds_count 1.0" in text


def test_nobody_waits_for_whoever_reads_standard_error() -> None:
    reading, writing = os.pipe()
    handler = server_log.NeverWaiting(writing)
    handler.setFormatter(server_log.PlainLines())
    log = logging.Logger("test")
    log.addHandler(handler)
    for number in range(2000):  # far more than the 64 KB that a pipe holds
        log.error("line %d: %s", number, "x" * 200)
    assert handler.dropped > 0
    assert os.read(reading, 100).startswith(b"ERROR: line 0: xxx")
    os.close(reading)
    log.error("nobody is there")
    os.close(writing)


def test_a_log_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    handler = server_log.LogFile(tmp_path / "no" / "such" / "folder.log")
    log = logging.Logger("test")
    log.addHandler(handler)
    log.error("lost")
    assert handler.dropped == 1


def test_a_child_that_ended_by_itself_is_started_again_but_not_without_end(tmp_path: Path) -> None:
    begun: list[subprocess.Popen[bytes]] = []

    def begin() -> subprocess.Popen[bytes]:
        begun.append(children.start([sys.executable, "-c", "pass"], dict(os.environ), tmp_path / "log"))
        return begun[-1]

    kept = children.Kept(begin)
    for turn, expected in enumerate((2, 2, 3, 3, 3, 3, 4)):
        begun[-1].wait()
        kept.keep_up()
        assert len(begun) == expected, turn
    kept.stop()
