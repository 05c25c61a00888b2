"""Which mappings are ready, how does one begin for a file nobody has seen, and what stands for a value?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from casework.cli.output import HERE, JsonOption, WorkspaceOption, answer, aside, refuse_existing, whole_file
from casework.cli.reach import reached
from data import mappings
from data.incoming.mapping_suggest import suggest_mapping

cli = typer.Typer(help="Mapping files: what an institution's columns mean.", no_args_is_help=True)
OutOption = Annotated[Path | None, typer.Option("--out", help="Write a file instead of the screen.")]


@cli.command("suggest")
def suggest(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV or Parquet file of transactions.")],
    out: OutOption = None,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Draft a mapping from a file, each guess explained in a comment, for a person to edit. Needs no workspace.

    Example: secondlook mapping suggest transactions.csv --out mapping.yaml
    """
    refuse_existing(out)
    drafted = suggest_mapping(file)
    guesses = [{"column": g.column, "role": g.role, "name": g.name, "why": g.why} for g in drafted.guesses]
    _give(drafted.text, out, {"guesses": guesses, "notes": list(drafted.notes)}, as_json)


@cli.command("list")
def list_ready(workspace: WorkspaceOption = HERE, as_json: JsonOption = False) -> None:
    """List the mappings that are ready, for `init --mapping NAME`.

    Example: secondlook mapping list
    """
    ready = [{"name": name, "about": mappings.about(name)} for name in mappings.names()]
    answer({"mappings": ready}, [f"{each['name']:<12}{each['about']}" for each in ready], as_json)


@cli.command("show")
def show(
    name: Annotated[str, typer.Argument(help="One of `secondlook mapping list`.")],
    out: OutOption = None,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show a ready mapping, to be used as it is or changed.

    Example: secondlook mapping show handbook --out mapping.yaml
    """
    refuse_existing(out)
    _give(mappings.text(name), out, {"name": name}, as_json)


@cli.command("pseudonym")
def pseudonym(
    entity: Annotated[str, typer.Argument(help="An entity of the workspace's mapping.")],
    value: Annotated[
        str,
        typer.Argument(help="Its value as it is sent. Left out, it is asked for: a shell keeps its lines."),
    ] = "",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Say what payments hold in place of a value: for lists.yaml, rules and queues. Without a pseudonym, the value.

    Example: secondlook mapping pseudonym customer --workspace bank
    """
    value = value or str(typer.prompt("Value", err=True))
    with reached(workspace) as reach:
        held = str(reach.post("/v1/pseudonyms", {"entity": entity, "value": value})["value"])
    answer({"entity": entity, "value": held}, [held], as_json)


def _give(text: str, out: Path | None, about: dict[str, object], as_json: bool) -> None:
    if out is not None:
        with whole_file(out) as part:
            part.write_text(text, encoding="utf-8")
        aside(
            f"Written to {out}. Read it, change what is wrong, then: secondlook init DIR --mapping {out}",
            as_json,
        )
    shown = [] if out is not None else text.rstrip("\n").split("\n")
    answer({"mapping": text, "file": str(out) if out else None, **about}, shown, as_json)
