"""How does a person reverse what the engine decided without one?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from casework.cases import cases, dispositions
from casework.cases.dispositions import DECLINED, RELEASED, REVERSED, STOPPED, Disposition
from data.errors import ConflictError
from data.events import EventDraft
from data.writer import Writer
from engine.policy import Policy


def reverse(
    w: Writer, stored: Mapping[str, Any], reason: str, actor: str, policy: Policy, at: datetime
) -> Disposition:
    """Reverse an automatic decision: what was stopped is released, what went through is reversed.

    ConflictError while a case on it is open (its verdict decides), or where the payment can no longer go there;
    InputError without a reason.
    """
    seq, name = int(stored["seq"]), str(stored["transaction_id"])
    case = cases.case_of_transaction(w, seq)
    if case is not None and case.status in (cases.CASE_OPEN, cases.IN_ADJUDICATION):
        raise ConflictError(
            "people are looking at this payment", where=name, hint=f"Settle the case {case.case_id} instead."
        )
    segment = case.segment if case else "default"
    place = dispositions.standing(w, seq, policy, segment).place
    value = RELEASED if place in (STOPPED, DECLINED, REVERSED) else REVERSED
    made = dispositions.record(
        w, seq, value, reason, actor, policy, at, case_id=case.case_id if case else "", segment=segment
    )
    payload = {"outcome": stored["outcome"], "was": place, "value": value, "transaction_seq": seq}
    w.event(EventDraft(actor, "decision.reversed", f"transaction:{name}", payload, {"reason": reason}), at)
    return made
