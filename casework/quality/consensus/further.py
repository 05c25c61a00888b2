"""Where do the verdicts so far leave doubt, and whom may one more look be asked of, within the budget?

A further review belongs to no case: it holds no payment and settles nothing, it speaks for or against the label. Which
payment it is about is chosen by what people said, so it is no random sample and no headline of agreement counts it. To
the reviewer it is a task like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from casework.cases import dossiers
from casework.quality.consensus.of_ledger import LOOKS_BACK, StoredFit, Word, lanes_of, latest, words
from casework.quality.consensus.worth import CLASSES
from casework.review import tasks
from casework.review.lanes import RANDOM_LANES
from casework.review.review_design import PRIMARY, SECOND, opaque_id
from casework.review.tasks import Task
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer
from engine.draws import draw
from engine.policy import Policy

MOST_PEOPLE = 3
_DAY = timedelta(days=1)
# Somebody is at it, it was adjudicated or the truth is known: one more opinion would tell nothing.
_DONE_WITH = """
    SELECT transaction_seq FROM tasks WHERE status IN ('open', 'claimed') OR (kind = 'adjudication' AND status = 'done')
    UNION SELECT transaction_seq FROM outcomes WHERE known_at <= ?
    UNION SELECT transaction_seq FROM golden_cases
    UNION SELECT transaction_seq FROM further_reviews
"""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A payment whose label is unsure: `posterior` is the chance that what the verdicts make of it is right."""

    transaction_seq: int
    posterior: float
    people: int
    value: str

    @property
    def reason(self) -> str:
        """Why one more look was asked for."""
        said = "One person" if self.people == 1 else f"{self.people} people"
        meant = "fraud" if self.value == CLASSES[0] else "legitimate"
        return f"{said} said {meant}; by error rates and lane the chance that this is right is {self.posterior:.2f}."


def doubts(source: Ledger | Writer, policy: Policy, found: StoredFit, at: datetime) -> list[Doubt]:
    """Payments judged lately whose posterior is under the policy's, the most doubtful first."""
    further = policy.design.further
    recent = [word for word in words(source, at, at - LOOKS_BACK) if not word.golden]
    lanes = lanes_of(recent)
    done_with = {row["transaction_seq"] for row in source.read(_DONE_WITH, [at])}
    fresh = {row["transaction_seq"] for row in source.read(_LATELY, [at - further.within, at])}
    of_payment: dict[int, list[Word]] = {}
    for word in recent:
        if word.transaction_seq in fresh and word.transaction_seq not in done_with:
            of_payment.setdefault(word.transaction_seq, []).append(word)
    unsure = [
        doubt
        for seq, given in of_payment.items()
        if len(given) < MOST_PEOPLE and (doubt := _doubt(found, seq, given, lanes[seq, False])) is not None
    ]
    return sorted(
        (doubt for doubt in unsure if doubt.posterior < further.below), key=lambda doubt: doubt.posterior
    )


_LATELY = (
    "SELECT DISTINCT transaction_seq FROM verdicts WHERE given_at > ? AND given_at <= ? AND undone_at IS NULL"
)


def _doubt(found: StoredFit, seq: int, given: Sequence[Word], lane: str) -> Doubt | None:
    said = [(word.reviewer, word.value) for word in given]
    named = {value for _, value in said}
    if len(named) != 1 or not named <= set(CLASSES):
        return None  # those who differ, or cannot tell, are with an adjudicator
    chance, value = found.measures.posterior(said, lane), next(iter(named))
    return Doubt(seq, chance if value == CLASSES[0] else 1 - chance, len(given), value)


def ask_further(w: Writer, policy: Policy, key: bytes, at: datetime) -> int:
    """Open as many further reviews as the day's budget leaves; how many. None while error rates are not identified."""
    found = latest(w, at)
    if found is None or not found.measures.identified:
        return 0
    spent = w.read("SELECT count(*) AS n FROM further_reviews WHERE opened_at > ?", [at - _DAY])[0]["n"]
    left = max(policy.design.further.per_day - int(spent), 0)
    opened = 0
    for doubt in doubts(w, policy, found, at)[: 4 * left]:
        if opened < left and _open(w, doubt, found.fit_id, policy, key, at):
            opened += 1
    return opened


def _open(w: Writer, doubt: Doubt, fit_id: str, policy: Policy, key: bytes, at: datetime) -> bool:
    """Open the task; False where the first one's dossier is not to be shown again."""
    first = _first_task(w, doubt.transaction_seq)
    if first is None:
        return False
    number = str(doubt.people)
    name = str(doubt.transaction_seq)
    raised = tasks.raised_by_case(w, [first.case_id])
    made = first.anew(
        at,
        task_id=opaque_id(key, "task", name, "further", number),
        dossier_id=opaque_id(key, "dossier", name, "further", number),
        case_id="",
        kind=SECOND,
        probability=0.0,
        # Among random tasks the order is by id; elsewhere by money, where one more look has the place of the first.
        priority=(first.priority + raised.get(first.case_id, 0.0)) * draw(key, "further", name),
        deadline=at + policy.segment(first.segment).deadline,
    )
    shown = dossiers.stored(w, first.dossier_id, first.transaction_seq)
    digest = dossiers.store(w, made.dossier_id, "", made.transaction_seq, shown, at)
    tasks.insert(w, made, "policy", digest, at)
    row = {"task_id": made.task_id, "transaction_seq": doubt.transaction_seq, "fit_id": fit_id}
    told = {**row, "posterior": round(doubt.posterior, 6), "reason": doubt.reason}
    w.insert("further_reviews", [{**told, "opened_at": at}])
    w.event(EventDraft("policy", "review.further", f"task:{made.task_id}", told), at)
    return True


def _first_task(w: Writer, seq: int) -> Task | None:
    """The task of the payment's first review, in a lane whose share is drawn from; None for a payment without one."""
    found = tasks.where(w, "t.transaction_seq = ? AND t.kind = ?", [seq, PRIMARY])
    return next((task for task in found if task.lane not in RANDOM_LANES), None)
