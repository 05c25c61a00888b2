"""What changed this week, and has what comes in drifted?"""

from __future__ import annotations

from typing import Annotated

import typer

from casework.cli.output import HERE, JsonOption, WorkspaceOption, answer, finish, table
from casework.cli.reach import reached
from casework.watching import digest_pages

cli = typer.Typer(help="What changed, what drifted, and what to do about it.", no_args_is_help=True)
_MOVED = ("level", "name", "psi", "q_value", "missing_before", "missing_now")


@cli.command("digest")
def digest(
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Write one now instead of reading the last.")
    ] = False,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """The last weekly digest as Markdown: what to do, what changed, and the figures that rests on. Exit 1 if there is
    something to do.

    Example: secondlook watch digest --fresh --workspace bank > week.md
    """
    with reached(workspace) as reach:
        if fresh:
            reach.post("/v1/jobs/digest/run", {})
        found = reach.get("/v1/watch/digests/latest")
    answer(found, digest_pages.markdown(found).splitlines(), as_json)
    finish(bool(found["todo"]))


@cli.command("drift")
def drift(
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Look now instead of reading the last report.")
    ] = False,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """The last look at drift: what moved, how far, and in which segment. Exit 1 if anything did.

    Example: secondlook watch drift --fresh --workspace bank
    """
    with reached(workspace) as reach:
        if fresh:
            reach.post("/v1/jobs/drift/run", {})
        found = reach.get("/v1/watch/drift")["latest"]
    if found is None:
        answer(
            None, ["There is no drift report yet: nobody looked, or there are too few decisions."], as_json
        )
        return
    moved = [each for each in found["inputs"] if each["level"] != "stable"]
    answer(found, [found["sentence"], *(table(moved, _MOVED) if moved else [])], as_json)
    finish(found["level"] != "stable")
