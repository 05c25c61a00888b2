"""When are golden cases, re-serves, training cases and audits drawn and laid on people's desks?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from casework.cases.dossiers import Guideline
from casework.deciding.intake import guideline_of
from casework.review.measuring import audits, golden, serving
from casework.review.measuring.known_truth import past_cases
from casework.slices import Behind, in_slices
from data.ledger import Ledger
from data.writer import Writer
from engine.policy import Policy

if TYPE_CHECKING:
    from casework.app import App

_AUDITS_AT_ONCE, _TASKS_AT_ONCE = 100, 20


def draw_reviews(app: App) -> str:
    """One round; a sentence about it. Harmless at any time: what is there already stays."""
    settings = app.live.settings
    guideline = guideline_of(settings.files)
    done = draw(app.ledger, settings.policy, guideline, app.key, app.clock(), app.behind)
    opened = ", ".join(f"{done[kind]} {kind.replace('_', '-')}" for kind in serving.AHEAD)
    pool = f"{done['added']} golden cases chosen, {done['retired']} retired"
    return f"{opened} tasks opened; {pool}; {done['spread']} audits given to somebody."


def draw(
    ledger: Ledger,
    policy: Policy,
    guideline: Guideline,
    key: bytes,
    at: datetime,
    behind: Behind | None = None,
) -> Counter[str]:
    """Renew the pool of golden cases, see that everybody has a few tasks of each kind waiting, and lay audits on desks;
    counts of what was done, by name.

    What is chosen is read between the writes, which decisions wait for; `behind` as `in_slices` has it.
    """
    done: Counter[str] = Counter()
    past = past_cases(ledger, policy, at)
    if pool := golden.renewal(ledger, past, policy, key):
        with ledger.writing() as w:
            done.update(golden.keep_pool(w, pool, policy, key, at))

    def opened(w: Writer, some: Sequence[serving.Opening]) -> int:
        made = serving.open_planned(w, some, policy, guideline, key, at)
        done.update(made)
        return made.total()

    in_slices(ledger, serving.planned(ledger, past, policy, key, at), _TASKS_AT_ONCE, opened, behind)
    moves = audits.planned(ledger, policy, key, at)
    done["spread"] = in_slices(
        ledger, moves, _AUDITS_AT_ONCE, lambda w, some: audits.lay(w, some, at), behind
    )
    return done
