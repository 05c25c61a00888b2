"""Is a known vulnerability of a pinned package told, and silence of the source never taken for an all-clear?"""

import json
import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
AUDIT: dict[str, Any] = runpy.run_path(str(ROOT / ".ci" / "known_vulnerabilities.py"), run_name="audit")
RECORD = {
    "id": "PYSEC-2026-1",
    "aliases": ["CVE-2026-1"],
    "modified": "2026-07-01T00:00:00Z",
    "details": "A template may\nleave its sandbox.",
}
Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("Jinja2==3.1.6\nrequests==2.34.2\n")

    def run(*arguments: str) -> int:
        return int(AUDIT["main"]([*arguments, "--constraints", str(constraints)]))

    return run


def _database(tmp_path: Path, affected: Mapping[str, Any], **more: Any) -> str:
    folder = tmp_path / "copy" / "vulns" / "jinja2"
    folder.mkdir(parents=True)
    named = {"package": {"name": "jinja2", "ecosystem": "PyPI"}, **affected}
    (folder / "PYSEC-2026-1.yaml").write_text(yaml.safe_dump({**RECORD, "affected": [named], **more}))
    return str(tmp_path / "copy")


def _range(*events: tuple[str, str]) -> dict[str, Any]:
    return {"ranges": [{"type": "ECOSYSTEM", "events": [dict([event]) for event in events]}]}


@pytest.mark.parametrize(
    ("affected", "status"),
    [
        (_range(("introduced", "0")), 1),
        (_range(("introduced", "0"), ("fixed", "3.1.7")), 1),
        (_range(("introduced", "0"), ("fixed", "3.1.6")), 0),
        (_range(("introduced", "3.1.6"), ("last_affected", "3.1.6")), 1),
        (_range(("introduced", "0"), ("last_affected", "3.1.5")), 0),
        (_range(("introduced", "3.1.7")), 0),
        (_range(("introduced", "0"), ("fixed", "2.0"), ("introduced", "3.1"), ("fixed", "3.2")), 1),
        ({"versions": ["3.1.5", "3.1.6"]}, 1),
        ({"versions": ["2.0-of-old", "3.1.5"]}, 0),
    ],
)
def test_a_copy_of_the_database_is_read_as_its_schema_says(
    affected: Mapping[str, Any], status: int, run: Run, tmp_path: Path
) -> None:
    assert run("--advisories", _database(tmp_path, affected)) == status


def test_a_finding_names_package_record_and_the_version_that_mends_it(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("--advisories", _database(tmp_path, _range(("introduced", "0"), ("fixed", "3.1.7"))))
    assert capsys.readouterr().out == (
        "jinja2 3.1.6: PYSEC-2026-1 CVE-2026-1, mended in 3.1.7: A template may leave its sandbox.\n"
    )


def test_a_withdrawn_record_is_none(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = _database(tmp_path, _range(("introduced", "0")), withdrawn="2026-07-02T00:00:00Z")
    assert run("--advisories", copy) == 0
    assert "against 1 records about them, the newest of 2026-07-01" in capsys.readouterr().out


def test_a_folder_that_is_no_database_is_misuse(run: Run, tmp_path: Path) -> None:
    assert run("--advisories", str(tmp_path)) == 2


def test_a_database_that_knows_none_of_our_packages_is_no_all_clear(run: Run, tmp_path: Path) -> None:
    (tmp_path / "vulns").mkdir()
    assert run("--advisories", str(tmp_path)) == 3


def _pip_audit(tmp_path: Path, answer: str) -> str:
    program = tmp_path / "pip-audit"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{answer}\nEND\necho 'no route to it' >&2\nexit 1\n")
    program.chmod(0o755)
    return str(program)


_KNOWN = {"name": "requests", "version": "2.34.2", "vulns": []}
_SKIPPED = {"name": "jinja2", "skip_reason": "not found"}
_HIT = {"name": "jinja2", "version": "3.1.6", "vulns": [{"id": "PYSEC-2026-1", "fix_versions": []}]}


@pytest.mark.parametrize(
    ("answers", "status", "told"),
    [
        (
            [_KNOWN, {"name": "jinja2", "version": "3.1.6", "vulns": []}],
            0,
            "2 pinned packages looked up: nothing",
        ),
        ([_KNOWN, _HIT], 1, "jinja2 3.1.6: PYSEC-2026-1, not mended yet"),
        ([_KNOWN, _SKIPPED], 3, "NOT CHECKED: 1 of 2 pinned packages could not be looked up (not found)"),
        (
            [_KNOWN],
            3,
            "NOT CHECKED: 1 of 2 pinned packages could not be looked up (pip-audit said nothing of it)",
        ),
        ([_HIT], 1, "NOT CHECKED: 1 of 2 pinned packages"),
    ],
)
def test_what_pip_audit_could_not_look_up_is_no_all_clear(
    answers: list[object],
    status: int,
    told: str,
    run: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("--pip-audit", _pip_audit(tmp_path, json.dumps({"dependencies": answers}))) == status
    assert told in capsys.readouterr().out


def test_a_source_that_does_not_answer_is_said_in_a_sentence(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--pip-audit", _pip_audit(tmp_path, "")) == 3
    assert "2 of 2 pinned packages could not be looked up (no route to it)" in capsys.readouterr().out
