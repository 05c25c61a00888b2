"""How is it recorded that a file came in whole, and what became of its lines?"""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from datetime import datetime
from typing import Any, Protocol

from data.events import EventDraft
from data.incoming.mapping_columns import Mapping
from data.incoming.source_file import SourceFile
from data.writer import Writer

# A reason may name another line, each another one: without its number they are one reason.
SAME_REASON = (
    r"regexp_replace(regexp_replace(reason, '^line \d+', 'another line'), ' (on|from) line \d.*', '')"
)
"""SQL: the `reason` of a quarantined line as it is counted together with others."""


class Counted(Protocol):
    """What became of every line of a file, whatever it holds."""

    @property
    def import_id(self) -> str: ...
    @property
    def file_name(self) -> str: ...
    @property
    def accepted(self) -> int: ...
    @property
    def duplicate(self) -> int: ...
    @property
    def quarantined(self) -> int: ...


def store_completed(
    writer: Writer,
    report: Counted,
    told: MappingType[str, Any],
    source: SourceFile,
    mapping: Mapping,
    at: datetime,
    actor: str,
) -> None:
    """Write the event `import.completed` and the import's row. `told` is what only files of this kind have."""
    row = {
        "import_id": report.import_id,
        "file_name": report.file_name,
        "file_sha256": source.sha256,
        "mapping_sha256": mapping.sha256,
        "accepted": report.accepted,
        "duplicate": report.duplicate,
        "quarantined": report.quarantined,
    }
    writer.event(EventDraft(actor, "import.completed", f"import:{report.import_id}", {**row, **told}), at)
    writer.insert("imports", [{**row, "imported_at": at}])
