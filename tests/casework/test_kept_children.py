"""Does whoever keeps a child live on when the child cannot be started?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from casework import children


def test_a_child_that_a_read_only_disk_keeps_from_starting_is_tried_again_and_ends_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = tmp_path / "log" / "console.log"
    place.parent.mkdir()

    def begin() -> subprocess.Popen[bytes]:
        return children.start([sys.executable, "-c", ""], {}, place)

    kept = children.Kept(begin)
    first = kept.child
    first.wait()
    place.unlink()
    place.mkdir()  # nothing can be written there, as on a disk that is read-only
    kept.keep_up()
    assert kept.child is first
    assert "a child cannot be started" in caplog.text
    place.rmdir()
    kept.keep_up()  # the turn that is left out after a failure
    kept.keep_up()
    assert kept.child is not first
    kept.child.wait()
    kept.stop()
