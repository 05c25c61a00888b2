"""Which of the tests that are too long for every run passed, and in how much processor time?

    python -m benchmarks.soak_tests [PLACE ...] [--no-page]

Runs the tests marked `soak`, below the PLACEs if any are given, and writes how each file fared to docs/soak.md. A run
over some files leaves the rows of the others as they were, so that several bounded runs add up.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import soak_page

NAME, COMMAND = "Tests that take long", "python -m benchmarks.soak_tests"
_ROW = re.compile(r"^\| `(?P<file>[^`]+)` \|.*\|$", re.MULTILINE)


@dataclass
class Fared:
    """The tests of one file: how many passed, failed and were left out, and how long they took by the clock."""

    passed: int = 0
    failed: int = 0
    left_out: int = 0
    seconds: float = 0.0

    def row(self, file: str, day: str) -> str:
        return f"| `{file}` | {self.passed} | {self.failed} | {self.left_out} | {self.seconds:.0f} | {day} |"


def fared(report: Path) -> dict[str, Fared]:
    """What pytest's report in JUnit's form says, by test file."""
    found: dict[str, Fared] = {}
    for case in ET.parse(report).iter("testcase"):
        parts = (case.get("classname") or "").split(".")
        one = found.setdefault("/".join(parts) + ".py", Fared())
        outcomes = {child.tag for child in case}
        one.failed += bool(outcomes & {"failure", "error"})
        one.left_out += "skipped" in outcomes
        one.passed += not outcomes & {"failure", "error", "skipped"}
        one.seconds += float(case.get("time") or 0)
    return found


def table(found: dict[str, Fared], before: str, day: str) -> list[str]:
    """The rows of this run, and those of files that it did not touch, from the page as it was."""
    rows = {match["file"]: match[0] for match in _ROW.finditer(before)}
    rows |= {file: one.row(file, day) for file, one in found.items()}
    head = ["| file | passed | failed | left out | s by the clock | run on |", "|---|--:|--:|--:|--:|---|"]
    return head + [rows[file] for file in sorted(rows)]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("places", nargs="*", help="files or folders of tests; all by default")
    parser.add_argument("--no-page", action="store_true", help="leave docs/soak.md as it is")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-tests-") as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-m", "soak", f"--junitxml={report}", *given.places]
        ended = subprocess.run(command, check=False).returncode
        found = fared(report) if report.exists() else {}
    lines = table(found, soak_page.section(NAME), datetime.now(UTC).date().isoformat())
    print("\n".join(lines))
    if found and not given.no_page:
        soak_page.record(NAME, COMMAND, lines)
    return ended


if __name__ == "__main__":
    raise SystemExit(main())
