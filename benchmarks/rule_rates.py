"""How many rules are evaluated a second, one payment at a time in Python and in bulk in SQL?"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from casework.live import read_settings
from data import approved
from data.incoming.mapping import load_mapping

RULES = Path(__file__).parents[1] / "rules"
ONE_BY_ONE, IN_BULK, SEED = 20_000, 1_000_000, 1
AT = datetime(2026, 6, 1, tzinfo=UTC)
_CATEGORIES = ("pos", "ecom", "electronics", "groceries", "DE")


def rows(count: int, kinds: dict[str, str]) -> pa.Table:
    """Made-up values of every feature that a rule reads, one in five missing."""
    rng = np.random.default_rng(SEED)
    columns = {}
    for name, kind in kinds.items():
        gone = rng.random(count) < 0.2
        if kind == "flag":
            columns[name] = pa.array(rng.random(count) < 0.3, mask=gone)
        elif kind == "category":
            columns[name] = pa.array(
                np.array(_CATEGORIES)[rng.integers(0, len(_CATEGORIES), count)], mask=gone
            )
        else:
            columns[name] = pa.array(np.rint(rng.lognormal(2, 2, count)), mask=gone)
    return pa.table({"seq": pa.array(range(count)), **columns})


def main() -> None:
    settings = read_settings(approved.read_folder(RULES), load_mapping(RULES / "mapping.yaml"))
    rules, running = settings.rules, [rule for rule in settings.rules if rule.runs]
    read = {name for rule in running for name in rule.features}
    kinds = {spec.name: spec.kind for spec in settings.features.features if spec.name in read}
    print(
        f"{len(running)} rules of the demo institution over {len(kinds)} features, one value in five missing.\n"
    )
    print("| | payments | seconds of work | rules a second |\n|---|---|---|---|")
    few = rows(ONE_BY_ONE, kinds).to_pylist()
    rules.evaluate(few[0], AT)
    began = time.process_time()
    for row in few:
        rules.evaluate(row, AT)
    _tell("one payment at a time, compiled Python", ONE_BY_ONE, time.process_time() - began, len(running))
    many = rows(IN_BULK, kinds)
    connection = duckdb.connect()
    connection.register("features", many)
    began = time.process_time()
    connection.sql(rules.sql("features", at=AT)).to_arrow_table()
    _tell("in bulk, SQL", IN_BULK, time.process_time() - began, len(running))
    connection.close()


def _tell(name: str, payments: int, seconds: float, rules: int) -> None:
    print(f"| {name} | {payments:,} | {seconds:.2f} | {payments * rules / seconds:,.0f} |")


if __name__ == "__main__":
    main()
