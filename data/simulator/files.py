"""How do the simulated tables become files that the ingest can read?"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from data.simulator.institution import Simulated

TABLES = ("transactions", "chargebacks", "truth")


def write_csv(simulated: Simulated, folder: Path) -> dict[str, Path]:
    """Writes transactions.csv, chargebacks.csv, truth.csv; times as RFC 3339. Returns paths by table."""
    paths = _paths(folder, "csv")
    for name, path in paths.items():
        arrow_csv.write_csv(_times_as_text(getattr(simulated, name)), path)
    return paths


def write_parquet(simulated: Simulated, folder: Path) -> dict[str, Path]:
    """Writes the three tables as Parquet (zstd). Returns paths by table."""
    paths = _paths(folder, "parquet")
    for name, path in paths.items():
        pq.write_table(getattr(simulated, name), path, compression="zstd")
    return paths


def _paths(folder: Path, ending: str) -> dict[str, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    return {name: folder / f"{name}.{ending}" for name in TABLES}


def _times_as_text(table: pa.Table) -> pa.Table:
    for place, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            milliseconds = table.column(place).cast(pa.timestamp("ms", tz="UTC"))
            table = table.set_column(
                place, field.name, pc.strftime(milliseconds, format="%Y-%m-%dT%H:%M:%SZ")
            )
    return table
