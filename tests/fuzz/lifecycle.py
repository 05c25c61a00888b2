"""What can happen to cases and tasks, in any order, and what must hold after every step?"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from casework.cases import arranging, case_pages, cases, dispositions, revealing, reversing, settling
from casework.review import blindness, handing_out, moves, revising, tasks, verdicts
from casework.review.review_design import REPEATED_KINDS
from casework.review.task_pages import task_page
from data.errors import ConflictError, InputError, NotFoundError
from data.events import EventDraft
from data.incoming.mapping import load_mapping
from data.integrity.chain import verify
from data.writer import Writer
from engine.decision import Decision, Outcome
from tests.casework.conftest import KEY, MAPPING, START, House, policy
from tests.fuzz.alerts import Alerts
from tests.ledgers import new_ledger

ANALYSTS = ("analyst-1", "analyst-2", "analyst-3")
LEAD = "team-lead-1"
Done = TypeVar("Done")
Refused = (ConflictError, InputError, NotFoundError)
WORDS = st.sampled_from(verdicts.VALUES)
PLACE = st.integers(0, 11)
WHO = st.sampled_from((*ANALYSTS, LEAD))


def role_of(who: str) -> str:
    return "team_lead" if who == LEAD else "analyst"


def add_person(w: Writer, who: str) -> None:
    """As signin.add_user does it, without the time that a password's hash takes."""
    row = {
        "user_id": who,
        "role": role_of(who),
        "created_at": START,
        "disabled_at": None,
        "password_hash": "",
    }
    w.insert("users", [row])
    w.event(EventDraft("admin-1", "user.created", f"user:{who}", {"user": who, "role": role_of(who)}), START)


