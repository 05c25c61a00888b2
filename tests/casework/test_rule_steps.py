"""Is a rule's step written into its file so that everything else stays as its author wrote it?"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from casework.quality.subgroups import wilson
from casework.settings import evidence
from casework.settings.approving import bring_along
from casework.settings.proposals import Change, hash_of
from casework.settings.rule_text import with_step
from data import strict_yaml
from data.errors import ConfigError
from engine.rules.life import MOVES, can_move_to
from engine.rules.rule import STATUSES

CATALOGUE = sorted((Path(__file__).parents[2] / "rules" / "catalogue").glob("*.yaml"))
TODAY = date(2026, 11, 21)


def step(text: str, change: str = "because") -> str:
    return with_step(text.encode(), "r.yaml", version=7, status="live", change=change, on=TODAY).decode()


@pytest.mark.parametrize("file", CATALOGUE, ids=[file.stem for file in CATALOGUE])
def test_every_demo_rule_takes_a_step_in_three_lines(file: Path) -> None:
    before = file.read_text()
    after = step(before)
    gone, new = (set(a.splitlines()) - set(b.splitlines()) for a, b in ((before, after), (after, before)))
    assert len(new) - len(gone) == 1
    assert all(line.startswith(("version:", "status:", "  - {version: 7")) for line in new)
    assert strict_yaml.load(after, "r.yaml").value["history"][-1] == {
        "version": 7,
        "at": "2026-11-21",
        "change": "because",
    }


def test_comments_and_whatever_the_reason_holds_do_no_harm() -> None:
    text = (
        "version: 2   # two\nstatus: shadow # for now\nhistory:\n  - {version: 2, at: 2026-01-01, change: a}\n"
        "  # the end\n\ntests: []"
    )
    odd = 'said "stop" \\ {x}: #1\n- and went'
    after = step(text, odd)
    assert after.startswith("version: 7   # two\nstatus: live # for now\nhistory:\n  - {version: 2")
    assert after.endswith("  # the end\n\ntests: []\n")
    changed = strict_yaml.load(after, "r.yaml").value["history"][1]["change"]
    assert changed == odd.replace("\n", " ")


def test_history_at_the_end_of_the_file_and_in_blocks() -> None:
    text = "version: 1\nstatus: draft\nhistory:\n- version: 1\n  at: 2026-01-01\n  change: >-\n    first\n    of all\n"
    assert step(text).endswith('    of all\n- {version: 7, at: 2026-11-21, change: "because"}\n')


@pytest.mark.parametrize(
    "text",
    [
        "{version: 1, status: draft, history: [{version: 1, at: 2026-01-01, change: a}]}",
        "version: 1\nstatus: draft\nhistory: [{version: 1, at: 2026-01-01, change: a}]",
        "version:\n  1\nstatus: draft\nhistory:\n  - {version: 1, at: 2026-01-01, change: a}",
        "version: 1\nhistory:\n  - {version: 1, at: 2026-01-01, change: a}",
        "version: 1\nstatus: draft",
    ],
)
def test_a_file_that_cannot_be_edited_safely_is_left_to_a_person(text: str) -> None:
    with pytest.raises(ConfigError, match="Edit the file by hand"):
        step(text)


def test_every_status_can_move_somewhere_and_only_shadow_goes_live() -> None:
    assert all(can_move_to(status) for status in STATUSES)
    assert [status for status, following in MOVES.items() if "live" in following] == ["shadow"]


def test_files_follow_what_was_approved_unless_somebody_has_edited_them(tmp_path: Path) -> None:
    names = ("same", "edited", "gone", "new/deep")
    (tmp_path / "same.yaml").write_bytes(b"old")
    (tmp_path / "edited.yaml").write_bytes(b"mine")
    (tmp_path / "gone.yaml").write_bytes(b"old")
    files = {"same.yaml": b"new", "edited.yaml": b"new", "new/deep.yaml": b"new"}
    before = {"same.yaml": b"old", "edited.yaml": b"old", "gone.yaml": b"old"}
    paths = [f"{name}.yaml" for name in names]
    changes = tuple(Change(p, "changed", hash_of(before.get(p)), hash_of(files.get(p))) for p in paths)
    assert bring_along(tmp_path, changes, files) == ["edited.yaml"]
    found = {p.relative_to(tmp_path).as_posix(): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert found == {"same.yaml": b"new", "edited.yaml": b"mine", "new/deep.yaml": b"new"}
    (tmp_path / "in_the_way").write_bytes(b"")
    blocked = (Change("in_the_way/x.yaml", "added", "", hash_of(b"new")),)
    assert bring_along(tmp_path, blocked, {"in_the_way/x.yaml": b"new"}) == ["in_the_way/x.yaml"]


def test_reviewers_read_no_figure_of_a_rule_that_a_verdict_moves() -> None:
    shown = {"hits": 9, "known": 3, "precision": wilson(2, 3), "enough": True}
    by_people = {"share_confirmed": wilson(1, 4), "naive": wilson(3, 7), "estimate": {"value": 0.4}}
    nothing = {"share_confirmed": wilson(0, 0), "naive": wilson(0, 0), "estimate": None}
    assert evidence.for_reviewers({**shown, **by_people}) == {**shown, **nothing}
