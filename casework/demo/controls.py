"""What do the demo's people switch at run time: a shadow policy, a list entry from a case, a snooze?"""

from __future__ import annotations

from datetime import datetime, timedelta

from casework.app import App
from casework.safety import actions, list_entries
from data import approved

SHADOW, ENTRY, SNOOZE = (timedelta(days=days) for days in (21, 14, 10))
"""How long before the end each begins."""
_HOLDS = timedelta(days=40)
_CHEAPER_DECLINES = (b"good_declined: 30 ", b"good_declined: 15 ")


class Controls:
    """Done once each, when their time has come; `end` is the moment at which the demo is looked at."""

    def __init__(self, app: App, end: datetime) -> None:
        self._app = app
        self._waiting = [
            (end - SHADOW, self._shadow),
            (end - ENTRY, self._entry),
            (end - SNOOZE, self._snooze),
        ]

    def keep_up(self, now: datetime) -> None:
        """Do what is due at `now`; what cannot be done yet, for want of a case or of hits, is tried again later."""
        self._waiting = [(due, act) for due, act in self._waiting if due > now or not act(now)]

    def _shadow(self, now: datetime) -> bool:
        """A policy under which declining a good customer costs half as much answers beside the approved one."""
        app = self._app
        policy = approved.current(app.ledger).files["policy.yaml"].replace(*_CHEAPER_DECLINES)
        reason = "do we decline too little?"
        by = "risk-manager-1"
        set_id = actions.add_candidate(app, {"policy.yaml": policy.decode()}, by=by, reason=reason, at=now)
        actions.start_shadow(app, set_id, name="Cheaper declines", by=by, reason=reason, at=now)
        return True

    def _entry(self, now: datetime) -> bool:
        """The device of a case that was confirmed as fraud goes on the block list: the one seen most of late."""
        rows = self._app.ledger.read(
            "WITH seen AS (SELECT device, count(*) AS n FROM transactions WHERE occurred_at >= ? GROUP BY device) "
            "SELECT c.case_id, t.transaction_id FROM cases c JOIN case_transactions x USING (case_id) "
            "JOIN transactions t ON t.seq = x.transaction_seq JOIN seen USING (device) "
            "WHERE c.verdict = 'confirmed_fraud' AND x.verdict = c.verdict AND seen.n <= ? "
            "ORDER BY seen.n DESC, c.case_id, t.transaction_id LIMIT 1",
            [now - list_entries.USUAL, list_entries.MOST_IN_ONE_STEP],
        )
        if not rows:
            return False
        actions.list_from_case(
            self._app,
            rows[0]["case_id"],
            "device",
            effect="block",
            expires=now + _HOLDS,
            reason="confirmed by the reviewers of this case",
            by="team-lead-1",
            at=now,
            in_force=True,
            transaction_id=rows[0]["transaction_id"],
        )
        return True

    def _snooze(self, now: datetime) -> bool:
        """The rule that keeps asking about one and the same honest merchant is snoozed there."""
        rules = [
            rule.id
            for rule in self._app.settings().rules
            if rule.status == "live" and rule.then.effect == "floor"
        ]
        rows = self._app.ledger.read(
            "SELECT t.merchant, hit.rule_id, count(*) AS n FROM (SELECT transaction_seq, unnest(rules_hit) AS rule_id "
            "FROM decisions WHERE decided_at >= ?) AS hit JOIN transactions t ON t.seq = hit.transaction_seq "
            "LEFT JOIN outcomes o ON o.transaction_seq = hit.transaction_seq "
            "WHERE list_contains(?, hit.rule_id) AND t.merchant IS NOT NULL GROUP BY ALL "
            "HAVING count(*) FILTER (o.is_fraud) = 0 ORDER BY n DESC, t.merchant, hit.rule_id LIMIT 1",
            [now - timedelta(days=45), rules],
        )
        if not rows:
            return False
        actions.snooze(
            self._app,
            entity="merchant",
            value=rows[0]["merchant"],
            rule_id=rows[0]["rule_id"],
            expires=now + _HOLDS,
            by="team-lead-1",
            reason=f"asked {rows[0]['n']} times in six weeks, always innocent",
            at=now,
        )
        return True
