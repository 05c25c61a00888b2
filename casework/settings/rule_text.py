"""How is one step in a rule's life written into its file, leaving all else as its author wrote it?"""

from __future__ import annotations

import re
from datetime import date

from data import strict_yaml
from data.errors import InputError
from data.strict_yaml import Document

_SCALAR = re.compile(r"^(?P<key>\s*[a-z_]+:\s*)(?P<value>[^\s#]+)(?P<rest>\s*(#.*)?)$")


def with_step(text: bytes, where: str, *, version: int, status: str, change: str, on: date) -> bytes:
    """The file with another version and status, and a line more in its history that says what changed.

    InputError, with the place, where the file is written in a way that cannot be edited safely by a program.
    """
    document = strict_yaml.load(text, where)
    lines = document_lines(text)
    _replace(lines, document, "version", str(version))
    _replace(lines, document, "status", status)
    entry = f'{{version: {version}, at: {on.isoformat()}, change: "{_quoted(change)}"}}'
    _add_history(lines, document, entry)
    done = "".join(lines).encode()
    _check(done, where, document, version, status)
    return done


def document_lines(text: bytes) -> list[str]:
    """The lines of a file with their ends."""
    lines = text.decode("utf-8-sig").splitlines(keepends=True)
    return [*lines[:-1], lines[-1] if lines[-1].endswith("\n") else lines[-1] + "\n"] if lines else []


def _quoted(text: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in text)
    return printable.replace("\\", "\\\\").replace('"', '\\"')


def _replace(lines: list[str], document: Document, key: str, value: str) -> None:
    if key not in document.value:
        raise _unsafe(document, key)
    place = document.position(key)[0] - 1
    match = _SCALAR.match(lines[place].rstrip("\r\n"))
    if match is None or match["key"].strip() != f"{key}:":
        raise _unsafe(document, key)
    lines[place] = f"{match['key']}{value}{match['rest']}\n"


def _add_history(lines: list[str], document: Document, entry: str) -> None:
    """One more line under `history`, before whatever key follows."""
    rows = document.value.get("history")
    if not isinstance(rows, list) or not rows:
        raise _unsafe(document, "history")
    indent = re.match(r"(\s*)- ", lines[document.position("history", 0)[0] - 1])
    if indent is None:
        raise _unsafe(document, "history")
    start = document.position("history")[0]
    following = [line for key in document.value if (line := document.position(key)[0]) > start]
    place = min(following, default=len(lines) + 1) - 1
    while not lines[place - 1].strip() or lines[place - 1].lstrip().startswith("#"):
        place -= 1
    lines.insert(place, f"{indent[1]}- {entry}\n")


def _unsafe(document: Document, key: str) -> InputError:
    return document.error(
        f"'{key}' is not written on lines of its own", key, hint="Edit the file by hand and propose that."
    )


def _check(done: bytes, where: str, before: Document, version: int, status: str) -> None:
    """What was written must read as meant: everything else as it was."""
    after = strict_yaml.load(done, where).value
    told = {"version": version, "status": status, "history": after.get("history")}
    if after != {**before.value, **told} or after["history"][:-1] != before.value["history"]:
        raise _unsafe(before, "history")
