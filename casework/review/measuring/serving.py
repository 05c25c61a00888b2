"""Which past payment does each reviewer get again: a golden case, an own one after a wash-out, or one to learn from?

A few such tasks wait on each reviewer's desk, unseen; take-next reaches for them by the shares of their lanes. Every
draw is keyed and made when the task opens, with its probability.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from casework.cases import dossiers
from casework.cases.dossiers import Guideline
from casework.review import reviewers, tasks
from casework.review.lanes import GOLDEN_LANE, RE_SERVE_LANE, TRAINING_LANE
from casework.review.measuring import fresh, golden
from casework.review.measuring.known_truth import PastCase
from casework.review.review_design import (
    BLIND_FIRST,
    COUNTED_KINDS,
    GOLDEN,
    RE_SERVE,
    TRAINING,
    draw_arm,
    opaque_id,
)  # fmt: skip
from casework.review.reviewers import Reviewer
from casework.review.tasks import OPEN, Task
from data.ledger import Ledger
from data.writer import Writer
from engine.draws import draw
from engine.policy import Policy

AHEAD = {GOLDEN: 2, RE_SERVE: 1, TRAINING: 20}
"""How many tasks of a kind wait for each person."""
_STILL_ASKED = timedelta(days=60)
"""How long after the wash-out a verdict may still be asked for again."""
_LANES = {GOLDEN: GOLDEN_LANE, RE_SERVE: RE_SERVE_LANE, TRAINING: TRAINING_LANE}
_ANALYSTS = "SELECT user_id FROM users WHERE role = 'analyst' AND disabled_at IS NULL ORDER BY user_id"
_WAITING = """
    SELECT assignee, kind, count(*) AS n FROM tasks
    WHERE kind IN ('golden', 're_serve', 'training') AND status IN ('open', 'claimed') GROUP BY ALL
"""
_MET = "SELECT reviewer, transaction_seq FROM verdicts UNION ALL SELECT reviewer, transaction_seq FROM skips"
_THERE = "SELECT task_id FROM tasks WHERE kind IN ('golden', 're_serve', 'training')"
_ON_THESE = "transaction_seq IN (SELECT unnest(CAST(? AS BIGINT[])))"
_MET_OF_THESE = f"""
    SELECT reviewer, transaction_seq FROM verdicts WHERE {_ON_THESE}
    UNION ALL SELECT reviewer, transaction_seq FROM skips WHERE {_ON_THESE}
"""
_OWN = f"""
    SELECT v.reviewer, v.transaction_seq, d.transaction_id, t.dossier_id, t.queue, t.segment, t.amount_minor,
           d.decided_at, t.arm
    FROM verdicts v JOIN tasks t ON t.task_id = v.task_id JOIN decisions d ON d.transaction_seq = v.transaction_seq
    WHERE v.task_kind IN {COUNTED_KINDS} AND v.undone_at IS NULL AND v.applied_from = ''
      AND v.given_at <= ? AND v.given_at >= ? AND NOT EXISTS (
        SELECT 1 FROM tasks r WHERE r.transaction_seq = v.transaction_seq
          AND r.status IN ('open', 'claimed'))
    ORDER BY v.reviewer, v.transaction_seq
"""


@dataclass(frozen=True, slots=True)
class Choice:
    """A past payment somebody could get, and what of its task is not the same for all."""

    past: PastCase
    arm: str
    arm_probability: float
    probability: float = 1.0


@dataclass(frozen=True, slots=True)
class Opening:
    """A task that is to be opened on somebody's desk, with what was shown of the payment the first time."""

    who: Reviewer
    kind: str
    choice: Choice
    stored: Mapping[str, Any]


def planned(
    source: Ledger | Writer, past: Sequence[PastCase], policy: Policy, key: bytes, at: datetime
) -> list[Opening]:
    """What everybody lacks, so that a few tasks of each kind wait: chosen among the `past` cases, with all that is read
    for it. That takes a while, so it is done before anything is written."""
    places, people = reviewers.all_reviewers(source), [row["user_id"] for row in source.read(_ANALYSTS)]
    here = [who for who in (places.get(p, Reviewer(p)) for p in people) if not who.is_away(at)]
    waiting = {(row["assignee"], row["kind"]): row["n"] for row in source.read(_WAITING)}
    desk = _Serving(source, policy, key, at, past)
    chosen = [
        (who, kind, choice)
        for who in here
        for kind in ((TRAINING,) if who.in_training else (GOLDEN, RE_SERVE))
        for choice in desk.choices(who, kind, AHEAD[kind] - waiting.get((who.user_id, kind), 0))
    ]
    pasts = [(choice.past.dossier_id, choice.past.transaction_seq) for _, _, choice in chosen]
    stored = dossiers.load_all(source, pasts)
    return [Opening(*each, content) for each, content in zip(chosen, stored, strict=True)]


