"""Builders for tests of review design: people, past payments whose truth is known, and a round of drawing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from casework.cases.dossiers import Guideline
from casework.review.measuring import golden, rounds
from casework.review.tasks import Task
from engine.policy_design import ReviewDesign

PEOPLE = ("analyst-1", "analyst-2", "analyst-3")


def employ(house, people: Sequence[str] = PEOPLE, role: str = "analyst") -> None:
    with house.ledger.writing() as w:
        for who in people:
            w.execute("INSERT INTO users VALUES (?, ?, '', ?, NULL)", [who, role, house.now])


def design(house, **changes: Any) -> None:
    """Change parts of the house's review design: golden, re_serve, training."""
    new: ReviewDesign = house.policy.design
    for part, values in changes.items():
        new = replace(new, **{part: replace(getattr(new, part), **values)})
    house.policy = replace(house.policy, design=new)


def disputed(house, truth: bool, *, by: Sequence[str] = ("x-1", "x-2")) -> int:
    """A payment that two reviewers differed on, that a team lead settled, and that turned out so; its seq."""
    case = house.case(amount_minor=20_000 + house.number)
    with house.ledger.writing() as w:
        w.execute("UPDATE tasks SET arm = 'score_shown' WHERE case_id = ?", [case.case_id])
    for who, value in zip(by, ("legitimate", "confirmed_fraud"), strict=True):
        house.judge(who, value)
    house.judge(
        "lead-1",
        "confirmed_fraud" if truth else "legitimate",
        "team_lead",
        typology="card_testing" if truth else "",
    )
    if truth:
        report(house, case.transaction_seq)
    return case.transaction_seq


def report(house, seq: int, is_fraud: bool = True) -> None:
    row = {"transaction_seq": seq, "is_fraud": is_fraud, "known_at": house.now, "reported_seq": seq}
    with house.ledger.writing() as w:
        w.insert(
            "outcomes", [{**row, "source": "chargeback", "reason_code": "10.4", "recorded_at": house.now}]
        )


def past(house, frauds: int = 3, honest: int = 3) -> list[int]:
    """Disputed payments of known truth, five weeks and an hour ago."""
    house.policy = replace(house.policy, sampling=replace(house.policy.sampling, second_review=1.0))
    seqs = [disputed(house, n < frauds) for n in range(frauds + honest)]
    house.policy = replace(house.policy, sampling=replace(house.policy.sampling, second_review=0.0))
    start = house.now
    house.later(days=35, hours=1)
    assert house.now - start > timedelta(days=35)
    return seqs


def draw(house, guideline: str = "g2") -> Counter[str]:
    """One round of drawing."""
    return rounds.draw(house.ledger, house.policy, Guideline(guideline, "Look twice."), house.key, house.now)


def golden_twice(house) -> None:
    """A payment that was golden as fraud, was answered so, and is golden again as honest an hour later."""
    [seq] = past(house, frauds=1, honest=0)
    draw(house)
    house.say(hand_out(house, waiting(house, "golden")[0]), "confirmed_fraud")
    [first] = golden.in_use(house.ledger)
    house.later(hours=1)
    with house.ledger.writing() as w:
        golden.retire(w, first.golden_id, "her son paid", "lead-1", house.now)
        golden.nominate(w, seq, False, "her son paid", "lead-1", house.key, house.now)


def waiting(house, kind: str) -> list[Task]:
    from casework.review import tasks

    return tasks.where(house.ledger, "t.kind = ? AND t.status = 'open'", [kind])


def hand_out(house, task: Task) -> Task:
    """Claim a task for whom it is meant, as take-next would."""
    from casework.review import tasks

    with house.ledger.writing() as w:
        return tasks.lock(w, task, task.assignee, house.policy, house.now)


class Noting:
    """A write that notes how often it reads payments that stand beside others, what a page showed, and how many rows
    it was given in all."""

    def __init__(self, w: Any) -> None:
        self._w, self.pasts, self.contents, self.rows = w, 0, 0, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._w, name)

    def read(self, sql: str, *parameters: Any) -> Any:
        self.pasts += "FROM transactions WHERE seq IN (SELECT unnest(" in sql
        self.contents += sql.startswith("SELECT content FROM dossiers")
        found = self._w.read(sql, *parameters)
        self.rows += len(found)
        return found
