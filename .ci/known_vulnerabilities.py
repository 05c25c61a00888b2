"""Does a pinned package have a vulnerability that is publicly known?

python .ci/known_vulnerabilities.py --pip-audit PROGRAM      asks the service that pip-audit asks
python .ci/known_vulnerabilities.py --advisories DIR         reads a copy of PyPA's advisory database

Ends with 0 when every package was looked up and nothing is known, 1 with findings, 2 on misuse, and 3 when something
could not be looked up: that is no finding, and no all-clear either.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

CONSTRAINTS = Path(__file__).resolve().parents[1] / "constraints.txt"
CLEAN, FOUND, MISUSE, UNKNOWN = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One vulnerability of one pinned package, and the versions that mend it."""

    package: str
    version: str
    names: tuple[str, ...]
    mended: tuple[str, ...]
    told: str

    def __str__(self) -> str:
        mended = f"mended in {', '.join(self.mended)}" if self.mended else "not mended yet"
        return f"{self.package} {self.version}: {' '.join(self.names)}, {mended}: {' '.join(self.told.split())[:120]}"


def pinned(constraints: Path) -> dict[str, str]:
    """Every pinned package: name as indexes compare it, version."""
    lines = (line.split("#")[0].split(";")[0].strip() for line in constraints.read_text().splitlines())
    pairs = (line.split("==", 1) for line in lines if "==" in line)
    return {canonicalize_name(name.strip()): version.strip() for name, version in pairs}


def asked(program: str, constraints: Path) -> tuple[list[Finding], dict[str, str]]:
    """What pip-audit says: findings, and why each package that it could not look up was passed over."""
    wanted = [program, "--format", "json", "--progress-spinner", "off", "--no-deps", "--disable-pip"]
    done = subprocess.run([*wanted, "-r", str(constraints)], capture_output=True, text=True, check=False)
    try:
        answers = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
        return [], dict.fromkeys(pinned(constraints), last)
    found = [
        Finding(
            each["name"],
            each["version"],
            (told["id"], *told.get("aliases", ())),
            tuple(told["fix_versions"]),
            told.get("description", ""),
        )
        for each in answers
        for told in each.get("vulns", ())
    ]
    unknown = {each["name"]: each["skip_reason"] for each in answers if "skip_reason" in each}
    silent = set(pinned(constraints)) - {canonicalize_name(each["name"]) for each in answers}
    return found, unknown | dict.fromkeys(silent, "pip-audit said nothing of it")


def read(advisories: Path, packages: Mapping[str, str]) -> tuple[list[Finding], int, str]:
    """What a copy of the database says: findings, records read, and when the newest of them was changed."""
    found: list[Finding] = []
    dates = [""]
    for file in _files(advisories, packages):
        record = yaml.safe_load(file.read_text(encoding="utf-8"))
        dates.append(str(record.get("modified", ""))[:10])
        if "withdrawn" not in record:
            found += _touched(record, packages)
    return found, len(dates) - 1, max(dates)


def _files(advisories: Path, packages: Mapping[str, str]) -> Iterator[Path]:
    for folder in sorted((advisories / "vulns").iterdir()):
        if canonicalize_name(folder.name) in packages:
            yield from sorted(folder.glob("*.yaml"))


def _touched(record: Mapping[str, Any], packages: Mapping[str, str]) -> Iterator[Finding]:
    for affected in record.get("affected", ()):
        package = canonicalize_name(affected["package"]["name"])
        version = packages.get(package)
        ranges = [each["events"] for each in affected.get("ranges", ()) if each["type"] == "ECOSYSTEM"]
        if version is not None and _is_hit(version, affected.get("versions", ()), ranges):
            fixes = tuple(str(event["fixed"]) for events in ranges for event in events if "fixed" in event)
            names = (record["id"], *record.get("aliases", ()))
            yield Finding(package, version, names, fixes, record.get("summary") or record.get("details", ""))


def _is_hit(version: str, named: Iterable[str], ranges: Iterable[Sequence[Mapping[str, str]]]) -> bool:
    """Whether a version is named, or lies in a range, as OSV's schema defines both."""
    at = Version(version)
    return any(_or_none(each) == at for each in named) or any(_is_within(at, events) for events in ranges)


def _is_within(at: Version, events: Sequence[Mapping[str, str]]) -> bool:
    inside = False
    steps = (
        (Version(str(when)), kind) for event in events for kind, when in event.items() if kind != "limit"
    )
    for when, kind in sorted(steps):
        if kind == "introduced" and at >= when:
            inside = True
        elif (kind == "fixed" and at >= when) or (kind == "last_affected" and at > when):
            inside = False
    return inside


def _or_none(version: str) -> Version | None:
    try:
        return Version(str(version))
    except InvalidVersion:
        return None  # names from before PEP 440: none of ours is called so


def _asked_and_told(program: str, constraints: Path) -> int:
    found, unknown = asked(program, constraints)
    packages = pinned(constraints)
    _tell(found)
    if unknown:
        reason = next(iter(unknown.values()))
        print(
            f"NOT CHECKED: {len(unknown)} of {len(packages)} pinned packages could not be looked up ({reason}). "
            "The source of known vulnerabilities cannot be reached from here. Run this where it can, "
            "or give a copy of PyPA's advisory database: make audit ADVISORIES=DIR"
        )
    if found or unknown:
        return FOUND if found else UNKNOWN
    print(f"{len(packages)} pinned packages looked up: nothing is known against them.")
    return CLEAN


def _read_and_told(advisories: Path, constraints: Path) -> int:
    if not (advisories / "vulns").is_dir():
        print(f"{advisories} has no folder vulns: give a clone of PyPA's advisory database", file=sys.stderr)
        return MISUSE
    packages = pinned(constraints)
    found, records, newest = read(advisories, packages)
    _tell(found)
    if not records:
        print("NOT CHECKED: the copy has no record about any pinned package, so it cannot be the database.")
        return UNKNOWN
    if not found:
        print(
            f"{len(packages)} pinned packages against {records} records about them, the newest of {newest}: "
            "none touches a pinned version. Of what became known since that day the copy says nothing."
        )
    return FOUND if found else CLEAN


def _tell(found: Iterable[Finding]) -> None:
    for finding in found:
        print(finding)


def main(given: Sequence[str] | None = None) -> int:
    """Tell what is known, and give the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--pip-audit", metavar="PROGRAM", help="pip-audit as installed")
    source.add_argument("--advisories", metavar="DIR", type=Path, help="a clone of PyPA's advisory database")
    parser.add_argument("--constraints", type=Path, default=CONSTRAINTS)
    arguments = parser.parse_args(given)
    if arguments.advisories is not None:
        return _read_and_told(arguments.advisories, arguments.constraints)
    return _asked_and_told(arguments.pip_audit, arguments.constraints)


if __name__ == "__main__":
    sys.exit(main())
