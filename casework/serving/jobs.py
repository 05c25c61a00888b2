"""Which work goes on by itself in a workspace that is served?"""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING

from casework.cases import attachments, dispositions
from casework.deciding import replay_samples
from casework.keeping import backups, erasing, heads, retention
from casework.learning.retraining import triggers
from casework.outbox import messages
from casework.quality.consensus import further
from casework.quality.scorecards import editions
from casework.review import tasks
from casework.review.measuring import rounds
from casework.safety import alarms, watching
from casework.serving.schedule import SCHEDULER, Job
from casework.settings import compared
from casework.slices import give_way
from casework.watching import digest, reports
from casework.workspace import BACKUPS
from data.errors import ChainBrokenError, CheckpointBusyError
from data.integrity import chain, seal_checks

if TYPE_CHECKING:
    from casework.app import App

_SWEEP, _CHECKPOINT = timedelta(seconds=30), timedelta(seconds=2)
_WORTH_BYTES, _LATEST_BYTES = 1024 * 1024, 16 * 1024 * 1024
"""A write-ahead log that is worth a checkpoint at a quiet moment, and one that is taken whatever goes on."""
_QUIET_SECONDS, _QUIET_SECONDS_EACH = 1.0, 0.5
"""How long nobody has asked before a checkpoint puts small groups of rows together, and for each checkpoint that left
some: that takes about 0.1 s each, and whoever asks meanwhile may wait for it."""
_SEND, _ANCHOR = timedelta(seconds=2), timedelta(minutes=5)
_REPLAYED = 100
_DRAW = timedelta(minutes=5)
_HOURLY, _DAILY, _WEEKLY = timedelta(hours=1), timedelta(days=1), timedelta(days=7)


def all_jobs(app: App) -> list[Job]:
    """Every scheduled job."""
    return [
        Job(
            "sweep",
            "return expired claims, close what passed its deadline",
            _SWEEP,
            lambda by: sweep(app),
            False,
        ),
        Job(
            "checkpoint",
            "move the write-ahead log into the file",
            _CHECKPOINT,
            lambda by: checkpoint(app),
            False,
            lambda: checkpoint_due(app),
        ),
        Job("trim", "forget what no window can reach", _HOURLY, lambda by: trim(app), False),
        Job(
            "novelty",
            "learn what is usual, where no model decides",
            _HOURLY,
            lambda by: app.keep_up_novelty(by),
            False,
        ),
        Job(
            "webhooks",
            "send what happened to payments to those who asked to hear it",
            _SEND,
            lambda by: send(app),
            False,
        ),
        Job("retention", "remove files and sent messages whose time is over", _DAILY, lambda by: retain(app)),
        Job("watch", "hold each rule against its own history", _DAILY, lambda by: watching.watch(app)),
        Job("drift", "hold what comes in against the weeks before", _DAILY, lambda by: reports.look(app, by)),
        Job("digest", "say in words what changed this week", _WEEKLY, lambda by: digest.make(app, by)),
        Job(
            "anchor",
            "note the head of the chain outside the workspace, and tell webhooks",
            _ANCHOR,
            lambda by: anchor(app),
            False,
        ),
        Job("backup", "copy the workspace where the server was told to", _DAILY, lambda by: backup(app, by)),
        Job("replay", "make decisions of the past again and compare", _DAILY, lambda by: replay(app, by)),
        Job("verify", "walk the whole chain of events", _DAILY, lambda by: verify(app)),
        *_of_reviewers(app),
        *_of_models(app),
    ]


def _of_reviewers(app: App) -> list[Job]:
    """Jobs that draw reviews and hold them against each other."""
    return [
        Job(
            "consensus",
            "estimate what each reviewer's verdicts are worth, ask for one more where they leave doubt",
            _DAILY,
            lambda by: weigh_verdicts(app, by),
        ),
        Job(
            "review_design",
            "draw golden cases, re-serves and training cases, spread audits",
            _DRAW,
            lambda by: rounds.draw_reviews(app),
            False,
        ),
        Job(
            "scorecards",
            "issue the scorecards that are due, to their reviewers",
            _DAILY,
            lambda by: score(app),
        ),
    ]


def _of_models(app: App) -> list[Job]:
    """Jobs that train; how often a retrain comes is the policy's to say."""
    every = app.live.settings.policy.retrain.every
    return [
        Job(
            "retrain",
            "train a challenger and hold it against the champion",
            every,
            lambda by: retrain(app, by),
        ),
        Job(
            "retrain_triggers",
            "train before its time where many labels are new, or drift asks for it",
            _HOURLY,
            lambda by: trigger(app, by),
            False,
        ),
    ]


_SWEPT_AT_ONCE = 5
_NOTHING_LATE = "Nothing is past its time."
_REFUSED = (
    "The champion's files were refused when they were loaded again ({}). The model that was loaded before goes on "
    "until the server ends: put the files back before."
)


def sweep(app: App) -> str:
    """Claims whose lock ran out go back; cases past their deadline follow the policy; alarms are told to webhooks."""
    policy, refused, at = app.live.settings.policy, app.live.refused, app.clock()
    # Mostly nothing is late: then nobody who writes waits for this, and no commit for the disk.
    if not (refused or dispositions.anything_late(app.ledger, at) or messages.untold(app.ledger, at)):
        return _NOTHING_LATE
    with app.ledger.writing() as w:
        if refused:
            alarms.raise_alarm(w, alarms.FAIL_SAFE, "model_altered", _REFUSED.format(refused), at)
        freed = tasks.expire_locks(w, at)
        messages.tell_alarms(w, at)
    done: Counter[str] = Counter()
    while dispositions.anything_late(app.ledger, at):
        since = perf_counter()
        with app.ledger.writing() as w:
            some = dispositions.sweep(w, policy, at, _SWEPT_AT_ONCE)
        done.update(some)
        if not any(some.values()):
            break
        if behind := app.behind:
            give_way(app.ledger, perf_counter() - since, behind)
    told = ", ".join(f"{done[what]} {what.replace('_', ' ')}" for what in dispositions.SWEPT)
    return f"{freed} claims returned; {told}."


