"""What do several reviewers together say about each item of a verdict log?"""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from casework.cli.output import HERE, JsonOption, WorkspaceOption, answer
from casework.quality.consensus.report import METHODS, consensus_of_file
from casework.spreadsheet import safe


def add_to(parent: typer.Typer) -> None:
    parent.command("consensus")(consensus)


def consensus(
    file: Annotated[Path, typer.Argument(help="A CSV file with the columns item, reviewer, verdict.")],
    golden: Annotated[
        Path | None, typer.Option("--golden", help="A CSV file with the columns item, truth: known items.")
    ] = None,
    confidence: Annotated[str, typer.Option("--confidence", help="The column of stated confidence.")] = "",
    seconds: Annotated[str, typer.Option("--seconds", help="The column of seconds per verdict.")] = "",
    group: Annotated[
        str, typer.Option("--group", help="A column (a lane) with class shares of its own.")
    ] = "",
    method: Annotated[str, typer.Option("--method", help=f"One of {', '.join(METHODS)}.")] = "auto",
    repeats: Annotated[
        bool, typer.Option("--repeats", help="Count a second look by the same person as one more vote.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the starts that test identification.")] = 0,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Pooled label and posterior per item, as CSV on standard output. Any number of classes; needs no workspace.

    Dawid-Skene with a full confusion matrix per reviewer; the majority, and a sentence why, where that is not
    identified. With golden items and a column of stated confidence, verdicts count by how sure people were.

    Example: secondlook consensus verdicts.csv --golden known.csv > labels.csv
    """
    found = consensus_of_file(
        file,
        golden=golden,
        confidence=confidence,
        seconds=seconds,
        group=group,
        method=method,
        repeats=repeats,
        seed=seed,
    )
    if not as_json:
        print(f"{found['method']}: {found['sentence']}", file=sys.stderr)
    answer(found, _lines(found), as_json)


def _lines(found: dict[str, Any]) -> list[str]:
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(
        ["item", "label", "posterior", "reviewers", "basis", *(f"p_{c}" for c in found["classes"])]
    )
    for row in found["items"]:
        shares = [f"{row['posteriors'][c]:.6f}" for c in found["classes"]]
        lines.writerow(
            [
                safe(row["item"]),
                safe(row["label"]),
                f"{row['posterior']:.6f}",
                row["n_reviewers"],
                row["basis"],
                *shares,
            ]
        )
    return text.getvalue().removesuffix("\n").split("\n")  # an id may hold what splitlines() breaks at
