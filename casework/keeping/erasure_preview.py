"""What would an erasure take away, counted before anybody asks for it?"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from casework.keeping import backups, erasing
from casework.keeping.erasing import Scope
from casework.keeping.written_words import AMONG_WRITTEN, SHOWN_WORDS, WRITTEN
from data.said import ERASED

if TYPE_CHECKING:
    from casework.app import App

_AMONG = "{} IN (SELECT unnest(CAST($seqs AS BIGINT[])))"
_COUNTS = {
    # What an owner is called is compared with as text, so that no other owner has to be read as a number.
    "values": "SELECT count(*) AS n FROM personal_values WHERE owner IN "
    "(SELECT 'transaction:' || unnest(CAST($seqs AS BIGINT[])))",
    "written_words": f"SELECT count(DISTINCT (seq, field)) AS n FROM {WRITTEN} WHERE "
    + AMONG_WRITTEN.format("$seqs"),
    "drafts": "SELECT count(*) AS n FROM drafts WHERE task_id IN (SELECT task_id FROM tasks WHERE "
    + _AMONG.format("transaction_seq")
    + ")",
    "files": f"SELECT count(*) AS n FROM files WHERE name <> '{ERASED}' AND {_AMONG.format('transaction_seq')}",
    "dossiers": 'SELECT count(*) AS n FROM dossiers WHERE (contains(decode(content), \'"personal_masked":{"\') '
    f"AND NOT contains(decode(content), '\"{ERASED}\"') OR {SHOWN_WORDS}) AND {_AMONG.format('transaction_seq')}",
}


def preview(app: App, scope: Scope) -> dict[str, Any]:
    """The same words as an erasure answers with, and nothing is changed: {payments, erased, backups}.

    `payments` counts those of the scope that anything is kept of beside the payment itself.
    """
    counts, payments = Counter[str](), 0
    for seqs in erasing.stretches(app.ledger, scope):
        payments += len(seqs)
        for kind, sql in _COUNTS.items():
            counts[kind] += app.ledger.read(sql, {"seqs": seqs})[0]["n"]
    condition, parameters = erasing.kept_apart(scope)
    rows = app.ledger.read(f"SELECT count(*) AS n FROM quarantine WHERE {condition}", parameters)
    counts["quarantined_rows"] = rows[0]["n"]
    erased = {kind: n for kind, n in counts.items() if n}
    return {"payments": payments, "erased": erased, "backups": backups.still_there(app)}
