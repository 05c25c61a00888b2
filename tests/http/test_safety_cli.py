"""Can somebody at a terminal stop the engine, see how it stands, and try other settings?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from casework.cli.main import cli
from casework.workspace import Workspace
from data.errors import SecondLookError
from tests.http.institution import RULES, make_workspace

Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    workspace: Workspace = make_workspace(tmp_path / "bank")

    def command(*words: str, code: int = 0) -> Any:
        made = CliRunner().invoke(cli, ["safety", *words, "--workspace", str(workspace.root), "--json"])
        if made.exception and not isinstance(made.exception, SystemExit):
            raise made.exception
        assert made.exit_code == code, made.output
        return json.loads(made.stdout)

    return command


def test_the_engine_is_stopped_from_the_command_line_and_not_started_by_the_same_person(run: Run) -> None:
    assert run("status")["kill_switch"]["is_on"] is False
    assert run("stop", "--reason", "all declined")["turned_by"] == "local-admin"
    assert run("status", code=1)["kill_switch"]["reason"] == "all declined"
    with pytest.raises(SecondLookError, match="someone else must turn it off"):
        run("start", "--reason", "mended")


def test_a_changed_policy_is_tried_as_a_shadow_and_withdrawn(run: Run, tmp_path: Path) -> None:
    stricter = tmp_path / "policy.yaml"
    text = (RULES / "policy.yaml").read_text()
    stricter.write_text(text.replace("good_declined: 30 ", "good_declined: 15 "))
    made = run("shadow", str(stricter), "--reason", "dearer misses", "--name", "stricter")
    (trial,) = run("trials")["trials"]
    assert (trial["trial_id"], trial["name"], trial["stopped_at"]) == (made["trial_id"], "stricter", None)
    with pytest.raises(SecondLookError, match="somebody else"):
        run("rollout", made["set_id"], "--share", "0.1", "--reason", "a tenth")
    run("withdraw", made["trial_id"], "--reason", "seen enough")
    assert run("trials")["trials"][0]["stopped_reason"] == "seen enough"


def test_a_set_that_is_not_sound_cannot_be_tried(run: Run, tmp_path: Path) -> None:
    wrong = tmp_path / "policy.yaml"
    wrong.write_text((RULES / "policy.yaml").read_text().replace("channel = 'pos'", "chanel = 'pos'"))
    with pytest.raises(SecondLookError, match="chanel"):
        run("shadow", str(wrong), "--reason", "a slip of the hand")
