"""Which commands are there? Writes docs/commands.md from the program itself: python docs/commands.py"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import typer

from casework.cli.main import cli

PAGE = Path(__file__).with_suffix(".md")
HEAD = """# Commands

Made from the program by `make docs`. Every command takes `--json`, and `--workspace DIR` where it needs one
(default `demo-workspace`); exit code 0 is clean, 1 findings, 2 misuse. While a server holds the workspace, commands go
through it.

| command | what it does | example |
|---|---|---|
"""


def commands() -> Iterator[tuple[str, str]]:
    """(name, help text) of every command, groups with their subcommands."""
    for name, command in typer.main.get_group(cli).commands.items():
        inner = getattr(command, "commands", None)
        if inner is None:
            yield name, command.help or ""
        else:
            for each, subcommand in inner.items():
                yield f"{name} {each}", subcommand.help or ""


def page() -> str:
    rows = []
    for name, text in sorted(commands()):
        words = " ".join(inspect.cleandoc(text).split())
        what, _, example = words.partition("Example: ")
        rows.append(f"| `secondlook {name}` | {what.strip()} | `{example}` |")
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
