"""When are golden cases, re-serves, training cases and audits drawn and laid on people's desks?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from casework.deciding.intake import guideline_of
from casework.review.measuring import audits, serving
from casework.slices import in_slices

if TYPE_CHECKING:
    from casework.app import App

_AUDITS_AT_ONCE = 300


def draw_reviews(app: App) -> str:
    """One round; a sentence about it. Harmless at any time: what is there already stays."""
    settings, at = app.live.settings, app.clock()
    with app.ledger.writing() as w:
        done = serving.keep_up(w, settings.policy, guideline_of(settings.files), app.key, at)
    moves = audits.planned(app.ledger, settings.policy, app.key, at)
    spread = in_slices(app.ledger, moves, _AUDITS_AT_ONCE, lambda w, some: audits.lay(w, some, at))
    opened = ", ".join(f"{done.get(kind, 0)} {kind.replace('_', '-')}" for kind in serving.AHEAD)
    pool = f"{done.get('added', 0)} golden cases chosen, {done.get('retired', 0)} retired"
    return f"{opened} tasks opened; {pool}; {spread} audits given to somebody."