class Lifecycle(RuleBasedStateMachine):
    """Three analysts, a team lead and a clock do whatever may be asked for; refusals are fine, wrong states are not."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="lifecycle-")
        path = Path(self._folder.name) / "secondlook.duckdb"
        self.ledger = new_ledger(path, load_mapping(MAPPING), START)
        self.house = House(
            self.ledger, policy(second_review=0.5, third_review=0.3, blind_first=0.5, audit=0.3)
        )
        self.holders: dict[str, tuple[str, datetime]] = {}
        self.approved: list[Decision] = []
        self.alerts = Alerts()
        with self.ledger.writing() as w:
            for who in (*ANALYSTS, LEAD):
                add_person(w, who)

    def teardown(self) -> None:
        try:
            report = verify(self.ledger)
            assert not report.problems, report.problems
        finally:
            self.ledger.close()
            self._folder.cleanup()

    # What can be asked for

    @initialize(amounts=st.lists(st.sampled_from((900, 20_000, 900_000)), min_size=2, max_size=3))
    def the_day_begins(self, amounts: Sequence[int]) -> None:
        for amount in amounts:
            self.house.case(amount_minor=amount)

    @rule(amount=st.sampled_from((900, 900_000)))
    def an_alert_opens_a_case(self, amount: int) -> None:
        self.house.case(amount_minor=amount)

    @rule()
    def an_audit_is_drawn(self) -> None:
        decided = self.house.decision(Outcome.APPROVE, audited=True)
        dossier = self.house.dossier(decided)
        self._do(lambda w: cases.open_audit(w, decided, dossier, self.house.policy, KEY, self.house.now))
        self.approved.append(decided)

    @rule(place=PLACE)
    def the_lead_opens_a_case_on_an_audited_payment(self, place: int) -> None:
        if self.approved:
            made = self.approved[place % len(self.approved)]
            told = (self.house.dossier(made), self.house.policy, KEY, self.house.now)
            self._do(lambda w: cases.open_case(w, made, *told, opened_by=LEAD, reason="He called."))

    @rule()
    def an_alert_joins_the_case_that_the_record_would_name(self) -> None:
        self._do(self.alerts.next(self.house))

    @rule(who=WHO)
    def somebody_takes_the_next_task(self, who: str) -> None:
        self._claimed(who, self._do(lambda w: handing_out.take_next(
            w, who, self.house.policy, KEY, self.house.now, role=role_of(who)
        )))  # fmt: skip

    @rule(who=WHO, place=PLACE)
    def somebody_claims_a_task(self, who: str, place: int) -> None:
        task = self._pick("tasks", place)
        self._claimed(who, task and self._do(lambda w: handing_out.claim(
            w, task, who, self.house.policy, self.house.now, role=role_of(who)
        )))  # fmt: skip

    @rule(who=WHO, place=PLACE, value=WORDS)
    def somebody_answers(self, who: str, place: int, value: str) -> None:
        task = self._held_or_any(who, place)
        form = verdicts.VerdictForm(value=value)
        self._do(lambda w: verdicts.give(w, task, who, form, self.house.policy, self.house.now))

    @rule(who=WHO, place=PLACE)
    def somebody_undoes(self, who: str, place: int) -> None:
        verdict = self._pick("verdicts", place)
        self._claimed(who, verdict and self._do(lambda w: verdicts.undo(
            w, verdict, who, self.house.policy, self.house.now
        )))  # fmt: skip

    @rule(who=st.sampled_from(ANALYSTS), place=PLACE, value=WORDS)
    def somebody_looks_and_thinks_again(self, who: str, place: int, value: str) -> None:
        rows = self.ledger.read(
            "SELECT task_id, verdict_id FROM verdicts WHERE reviewer = ? AND undone_at IS NULL ORDER BY event_seq",
            [who],
        )
        if not rows:
            return
        row = rows[place % len(rows)]
        with_score = task_page(self.ledger, row["task_id"], who)
        seq = self.ledger.read("SELECT transaction_seq FROM tasks WHERE task_id = ?", [row["task_id"]])
        revealing.note(self.ledger, who, "analyst", seq[0]["transaction_seq"], self.house.now)
        assert with_score["task_id"] == row["task_id"]
        said = revising.SecondThought(value)
        self._do(
            lambda w: revising.revise(w, row["verdict_id"], who, said, self.house.policy, self.house.now)
        )

    @rule(who=WHO, place=PLACE)
    def somebody_releases(self, who: str, place: int) -> None:
        task = self._held_or_any(who, place)
        self._do(lambda w: tasks.release(w, task, who, "not mine", self.house.now))

    @rule(who=WHO, place=PLACE, hours=st.sampled_from((1, 3, 2_000)))
    def somebody_sets_aside(self, who: str, place: int, hours: int) -> None:
        task, until = self._held_or_any(who, place), self.house.now + timedelta(hours=hours)
        self._do(lambda w: moves.snooze(w, task, who, until, "a call back", self.house.now))

    @rule(who=WHO, place=PLACE)
    def somebody_escalates(self, who: str, place: int) -> None:
        task = self._held_or_any(who, place)
        self._do(lambda w: moves.escalate(w, task, who, "odd", self.house.policy, self.house.now))

    @rule(place=PLACE, who=st.sampled_from((*ANALYSTS, "")))
    def the_lead_moves_a_task(self, place: int, who: str) -> None:
        task = self._pick("tasks", place)
        self._do(lambda w: moves.move(
            w, [task], queue="", assignee=who, reason="load", policy=self.house.policy, by=LEAD, at=self.house.now
        ))  # fmt: skip

    @rule(who=st.sampled_from(ANALYSTS), back=st.booleans())
    def somebody_goes_or_comes_back(self, who: str, back: bool) -> None:
        until = None if back else self.house.now + timedelta(hours=2)
        self._do(lambda w: moves.go_away(w, who, until, LEAD, self.house.now))
        if not back:
            self.holders = {task: held for task, held in self.holders.items() if held[0] != who}

    @rule(one=PLACE, other=PLACE)
    def the_lead_merges(self, one: int, other: int) -> None:
        a, b = self._pick("cases", one), self._pick("cases", other)
        self._do(lambda w: arranging.merge(
            w, cases.find(w, a), cases.find(w, b), "one story", LEAD, self.house.now
        ))  # fmt: skip

    @rule(place=PLACE, payment=PLACE)
    def the_lead_splits(self, place: int, payment: int) -> None:
        case = self._pick("cases", place)
        seqs = [row["transaction_seq"] for row in cases.payments(self.ledger, case)]
        chosen = seqs[payment % len(seqs) :][:1] if seqs else []
        self._do(lambda w: arranging.split(
            w, cases.find(w, case), chosen, "two stories", LEAD, KEY, self.house.now
        ))  # fmt: skip

    @rule(place=PLACE)
    def somebody_disposes_by_hand(self, place: int) -> None:
        case = cases.find(self.ledger, self._pick("cases", place))
        self._do(lambda w: dispositions.record(
            w, case.transaction_seq, dispositions.RELEASED, "by hand", LEAD, self.house.policy, self.house.now,
            case_id=case.case_id, segment=case.segment,
        ))  # fmt: skip

    @rule(place=PLACE)
    def somebody_reverses(self, place: int) -> None:
        rows = self.ledger.read(
            "SELECT transaction_seq AS seq, transaction_id, outcome FROM decisions ORDER BY 1"
        )
        stored = rows[place % len(rows)]
        self._do(lambda w: reversing.reverse(w, stored, "a mistake", LEAD, self.house.policy, self.house.now))

    @rule(minutes=st.sampled_from((1, 6, 20, 90, 600, 3_000)))
    def time_passes(self, minutes: int) -> None:
        now = self.house.later(minutes=minutes)
        self._do(lambda w: tasks.expire_locks(w, now))
        self._do(lambda w: dispositions.sweep(w, self.house.policy, now))

    # What must hold

    @invariant()
    def a_task_is_answered_once_and_only_when_it_is_done(self) -> None:
        rows = self.ledger.read(
            "SELECT t.task_id, t.status, count(v.verdict_id) AS answers FROM tasks t LEFT JOIN verdicts v "
            "ON v.task_id = t.task_id AND v.undone_at IS NULL GROUP BY ALL"
        )
        for row in rows:
            assert row["answers"] == (1 if row["status"] == "done" else 0), row

    @invariant()
    def nobody_judges_a_payment_twice(self) -> None:
        assert not self.ledger.read(
            "SELECT transaction_seq, reviewer FROM verdicts WHERE undone_at IS NULL "
            f"AND task_kind NOT IN {REPEATED_KINDS} GROUP BY ALL HAVING count(*) > 1"
        )

    @invariant()
    def only_a_held_task_has_a_holder(self) -> None:
        rows = self.ledger.read("SELECT task_id, status, claimed_by, lock_expires_at FROM tasks")
        for row in rows:
            if row["status"] == "claimed":
                assert row["claimed_by"] and row["lock_expires_at"], row
            if row["status"] == "open":
                assert not row["claimed_by"], row
        held = {row["task_id"]: row["claimed_by"] for row in rows if row["status"] == "claimed"}
        self.holders = {task: kept for task, kept in self.holders.items() if held.get(task) == kept[0]}

    @invariant()
    def a_case_that_ended_says_how_and_its_payments_are_where_they_belong(self) -> None:
        for row in self.ledger.read("SELECT case_id, status, verdict, closed_at FROM cases"):
            payments = cases.payments(self.ledger, row["case_id"])
            if row["status"] == cases.CLOSED:
                assert row["verdict"] and row["closed_at"] and payments, row
                assert all(p["verdict"] and p["settled_at"] for p in payments), (row, payments)
            if row["status"] in (cases.CLOSED, cases.TIMED_OUT):
                for payment in payments:
                    stands = dispositions.standing(self.ledger, payment["transaction_seq"], self.house.policy)
                    assert stands.place in dispositions.VALUES, (row, stands)
            if row["status"] == arranging.MERGED:
                assert not payments, row

    @invariant()
    def a_case_that_is_open_waits_for_somebody(self) -> None:
        for row in self.ledger.read(
            "SELECT case_id, status FROM cases WHERE status IN ('open', 'in_adjudication')"
        ):
            waiting = self.ledger.read(
                "SELECT kind FROM tasks WHERE case_id = ? AND status IN ('open', 'claimed')", [row["case_id"]]
            )
            assert waiting and settling.unsettled(self.ledger, row["case_id"]), row
            judged = {"adjudication"} & {task["kind"] for task in waiting}
            assert bool(judged) == (row["status"] == cases.IN_ADJUDICATION), (row, waiting)

    @invariant()
    def a_blind_task_shows_nothing_to_those_who_may_still_get_it(self) -> None:
        open_blind = self.ledger.read(
            "SELECT task_id, case_id, transaction_seq, claimed_by FROM tasks "
            "WHERE status IN ('open', 'claimed') AND kind IN ('primary', 'second', 'audit')"
        )
        said = {
            (row["reviewer"], row["transaction_seq"])
            for row in self.ledger.read(
                "SELECT reviewer, transaction_seq FROM verdicts WHERE undone_at IS NULL"
            )
        }
        step = self.ledger.last_event.seq
        who = ANALYSTS[step % len(ANALYSTS)]  # one of them a step: every look costs as much as the step
        hidden = blindness.blind_transactions(self.ledger, who)
        unread = [task for task in open_blind if (who, task["transaction_seq"]) not in said]
        assert {task["transaction_seq"] for task in unread} <= hidden, (who, unread, hidden)
        listed = case_pages.case_list(self.ledger, who, without=hidden)["cases"]
        assert not {row["case_id"] for row in listed} & {task["case_id"] for task in unread}
        others = [task for task in unread if task["claimed_by"] != who]
        if others:
            with pytest.raises(NotFoundError):
                task_page(self.ledger, others[step % len(others)]["task_id"], who)

    # How it is asked

    def _do(self, act: Callable[[Writer], Done]) -> Done | None:
        """One write; None where it was refused, and then nothing of it may be there."""
        before = self.ledger.last_event.seq
        try:
            with self.ledger.writing() as w:
                done = act(w)
        except Refused:
            assert self.ledger.last_event.seq == before
            return None
        self.house.later(seconds=20)
        return done

    def _claimed(self, who: str, task: tasks.Task | str | None) -> None:
        """Nobody else may have held it under a lock that still ran."""
        if not isinstance(task, tasks.Task):
            return
        holder, until = self.holders.get(task.task_id, (who, self.house.now))
        assert holder == who or until <= self.house.now, (who, holder, until, task)
        assert task.claimed_by == who and task.lock_expires_at is not None
        self.holders[task.task_id] = (who, task.lock_expires_at)

    def _pick(self, table: str, place: int, condition: str = "TRUE") -> str:
        key = {"tasks": "task_id", "cases": "case_id", "verdicts": "verdict_id"}[table]
        rows: list[dict[str, Any]] = self.ledger.read(
            f"SELECT {key} AS id FROM {table} WHERE {condition} ORDER BY 1"
        )
        return str(rows[place % len(rows)]["id"]) if rows else ""

    def _held_or_any(self, who: str, place: int) -> str:
        """Mostly a task that this person holds, or takes now; at times somebody else's."""
        if place >= 10:
            return self._pick("tasks", place)
        held = tasks.held_by(self.ledger, who, self.house.now)
        if not held:
            self.somebody_takes_the_next_task(who)
            held = tasks.held_by(self.ledger, who, self.house.now)
        return held[place % len(held)].task_id if held else self._pick("tasks", place)
