"""Where was everybody when a journey failed?"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from tests.journeys.browsing import HERE


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A journey that does not find its element says so in a sentence, with a picture of each person's screen."""
    report = yield
    if report.failed:
        report.sections += [("Where everybody was", people.seen()) for people in HERE]
    return report
