"""How long does the threshold tuner take over HTTP, on a workspace that holds a million decisions?"""

from __future__ import annotations

import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from casework.cli.reach import reached
from casework.workspace import Admin, create
from data import approved
from data.ledger import Ledger

RULES = Path(__file__).parents[1] / "rules"
DECISIONS, DAYS = 1_000_000, 365
_NAMES = "customer, card, merchant, device, merchant_category, merchant_country, country, channel, age_band"

# One fraud in two hundred, a rule on one payment in a hundred, outcomes for what was fraud and went through.
_TRANSACTIONS = f"""
INSERT INTO transactions (seq, transaction_id, occurred_at, recorded_at, amount, currency, amount_minor,
                          content_sha256, commitments, source, {_NAMES})
SELECT i, 't' || i, moment, moment, minor / 100, 'EUR', minor, '', '{{}}', 'benchmark', 'c' || i % 50000,
       'k' || i % 50000, 'm' || i % 2000, 'd' || i % 60000, 'groceries', 'DE', 'DE',
       CASE i % 3 WHEN 0 THEN 'pos' ELSE 'ecom' END, '30-39'
FROM (SELECT i, CAST(exp(8 + 1.2 * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())) AS BIGINT) + 1 AS minor,
             $start + to_microseconds(CAST(i * $step AS BIGINT)) AS moment FROM range(1, $rows + 1) AS r(i))
"""
_DECISIONS = """
INSERT INTO decisions
SELECT seq, transaction_id, occurred_at, occurred_at,
       CASE WHEN p >= 0.5 THEN 'decline' WHEN p >= 0.05 OR seq % 100 = 0 THEN 'review' ELSE 'approve' END,
       p, ln(p / (1 - p)), amount_minor, 'm_benchmark', 'set_benchmark', '',
       CASE WHEN seq % 100 = 0 THEN ['disputes_again'] ELSE [] END, 0.01, 0.05, seq, false
FROM (SELECT *, least(greatest(pow(random(), 20) * 0.999, 1e-6), 0.999) AS p FROM transactions)
"""
_OUTCOMES = """
INSERT INTO outcomes
SELECT transaction_seq, true, occurred_at + INTERVAL 12 DAY, 0, 'chargeback', '', occurred_at + INTERVAL 12 DAY
FROM decisions WHERE outcome = 'approve' AND random() < probability
"""


def build(root: Path, decisions: int) -> None:
    """A workspace of the demo institution with made-up decisions, written past the engine."""
    files = approved.read_folder(RULES)
    start = datetime.now(UTC) - timedelta(days=DAYS)
    workspace = create(root, RULES / "mapping.yaml", files, Admin("admin", "benchmark only"), at=start)
    ledger = Ledger.open(workspace.ledger_file)
    try:
        with ledger.writing() as w:
            step = DAYS * 86_400_000_000 / decisions
            asked = {"start": start.replace(tzinfo=None), "step": step, "rows": decisions}
            w.execute(_TRANSACTIONS, asked)
            w.execute(_DECISIONS)
            w.execute(_OUTCOMES)
    finally:
        ledger.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "bank"
        build(root, DECISIONS)
        since = (datetime.now(UTC) - timedelta(days=DAYS + 1)).isoformat()
        questions: dict[str, dict[str, Any]] = {
            "the first, which reads the year": {"review_at": 0.05, "decline_at": 0.5, "curves": True},
            "both cut-offs moved, with curves": {"review_at": 0.1, "decline_at": 0.6, "curves": True},
            "other costs, with curves": {"good_declined_minor": 5000, "curves": True},
            "both cut-offs moved": {"review_at": 0.2, "decline_at": 0.7},
        }
        with reached(root) as reach:
            reach.get("/v1/policy")
            print(
                "\n| over HTTP, a million decisions in the ledger | seconds | of them computing |\n|---|---|---|"
            )
            for name, asked in questions.items():
                began, cpu = time.perf_counter(), time.process_time()
                found = reach.get("/v1/tuner", since=since, **asked)
                took = time.perf_counter() - began, time.process_time() - cpu
                print(f"| {name} | {took[0]:.2f} | {took[1]:.2f} |")
            print(f"\n{found['decisions']:,} of them in segments that the general cut-offs decide.")


if __name__ == "__main__":
    main()
