"""Is each rule as loud as its own history, and does the breaker expect the present? Asked once a day."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from casework.safety.alarms import open_keys, raise_alarm
from casework.settings import rule_history

if TYPE_CHECKING:
    from casework.app import App

CHANGES = ("surge", "silence")


def watch(app: App) -> str:
    """Have the breaker expect what the last thirty days showed, and raise an alarm for every rule that has fallen
    silent or surged against its own history."""
    app.adopt()
    last = app.ledger.read("SELECT max(decided_at) AS at FROM decisions")[0]["at"]
    if last is None:
        return "Nothing was decided yet."
    running = [rule.id for rule in app.settings().rules if rule.status == "live"]
    rates = rule_history.hit_rates(app.ledger, running, last + timedelta(microseconds=1))
    changed = {name: rate for name, rate in rates.items() if rate["change"] in CHANGES}
    with app.changing_control(), app.ledger.writing() as w:
        known = open_keys(w)
        for name, rate in changed.items():
            sentence = (
                f"The rule {name} hit {rate['hits']:,} payments in {rate['days']} days, "
                f"{rate['expected']:.1f} were expected from its own history (p = {rate['p']:.2g})."
            )
            raise_alarm(w, rate["change"], name, sentence, app.clock(), is_open=known)
    told = ", ".join(f"{name} ({rate['change']})" for name, rate in changed.items())
    return f"{len(running)} rules watched; {told or 'all as loud as before'}."
