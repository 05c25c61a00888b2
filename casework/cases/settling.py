"""When is one payment of a case settled, when the whole case, and how is that taken back?"""

from __future__ import annotations

from datetime import datetime

from casework.cases import cases
from casework.cases.cases import CASE_OPEN, IN_ADJUDICATION, Case
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer

_WORST_FIRST = ("confirmed_fraud", "inconclusive", "legitimate")


def unsettled(source: Ledger | Writer, case_id: str) -> list[int]:
    """Seqs of the payments of a case that nobody has settled yet, in the order they came."""
    return [row["transaction_seq"] for row in cases.payments(source, case_id) if not row["verdict"]]


def settle(w: Writer, case: Case, verdict: str, basis: str, actor: str, at: datetime) -> str:
    """Settle the payment `case.transaction_seq`; with the last one the case closes, as the worst that was found.
    Returns the case's status. `basis` says how: single, agreeing, adjudicated, at_deadline."""
    w.execute(
        "UPDATE case_transactions SET verdict = ?, settled_at = ? WHERE case_id = ? AND transaction_seq = ?",
        [verdict, at, case.case_id, case.transaction_seq],
    )
    found = [row["verdict"] for row in cases.payments(w, case.case_id)]
    if all(found):
        worst = next(value for value in _WORST_FIRST if value in found)
        cases.close(w, case, worst, basis, actor, at)
        return cases.CLOSED
    payload = {"transaction_seq": case.transaction_seq, "verdict": verdict, "basis": basis}
    w.event(EventDraft(actor, "case.payment_settled", f"case:{case.case_id}", payload), at)
    status = IN_ADJUDICATION if _adjudicated(w, case.case_id) else CASE_OPEN
    if status != case.status:
        cases.reopen(w, case, status, "one payment is settled, others wait", actor, at)
    return status


def unsettle(w: Writer, case: Case, reason: str, actor: str, at: datetime) -> None:
    """Take back that the payment `case.transaction_seq` is settled, and with it that the case is closed."""
    w.execute(
        "UPDATE case_transactions SET verdict = '', settled_at = NULL WHERE case_id = ? AND transaction_seq = ?",
        [case.case_id, case.transaction_seq],
    )
    status = IN_ADJUDICATION if _adjudicated(w, case.case_id) else CASE_OPEN
    if case.status != status:
        cases.reopen(w, case, status, reason, actor, at)


def _adjudicated(w: Writer, case_id: str) -> bool:
    """Whether a task of adjudication still waits on some payment of the case."""
    sql = "SELECT 1 FROM tasks WHERE case_id = ? AND kind = 'adjudication' AND status IN ('open', 'claimed') LIMIT 1"
    return bool(w.read(sql, [case_id]))
