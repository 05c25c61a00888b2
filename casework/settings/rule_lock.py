"""Did a rule change without anybody saying so by a new version?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from data.errors import ConfigError
from engine.rules.rule import Rule

LOCK_FILE = "rules.lock.json"
Locked = Mapping[str, Mapping[str, Any]]


def locked(rules: Iterable[Rule]) -> dict[str, dict[str, Any]]:
    """Version and content hash of every rule, by id."""
    return {r.id: {"version": r.version, "sha256": r.sha256, "status": r.status} for r in rules}


def as_bytes(lock: Locked) -> bytes:
    """The lock file: one rule a line, sorted, so that two people's changes merge."""
    lines = [f"  {orjson.dumps(i).decode()}: {orjson.dumps(lock[i]).decode()}" for i in sorted(lock)]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def read(content: bytes, where: str) -> Locked:
    """The lock file's content. ConfigError if it is not one."""
    try:
        lock = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ConfigError("this is not JSON", where=where, hint="Write it anew with 'rules lock'.") from error
    if not isinstance(lock, dict) or not all(isinstance(row, dict) for row in lock.values()):
        raise ConfigError("this is not a lock file", where=where, hint="Write it anew with 'rules lock'.")
    return lock


def complaints(lock: Locked, rules: Iterable[Rule]) -> list[dict[str, str]]:
    """What does not agree with the lock: rules changed under the same version, set back, or gone without retiring."""
    found = []
    now = {rule.id: rule for rule in rules}
    for rule_id, held in sorted(lock.items()):
        rule = now.get(rule_id)
        if rule is None:
            if held.get("status") != "retired":
                what = "the rule is gone without having been retired"
                found.append({"where": rule_id, "what": what, "hint": "Set its status to retired first."})
        elif rule.version < held.get("version", 0):
            what = f"the version went back from {held['version']} to {rule.version}"
            found.append({"where": rule.where, "what": what, "hint": "Versions only go up."})
        elif rule.version == held.get("version") and rule.sha256 != held.get("sha256"):
            what = f"the file changed but its version is still {rule.version}"
            hint = "Raise the version and add a line to its history, then run 'rules lock'."
            found.append({"where": rule.where, "what": what, "hint": hint})
    return found
