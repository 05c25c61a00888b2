"""Can somebody at a terminal read what is believed, what drifted and what changed?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from casework.cli.main import cli
from data.errors import SecondLookError
from tests.http.institution import make_workspace

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    root: Path = tmp_path_factory.mktemp("watch") / "bank"
    make_workspace(root)

    def command(*words: str, code: int = 0, as_json: bool = True) -> Any:
        made = CliRunner().invoke(cli, [*words, "--workspace", str(root), *(["--json"] if as_json else [])])
        if made.exception and not isinstance(made.exception, SystemExit):
            raise made.exception
        assert made.exit_code == code, made.output
        return json.loads(made.stdout) if as_json else made.stdout

    return command


def test_labels_are_listed_by_source_in_the_order_of_the_policy(run: Run) -> None:
    sources = [row["source"] for row in run("labels", "show")["sources"]]
    assert sources[0] == "outcome"
    assert sources[-1] == "matured_silence"
    assert "0 of 0 transactions have a label" in run("labels", "show", as_json=False)


def test_what_is_not_there_yet_is_said_with_what_would_make_it(run: Run) -> None:
    assert "There is no drift report yet" in run("watch", "drift", "--fresh", as_json=False)
    with pytest.raises(SecondLookError, match="The job 'digest' writes one a week"):
        run("watch", "digest")
    with pytest.raises(SecondLookError, match="there is no snapshot yet"):
        run("labels", "diff")
