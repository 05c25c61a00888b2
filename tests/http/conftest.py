"""One served institution for the tests of a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http.institution import Institution, make_workspace, served


@pytest.fixture(scope="module")
def institution(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Institution]:
    root: Path = tmp_path_factory.mktemp("http") / "bank"
    with served(make_workspace(root)) as running:
        yield running