def open_planned(
    w: Writer, openings: Sequence[Opening], policy: Policy, guideline: Guideline, key: bytes, at: datetime
) -> Counter[str]:
    """Open these, but for what has been opened since, and what its reviewer has met since; counts by kind. Looked at is
    what concerns these payments, since decisions wait."""
    seqs = [opening.choice.past.transaction_seq for opening in openings]
    there = {row["task_id"] for row in w.read(f"SELECT task_id FROM tasks WHERE {_ON_THESE}", [seqs])}
    met = _by_reviewer(w.read(_MET_OF_THESE, [seqs, seqs]))
    opened: Counter[str] = Counter()
    for opening in openings:
        past, who = opening.choice.past, opening.who.user_id
        task_id = _task_id(key, past, opening.kind, who)
        if task_id in there or (opening.kind != RE_SERVE and past.transaction_seq in met.get(who, ())):
            continue
        _open(w, task_id, opening, policy, guideline, key, at)
        there.add(task_id)
        opened[opening.kind] += 1
    return opened


def _open(
    w: Writer, task_id: str, opening: Opening, policy: Policy, guideline: Guideline, key: bytes, at: datetime
) -> None:
    """Open the task with a fresh dossier of its own, made from the stored one."""
    choice, stored, kind, who = opening.choice, opening.stored, opening.kind, opening.who.user_id
    past, due = choice.past, policy.segment(choice.past.segment).deadline
    moved = fresh.shift(past.decided_at, at, due)
    assert moved is not None  # only what fits is chosen
    shown = fresh.dossier(stored, moved, guideline)
    of_audit = stored["lane"] in ("", "audit")
    task = Task(
        task_id=task_id,
        case_id="",
        dossier_id=opaque_id(key, "dossier", past.transaction_id, kind, who),
        transaction_seq=past.transaction_seq,
        kind=kind,
        lane=_LANES[kind],
        queue=past.queue,
        segment=past.segment,
        probability=choice.probability,
        status=OPEN,
        arm=BLIND_FIRST if of_audit else choice.arm,
        arm_probability=1.0 if of_audit else choice.arm_probability,
        priority=0.0,
        amount_minor=past.amount_minor,
        created_at=at,
        deadline=past.decided_at + moved + due,
        assignee=who,
    )
    digest = dossiers.store(w, task.dossier_id, "", task.transaction_seq, shown, at)
    tasks.insert(w, task, "policy", digest, at, is_new=True)


def _by_reviewer(rows: Iterable[Mapping[str, Any]]) -> dict[str, set[int]]:
    """Which payments each reviewer has judged or given back."""
    found: dict[str, set[int]] = {}
    for row in rows:
        found.setdefault(row["reviewer"], set()).add(row["transaction_seq"])
    return found


def _task_id(key: bytes, past: PastCase, kind: str, who: str) -> str:
    return opaque_id(key, "task", past.transaction_id, kind, who)


