"""Does somebody who waits without a terminal see that work goes on?"""

from __future__ import annotations

import pytest

from casework.cli.progress import steps


def test_without_a_terminal_each_quarter_of_a_step_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with steps(quiet=False) as report:
        for done in range(9):
            report("decide live", done, 8)
        report("sum up", 0, 0)
    told = [line.split(" s  ")[1] for line in capsys.readouterr().err.splitlines()]
    assert told == [*(f"decide live: {share} %" for share in (0, 25, 50, 75, 100)), "sum up: 0 %"]


def test_a_quiet_command_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with steps(quiet=True) as report:
        report("decide live", 1, 8)
    assert capsys.readouterr().err == ""
