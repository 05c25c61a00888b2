"""What goes by itself when its time is over, and what stays?

Events stay: they are the record. Personal values of payments, with the words that people wrote about them and files
beside them, and rows kept apart at imports, go after the policy's `retention.personal`, if it says so. How long each
reviewer took, and what they left unfinished, goes after `retention.telemetry`, which is shorter: it serves the pace
of the work, and nothing afterwards.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from casework.keeping import erasing
from casework.keeping.written_words import WRITTEN
from data.events import EventDraft
from data.ledger import Ledger
from data.said import ERASED
from engine.policy_retention import Retention

if TYPE_CHECKING:
    from casework.app import App

_TIMES = (
    ("verdicts", "given_at", "seconds = 'NaN'::DOUBLE, idle_seconds = 0", "NOT isnan(seconds)"),
    ("revisions", "given_at", "seconds = 'NaN'::DOUBLE", "NOT isnan(seconds)"),
    ("tasks", "done_at", "active_at = NULL, idle_seconds = 0", "(active_at IS NOT NULL OR idle_seconds > 0)"),
)
_UNFINISHED = (("drafts", "saved_at"), ("unsent_texts", "saved_at"))


def apply(app: App, retention: Retention, at: datetime) -> str:
    """Erase what is older than the policy keeps; a sentence about it."""
    told = forget_telemetry(app.ledger, at - retention.telemetry, at)
    if retention.personal is None:
        return f"{told} Personal values are kept until they are erased by hand."
    before = at - retention.personal
    scope = erasing.recorded_before(before)
    if not app.ledger.read(_OLD, {"erased": ERASED, "before": before}):
        condition, parameters = erasing.kept_apart(scope)
        if not app.ledger.read(f"SELECT 1 AS ok FROM quarantine WHERE {condition} LIMIT 1", parameters):
            return f"{told} No personal value is old enough to go."
        # Only rows kept apart: none of the payments is gone through, and told of, again.
        scope = replace(scope, condition=f"false AND {scope.condition}")
    done = erasing.erase(app, scope, by="policy", reason="retention.personal of the policy")
    rows = done["erased"].get("quarantined_rows", 0)
    return f"{told} Personal values of {done['payments']} payments and {rows} rows kept apart erased."


_OLD = f"""
SELECT 1 AS ok FROM transactions t JOIN (
    SELECT TRY_CAST(substr(owner, 13) AS BIGINT) AS seq FROM personal_values WHERE starts_with(owner, 'transaction:')
    UNION ALL SELECT transaction_seq FROM files WHERE name <> $erased
    UNION ALL SELECT transaction_seq FROM notes WHERE content NOT IN ('', $erased)
    UNION ALL SELECT transaction_seq FROM verdicts WHERE note NOT IN ('', $erased)
    UNION ALL SELECT about FROM {WRITTEN} WHERE field NOT IN ('seconds', 'idle_seconds')
) USING (seq) WHERE t.recorded_at < $before LIMIT 1
"""
"""Something personal of a payment, or that somebody wrote or put beside it."""


def forget_telemetry(ledger: Ledger, before: datetime, at: datetime) -> str:
    """Erase handling times and unfinished texts from before a moment: in the rows, and where the chain committed to
    them. A sentence about it."""
    counts: dict[str, int] = {}
    with ledger.writing() as w:
        for table, moment, changes, some in _TIMES:
            where = f"{moment} < ? AND {some}"
            counts[table] = w.read(f"SELECT count(*) AS n FROM {table} WHERE {where}", [before])[0]["n"]
            if counts[table]:
                w.execute(f"UPDATE {table} SET {changes} WHERE {where}", [before])
        for table, moment in _UNFINISHED:
            counts[table] = w.read(f"SELECT count(*) AS n FROM {table} WHERE {moment} < ?", [before])[0]["n"]
            if counts[table]:
                w.execute(f"DELETE FROM {table} WHERE {moment} < ?", [before])
        timed = "field IN ('seconds', 'idle_seconds') AND owner IN (SELECT 'event:' || seq FROM events WHERE"
        timed += " recorded_at < ?)"
        if w.read(f"SELECT 1 AS ok FROM personal_values WHERE {timed} LIMIT 1", [before]):
            w.execute(f"DELETE FROM personal_values WHERE {timed}", [before])
        if any(counts.values()):
            w.event(EventDraft("policy", "telemetry.erased", "telemetry", {"before": before, **counts}), at)
    return f"Handling times of {counts['verdicts']} verdicts erased."
