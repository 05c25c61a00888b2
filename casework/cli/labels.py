"""What does training believe, and what changed between two snapshots?"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from casework.cli.output import HERE, JsonOption, WorkspaceOption, answer, table
from casework.cli.reach import reached

cli = typer.Typer(help="What training believes of payments, and on whose word.", no_args_is_help=True)
_SOURCES = ("source", "labels", "frauds", "outranked", "maturing", "weight", "matures_days")


@cli.command("show")
def show(workspace: WorkspaceOption = HERE, as_json: JsonOption = False) -> None:
    """Labels and frauds by source, in the policy's order: of several claims only the strongest source speaks.

    Example: secondlook labels show --workspace bank
    """
    with reached(workspace) as reach:
        found = reach.get("/v1/labels")
    told = f"{found['labels']:,} of {found['transactions']:,} transactions have a label, {found['frauds']:,} fraud"
    answer(found, [*table(found["sources"], _SOURCES), told], as_json)


@cli.command("diff")
def diff(
    before: Annotated[str, typer.Argument(help="A snapshot's name; the last one if left out.")] = "",
    after: Annotated[str, typer.Argument(help="Another, or 'now'; 'now' if left out.")] = "",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """What two snapshots believe differently, and what made the later one change its mind.

    Example: secondlook labels diff run_96d437c00215 now --workspace bank
    """
    with reached(workspace) as reach:
        found = reach.get("/v1/labels/changes", before=before, after=after)
    answer(found, _lines(found), as_json)


def _lines(found: dict[str, Any]) -> list[str]:
    sides = (found["before"], found["after"])
    lines = [f"{s['name']} as of {s['as_of']}: {s['labels']:,} labels, {s['frauds']:,} fraud" for s in sides]
    lines.append(found["sentence"])
    for kind, rows in found["by_source"].items():
        lines += [
            f"{kind.replace('_', ' ')}: {row['from'] or 'no label'} -> {row['to'] or 'no label'}: {row['count']:,}"
            for row in rows
        ]
    return lines
