"""How is a workspace backed up and put back, and a person's data erased, from the command line?"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from casework.cli.output import HERE, JsonOption, ReasonOption, WorkspaceOption, answer
from casework.cli.reach import LOCAL, reached
from casework.keeping import backups


def add_to(parent: typer.Typer) -> None:
    parent.command("backup")(backup)
    parent.command("restore")(restore)
    parent.command("erase")(erase)


def erase(
    reason: ReasonOption,
    entity: Annotated[str, typer.Option("--entity", help="Whose data: an entity of the mapping.")] = "",
    value: Annotated[str, typer.Option("--value", help="And its value.")] = "",
    before: Annotated[
        datetime | None, typer.Option("--before", help="Or all payments recorded before this day.")
    ] = None,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Erase personal fields and what people wrote beside them, for good; the record still verifies.

    Example: secondlook erase --entity customer --value c-17 --reason "request 4711" --workspace bank
    """
    asked = {"reason": reason, "entity": entity, "value": value}
    if before is not None:
        asked["recorded_before"] = before.replace(tzinfo=UTC).isoformat()
    with reached(workspace) as reach:
        done = reach.post("/v1/erasures", asked)
    told = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in done["erased"].items())
    lines = [f"{done['payments']} payments: {told or 'nothing left to erase'}."]
    lines += [f"  still in the backup {name}" for name in done["backups"]]
    if done["in_log"]:
        lines.append("  still in the write-ahead log, until the longer query is over that is under way")
    answer(done, lines, as_json)


def backup(
    to: Annotated[
        Path | None, typer.Option("--to", help="The folder of backups; default: beside the workspace.")
    ] = None,
    reason: ReasonOption = "asked for by hand",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Copy a workspace whole, also while it is served. The key that seals it is not in the copy.

    Example: secondlook backup --to backups --workspace bank
    """
    with reached(workspace) as reach:
        folder = str(to.resolve()) if to else ""
        made = reach.post("/v1/backups", {"reason": reason, "folder": folder})
    where = Path(made["folder"]) / made["backup"]
    answer(
        made,
        [f"{where}: {made['files']} files, {made['bytes']:,} bytes, up to event {made['event_seq']}."],
        as_json,
    )


def restore(
    backup: Annotated[Path, typer.Argument(help="A folder that `secondlook backup` made.")],
    workspace: Annotated[
        Path, typer.Option("--workspace", metavar="DIR", help="The workspace to make; empty or new.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Make a workspace of a backup, and verify every file and event of it.

    Example: secondlook restore backups/secondlook-20260301T120000Z --workspace bank
    """
    done = backups.restore(backup, workspace, by=LOCAL.user_id, at=datetime.now(UTC))
    answer(
        done, [f"{workspace} holds {done['events']} events, all verified, as of {done['made_at']}."], as_json
    )
