"""Which workspace does the serving benchmark ask, and how many rules has it?"""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from benchmarks.copies import copied
from casework.app import App
from casework.learning.registry import models
from casework.safety import actions, trials
from casework.workspace import Workspace
from data import approved

_RULE = re.compile(rb"^id: (\w+)$", re.MULTILINE)
_TITLE = re.compile(rb"^title: (.*\w)$", re.MULTILINE)
_PART = 500


def prepare(root: Path, source: Path | None, rules: int, *, trials_too: bool = True) -> None:
    """Make `root` a copy of the workspace `source`, or the small institution of the tests, with at least that many
    rules, and with nothing on trial beside what decides unless `trials_too`. A model that was rolled back decides
    again: the demo's last champion is too small to say much of speed."""
    if source is not None:
        copied(source, root, "snapshots")
        _bring_back(root)
    else:
        _made(root)
    if not trials_too:
        _end_trials(root)
    _repeat_rules(root, rules)


def about(root: Path) -> str:
    """A line about what decides there."""
    app = App.open(Workspace(root))
    try:
        settings = app.live.settings
        trees = app.live.model.booster.num_boosted_rounds() if app.live.model else 0
        return (
            f"{app.ledger.next_transaction_seq - 1:,} transactions of history, {len(settings.rules)} rules, "
            f"{len(settings.features.names)} features, {trees} trees, {len(trials.running(app.ledger))} sets on trial"
        )
    finally:
        app.close()


def _made(root: Path) -> None:
    from casework.deciding.transactions import Sent, checked
    from tests.http.institution import large_payment, make_workspace, payment

    app = App.open(make_workspace(root))
    try:
        made = [large_payment(n) if n % 50 == 0 else payment(n) for n in range(1, 2001)]
        now = datetime.now(UTC)
        sent = [
            Sent(**{**body, "occurred_at": now, "amount": Decimal(body["amount"]), "personal": {}})
            for body in made
        ]
        for start in range(0, len(sent), _PART):
            app.decide([checked(s, app.mapping) for s in sent[start : start + _PART]], now)
    finally:
        app.close()


def _bring_back(root: Path) -> None:
    app, at = App.open(Workspace(root)), datetime.now(UTC)
    try:
        rolled_back = [row["model_id"] for row in models.table(app.ledger) if row["rolled_back"]]
        if not rolled_back:
            return
        beside = [trial for trial in trials.running(app.ledger) if trial.model_id]
        with app.ledger.writing() as w:
            models.promote(w, rolled_back[0], by="admin-1", reason="it decided for ten weeks", at=at)
        for trial in beside:  # a promotion ends them
            actions.start_shadow(
                app,
                "",
                name=trial.name,
                by="risk-manager-2",
                reason="as before",
                at=at,
                model_id=trial.model_id,
            )
    finally:
        app.close()


def _end_trials(root: Path) -> None:
    app, at = App.open(Workspace(root)), datetime.now(UTC)
    try:
        for trial in trials.running(app.ledger):
            actions.stop_trial(app, trial.trial_id, by="risk-manager-2", reason="measured alone", at=at)
    finally:
        app.close()


def _repeat_rules(root: Path, wanted: int) -> None:
    """Approve the workspace's rules again under other names until there are that many."""
    app = App.open(Workspace(root))
    try:
        files = dict(approved.current(app.ledger).files)
        rules = [path for path in sorted(files) if _RULE.search(files[path])]
        more = itertools.islice(itertools.product(range(2, 99), rules), max(0, wanted - len(rules)))
        for again, path in more:
            place = f"{path.removesuffix('.yaml')}_{again}.yaml"
            named = _RULE.sub(rb"id: \1_%d" % again, files[path], count=1)
            files[place] = _TITLE.sub(rb"title: \1 (%d)" % again, named, count=1)
        with app.ledger.writing() as w:
            approved.approve(w, files, "admin-1", "as many rules as were asked for", datetime.now(UTC))
    finally:
        app.close()
