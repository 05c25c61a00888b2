"""What do tests of ledgers under a key begin with?"""

from __future__ import annotations

from pathlib import Path

import pytest

from data.integrity.keyring import Keyring
from data.ledger import Ledger
from tests.data.builders import AT, mapping


@pytest.fixture(scope="module")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return Keyring(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory, keyring: Keyring) -> Path:
    """A closed ledger under a key, to be copied."""
    file = tmp_path_factory.mktemp("closed") / "secondlook.duckdb"
    Ledger.create(file, mapping(), at=AT, keyring=keyring).close()
    return file
