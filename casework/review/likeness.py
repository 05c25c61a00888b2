"""Which tasks are nearly the same, so that nobody is handed fifty of a kind in a row?

Two tasks are nearly the same if they are about the same entity, or if the same rules hit and their scores lie in the
same band. Tasks that no rule brought are alike only by entity: a band of the score is no likeness by itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol

from casework.review.review_design import opaque_id
from engine.decision import Decision, Outcome, RuleState
from engine.policy_work import Work

BANDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
LONGEST = 100
"""The longest stretch that a policy may look back over."""


class Resembling(Protocol):
    """What a task says of itself: the entity it is about, and its likeness; '' where it is like no other."""

    @property
    def about(self) -> str: ...
    @property
    def alike(self) -> str: ...


def about(key: bytes, entity: str, value: str) -> str:
    """A sign for the entity that a task is about, which does not tell whose it is."""
    return opaque_id(key, "about", entity, value) if value else ""


def alike(decision: Decision) -> str:
    """The rules that ask, with the band of the score; '' where none asks."""
    asking = sorted(
        rule.rule_id
        for rule in decision.rules
        if rule.status == "live" and rule.state is RuleState.HIT and rule.floor > Outcome.APPROVE
    )
    if not asking:
        return ""
    band = "none" if decision.probability is None else str(bisect_right(BANDS, decision.probability))
    return f"{'+'.join(asking)}@{band}"


def resembles(task: Resembling, full: Collection[str]) -> bool:
    """Whether a task is nearly the same as what somebody had enough of."""
    return bool(full) and (task.about in full or task.alike in full)


class Stretches:
    """What each person was handed of late, the latest last."""

    def __init__(self) -> None:
        self._of: dict[str, deque[tuple[str, str]]] = defaultdict(lambda: deque(maxlen=LONGEST))

    def clear(self) -> None:
        self._of.clear()

    def note(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """What was handed out since: `reviewer`, `about`, `alike`, in the order it was."""
        for row in rows:
            self._of[row["reviewer"]].append((row["about"], row["alike"]))

    def full(self, reviewer: str, work: Work) -> frozenset[str]:
        """The likenesses of which this person already had as many as may come in one stretch."""
        if work.alike_in < 2 or reviewer not in self._of:
            return frozenset()
        last = list(self._of[reviewer])[-(work.alike_in - 1) :]
        counts = Counter(sign for signs in last for sign in signs if sign)
        return frozenset(sign for sign, n in counts.items() if n >= work.alike_most)
