"""What holds for all tests: keys go into a folder of their own, a password is cheap to check, long files come first."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import certifi
import pytest
from argon2 import profiles
from hypothesis import settings

from casework.people import signin

FULL_COST = signin.COST
# At full cost the hashes of eight people take longer than all else that makes a workspace.
signin.COST = profiles.CHEAPEST
_FOLDER = tempfile.mkdtemp(prefix="secondlook-test-keys-")
os.environ["SECONDLOOK_KEYS"] = _FOLDER

# Nothing here speaks TLS, yet httpx reads its list of authorities for every client it makes, thousands in one run.
# A list of one is read in a hundredth of the time, by the processes that tests start, too.
_AUTHORITY = Path(_FOLDER, "authority.pem")
_AUTHORITY.write_text(
    certifi.contents().partition("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
)
os.environ["SSL_CERT_FILE"] = str(_AUTHORITY)

# Tests train with two threads beside another worker: a thread that spins while it waits takes that worker's time.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Hypothesis fails an example that takes longer than 200 ms, which a busy machine does by itself.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# From the folder with the longest files to those whose files take seconds.
_ORDER = ("journeys", "dashboards", "http", "engine", "fuzz", "casework", "data", "architecture")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two workers take whole files in this order: a long file at the end would leave one of them idle."""
    tests = Path(__file__).parent
    places = {folder: place for place, folder in enumerate(_ORDER)}
    items.sort(key=lambda item: places.get(item.path.relative_to(tests).parts[0], len(_ORDER)))


def pytest_sessionfinish(session: pytest.Session) -> None:
    shutil.rmtree(_FOLDER, ignore_errors=True)
