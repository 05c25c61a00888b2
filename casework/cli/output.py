"""How does a command answer: sentences for a person, or one JSON document for a program?"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from casework.workspace import DEFAULT_WORKSPACE
from data.errors import ConflictError

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


@contextmanager
def whole_file(out: Path) -> Iterator[Path]:
    """The name under which to write a file that is there when all of it is, and of which nothing is left before.

    It is a file of its own, so that nothing somebody else has there is touched; ConflictError if there is an `out` by
    the time all is written.
    """
    part = out.with_name(f"{out.name}.{secrets.token_hex(4)}.part")
    part.open("xb").close()
    try:
        yield part
        try:
            out.open("xb").close()
        except FileExistsError as problem:
            raise _there_already(out) from problem
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def refuse_existing(out: Path | None) -> None:
    """ConflictError where there is something already under the name that a command is to write to."""
    if out is not None and out.exists():
        raise _there_already(out)


def _there_already(out: Path) -> ConflictError:
    return ConflictError("this file exists", where=str(out), hint="Choose a new name; nothing was written.")


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