def checkpoint_due(app: App) -> bool:
    """Whether nobody asks just now and there is something to move, or so much, or such, that it cannot wait."""
    size = app.ledger.wal_bytes
    return erasing.scrub_due(app) or size >= _LATEST_BYTES or (size >= _WORTH_BYTES and _is_quiet(app))


def _is_quiet(app: App) -> bool:
    return app.measures.quiet_seconds >= max(_QUIET_SECONDS, _QUIET_SECONDS_EACH * app.ledger.left_small)


def checkpoint(app: App) -> str:
    """Move the write-ahead log into the file now. Only alerts that may join a case not known in memory wait for it."""
    size = app.ledger.wal_bytes
    try:
        with app.measures.checkpoints.time():
            if erasing.scrub_due(app):
                erasing.scrub(app)
            else:
                app.ledger.checkpoint(tidy=_is_quiet(app))
    except CheckpointBusyError:
        return "A longer query was under way; the write-ahead log is moved at the next turn."
    return f"The write-ahead log of {size / 2**20:.1f} MB is in the file."


def trim(app: App) -> str:
    with app.lock:
        app.live.memory.trim()
        app.intake.open_cases.trim(app.clock())
    compared.let_go(app)
    return "The memory holds only what windows can reach."


def send(app: App) -> str:
    """One round of the outbox."""
    done = app.sender.round()
    return f"{done['sent']} sent, {done['failed']} to be tried again, {done['dead']} given up."


def retain(app: App) -> str:
    """Files of cases closed long ago, and messages that arrived long ago, go."""
    policy, at = app.live.settings.policy, app.clock()
    with app.ledger.writing() as w:
        files = attachments.expire(w, app.workspace.files, policy, at)
        sent = messages.forget_sent(w, at)
    told = retention.apply(app, policy.retention, at)
    return f"{files} files and {sent} sent messages removed. {told}"


def weigh_verdicts(app: App, by: str) -> str:
    """Everybody's error rates anew, and the day's further reviews."""
    done, policy = app.keep_up_consensus(by), app.live.settings.policy
    with app.ledger.writing() as w:
        asked = further.ask_further(w, policy, app.key, app.clock())
    return f"{done} {asked} further reviews asked for."


def score(app: App) -> str:
    """Scorecards that are due."""
    issued = editions.issue_due(app.ledger, app.live.settings.policy, app.clock())
    return f"{issued} scorecards issued."


def verify(app: App) -> str:
    """ChainBrokenError, which the schedule records, if the record does not verify."""
    report = chain.verify(app.ledger)
    if not report.ok:
        raise ChainBrokenError(str(report.problem), where=f"event {report.first_bad_seq}")
    return ". ".join((f"{report.events} events verify", *report.warnings)) + "."


def replay(app: App, by: str) -> str:
    """A fresh draw every day. ChainBrokenError, which the schedule records, if one came out different."""
    report = replay_samples.replay_sample(app, _REPLAYED, app.clock().date().isoformat(), by)
    if report["different"]:
        first = report["examples"][0]
        raise ChainBrokenError(
            f"{report['different']} of {report['replayed']} decisions came out different",
            where=first["transaction_id"],
        )
    return f"{report['same']} decisions came out the same."


def backup(app: App, by: str) -> str:
    """A copy a day where $SECONDLOOK_BACKUPS says; the newest fortnight is kept."""
    if not os.environ.get(BACKUPS):
        return f"No backup: name a folder in {BACKUPS}."
    made = backups.make(app, app.workspace.backups, by, _why(by) or "scheduled", keep=backups.KEPT)
    return f"{made['backup']}: {made['files']} files, up to event {made['event_seq']}."


def anchor(app: App) -> str:
    """Note how far the chain has come, where a person with the workspace alone cannot change it, and tell others."""
    noted = seal_checks.note_head(app.ledger, app.clock())
    if noted is None:
        return "The ledger has no key."
    told = heads.tell(app.ledger, noted, app.live.settings.policy.work.head_hosts, app.clock())
    return f"Event {noted.seq} noted, and put into {told} messages."


def trigger(app: App, by: str) -> str:
    """Start a retrain in the background where the policy's other triggers ask for one."""
    app.retraining.settle_interrupted()  # one that a full disk kept from being closed
    reason = triggers.due(app.ledger, app.settings().policy.retrain, app.clock())
    if reason is None:
        return "Nothing asks for a retrain before its time."
    run_id = app.start_retrain(reason.trigger, by, reason.sentence)
    return f"{run_id} started: {reason.sentence}"


def retrain(app: App, by: str) -> str:
    """Train now. Whoever ran the job asked for the model that comes of it, and so does not sign it off."""
    done = app.retrain("schedule" if by == SCHEDULER else "person", by, _why(by))
    return f"{done['result']}: {done['sentence']}"


def _why(by: str) -> str:
    return "" if by == SCHEDULER else "the job was run by hand"
