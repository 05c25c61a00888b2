"""What comes of a file of a million rows of which one is bad, and how much memory does it take?

    python -m benchmarks.bulk_import [--rows N ...] [--page]

Each file is CSV with one cell that is no amount, somewhere past its middle. It is imported into a new ledger by a
process of its own, whose peak is what that process ever held: interpreter, libraries and what DuckDB keeps in memory.
Ends with 1 where anything but that row is left out. `--page` writes the table to docs/soak.md.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import soak_page
from benchmarks.machine import machine
from data.incoming.ingest import import_file
from data.incoming.mapping import load_mapping
from data.ledger import Ledger

NAME, COMMAND = "A large file with one bad row", "python -m benchmarks.bulk_import --page"
ROWS = (100_000, 1_000_000)
_START = datetime(2025, 1, 1, tzinfo=UTC)
_AT = datetime(2026, 6, 1, tzinfo=UTC)
_MAPPING = b"""\
version: 1
institution: bulk
base_currency: EUR
time_zone: UTC
transaction: {id: id, occurred_at: time, amount: amount, currency: {constant: EUR}}
entities: {customer: customer, device: device, merchant: merchant}
attributes:
  country: {column: country, type: category}
  score: {column: score, type: number}
personal: {email: email}
label: {column: fraud, known_after: 30d}
"""


@dataclass(frozen=True)
class Came:
    """What came of one file; memory in megabytes, of the process before the import and at most."""

    rows: int
    accepted: int
    quarantined: list[tuple[int, str]]
    megabytes: float
    seconds: float
    before: float
    peak: float

    @property
    def right(self) -> bool:
        return self.accepted == self.rows - 1 and [bad[0] for bad in self.quarantined] == [
            bad_line(self.rows)
        ]

    def row(self) -> str:
        said = "; ".join(f"line {line:,}: {reason}" for line, reason in self.quarantined)
        return (
            f"| {self.rows:,} | {self.megabytes:.0f} MB | {self.accepted:,} | {len(self.quarantined)} ({said}) |"
            f" {self.seconds:.1f} | {self.before:.0f} MB | {self.peak:.0f} MB |"
        )


def bad_line(rows: int) -> int:
    """The line of the bad row; the header is line 1."""
    return rows * 618 // 1000


def write(path: Path, rows: int) -> None:
    """A file of that many rows in order of time, with one bad amount."""
    wrong = bad_line(rows) - 2
    with path.open("w", encoding="utf-8") as out:
        out.write("id,time,amount,customer,device,merchant,country,score,email,fraud\n")
        for n in range(rows):
            at = (_START + timedelta(seconds=n * 30_000_000 // rows)).isoformat()
            amount = "12.3O" if n == wrong else f"{n % 9_000}.{n % 100:02}"
            customer = n * 7_919 % 50_000
            out.write(
                f"t{n},{at},{amount},c{customer},d{customer % 30_000},m{n % 2_000},N{n % 40},{n % 97 / 10},"
                f"c{customer}@example.org,{int(n % 200 == 0)}\n"
            )


def imported(path: Path, folder: Path, rows: int) -> Came:
    """Import one file into a new ledger in this process."""
    mapping = load_mapping(_MAPPING)
    before, began = _peak(), time.perf_counter()
    with Ledger.create(folder / f"{rows}.duckdb", mapping, at=_AT) as ledger:
        report = import_file(ledger, mapping, path, at=_AT, actor="benchmark")
    quarantined = [(bad.line, f"{bad.field}: {bad.reason}") for bad in report.examples]
    took = time.perf_counter() - began
    return Came(rows, report.accepted, quarantined, path.stat().st_size / 1e6, took, before, _peak())


def _peak() -> float:
    """The most memory that this process held so far, in megabytes; macOS counts bytes, Linux kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS)
    parser.add_argument("--page", action="store_true", help="write the table to docs/soak.md")
    parser.add_argument("--file", type=Path, help="import this file of --rows rows here, and say so in JSON")
    given = parser.parse_args()
    if given.file:
        print(json.dumps(asdict(imported(given.file, given.file.parent, given.rows[0]))))
        return 0
    print(machine(), flush=True)
    found = []
    with tempfile.TemporaryDirectory(prefix="bulk-import-") as name:
        for rows in given.rows:
            path = Path(name) / f"{rows}.csv"
            write(path, rows)
            own = [sys.executable, "-m", "benchmarks.bulk_import", "--rows", str(rows), "--file", str(path)]
            done = subprocess.run(own, check=True, stdout=subprocess.PIPE, text=True)
            found.append(Came(**json.loads(done.stdout)))
    lines = [
        "| rows | file | in | quarantined | s by the clock | memory before | at most |",
        "|--:|--:|--:|---|--:|--:|--:|",
        *(came.row() for came in found),
    ]
    print("\n".join(lines))
    if given.page:
        soak_page.record(NAME, COMMAND, lines)
    return int(not all(came.right for came in found))


if __name__ == "__main__":
    sys.exit(main())
