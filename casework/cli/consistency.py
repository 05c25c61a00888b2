"""How consistently do the reviewers in any verdict log decide?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from casework.agreement.reading import consistency_of_file
from casework.cli.output import HERE, JsonOption, WorkspaceOption, answer

_SHOWN = ("raw", "positive_specific", "negative_specific", "alpha", "ac1")


def add_to(parent: typer.Typer) -> None:
    parent.command("consistency")(consistency)


def consistency(
    file: Annotated[Path, typer.Argument(help="A CSV file with the columns item, reviewer, verdict.")],
    positive: Annotated[str, typer.Option("--positive", help="The verdict that means fraud.")] = "",
    seed: Annotated[int, typer.Option("--seed", help="Seed of the bootstrap.")] = 0,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Agreement between reviewers, with intervals, for any verdict log. Needs no workspace.

    Example: secondlook consistency verdicts.csv --json
    """
    report = consistency_of_file(file, positive=positive, seed=seed)
    answer(report, _lines(report), as_json)


def _lines(report: dict[str, Any]) -> list[str]:
    counts = f"{report['n_ratings']} verdicts by {report['n_reviewers']} reviewers on {report['n_all_items']} items"
    return [
        f"{counts}; positive means {report['positive']}.",
        *map(_line(report), _SHOWN),
        report["sentence"],
    ]


def _line(report: dict[str, Any]) -> Any:
    def line(name: str) -> str:
        found = report[name]
        value = found.get("value")
        if value is None:
            return f"  {name:<18} {found.get('state', 'undefined')}"
        low, high = found.get("low"), found.get("high")
        interval = f"  [{low:.3f}, {high:.3f}]" if low is not None and high is not None else ""
        return f"  {name:<18} {value:.3f}{interval}  {found.get('state', '')}"

    return line
