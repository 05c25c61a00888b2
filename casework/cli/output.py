"""How does a command answer: sentences for a person, or one JSON document for a program?"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from casework.workspace import DEFAULT_WORKSPACE

WorkspaceOption = Annotated[
    Path, typer.Option("--workspace", "-w", envvar="SECONDLOOK_WORKSPACE", help="The workspace directory.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it is kept on record.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer with one JSON document on standard output.")]
HERE = DEFAULT_WORKSPACE


class Exit(IntEnum):
    """Every command ends with one of these."""

    CLEAN = 0
    FINDINGS = 1
    MISUSE = 2


def to_json(value: Any) -> str:
    """Indented JSON, keys in the order given; datetimes as RFC 3339 in UTC."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
    return orjson.dumps(value, option=options, default=str).decode()


def answer(data: Any, lines: Iterable[str], as_json: bool) -> None:
    """Print `data` as JSON, or `lines` for a person."""
    if as_json:
        print(to_json(data))
        return
    for line in lines:
        print(line)


def aside(text: str, as_json: bool) -> None:
    """Something said while working. On standard error when standard output is for JSON."""
    print(text, file=sys.stderr if as_json else sys.stdout, flush=True)


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[str]:
    """Rows as aligned text, one line each, under a line of column names."""
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(c) for c in column) for column in zip(columns, *cells, strict=True)]
    lines = [columns, *cells]
    return ["  ".join(text.ljust(w) for text, w in zip(line, widths, strict=True)).rstrip() for line in lines]


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def finish(found: bool) -> None:
    """End the command: exit code 1 if there is something to look at, 0 otherwise."""
    raise typer.Exit(Exit.FINDINGS if found else Exit.CLEAN)
