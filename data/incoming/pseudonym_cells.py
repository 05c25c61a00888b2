"""How do the cells of a file that name people become pseudonyms before anything else looks at them?"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pyarrow as pa

from data.incoming.mapping_columns import Mapping
from data.incoming.raw_rows import raw_types
from data.incoming.source_file import LINE
from data.incoming.typed_sql import LONGEST_KEY, PRINTABLE, cell_text, identifier

UNFIT = "left out\x7f"
"""In place of a value too long or with control characters. It has one itself, so that its row is refused for it."""

_PRINTABLE = re.compile(PRINTABLE)


def with_pseudonyms(connection: Any, mapping: Mapping) -> Mapping:
    """Give `raw` a column `entities.<name>` of pseudonyms for each pseudonymous entity, in place of the column they are
    made from (unless a personal field is read from it); the mapping that reads those.

    Each distinct value is made a pseudonym once. MappingError where no ledger gave the mapping a key.
    """
    if not mapping.pseudonymous:
        return mapping
    types = raw_types(connection)
    places = {name: f"entities.{name}" for name in sorted(mapping.pseudonymous)}
    read = replace(mapping, entities={**mapping.entities, **places})
    shown = [f"raw.{identifier(column)}" for column in types if column in read.columns or column == LINE]
    joined = ["raw"]
    for number, (name, place) in enumerate(places.items()):
        text, names = cell_text(mapping.entities[name], types), f"_names_{number}"
        connection.register(names, _names(connection, mapping, name, text))
        joined.append(f"LEFT JOIN {names} ON {names}.__value__ = {text}")
        shown.append(_pseudonym(mapping.entities[name], names) + f" AS {identifier(place)}")
    connection.execute(f"CREATE TABLE _named AS SELECT {', '.join(shown)} FROM {' '.join(joined)}")
    connection.execute("DROP TABLE raw")
    connection.execute("ALTER TABLE _named RENAME TO raw")
    for number in range(len(places)):
        connection.unregister(f"_names_{number}")
    return read


def _pseudonym(column: str, names: str) -> str:
    """SQL for a cell's pseudonym; null where the cell is empty."""
    cell = f"raw.{identifier(column)}"
    filled = f"{cell} IS NOT NULL AND trim(CAST({cell} AS VARCHAR)) <> ''"
    return f"CASE WHEN {filled} THEN coalesce({names}.__pseudonym__, '{UNFIT}') END"


def _names(connection: Any, mapping: Mapping, entity: str, text: str) -> pa.Table:
    """The pseudonym of each distinct value that can be an entity's."""
    rows = connection.execute(f"SELECT DISTINCT {text} FROM raw WHERE {text} IS NOT NULL").fetchall()
    values = [value for (value,) in rows if len(value) <= LONGEST_KEY and _PRINTABLE.fullmatch(value)]
    cells = {"__value__": values, "__pseudonym__": [mapping.held(entity, value) for value in values]}
    return pa.table({name: pa.array(each, pa.string()) for name, each in cells.items()})
