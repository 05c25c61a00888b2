"""Which rules could go, and how would a set of files have done in the past?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from casework.cli import consequences
from casework.cli.consequences import moment
from casework.cli.output import HERE, JsonOption, WorkspaceOption, answer, finish
from casework.cli.reach import reached
from data import approved
from data.errors import InputError

SinceOption = Annotated[str, typer.Option("--since", help="First moment, such as 2026-10-01.")]
UntilOption = Annotated[str, typer.Option("--until", help="Moment before which it ends.")]


def add_to(parent: typer.Typer) -> None:
    parent.command("review")(review)
    parent.command("backtest")(backtest)


def review(
    since: SinceOption = "",
    until: UntilOption = "",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Name rules that are dead, redundant or opposed, and what retiring some would change; exit 1 if there are any.

    Example: secondlook rules review --since 2026-10-01 --workspace bank
    """
    with reached(workspace) as reach:
        found = reach.get("/v1/rules/review", since=moment(since), until=moment(until))
    answer(found, consequences.review_lines(found), as_json)
    finish(any(row["finding"] for row in found["rules"]))


def backtest(
    files: Annotated[
        Path | None, typer.Option("--files", help="A rules folder; without it, that of the workspace.")
    ] = None,
    since: SinceOption = "",
    until: UntilOption = "",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Decide a past period anew under a set of files and show it week by week beside what was really decided.

    Each payment is decided from what was known then. Exit 1 if something stands out.

    Example: secondlook rules backtest --files bank/rules --since 2026-10-01 --workspace bank
    """
    body: dict[str, Any] = {"since": moment(since), "until": moment(until)}
    with reached(workspace) as reach:
        if files is not None:
            body["files"] = _texts(files, reach.get("/v1/approved-set")["files"])
        found = reach.post("/v1/backtests", body)
    answer(found, consequences.backtest_lines(found), as_json)
    finish(bool(found["alarms"]))


def _texts(folder: Path, current: dict[str, str]) -> dict[str, str | None]:
    """The files of a folder, and None for those of the approved set that it does not have."""
    if not folder.is_dir():
        raise InputError("there is no such folder", where=str(folder), hint="Give a folder of rules.")
    found: dict[str, str | None] = {
        path: content.decode("utf-8", "replace") for path, content in approved.read_folder(folder).items()
    }
    return {**dict.fromkeys(path for path in current if path not in found), **found}
