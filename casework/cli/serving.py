"""How is Second Look started, on a workspace or as a demonstration?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from casework.cli.output import HERE, JsonOption, WorkspaceOption, answer, aside, to_json
from casework.cli.progress import steps
from casework.demo import telling
from casework.workspace import Workspace
from data.errors import ConflictError

if TYPE_CHECKING:
    from casework.serving.server import Serving

SUMMARY_FILE = "demo-summary.json"
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
    from casework.serving.server import Addresses, serve_workspace  # a second that every other command saves

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
    from casework.serving.server import Addresses, serve_workspace

    wanted = Addresses(port, console_port)
    if not headless:
        wanted.check()
    summary = _built(workspace, as_json)
    answer(summary, telling.lines(summary), as_json)
    if not headless:
        serve_workspace(Workspace(workspace).opened(), wanted, lambda up: _say_where(up, as_json))


def _built(root: Path, as_json: bool) -> dict[str, Any]:
    """The summary of the demo at `root`, which is built if it is not there yet."""
    kept = root / SUMMARY_FILE
    if kept.is_file():
        aside(f"{root} is there already and is used as it is; delete it to build it anew.", as_json)
        return dict(orjson.loads(kept.read_bytes()))
    if root.exists() and any(root.iterdir()):
        raise ConflictError(
            "this directory holds something else, or a demo that was not finished",
            where=str(root),
            hint="Delete it, or choose another with --workspace DIR.",
        )
    # Simulator, trainer and all: only this command needs them.
    from casework.demo.build import build_demo

    with steps(as_json) as progress:
        summary = dict(build_demo(root, progress))
    kept.write_text(to_json(summary), encoding="utf-8")
    return summary


def _say_where(up: Serving, as_json: bool) -> None:
    lines = [f"API      {up.url}  (documentation at {up.url}/docs)"]
    if up.console_url:
        lines.append(f"Console  {up.console_url}")
    answer({"url": up.url, "console_url": up.console_url}, [*lines, "Ctrl-C ends both."], as_json)
    sys.stdout.flush()
