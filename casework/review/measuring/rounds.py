"""When are golden cases, re-serves, training cases and audits drawn and laid on people's desks?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from casework.deciding.intake import guideline_of
from casework.review.measuring import audits, serving

if TYPE_CHECKING:
    from casework.app import App


def draw_reviews(app: App) -> str:
    """One round, in one write; a sentence about it. Harmless at any time: what is there already stays."""
    settings, at = app.live.settings, app.clock()
    with app.ledger.writing() as w:
        done = serving.keep_up(w, settings.policy, guideline_of(settings.files), app.key, at)
        spread = audits.spread(w, settings.policy, app.key, at)
    opened = ", ".join(f"{done.get(kind, 0)} {kind.replace('_', '-')}" for kind in serving.AHEAD)
    pool = f"{done.get('added', 0)} golden cases chosen, {done.get('retired', 0)} retired"
    return f"{opened} tasks opened; {pool}; {spread} audits given to somebody."
