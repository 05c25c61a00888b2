"""Can a team lead read pilots and scorecards at a terminal, and only what he or she may read?"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from casework.app import App
from casework.cli.main import cli
from casework.quality.scorecards.scorecard import scorecard
from casework.review import tasks
from casework.review.review_design import PILOT, SCORE_SHOWN
from casework.review.tasks import Task
from data.canonical import canonical_json
from data.errors import InputError, SecondLookError
from tests.http.institution import PASSWORD, START, add_people, make_workspace

Run = Callable[..., str]


def pilot(app: App) -> None:
    """A pilot of one case before two people, of whom nobody has answered."""
    row = {
        "pilot_id": "pilot_0",
        "name": "One family, one device?",
        "opened_by": "team-lead-1",
        "opened_at": START,
    }
    row |= {"follows": "", "guideline_version": "g1", "guideline": "Look twice.", "closed_at": None}
    with app.ledger.writing() as w:
        w.insert("pilots", [row])
        for who in ("analyst-1", "analyst-2"):
            task = Task(
                task_id=f"task_{who}", case_id="", dossier_id=f"dossier_{who}", transaction_seq=1, kind=PILOT,
                lane="pilot", queue="default", probability=1.0, status="open", arm=SCORE_SHOWN, priority=0.0,
                amount_minor=1, created_at=START, deadline=START + timedelta(days=9), assignee=who,
            )  # fmt: skip
            tasks.insert(w, task, "policy", "", START)
            part = {"pilot_id": "pilot_0", "task_id": task.task_id, "transaction_seq": 1, "reviewer": who}
            w.insert("pilot_tasks", [part])


def card(app: App) -> None:
    since = START - timedelta(days=180)
    content = canonical_json(scorecard("analyst-1", [], None, None, since, START)).decode()
    row = {"scorecard_id": "scorecard_0", "reviewer": "analyst-1", "since": since, "issued_at": START}
    with app.ledger.writing() as w:
        w.insert("scorecards", [{**row, "flagged": False, "content": content}])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    root: Path = tmp_path_factory.mktemp("figures") / "bank"
    app = App.open(make_workspace(root))
    add_people(app)
    pilot(app)
    card(app)
    app.close()

    def command(*words: str) -> str:
        told = [*words, "--workspace", str(root), "--password", PASSWORD]
        made = CliRunner().invoke(cli, told)
        if made.exception and not isinstance(made.exception, SystemExit):
            raise made.exception
        assert made.exit_code == 0, made.output
        return made.stdout

    return command


def test_pilots_are_listed_and_one_says_who_has_answered(run: Run) -> None:
    listed = run("pilots", "--user", "team-lead-1")
    assert "One family, one device?" in listed
    assert "0 of 2" in listed
    one = run("pilots", "pilot_0", "--user", "team-lead-1")
    assert "0 of 2 answers" in one
    assert "alpha: insufficient data" in one
    assert json.loads(run("pilots", "--user", "team-lead-1", "--json"))["pilots"][0]["cases"] == 1


def test_a_scorecard_is_read_by_its_reviewer_first(run: Run) -> None:
    assert "not shown yet" in run("scorecards", "--user", "team-lead-1")
    with pytest.raises(SecondLookError, match="has not opened this scorecard yet"):
        run("scorecards", "scorecard_0", "--user", "team-lead-1")
    assert "scorecard_0" in run("scorecards", "--own", "--user", "analyst-1")
    assert "0 of 0, insufficient data" in run("scorecards", "scorecard_0", "--own", "--user", "analyst-1")
    read = run("scorecards", "scorecard_0", "--user", "team-lead-1")
    assert "Too little is known yet" in read
    assert "Read by team-lead-1" in read


def test_nobody_else_reads_them_and_nobody_without_a_name(run: Run) -> None:
    for command in ("pilots", "scorecards"):
        with pytest.raises(SecondLookError, match="may not"):
            run(command, "--user", "risk-manager-1")
        with pytest.raises(InputError, match="a look at figures of single people needs a person"):
            run(command)
