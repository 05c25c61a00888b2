"""What does a YAML file say, when nothing in it may be guessed, repeated or hidden?

YAML 1.2 core values: only `true` and `false` are flags, so `NO`, `on` and `yes` stay text, and so do dates.
Duplicate keys, anchors, aliases, tags, merge keys, several documents, infinities and ambiguous numbers such
as `007` are refused, each with file:line:column.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from data.errors import ConfigError, InputError, did_you_mean

MAX_BYTES = 1_000_000
MAX_DEPTH = 40

KeyPath = tuple[str | int, ...]
Position = tuple[int, int]

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,30})\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_AMBIGUOUS = re.compile(r"([-+]?0[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\Z")


@dataclass(frozen=True)
class Document:
    """A YAML file as plain dicts, lists and scalars, and the place of each part.

    `value` is the top-level mapping. `where` is the file's name as given. Positions are 1-based (line,
    column), kept for every key path; a list item's path element is its index.
    """

    value: dict[str, Any]
    where: str
    positions: Mapping[KeyPath, Position]
    error_class: type[InputError] = ConfigError

    def position(self, *path: str | int) -> Position:
        """Line and column of the key at `path`, or of its nearest existing parent."""
        while path not in self.positions:
            path = path[:-1]
        return self.positions[path]

    def at(self, *path: str | int) -> str:
        """`file:line:column` of the key at `path`, or of its nearest existing parent."""
        line, column = self.position(*path)
        return f"{self.where}:{line}:{column}"

    def error(self, what: str, *path: str | int, allowed: str = "", hint: str = "") -> InputError:
        """An error (to be raised by the caller) that points at `path`."""
        return self.error_class(what, where=self.at(*path), allowed=allowed, hint=hint)

    def refuse_unknown(self, part: Any, allowed: Iterable[str], *path: str | int) -> None:
        """Raise at the first key of the mapping `part` (found at `path`) that is not allowed there."""
        known = list(allowed)
        if not isinstance(part, dict):
            raise self.error("a mapping of keys to values was expected here", *path, allowed=", ".join(known))
        for key in part:
            if key not in known:
                raise self.error(
                    f"unknown key '{key}'",
                    *path,
                    key,
                    allowed=", ".join(known),
                    hint=did_you_mean(key, known),
                )


def load_file(path: Path, *, where: str = "", error_class: type[InputError] = ConfigError) -> Document:
    """Read a file strictly; see `load`. A missing or unreadable file is the same class of error."""
    try:
        text = path.read_bytes()
    except OSError as problem:
        raise error_class(f"cannot be read ({problem.strerror})", where=where or str(path)) from problem
    return load(text, where or path.name, error_class=error_class)


def load(
    text: bytes | str, where: str, *, error_class: type[InputError] = ConfigError, max_bytes: int = MAX_BYTES
) -> Document:
    """Parse one YAML mapping. `where` names the file in errors; raises `error_class` with its place."""
    if len(text) > max_bytes:
        raise error_class(f"the file is larger than {max_bytes} bytes", where=where)
    builder = _Builder(where, error_class)
    value = builder.build(_decoded(text, where, error_class))
    if not isinstance(value, dict):
        what = "the file is empty" if value is None else "the file must hold keys and values at its top"
        raise error_class(what, where=f"{where}:1:1", hint="Write it as `key: value` lines.")
    return Document(value, where, builder.positions, error_class)


def _decoded(text: bytes | str, where: str, error_class: type[InputError]) -> str:
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = text.count(b"\n", 0, problem.start) + 1
        column = problem.start - (text.rfind(b"\n", 0, problem.start) + 1) + 1
        raise error_class(
            "the file is not UTF-8 text", where=f"{where}:{line}:{column}", hint="Save it as UTF-8."
        ) from problem


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def _position(event: Any) -> Position:
    return (event.start_mark.line + 1, event.start_mark.column + 1)


class _Builder:
    """Builds plain values from the parser's events, without PyYAML's constructors and resolvers."""

    def __init__(self, where: str, error_class: type[InputError]) -> None:
        self.where = where
        self.error_class = error_class
        self.positions: dict[KeyPath, Position] = {}

    def build(self, text: str) -> Any:
        value: Any = None
        documents = 0
        try:
            self._events = iter(yaml.parse(text, Loader=_LOADER))
            for event in self._events:
                if isinstance(event, yaml.DocumentStartEvent):
                    documents += 1
                    if documents > 1:
                        raise self._refusal(
                            event, "a second document starts here", "Keep one document per file."
                        )
                    value = self._node(next(self._events), ())
        except yaml.YAMLError as problem:
            raise self._syntax_error(problem) from problem
        self.positions.setdefault((), (1, 1))
        return value

    def _node(self, event: Any, path: KeyPath) -> Any:
        self.positions.setdefault(path, _position(event))
        if len(path) > MAX_DEPTH:
            raise self._refusal(event, f"nested deeper than {MAX_DEPTH} levels", "Flatten it.")
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise self._refusal(
                event, "anchors and aliases (& and *) are not allowed", "Write the value out."
            )
        if event.tag is not None:
            raise self._refusal(
                event, f"the tag '{event.tag}' is not allowed", "Write the value without a tag."
            )
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        return self._scalar(event)

    def _mapping(self, path: KeyPath) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event, result, path)
            result[key] = self._node(next(self._events), (*path, key))
        return result

    def _key(self, event: Any, seen: dict[str, Any], path: KeyPath) -> str:
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise self._refusal(event, "anchors and aliases (& and *) are not allowed", "Write the key out.")
        if not isinstance(event, yaml.ScalarEvent):
            raise self._refusal(event, "a key must be text", "Quote it if it holds brackets or braces.")
        key = self._scalar(event)
        if not isinstance(key, str):
            raise self._refusal(event, f"the key {event.value!r} is not text", "Put it in quotes.")
        if key == "<<":
            raise self._refusal(event, "merge keys (<<) are not allowed", "Write the keys out.")
        if key in seen:
            line, column = self.positions[(*path, key)]
            raise self._refusal(
                event, f"the key '{key}' was already given at {line}:{column}", "Keep one of them."
            )
        self.positions[(*path, key)] = _position(event)
        return key

    def _sequence(self, path: KeyPath) -> list[Any]:
        result: list[Any] = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            result.append(self._node(event, (*path, len(result))))
        return result

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if event.style not in (None, ""):
            return text
        if text in _WORDS:
            return _WORDS[text]
        if text in _NULLS:
            return None
        if _INTEGER.match(text):
            return int(text)
        if _AMBIGUOUS.match(text):
            raise self._refusal(
                event,
                f"'{_short(text)}' can be read in more than one way",
                "Quote it for text, or write a plain number.",
            )
        return self._float(event, text) if _FLOAT.match(text) else text

    def _float(self, event: Any, text: str) -> float:
        number = float(text)
        if number in (float("inf"), float("-inf")):
            raise self._refusal(event, f"the number '{_short(text)}' is too large", "Quote it if it is text.")
        return number

    def _refusal(self, event: Any, what: str, hint: str) -> InputError:
        return self.error_class(what, where=self._place(event.start_mark), hint=hint)

    def _syntax_error(self, problem: yaml.YAMLError) -> InputError:
        mark = getattr(problem, "problem_mark", None) or getattr(problem, "context_mark", None)
        said = getattr(problem, "problem", None) or getattr(problem, "reason", None) or "it cannot be parsed"
        return self.error_class(f"this is not valid YAML ({said})", where=self._place(mark))

    def _place(self, mark: Any) -> str:
        return f"{self.where}:{mark.line + 1}:{mark.column + 1}" if mark else f"{self.where}:1:1"
