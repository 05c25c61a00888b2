"""What does scoring a million payments cost beside the bare window query and the bare trees?

    python -m benchmarks.batch_scoring [--rows N] [--rounds N]

Bare is what nobody can do without: one DuckDB statement with the same windows over the same columns (no late rows, no
missing entities, labels as one join and plain windows, nothing derived), and XGBoost's inplace_predict on a matrix made
beforehand. Scoring is everything from the tables to an answer for each payment: features as the contract has them,
matrix, trees, calibration, novelty, rules, draws, triage with the day's load. Not in either: reading a file, reasons in
words, SHAP values, writing to the ledger. The two take turns in one process.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import duckdb

from benchmarks import engines, institutions
from benchmarks.machine import machine
from engine.batch_scoring import BatchEngine
from engine.features.batch import batch_features
from engine.features.feature_set import FeatureSet, FeatureSpec
from engine.segments import Segments

ROWS, ROUNDS = 1_000_000, 3
_WHOLE = {
    "count": "COUNT(*)",
    "sum": "SUM(amount_minor)",
    "mean": "AVG(amount_minor)",
    "std": "STDDEV_SAMP(amount_minor)",
    "seconds_since_last": "MAX(t)",
    "seconds_since_first": "MIN(t)",
    "fraud_count": "SUM(fraud)",
    "frauds_learned": "SUM(fraud)",
}


def bare_query(features: FeatureSet) -> str:
    """The windows of a feature set as one would write them by hand."""
    columns = [_bare(f, features) for f in features.features if f.is_history or f.is_label]
    own = [f.of for f in features.features if f.measure == "attribute"]
    return f"""
        WITH labelled AS (
            SELECT t.*, epoch_us(t.occurred_at) AS t, o.transaction_seq IS NOT NULL AS labelled,
                CAST(COALESCE(o.is_fraud, FALSE) AS INTEGER) AS fraud
            FROM transactions t LEFT JOIN outcomes o ON o.transaction_seq = t.seq)
        SELECT seq, amount_minor, {", ".join([*own, *columns])} FROM labelled ORDER BY seq"""


def _bare(spec: FeatureSpec, features: FeatureSet) -> str:
    function = _WHOLE.get(spec.measure)
    if spec.measure == "max":
        function = "MAX(amount_minor)" if spec.of == "amount" else f"MAX({spec.of})"
    if spec.measure == "distinct":
        function = f"COUNT(DISTINCT {spec.of})"
    delay = features.label_delay_us if spec.measure == "fraud_count" else 0
    reach = f"{spec.window_us + delay} PRECEDING AND {delay + 1} PRECEDING"
    window = f"PARTITION BY {', '.join(spec.entity)} ORDER BY t RANGE BETWEEN {reach}"
    return f"{function} OVER ({window}) AS {spec.name}"


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds by the clock, processor seconds, and the result."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return time.perf_counter() - wall, time.process_time() - cpu, result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    print(machine(), flush=True)
    with closing(institutions.ledger_like(100_000)) as small:
        model = engines.trained_model(small).model()
    with closing(institutions.ledger_like(given.rows)) as connection:
        took = measured(connection, model, given.rounds)
    show(took, given.rows)


def measured(
    connection: duckdb.DuckDBPyConnection, model: Any, rounds: int
) -> dict[str, list[tuple[float, float]]]:
    """(clock, processor) seconds per round of each part."""
    features = institutions.demo_features()
    scorer = BatchEngine(
        features, engines.demo_rules(), Segments(engines.demo_policy(), {}), model, b"benchmark"
    )
    query = bare_query(features)
    matrix = model.encoders.matrix(batch_features(connection, features))
    parts: dict[str, Callable[[], Any]] = {
        "bare window query": lambda: connection.sql(query).to_arrow_table(),
        "bare inplace_predict": lambda: model.booster.inplace_predict(matrix, predict_type="margin"),
        "scoring, all of it": lambda: scorer.score(connection),
        "of that, features": lambda: batch_features(connection, features),
    }
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in parts}
    for _ in range(rounds):
        for name, part in parts.items():
            wall, cpu, _result = timed(part)
            del _result
            took[name].append((wall, cpu))
    return took


def show(took: dict[str, list[tuple[float, float]]], rows: int) -> None:
    print(f"\n{rows:,} payments, medians of {len(took['scoring, all of it'])} alternating rounds\n")
    print("| | seconds | CPU seconds | payments/s |\n|---|---|---|---|")
    for name, rounds in took.items():
        wall, cpu = (statistics.median(values) for values in zip(*rounds, strict=True))
        print(f"| {name} | {wall:.2f} | {cpu:.2f} | {rows / wall:,.0f} |")
    names = ("bare window query", "bare inplace_predict", "scoring, all of it")
    turns = list(zip(*(took[name] for name in names), strict=True))
    for place, word in enumerate(("by the clock", "by processor time")):
        ratio = statistics.median(own[place] / (query[place] + trees[place]) for query, trees, own in turns)
        print(f"\nscoring takes {ratio:.2f} times the bare query and the bare trees together, {word}")


if __name__ == "__main__":
    main()
