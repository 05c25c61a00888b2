"""Are models and jobs dealt with from the command line as over HTTP?"""

import json
from pathlib import Path

import pytest

from tests.http.institution import make_workspace
from tests.http.test_cli import Shell


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(capsys, monkeypatch)


def test_a_job_is_paused_and_resumed_and_models_are_listed(shell: Shell, tmp_path: Path) -> None:
    root = make_workspace(tmp_path / "bank").root
    where = ("--workspace", root)
    assert shell("jobs", "pause", "retrain", "--reason", "month-end", *where)[:2] == (
        0,
        "retrain is paused.\n",
    )
    jobs = {job["name"]: job for job in json.loads(shell("jobs", "list", "--json", *where)[1])["jobs"]}
    assert (jobs["retrain"]["paused_by"], jobs["retrain"]["paused_reason"]) == ("local-admin", "month-end")
    assert not jobs["verify"]["paused"]
    assert shell("jobs", "resume", "retrain", "--reason", "books are closed", *where)[0] == 0
    assert shell("jobs", "run", "sweep", *where)[0] == 0
    assert shell("models", "list", *where)[1].split()[:2] == ["model", "status"]
    code, _, said = shell("models", "rollback", "--reason", "too loud", *where)
    assert code == 2 and "there is no model before this one" in said
    assert shell("models", "shadow", "m_none", "--reason", "curious", *where)[0] == 2
