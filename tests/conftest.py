"""What holds for all tests: ledgers' keys go into a folder of their own, and a password is cheap to check."""

from __future__ import annotations

import os
import shutil
import tempfile

import pytest
from argon2 import profiles

from casework.people import signin

FULL_COST = signin.COST
# At full cost the hashes of eight people take longer than all else that makes a workspace.
signin.COST = profiles.CHEAPEST
_FOLDER = tempfile.mkdtemp(prefix="secondlook-test-keys-")
os.environ["SECONDLOOK_KEYS"] = _FOLDER


def pytest_sessionfinish(session: pytest.Session) -> None:
    shutil.rmtree(_FOLDER, ignore_errors=True)
