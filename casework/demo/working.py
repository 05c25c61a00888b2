"""How do simulated analysts work through a queue, one task after another, as real ones would?"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from casework.cases import dossiers, revealing
from casework.demo.people import PEOPLE
from casework.review import handing_out, revising, verdicts
from casework.review.desk import Desk
from casework.review.review_design import BLIND_FIRST, PILOT, RE_SERVE
from casework.review.revising import SecondThought
from casework.review.tasks import Task
from casework.review.verdicts import VerdictForm
from data.ledger import Ledger
from data.simulator.analysts import Judgement, SimulatedAnalyst
from data.writer import Writer
from engine.policy import Policy

_BREATH = timedelta(seconds=4)
_A_WHILE = 25.0
_LOOKS_AGAIN = ("analyst-3",)
"""Who opens what the engine thought after deciding first, and says so once more."""


@dataclass(frozen=True, slots=True)
class Held:
    """A task somebody is looking at, and what he or she will say; `again` once more after seeing the score."""

    task: Task
    judgement: Judgement
    again: Judgement | None = None


class Shift:
    """Simulated reviewers at one ledger. `fraud` maps a fraudulent transaction's id to its typology; the reviewers'
    answers depend on it through their skill, as real answers depend on the facts."""

    def __init__(
        self,
        ledger: Ledger,
        reviewers: Mapping[str, SimulatedAnalyst],
        fraud: Mapping[str, str],
        policy: Policy,
        key: bytes,
    ) -> None:
        self._ledger, self._reviewers, self._fraud = ledger, reviewers, fraud
        self._policy, self._key = policy, key
        self._desk = Desk()

    def work(self, start: datetime, until: datetime, resting: Collection[str] = ()) -> datetime:
        """Everybody but the `resting` works from `start` until the queue is empty or the time is up; nothing is left
        claimed.

        Returns the moment of the last verdict, or `start` without any.
        """
        if not self._ledger.read("SELECT 1 FROM tasks WHERE status = 'open' LIMIT 1"):
            return start
        # One write for all of it: nobody else is about, and every commit waits for the disk.
        with self._ledger.writing() as w:
            return self._worked(w, start, until, resting)

    def _worked(self, w: Writer, start: datetime, until: datetime, resting: Collection[str]) -> datetime:
        last = start
        turns: list[tuple[datetime, int, str, Held | None]] = []
        for n, reviewer in enumerate(each for each in self._reviewers if each not in resting):
            heapq.heappush(turns, (start + _BREATH * n, n, reviewer, None))
        while turns:
            now, n, reviewer, held = heapq.heappop(turns)
            if held is not None:
                self._give(w, reviewer, held, now)
                last = now
                heapq.heappush(turns, (now + _BREATH, n, reviewer, None))
            elif now < until:
                taken = self._take(w, reviewer, now)
                if taken is not None:
                    seconds = timedelta(seconds=taken.judgement.seconds)
                    heapq.heappush(turns, (now + seconds, n, reviewer, taken))
        return last

    def _take(self, w: Writer, reviewer: str, now: datetime) -> Held | None:
        role = PEOPLE[reviewer].value
        task = handing_out.take_next(w, reviewer, self._policy, self._key, now, role=role, desk=self._desk)
        if task is None:
            return None
        shown = dossiers.stored(w, task.dossier_id, task.transaction_seq)
        transaction_id = shown["transaction"]["transaction_id"]
        blind, score = task.arm == BLIND_FIRST, shown.get("probability")
        judge = partial(
            self._reviewers[reviewer].judge,
            transaction_id,
            fraud=transaction_id in self._fraud,
            typology=self._fraud.get(transaction_id, ""),
            occasion=int(task.kind in (RE_SERVE, PILOT)),
        )
        looks_again = blind and reviewer in _LOOKS_AGAIN
        return Held(task, judge(cue=None if blind else score), judge(cue=score) if looks_again else None)

    def _give(self, w: Writer, reviewer: str, held: Held, now: datetime) -> None:
        said = held.judgement
        form = VerdictForm(
            value=said.value,
            typology=said.typology,
            reason_code=_REASONS[said.value],
            confidence=said.confidence,
            deserved=_deserved(said),
        )
        given = verdicts.give(w, held.task.task_id, reviewer, form, self._policy, now)
        if held.again and given.arm == BLIND_FIRST:
            revealing.note_within(w, reviewer, given.transaction_seq, now)
            second = SecondThought(held.again.value, held.again.confidence)
            revising.revise(w, given.verdict_id, reviewer, second, self._policy, now)


def _deserved(said: Judgement) -> str:
    """Whoever is certain says whether the alert was worth a look; what took a while was."""
    if said.confidence != "certain":
        return ""
    return "no" if said.value == "legitimate" and said.seconds < _A_WHILE else "yes"


# As the form of the console names them.
_REASONS = {
    "confirmed_fraud": "known_pattern",
    "legitimate": "explained_by_history",
    "inconclusive": "missing_information",
}
