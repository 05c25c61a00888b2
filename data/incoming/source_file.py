"""What rows does a CSV or Parquet file hold, with the line each came from?"""

from __future__ import annotations

import csv
import gzip
import hashlib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.errors import MappingError, did_you_mean
from data.incoming.csv_lines import CsvRows, Malformed

LINE = "__line__"
"""The column that numbers rows: the physical line in a CSV file, the row in a Parquet file, both from 1."""

ALLOWED = ".csv, .csv.gz, .parquet"

_BATCH = 50_000
_PER = {"s": 1_000_000, "ms": 1_000, "us": 1}
_FURTHEST_US = 9 * 10**18
"""A moment that DuckDB can hold and write down, far beyond what the ledger takes."""
_DELIMITERS = (",", ";", "\t", "|")
_MAGIC = {
    b"PAR1": "Parquet data",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "gzip data",
    b"SQLi": "a SQLite file",
}


@dataclass
class SourceFile:
    """A file to import: its wanted columns as Arrow batches with a `LINE` column, and the lines that are no rows.

    `malformed` is complete once `batches` has been read to its end. CSV cells are all text.
    """

    name: str
    sha256: str
    batches: Iterator[pa.RecordBatch]
    schema: pa.Schema
    malformed: list[Malformed] = field(default_factory=list)


def open_source(path: Path, wanted: dict[str, str]) -> SourceFile:
    """Open a file for the columns `wanted` (column name to the mapping's place that asks for it).

    MappingError for a missing or empty file, one that is not what its name says, and missing columns.
    """
    kind = _kind(path)
    if kind == "parquet":
        return _open_parquet(path, wanted)
    return _open_csv(path, wanted)


def column_names(path: Path) -> list[str]:
    """The columns of a file that could be imported, in order; of a CSV file, by its likeliest delimiter.

    MappingError as for `open_source`.
    """
    if _kind(path) == "parquet":
        try:
            schema = pq.ParquetFile(path).schema_arrow
        except (pa.ArrowInvalid, OSError) as problem:
            raise MappingError(f"the Parquet file is damaged ({problem})", where=str(path)) from problem
        return [field.name for field in schema if not pa.types.is_nested(field.type)]
    first_line = _first_line(path)
    headers = (next(csv.reader([first_line], delimiter=delimiter), []) for delimiter in _DELIMITERS)
    return [name for name in max(headers, key=len) if name.strip()]


def _kind(path: Path) -> str:
    suffix = path.suffix.lower()
    if not path.is_file():
        raise MappingError("there is no such file", where=str(path))
    if not importable(path.name):
        raise MappingError("this kind of file cannot be imported", where=str(path), allowed=ALLOWED)
    start = _start(path)
    if not start:
        raise MappingError("the file is empty", where=str(path), hint="Export it again.")
    found = next((name for magic, name in _MAGIC.items() if start.startswith(magic)), "")
    if suffix == ".parquet" and found != "Parquet data":
        what = f"the file is named .parquet but holds {found or 'something else'}"
        raise MappingError(what, where=str(path), hint="Rename or convert it.")
    if suffix != ".parquet" and (found or b"\x00" in start):
        what = f"the file is named .csv but holds {found or 'binary data or UTF-16 text'}"
        raise MappingError(what, where=str(path), hint="Rename it, or save it as UTF-8 text.")
    if suffix != ".parquet":
        _check_header(path, start)
    return "parquet" if suffix == ".parquet" else "csv"


def importable(name: str) -> bool:
    """Whether a file of this name is of a kind that is read."""
    return name.lower().endswith((".csv", ".csv.gz", ".parquet"))


def _start(path: Path) -> bytes:
    """The first bytes, unpacked."""
    if path.suffix.lower() != ".gz":
        with path.open("rb") as file:
            return file.read(4096)
    try:
        with gzip.open(path, "rb") as packed:
            return packed.read(4096)
    except (OSError, EOFError, zlib.error) as problem:
        what = f"the file is named .gz but cannot be unpacked ({problem})"
        raise MappingError(what, where=str(path), hint="Pack it again.") from problem


def _check_header(path: Path, start: bytes) -> None:
    try:
        start.split(b"\n")[0].decode("utf-8-sig", "strict" if b"\n" in start else "ignore")
    except UnicodeDecodeError as problem:
        raise MappingError(
            "the first line is not UTF-8 text",
            where=str(path),
            hint="Save the file as UTF-8 (it may be Latin-1).",
        ) from problem


def _text(path: Path) -> TextIO:
    """The text of a CSV file, packed or not; bytes that are no UTF-8 stay visible as surrogates."""
    how: dict[str, Any] = {"encoding": "utf-8-sig", "errors": "surrogateescape", "newline": ""}
    if path.suffix.lower() == ".gz":
        return cast(TextIO, gzip.open(path, "rt", **how))
    return path.open(**how)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_columns(path: Path, present: Iterable[str], wanted: dict[str, str]) -> None:
    names = list(present)
    missing = [column for column in wanted if column not in names]
    if missing:
        said = ", ".join(f"'{column}' ({wanted[column]})" for column in missing)
        what = f"the mapping asks for {said}, which the file does not have"
        raise MappingError(
            what, where=str(path), allowed=", ".join(names), hint=did_you_mean(missing[0], names)
        )
    repeated = sorted({column for column in wanted if names.count(column) > 1})
    if repeated:
        raise MappingError(f"the column '{repeated[0]}' appears more than once", where=str(path))


