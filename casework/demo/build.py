"""How is the demo workspace made: simulate, import, train, decide, let people work, retrain, sum up?"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from casework import workspace
from casework.app import App, wall_clock
from casework.deciding import importing, outcomes
from casework.demo import modelling, people, proposing, unfinished
from casework.demo.answering import Answering
from casework.demo.controls import Controls
from casework.demo.drawing import Drawing
from casework.demo.measuring import Measuring, read_scorecards
from casework.demo.stages import Stages
from casework.demo.summary import summarise
from casework.demo.watching import Watching
from casework.demo.working import Shift
from casework.demo.world import Scale, World, slices
from casework.serving.jobs import sweep
from casework.workspace import Workspace
from data import approved
from data.transactions import Transaction

RULES = Path(__file__).resolve().parents[2] / "rules"
SHIFT = timedelta(hours=4)
LEFT_OPEN = timedelta(hours=84)
LEAD_OFF = timedelta(hours=24)
VISITOR_OFF = timedelta(days=8)
BATCH = 64
ONE_BY_ONE = 200
A_WHILE = timedelta(seconds=40)
FIRST_TRY = """\
transaction_id,occurred_at,amount,currency,customer,card,merchant,device,merchant_category,merchant_country,\
country,channel,age_band,customer_name,email
h_1,2026-01-05T10:12:00Z,"31,40",EUR,cust_000906,card_000210,merch_000255,,groceries,DE,DE,pos,30-39,,
h_2,2026-01-05T10:19:00Z,"8,90",EUR,cust_000411,card_000377,merch_000255,,groceries,DE,DE,pos,40-49,,
h_3,,19.95,EUR,cust_000052,card_000061,merch_000255,,groceries,DE,DE,pos,18-24,,
"""
"""A file of which nothing comes in: amounts with decimal commas, and a missing time."""

Progress = Callable[[str, int, int], None]


@dataclass(slots=True)
class SimulatedClock:
    """The demo's time: moved by the builder, read by everything else."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def wait(self, time: timedelta) -> None:
        self.now += time


@dataclass(slots=True)
class Story:
    """What is carried from step to step while the demo is built."""

    app: App
    world: World
    clock: SimulatedClock
    progress: Progress
    stages: Stages
    latencies_ms: list[float] = field(default_factory=list)


def build_demo(
    root: Path, progress: Progress, *, scale: Scale | None = None, until: datetime | None = None
) -> dict[str, Any]:
    """Build a workspace in `root` (new or empty) and return its summary.

    The simulated time ends at `until` (default: the moment). `progress(step, done, total)` is
    called on the way.
    """
    began, stages = perf_counter(), Stages()
    progress("simulate an institution", 0, 1)
    with stages("simulate"):
        world = World(scale or Scale(), (until or wall_clock()) - unfinished.LASTS)
    progress("simulate an institution", 1, 1)
    files = modelling.at_first(approved.read_folder(RULES))
    made = workspace.create(root, RULES / "mapping.yaml", files, people.ADMIN, at=world.live_from)
    clock = SimulatedClock(world.live_from)
    app = App.open(Workspace(made.root), clock)
    try:
        with app.ledger.writing() as w:
            people.add_people(w, clock.now)
        unfinished.place_people(app)
        story = Story(app, world, clock, progress, stages)
        told = dict(world.outcomes_by_day())
        with stages("import"):
            _import_history(story)
        with stages("outcomes"):
            _report_outcomes(story, told, clock.now)
        _train(story, "train a small model", modelling.begin)
        clock.wait(A_WHILE)
        _train(story, "train a larger one, and sign for it", modelling.grow)
        with app.ledger.on_one_thread():
            _live(story, told)
        with stages("leave work"):
            read_scorecards(app, clock.now)
            unfinished.leave(app, clock.wait)
            modelling.go_back(app)
        _train(story, "retrain on outcomes and verdicts", modelling.train_anew)
        with stages("leave work"):
            proposing.leave_open(app, clock.now)
        with stages("sum up"):
            app.ledger.checkpoint()
            summary = summarise(app, world, story.latencies_ms)
        return {
            "workspace": str(root),
            "built_in_seconds": round(perf_counter() - began, 1),
            "stages": stages.to_json(),
            **summary,
        }
    finally:
        app.close()


