"""How is Second Look started, on a workspace or as a demonstration?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from casework import demo as demonstration
from casework.cli.output import HERE, JsonOption, WorkspaceOption, answer, aside
from casework.cli.progress import steps
from casework.server import Addresses, serve_workspace
from casework.workspace import Workspace
from data.errors import ConflictError

PortOption = Annotated[int, typer.Option("--port", help="The port of the API; 0 takes any free one.")]
ConsolePortOption = Annotated[int, typer.Option("--console-port", help="The port of the console.")]
NoConsoleOption = Annotated[bool, typer.Option("--no-console", help="Serve the API only.")]


def add_to(parent: typer.Typer) -> None:
    parent.command("demo")(demo)
    parent.command("serve")(serve)


def serve(
    workspace: WorkspaceOption = HERE,
    port: PortOption = 8000,
    console_port: ConsolePortOption = 8501,
    no_console: NoConsoleOption = False,
    as_json: JsonOption = False,
) -> None:
    """Serve the API and the console of a workspace on this machine, until Ctrl-C.

    Example: secondlook serve --workspace bank
    """
    wanted = Addresses(port, None if no_console else console_port)
    serve_workspace(Workspace(workspace).opened(), wanted, lambda up: _say_where(up, as_json))


def demo(
    workspace: WorkspaceOption = HERE,
    headless: Annotated[bool, typer.Option("--headless", help="Build and summarise, do not serve.")] = False,
    port: PortOption = 8000,
    console_port: ConsolePortOption = 8501,
    as_json: JsonOption = False,
) -> None:
    """Build a simulated institution with its history, cases and analysts, and serve it.

    Example: secondlook demo --headless --json
    """
    wanted = Addresses(port, console_port)
    if not headless:
        wanted.check()
    summary = _built(workspace, as_json)
    if summary:
        answer(summary, _summary_lines(summary), as_json)
    if not headless:
        serve_workspace(Workspace(workspace).opened(), wanted, lambda up: _say_where(up, as_json))


def _built(root: Path, as_json: bool) -> dict[str, Any]:
    if Workspace(root).exists:
        aside(f"{root} is already there and is used as it is; delete it to build it anew.", as_json)
        return {}
    if root.exists() and any(root.iterdir()):
        raise ConflictError("this directory holds something else", where=str(root), hint="Choose another.")
    with steps(as_json) as progress:
        return dict(demonstration.build_demo(root, progress))
