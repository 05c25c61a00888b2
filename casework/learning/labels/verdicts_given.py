"""What did people say of each payment, as it was said, before it was weighed?

Weighing makes the best of what people say: it leaves out what nobody can be sure of, and hears less of those who err.
So labels that were swapped show less in what is learned than in the words themselves.
"""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from data.ledger import Ledger

FILE = "verdicts.parquet"
_GIVEN = """
WITH people AS (
    SELECT reviewer, CAST(row_number() OVER (ORDER BY reviewer) AS INTEGER) AS number FROM verdicts GROUP BY reviewer
), why AS (
    SELECT transaction_seq, any_value(triage_reason || ':' || array_to_string(list_sort(rules_hit), ',')) AS reason
    FROM decisions WHERE transaction_seq IN (SELECT transaction_seq FROM verdicts) GROUP BY transaction_seq
)
SELECT v.transaction_seq AS seq, v.value = 'confirmed_fraud' AS value, p.number AS reviewer, v.given_at,
       coalesce(w.reason, '') AS reason
FROM verdicts v JOIN people p USING (reviewer) LEFT JOIN why w USING (transaction_seq)
WHERE v.given_at <= $as_of AND (v.undone_at IS NULL OR v.undone_at > $as_of)
AND v.task_kind IN ('primary', 'second', 'audit') AND v.value <> 'inconclusive'
AND NOT EXISTS (SELECT 1 FROM voided_verdicts x WHERE x.verdict_id = v.verdict_id AND x.voided_at <= $as_of)
ORDER BY v.transaction_seq, v.given_at, v.event_seq
"""


def given(ledger: Ledger, as_of: datetime) -> pa.Table:
    """One row a verdict that stood at `as_of`, by payment and time: seq, value (fraud), reviewer (a number, no name),
    given_at (UTC without zone), reason (that of triage and the rules that hit, as one text). Undecided, undone and
    void ones are not there, nor words on exam and training tasks."""
    return ledger.read_arrow(_GIVEN, {"as_of": as_of})


def none_given() -> pa.Table:
    """The same without a row, for snapshots of earlier versions."""
    kinds = {
        "seq": pa.int64(),
        "value": pa.bool_(),
        "reviewer": pa.int32(),
        "given_at": pa.timestamp("us"),
        "reason": pa.string(),
    }
    return pa.schema(list(kinds.items())).empty_table()