class _Serving:
    """One round: what there is to choose from, read once."""

    def __init__(
        self, source: Ledger | Writer, policy: Policy, key: bytes, at: datetime, past: Sequence[PastCase]
    ) -> None:
        self._source, self._policy, self._key, self._at = source, policy, key, at
        self._past = {case.transaction_seq: case for case in past}
        self._golden = golden.in_use(source)
        self._taken = {case.transaction_seq for case in self._golden}
        self._met = _by_reviewer(source.read(_MET))
        washed = at - policy.design.re_serve.wash_out
        self._there = {row["task_id"] for row in source.read(_THERE)}
        self._own = source.read(_OWN, [washed, washed - _STILL_ASKED])

    def choices(self, who: Reviewer, kind: str, most: int) -> list[Choice]:
        """Up to `most` payments for this person, drawn by key."""
        if most <= 0:
            return []
        if kind == RE_SERVE:
            return self._re_serves(who)[:most]
        cases = self._golden_cases() if kind == GOLDEN else self._to_learn_from()
        met = self._met.get(who.user_id, set())
        fitting = [case for case in cases if case.transaction_seq not in met and self._fits(case, who, kind)]
        share = (
            self._policy.design.golden.fraud_share
            if kind == GOLDEN
            else self._policy.design.training.fraud_share
        )
        return self._drawn(who, kind, fitting, share, most)

    def _golden_cases(self) -> Iterable[PastCase]:
        """Cases in use; those that were nominated may not be among what is known from outcomes."""
        missing = [case for case in self._golden if case.transaction_seq not in self._past]
        told = _nominated(self._source, [case.transaction_seq for case in missing])
        truth = {case.transaction_seq: case.is_fraud for case in self._golden}
        known = [self._past[seq] for seq in truth if seq in self._past]
        return [replace(case, is_fraud=truth[case.transaction_seq]) for case in (*known, *told)]

    def _to_learn_from(self) -> Iterable[PastCase]:
        return [case for seq, case in self._past.items() if seq not in self._taken]

    def _drawn(
        self, who: Reviewer, kind: str, fitting: Sequence[PastCase], fraud_share: float, most: int
    ) -> list[Choice]:
        """One after the other: fraud or not by the share, then a payment of that class by its keyed number. Where one
        class has run out the other is taken."""
        left = sorted(fitting, key=lambda case: self._rank(who, kind, case))
        before = len(self._met.get(who.user_id, ()))
        found = []
        for n in range(min(most, len(left))):
            fraud = draw(self._key, f"{kind}_class", f"{who.user_id}:{before + n}") < fraud_share
            of_class = [case for case in left if case.is_fraud is fraud]
            chosen = (of_class or left)[0]
            chance = (fraud_share if fraud else 1 - fraud_share) if of_class else 1.0
            arm, arm_probability = draw_arm(
                self._policy, self._key, f"{chosen.transaction_id}:{kind}:{who.user_id}"
            )
            found.append(Choice(chosen, arm, arm_probability, chance / len(of_class or left)))
            left.remove(chosen)
        return found

    def _rank(self, who: Reviewer, kind: str, case: PastCase) -> tuple[bool, float]:
        moved = fresh.shift(case.decided_at, self._at, self._deadline(case))
        off = moved is None or not fresh.keeps_weekday(moved)
        return off, draw(self._key, kind, f"{case.transaction_id}:{who.user_id}")

    def _re_serves(self, who: Reviewer) -> list[Choice]:
        """Own verdicts that were drawn for a second look, in the arm in which they were given."""
        share, found = self._policy.design.re_serve.share, []
        for row in self._own:
            name = f"{row['transaction_id']}:{row['reviewer']}"
            if row["reviewer"] != who.user_id or draw(self._key, RE_SERVE, name) >= share:
                continue
            kept = {field: row[field] for field in PastCase.__dataclass_fields__ if field in row}
            past = PastCase(**kept, is_fraud=False, agreed=False)
            if self._fits(past, who, RE_SERVE):
                found.append(Choice(past, row["arm"], 1.0, share))
        return sorted(found, key=lambda choice: self._rank(who, RE_SERVE, choice.past))

    def _fits(self, past: PastCase, who: Reviewer, kind: str) -> bool:
        """Whether it is this person's queue, was never shown to him or her so, and can be made to look fresh."""
        there = _task_id(self._key, past, kind, who.user_id) in self._there
        if there or not who.serves(self._policy.work.queue(past.queue)):
            return False
        return fresh.shift(past.decided_at, self._at, self._deadline(past)) is not None

    def _deadline(self, past: PastCase) -> timedelta:
        return self._policy.segment(past.segment).deadline


def _nominated(source: Ledger | Writer, seqs: Sequence[int]) -> list[PastCase]:
    if not seqs:
        return []
    rows: list[dict[str, Any]] = source.read(
        "SELECT t.transaction_seq, d.transaction_id, g.dossier_id, t.queue, t.segment, t.amount_minor, d.decided_at, "
        "g.is_fraud, true AS agreed FROM golden_cases g JOIN decisions d USING (transaction_seq) "
        "JOIN tasks t ON t.dossier_id = g.dossier_id AND t.transaction_seq = g.transaction_seq "
        "WHERE g.retired_at IS NULL AND list_contains(CAST(? AS BIGINT[]), g.transaction_seq)",
        [list(seqs)],
    )
    return [PastCase(**row) for row in rows]
