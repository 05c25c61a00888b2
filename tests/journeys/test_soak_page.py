"""Do several bounded runs of the soak add up on its page, and is a server that grows told from one that remembers?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import endurance, soak_page, soak_tests

REPORT = """<testsuites><testsuite>
<testcase classname="tests.journeys.test_a" name="one" time="1.5"/>
<testcase classname="tests.journeys.test_a" name="two" time="2.0"><failure message="no"/></testcase>
<testcase classname="tests.fuzz.test_b" name="three" time="0.1"><skipped message="no browser"/></testcase>
</testsuite></testsuites>"""
OLD = """## Tests that take long

| file | passed |
|---|--:|
| `tests/fuzz/test_b.py` | 9 | 0 | 0 | 9 | 2026-01-01 |
| `tests/http/test_c.py` | 4 | 0 | 0 | 7 | 2026-01-01 |

## Kills
"""


def test_a_run_over_some_files_keeps_the_rows_of_the_others(tmp_path: Path) -> None:
    page, report = tmp_path / "soak.md", tmp_path / "report.xml"
    page.write_text(OLD)
    report.write_text(REPORT)
    found = soak_tests.fared(report)
    lines = soak_tests.table(found, soak_page.section(soak_tests.NAME, page), "2026-02-02")
    assert lines[2:] == [
        "| `tests/fuzz/test_b.py` | 0 | 0 | 1 | 0 | 2026-02-02 |",
        "| `tests/http/test_c.py` | 4 | 0 | 0 | 7 | 2026-01-01 |",
        "| `tests/journeys/test_a.py` | 1 | 1 | 0 | 4 | 2026-02-02 |",
    ]
    soak_page.record(soak_tests.NAME, soak_tests.COMMAND, lines, page)
    assert lines[-1] in soak_page.section(soak_tests.NAME, page)
    assert page.read_text().count("## ") == 2
    assert soak_page.section("Endurance", page) == ""


@pytest.mark.parametrize(
    ("answers", "last_mb", "flat"), [(100, 545, True), (100, 560, False), (100_000, 560, True)]
)
def test_memory_is_flat_but_for_what_windows_can_still_reach(answers: int, last_mb: int, flat: bool) -> None:
    calm = endurance.Minute(answers, 0, 2.0, 9.0, 20.0, 500.0, 0.3, 4.0, 0.02, 0.1, 0, 1.0, 0.1)
    minutes = [calm, calm, replace(calm, resident=float(last_mb))]
    assert endurance.is_flat(minutes) is flat
    assert not endurance.is_flat([calm, replace(calm, refused=1), calm])


def test_what_latency_was_while_others_took_little_is_told_apart() -> None:
    calm = endurance.Minute(100, 0, 2.0, 9.0, 20.0, 500.0, 0.3, 4.0, 0.02, 0.1, 0, 1.0, 0.1)
    minutes = [calm, replace(calm, p50=3.0), replace(calm, p50=900.0, others=0.9)]
    assert endurance.undisturbed(minutes) == (
        "In 2 of 3 stretches others took at most 0.2 processor seconds a second: p50 2.0 to 3.0 ms."
    )
    assert endurance.undisturbed(minutes[2:]).startswith("In 0 of 1 stretches")