def _open_parquet(path: Path, wanted: dict[str, str]) -> SourceFile:
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as problem:
        raise MappingError(f"the Parquet file is damaged ({problem})", where=str(path)) from problem
    _check_columns(path, file.schema_arrow.names, wanted)
    if not file.metadata.num_rows:
        raise MappingError("the file has columns but no rows", where=str(path))
    schema = pa.schema(
        [(LINE, pa.int64()), *((name, _plain(path, file.schema_arrow.field(name))) for name in wanted)]
    )
    return SourceFile(path.name, _sha256(path), _parquet_batches(file, schema), schema)


def _plain(path: Path, field: pa.Field) -> pa.DataType:
    """The type in which a Parquet column is staged: microseconds, no dictionaries, nothing nested."""
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", tz="UTC" if kind.tz else None)
    if pa.types.is_null(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_date(kind):
        return pa.date32()
    usable = (pa.types.is_string, pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating)
    if any(check(kind) for check in usable) or pa.types.is_decimal128(kind):
        return kind
    what = f"the column '{field.name}' has the type {kind}, which cannot be imported"
    raise MappingError(what, where=str(path), allowed="text, numbers, flags, dates and times")


def _parquet_batches(file: Any, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    first = 1
    for batch in file.iter_batches(batch_size=_BATCH, columns=schema.names[1:]):
        lines = pa.array(range(first, first + batch.num_rows), pa.int64())
        # Not safe in Arrow's sense: nanoseconds are cut to the ledger's microseconds.
        arrays = [_in_reach(batch.column(each.name)).cast(each.type, safe=False) for each in list(schema)[1:]]
        first += batch.num_rows
        yield pa.RecordBatch.from_arrays([lines, *arrays], schema=schema)


def _in_reach(column: pa.Array) -> pa.Array:
    """A column of moments whose counts do not wrap around as microseconds: what lies beyond is given as the outermost
    there is, and refused for that."""
    if not pa.types.is_timestamp(column.type) or column.type.unit not in _PER:
        return column
    counts, most = column.cast(pa.int64()), _FURTHEST_US // _PER[column.type.unit]
    within = pc.min_element_wise(pc.max_element_wise(counts, -most, skip_nulls=False), most, skip_nulls=False)
    return within.cast(column.type)


def _open_csv(path: Path, wanted: dict[str, str]) -> SourceFile:
    first_line = _first_line(path)
    delimiter = _delimiter(first_line, wanted)
    header = next(csv.reader([first_line], delimiter=delimiter), [])
    _check_columns(path, header, wanted)
    columns = list(wanted)
    schema = pa.schema([pa.field(LINE, pa.int64()), *(pa.field(name, pa.string()) for name in columns)])
    source = SourceFile(path.name, _sha256(path), iter(()), schema)
    places = [header.index(name) for name in columns]
    rows = CsvRows(header, wanted, delimiter)
    source.batches = _csv_batches(path, rows, places, source)
    return source


def _first_line(path: Path) -> str:
    """MappingError for one that is longer than any cell may be: that is no header."""
    with _text(path) as file:
        line = file.readline(csv.field_size_limit() + 1)
    if len(line) > csv.field_size_limit():
        raise MappingError(
            f"the first line has more than {csv.field_size_limit():,} characters",
            where=str(path),
            allowed="a header line with the columns' names",
        )
    return line


def _delimiter(first_line: str, wanted: dict[str, str]) -> str:
    """The delimiter under which the header names most of the wanted columns."""

    def named(delimiter: str) -> int:
        return len(wanted.keys() & set(next(csv.reader([first_line], delimiter=delimiter), [])))

    return max(_DELIMITERS, key=named)


def _csv_batches(
    path: Path, rows: CsvRows, places: list[int], source: SourceFile
) -> Iterator[pa.RecordBatch]:
    lines: list[int] = []
    cells: list[list[str]] = []
    with _text(path) as file:
        for line, row in rows.read(file, source.malformed.append):
            lines.append(line)
            cells.append(row)
            if len(lines) == _BATCH:
                yield _text_batch(lines, cells, places, source)
                lines, cells = [], []
    if lines:
        yield _text_batch(lines, cells, places, source)


def _text_batch(
    lines: list[int], cells: list[list[str]], places: list[int], source: SourceFile
) -> pa.RecordBatch:
    try:
        return _as_batch(lines, cells, places, source.schema)
    except UnicodeEncodeError:
        good = [(line, row) for line, row in zip(lines, cells, strict=True) if _is_utf8(row)]
        bad = set(lines) - {line for line, _ in good}
        source.malformed.extend(Malformed(line, "not UTF-8 text") for line in sorted(bad))
        return _as_batch([line for line, _ in good], [row for _, row in good], places, source.schema)


def _as_batch(
    lines: list[int], cells: list[list[str]], places: list[int], schema: pa.Schema
) -> pa.RecordBatch:
    columns = list(zip(*cells, strict=True)) or [()] * (max(places) + 1)
    arrays = [pa.array(lines, pa.int64()), *(pa.array(columns[place], pa.string()) for place in places)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _is_utf8(row: list[str]) -> bool:
    try:
        "".join(row).encode()
    except UnicodeEncodeError:
        return False
    return True