def _import_history(story: Story) -> None:
    app, world, at = story.app, story.world, story.clock.now
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / "first-try.csv"
        first.write_text(FIRST_TRY, encoding="utf-8")
        importing.import_file(app, first, first.name, actor="integrator-1", at=at)
        path = world.history_file(Path(folder))
        importing.import_file(
            app, path, "history.parquet", actor=people.ADMIN.user_id, at=at, progress=story.progress
        )


def _train(story: Story, step: str, train: Callable[[App], None]) -> None:
    story.progress(step, 0, 1)
    with story.stages("train"):
        train(story.app)
    story.progress(step, 1, 1)


def _live(story: Story, told: dict[datetime, list[outcomes.Told]]) -> None:
    """The live weeks: payments are decided as they come, chargebacks arrive, people work in shifts."""
    app, world, clock, stages = story.app, story.world, story.clock, story.stages
    payments = world.live_payments(app.mapping)
    shift = Shift(
        app.ledger, people.simulated(world.simulated_seed), world.fraud, app.live.settings.policy, app.key
    )
    done, controls, measuring = 0, Controls(app, world.end), Measuring(app, world.live_from)
    watching, drawing = Watching(app, world.end), Drawing(app, world.live_from, world.end)
    answering = Answering(app)
    for end, part in slices(payments, SHIFT, world.live_from):
        done += len(part)
        last = done > len(payments) - ONE_BY_ONE
        with stages("decide"):
            _decide(story, part, one_by_one=last)
        end = min(end, world.end)
        clock.now = max(clock.now, end)
        with stages("outcomes"):
            _report_outcomes(story, told, end)
        with stages("sweep"):
            sweep(app)
        with stages("controls, alarms"):
            controls.keep_up(clock.now)
            answering.keep_up(clock.now)
        with stages("scorecards, further reviews"):
            measuring.keep_up(clock.now)
        with stages("drift, digests, campaign, pilot"):
            watching.keep_up(clock.now)
        with stages("golden cases, re-serves"):
            drawing.keep_up(clock.now)
        if end <= world.end - LEFT_OPEN:
            # The team lead is off on the last day, so that disputes wait for the visitor.
            resting = [unfinished.LEAD] if end > world.end - LEFT_OPEN - LEAD_OFF else []
            # The visitor's own analyst has been away for the last days, so that his or her queue is untouched.
            resting += [people.VISITOR] if end > world.end - VISITOR_OFF else []
            resting += [] if drawing.newcomer_is_here else [people.NEWCOMER]
            with stages("people at work"):
                clock.now = shift.work(clock.now, clock.now + SHIFT / 4, resting)
        story.progress("decide live, review, learn", done, len(payments))
    clock.now = max(clock.now, world.end)
    answering.leave(clock.now)


def _decide(story: Story, part: Sequence[Transaction], *, one_by_one: bool) -> None:
    """Decide in small batches at the time of each batch's last payment; the last few one by one, and timed."""
    size = 1 if one_by_one else BATCH
    for first in range(0, len(part), size):
        batch = part[first : first + size]
        story.clock.now = max(story.clock.now, batch[-1].occurred_at)
        began = perf_counter()
        story.app.decide(batch, story.clock.now)
        if one_by_one:
            story.latencies_ms.append((perf_counter() - began) * 1000)


def _report_outcomes(story: Story, told: dict[datetime, list[outcomes.Told]], now: datetime) -> None:
    """Report the chargebacks of every day that is over."""
    for day in sorted(told):
        if day + timedelta(days=1) > now:
            return
        seen = told.pop(day)
        outcomes.report(story.app, seen, by="integrator-1", at=now.astimezone(UTC))
