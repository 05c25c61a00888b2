"""What does deciding do with an alert, and does it know of open cases what the record says?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from casework.cases import cases, joining
from casework.cases.open_cases import OpenCases, Young
from casework.review.tasks import Task
from data.writer import Writer
from engine.decision import Decision
from tests.casework.conftest import KEY, House


class Alerts:
    """Alerts that join open cases or open their own, with the memory of open cases that the server has."""

    def __init__(self) -> None:
        self._known = OpenCases()

    def next(self, house: House, **options: Any) -> Callable[[Writer], None]:
        """One more alert, and the write that takes it in. A memory made anew must name the same case for it."""
        decision, policy, at = house.decision(**options), house.policy, house.now
        dossier, alerts, anew = house.dossier(decision), [decision.transaction], OpenCases()
        for memory in (self._known, anew):
            memory.read(house.ledger, alerts, policy, at)
        young = self._known.fitting(decision, policy, at)
        assert _as_it_stands(young) == _as_it_stands(anew.fitting(decision, policy, at))

        def take_in(w: Writer) -> None:
            self._known.prepare(w, [decision], policy, at)
            if young is not None:
                joining.join(w, young, decision, dossier, policy, KEY, at)
            else:
                remember = partial(self._opened, decision)
                cases.open_review(w, decision, dossier, policy, KEY, at, remember)
            self._known.written(w)

        return take_in

    def _opened(self, decision: Decision, case: cases.Case, opened: list[Task]) -> None:
        value = decision.transaction.entities["customer"] or ""
        self._known.opened("customer", value, Young(case, 1, opened))


def _as_it_stands(young: Young | None) -> object:
    return young and (young.case, young.size, sorted(young.tasks, key=lambda task: task.task_id))
