"""Is every page of the console among the pictures of the docs, and can each be taken again?"""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from dashboards import role_pages

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def screenshots() -> ModuleType:
    spec = importlib.util.spec_from_file_location("screenshots", ROOT / "docs" / "screenshots.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["screenshots"] = module  # a dataclass looks its module up there
    spec.loader.exec_module(module)
    return module


def test_every_page_of_every_role_has_a_picture(screenshots: ModuleType) -> None:
    assert {shot.page for shot in screenshots.SHOTS} - {""} == set(role_pages.PAGES)


def test_everybody_may_open_the_page_of_their_picture(screenshots: ModuleType) -> None:
    for shot in screenshots.SHOTS:
        if shot.page:
            role = shot.user.rpartition("-")[0].replace("-", "_")
            assert shot.page in role_pages.names(role), shot.name


def test_no_text_shows_a_picture_that_the_script_does_not_take(screenshots: ModuleType) -> None:
    texts = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    shown = {name for text in texts for name in re.findall(r"screenshots/([\w-]+)\.png", text.read_text())}
    assert shown <= {shot.name for shot in screenshots.SHOTS}
