"""Where do the keys of ledgers that tests make go? Into a folder of their own, never the person's."""

from __future__ import annotations

import os
import shutil
import tempfile

import pytest

_FOLDER = tempfile.mkdtemp(prefix="secondlook-test-keys-")
os.environ["SECONDLOOK_KEYS"] = _FOLDER


def pytest_sessionfinish(session: pytest.Session) -> None:
    shutil.rmtree(_FOLDER, ignore_errors=True)
