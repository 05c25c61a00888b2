"""Do many reviewers at one queue ever get in each other's way? The shortened form of benchmarks/reviewers.py."""

import threading
from pathlib import Path

import uvicorn

from benchmarks import reviewers
from casework.app import App
from casework.http.api import create_api
from casework.serving import ports
from casework.workspace import Workspace
from data.events import EventDraft
from data.integrity import chain


def test_no_task_is_held_by_two_lost_or_answered_twice(tmp_path: Path) -> None:
    root = tmp_path / "bank"
    tokens = reviewers.make(root, tasks=60, reviewers=12)
    app = App.open(Workspace(root))
    bound = ports.listen(0, "--port")
    server = uvicorn.Server(uvicorn.Config(create_api(app), log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        url = f"http://{ports.HOST}:{bound.getsockname()[1]}"
        told, done, _ = reviewers.run(url, tokens, seconds=120)
        found, verified = reviewers.walk(app.ledger), chain.verify(app.ledger)
    finally:
        server.should_exit = True
        thread.join()
        bound.close()
        app.close()
    assert told.complaints == []
    assert found["wrong"] == []
    assert found["opened"] >= 50
    assert (found["left"], found["held"]) == (0, 0)
    assert done == found["answered"] == found["opened"]
    assert verified.ok


def test_a_record_in_which_two_held_one_task_is_found_out(tmp_path: Path) -> None:
    root = tmp_path / "bank"
    reviewers.make(root, tasks=3, reviewers=2)
    app = App.open(Workspace(root))
    try:
        task_id = app.ledger.read("SELECT task_id FROM tasks LIMIT 1")[0]["task_id"]
        with app.ledger.writing() as w:
            for who in ("analyst-1", "analyst-2"):
                w.event(EventDraft(who, "task.claimed", f"task:{task_id}", {}), app.clock())
        assert reviewers.walk(app.ledger)["wrong"] == [
            f"{task_id} was given to analyst-2 while analyst-1 held it"
        ]
    finally:
        app.close()
