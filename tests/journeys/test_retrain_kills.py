"""Does a retrain that is killed leave one valid champion? A shortened run of benchmarks.retrain_kills."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import retrain_kills


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("kills") / "bank"
    retrain_kills.make(made, payments=2_500)
    return made


@pytest.mark.soak
@pytest.mark.parametrize(("what", "stage"), [("server", "training"), ("child", "features")])
def test_killing_either_in_the_middle_of_a_run_leaves_one_valid_champion(
    root: Path, what: str, stage: str
) -> None:
    reached, ended = retrain_kills.kill_once(root, 1, what=what, stage=stage, after=0.1)
    assert ended == "killed", reached
    assert retrain_kills.looked_through(root) == []


def test_a_model_that_is_half_written_or_altered_is_found(root: Path) -> None:
    champion = next((root / "models").iterdir())
    manifest = champion / "manifest.json"
    before = manifest.read_bytes()
    manifest.write_bytes(before[:-20])
    try:
        assert "is not the one on record" in str(retrain_kills.looked_through(root))
    finally:
        manifest.write_bytes(before)
