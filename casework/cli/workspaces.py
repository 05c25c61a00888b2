"""How is a workspace made from a mapping file, and how do files of transactions get into it?"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from casework.cli.output import HERE, JsonOption, WorkspaceOption, answer, finish, table
from casework.cli.progress import steps
from casework.cli.reach import LOCAL, Reach, reached
from casework.deciding.importing import import_file
from casework.workspace import Admin, create
from data import mappings
from data.errors import InputError
from data.incoming.mapping import load_mapping
from data.storage.unfinished import command_folder
from engine.templates import scaffold


def add_to(parent: typer.Typer) -> None:
    parent.command("init")(init)
    parent.command("import")(import_files)


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The directory to make; empty or new.")],
    mapping: Annotated[
        Path, typer.Option("--mapping", help="The mapping file of your data, or the name of a ready one.")
    ],
    admin: Annotated[str, typer.Option("--admin", help="The user name of the first admin.")] = "admin",
    password: Annotated[
        str,
        typer.Option(
            "--admin-password", envvar="SECONDLOOK_ADMIN_PASSWORD", help="Made up and shown if left out."
        ),
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Make a workspace with features, policy and general rules that fit a mapping, yours or a ready one (see
    mapping list).

    Example: secondlook init bank --mapping mapping.yaml
    """
    chosen = password or secrets.token_urlsafe(12)
    with _mapping_file(mapping) as file:
        files = scaffold(load_mapping(file))
        create(directory, file, files, Admin(admin, chosen), at=datetime.now(UTC))
    shown = {} if password else {"password": chosen}
    lines = [f"{directory} is ready: {len(files)} files under {directory}/rules, approved by {admin}."]
    lines += [f"Sign in as {admin} with the password (shown once): {p}" for p in shown.values()]
    lines.append(f"Next: secondlook import FILE --workspace {directory}")
    made = {"workspace": str(directory), "admin": admin, **shown, "files": sorted(files)}
    answer(made, lines, as_json)


@contextmanager
def _mapping_file(given: Path) -> Iterator[Path]:
    """The file itself, or a ready mapping of that name as a file."""
    if given.is_file() or str(given) not in mappings.names():
        yield given
        return
    with command_folder("mapping") as folder:
        file = folder / f"{given}.yaml"
        file.write_text(mappings.text(str(given)), encoding="utf-8")
        yield file


def import_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV or Parquet files.")],
    outcomes: Annotated[
        bool,
        typer.Option("--outcomes", help="The files hold outcomes (chargebacks) of earlier transactions."),
    ] = False,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Import files of past transactions, or with --outcomes what became of them later. Rows that cannot be used are
    kept apart; exit 1 if there are any.

    Example: secondlook import transactions.parquet --workspace bank
    """
    for file in files:
        if not file.is_file():
            raise InputError("there is no such file", where=str(file), hint="Nothing was imported.")
    with reached(workspace) as reach:
        import_one = _import_outcomes if outcomes else _import_one
        reports = [import_one(reach, file, as_json) for file in files]
    shown: list[str] = []
    for report in reports:
        shown += _lines(report)
    answer({"imports": reports}, shown, as_json)
    finish(any(report["quarantined"] for report in reports))


def _import_one(reach: Reach, file: Path, as_json: bool) -> dict[str, Any]:
    if reach.app is None:
        return dict(reach.upload("/v1/imports", file))
    with steps(as_json) as progress:
        return import_file(
            reach.app, file, file.name, actor=LOCAL.user_id, at=datetime.now(UTC), progress=progress
        )


def _import_outcomes(reach: Reach, file: Path, as_json: bool) -> dict[str, Any]:
    return dict(reach.upload("/v1/outcome-imports", file))


def _lines(report: dict[str, Any]) -> list[str]:
    counts = (
        f"{report['accepted']} accepted, {report['duplicate']} duplicate, {report['quarantined']} quarantined"
    )
    if report.get("other_reason"):
        counts += f", {report['other_reason']} of another reason than fraud"
    lines = [f"{report['file']}: {counts}."]
    lines += [f"  warning: {warning}" for warning in report.get("warnings", ())]
    if report["quarantined"]:
        lines += ["  " + line for line in table(report["examples"], ("line", "field", "reason"))]
    return lines
