"""How does a policy file read with other cut-offs, costs or capacity, and all else as its author wrote it?"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Protocol

from data import strict_yaml
from data.errors import InputError
from engine.policy import DEFAULT_SEGMENT, Policy, load_policy
from engine.units import minor_digits

JSON = dict[str, Any]
_FILE = "policy.yaml"
_OF_DEFAULT = f"segments.{DEFAULT_SEGMENT}."


class Change(Protocol):
    """What may be asked for; None leaves a value as it is."""

    @property
    def review_at(self) -> float | None: ...
    @property
    def decline_at(self) -> float | None: ...
    @property
    def missed_fraud_share(self) -> float | None: ...
    @property
    def good_declined_minor(self) -> int | None: ...
    @property
    def review_minor(self) -> int | None: ...
    @property
    def reviews_per_day(self) -> int | None: ...


def proposal(text: bytes, wanted: Change, policy: Policy) -> JSON:
    """What to hand to POST /v1/proposals: `files` with the whole new policy, and `yaml`, the lines that differ, to be
    pasted by hand. `files` is None where the file is written in a way that no program should edit."""
    lines = _lines(wanted, policy)
    yaml = "\n".join(_nested(key.split("."), value) for key, value in lines)
    if not lines:
        return {"yaml": "", "files": None}
    try:
        return {"yaml": yaml, "files": {_FILE: changed(text, wanted, policy)}}
    except InputError:
        return {"yaml": yaml, "files": None}


def changed(text: bytes, wanted: Change, policy: Policy) -> str:
    """The policy file with what is asked for. InputError where a value cannot be replaced safely."""
    found, lines = text.decode("utf-8-sig"), _lines(wanted, policy)
    for key, value in lines:
        is_new = key.startswith(_OF_DEFAULT) and not _says(strict_yaml.load(found.encode(), _FILE).value, key)
        found = (_added if is_new else _replaced)(found, key.split("."), value)
    before, after = (strict_yaml.load(t, _FILE).value for t in (text, found.encode()))
    load_policy(found.encode(), _FILE)
    arrived = all(_taken(after, key.split(".")) == _read(value) for key, value in lines)
    for key, _ in lines:
        _taken(before, key.split("."))
    if not arrived or before != after:
        raise InputError("the policy cannot be edited by a program", where=_FILE, hint="Edit it by hand.")
    return found


def _lines(wanted: Change, policy: Policy) -> list[tuple[str, str]]:
    """Dotted key and new value of each setting asked for. Where the default segment has cut-offs or costs of its own,
    all of both are written there: what it lacks is as in the policy at large, by which other segments decide, too,
    and those are not priced (see tuner_history)."""
    found = []
    if wanted.review_at is not None and wanted.decline_at is not None:
        cuts = f"{{review_at: {wanted.review_at:.6g}, decline_at: {wanted.decline_at:.6g}}}"
        found.append(("thresholds", cuts))
    if wanted.missed_fraud_share is not None:
        found.append(("costs.missed_fraud_share", f"{wanted.missed_fraud_share:.6g}"))
    for key, minor in (("good_declined", wanted.good_declined_minor), ("review", wanted.review_minor)):
        if minor is not None:
            found.append((f"costs.{key}", _major(minor, policy.currency)))
    if wanted.reviews_per_day is not None:
        found.append(("capacity.reviews_per_day", str(wanted.reviews_per_day)))
    if not (policy.segment().costs or policy.segment().thresholds):
        return found
    return [(key if key.startswith("capacity.") else _OF_DEFAULT + key, value) for key, value in found]


def _says(document: JSON, key: str) -> bool:
    for part in key.split("."):
        if document is None or part not in document:
            return False
        document = document[part]
    return document is not None


def _major(minor: int, currency: str) -> str:
    return format((Decimal(minor) / 10 ** minor_digits(currency)).normalize(), "f")


def _nested(keys: list[str], value: str) -> str:
    """One key below another, and the value behind the last."""
    lines = [f"{'  ' * depth}{key}:" for depth, key in enumerate(keys)]
    return "\n".join(lines) + f" {value}"


def _replaced(text: str, keys: list[str], value: str) -> str:
    """The text with the value of one key replaced where it stands on one line, in block or flow style: the first place
    in the file where the keys follow one another."""
    lines, sought = text.splitlines(keepends=True), 0
    for place, line in enumerate(lines):
        if re.match(r"[a-z_]+:", line):
            sought = 0  # another part of the file
        read = 0
        while sought < len(keys) and (key := _key(keys[sought], sought, line, read)):
            sought, read = sought + 1, key
        if sought == len(keys):
            found = re.match(r"(\s*)(\{[^}]*\}|[^\s#,}]+)(.*)", line[read:], re.S)
            if found:
                lines[place] = f"{line[:read]}{found[1]}{value}{found[3]}"
                return "".join(lines)
            break
    raise InputError(f"'{'.'.join(keys)}' is not written on one line", where=_FILE, hint="Edit it by hand.")


def _added(text: str, keys: list[str], value: str) -> str:
    """The text with a value under a key that is not there yet, as the first in the innermost {...} that is."""
    for depth in range(len(keys) - 1, 1, -1):
        path = r"[^#\n]*?".join(rf"\b{key}:" for key in keys[1:depth])
        found = re.search(rf"(?ms)^{keys[0]}:.*?^[ \t]+{path}\s*\{{", text)
        if found:
            inner = f"{keys[-1]}: {value}"
            for key in reversed(keys[depth:-1]):
                inner = f"{key}: {{{inner}}}"
            return f"{text[: found.end()]}{inner}, {text[found.end() :]}"
    raise InputError(
        f"'{'.'.join(keys[:-1])}' is not written in braces", where=_FILE, hint="Edit it by hand."
    )


def _key(key: str, depth: int, line: str, start: int) -> int:
    """Where in the line what follows this key begins, 0 where it has none; what stands behind a # is a comment, even if
    it reads like the key."""
    found = re.compile(rf"[^#]*?\b{key}:" if depth else rf"{key}:").match(line, start)
    return found.end() if found else 0


def _taken(document: Any, keys: list[str]) -> Any:
    """The value of a key, which is taken out of the document, with what holds nothing then; None where it has none."""
    if len(keys) == 1:
        return document.pop(keys[0], None)
    inner = document.get(keys[0])
    if not isinstance(inner, dict):
        return None
    found = _taken(inner, keys[1:])
    if not inner:
        del document[keys[0]]
    return found


def _read(value: str) -> Any:
    return strict_yaml.load(f"value: {value}".encode(), _FILE).value["value"]
