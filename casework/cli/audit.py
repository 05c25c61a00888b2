"""Can the record be trusted, taken away, and replayed?"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from time import sleep
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import typer

from casework.cli.output import (
    HERE,
    JsonOption,
    ReasonOption,
    WorkspaceOption,
    answer,
    aside,
    finish,
    refuse_existing,
    whole_file,
)
from casework.cli.progress import steps
from casework.cli.reach import Reach, reached
from casework.keeping import heads
from data.errors import InputError, SecondLookError

cli = typer.Typer(help="The audit record: check it, export it.", no_args_is_help=True)
_PAGE = 1000
_LOOK_SECONDS = 0.5


@cli.command("verify")
def verify(
    kept: Annotated[
        Path | None,
        typer.Option("--heads", metavar="FILE", help="Heads of the chain that somebody outside kept."),
    ] = None,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Walk the whole chain of events; exit 1 at the first one that does not fit.

    With --heads it must go through each head in a file, one a line, as webhooks were told them.

    Example: secondlook audit verify --workspace bank
    """
    outside = heads.read_kept(kept) if kept else []
    with reached(workspace) as reach:
        report = reach.get("/v1/audit/verification")
        found = list(heads.problems(outside, heads.hash_asked(reach.get)))
    if found:
        first = {} if report["problem"] else {"problem": found[0]}
        report |= {"ok": False, "problems": [*report["problems"], *found], **first}
    report["compared_heads"] = len(outside)
    if report["ok"]:
        lines = [f"{report['events']} events, every one in its place and unaltered.", _sealed(report)]
        lines += [f"It goes through all {len(outside)} heads that were kept outside."] if outside else []
    else:
        place = f"Event {report['first_bad_seq']}: " if report["first_bad_seq"] else ""
        lines = [f"{place}{report['problem']}"]
        lines += [f"  also: {problem}" for problem in report["problems"] if problem != report["problem"]]
    lines += [f"Warning: {warning}." for warning in report["warnings"]]
    answer(report, lines, as_json)
    finish(not report["ok"])


def _sealed(report: dict[str, Any]) -> str:
    if not report["sealed_from"]:
        return "The ledger has no key: rebuilding it, or cutting its tail, would not show."
    before = f", those before {report['sealed_from']} only linked" if report["sealed_from"] > 1 else ""
    heads = f"{report['anchors']} heads noted outside are all there"
    return f"Sealed under the ledger's key{before}; {heads}, the newest at event {report['anchored_seq']}."


@cli.command("export")
def export(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|ID...", help="A file for all events, or with --pack ids of decisions or cases."
        ),
    ],
    pack: Annotated[
        Path | None, typer.Option("--pack", help="A ZIP of evidence of these ids, which checks itself.")
    ] = None,
    unmask: Annotated[
        bool, typer.Option("--unmask", help="Take personal values along; needs --reason.")
    ] = False,
    reason: ReasonOption = "",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Write every event, with its hash, as JSON lines; or with --pack everything about some decisions or cases.

    Example: secondlook audit export t-000123 --pack evidence.zip --workspace bank
    """
    file = pack or Path(names[0])
    if pack is None and len(names) > 1:
        raise InputError("say with --pack where the evidence of these ids goes", allowed="--pack FILE.zip")
    refuse_existing(file)
    if pack is not None:
        _export_pack(workspace, pack, {"ids": names, "unmask": unmask, "reason": reason}, as_json)
        return
    written = 0
    with reached(workspace) as reach, whole_file(file) as part, part.open("wb") as out:
        while page := reach.get("/v1/events", after=written, limit=_PAGE)["events"]:
            out.writelines(orjson.dumps(event) + b"\n" for event in page)
            written = page[-1]["seq"]
    aside(f"{written} events written to {file}.", as_json)
    answer({"events": written, "file": str(file)}, [], as_json)


def _export_pack(workspace: Path, file: Path, asked: dict[str, Any], as_json: bool) -> None:
    with reached(workspace) as reach:
        packed = reach.download("/v1/evidence", asked)
    with whole_file(file) as part:
        part.write_bytes(packed)
    told = {"file": str(file), "bytes": len(packed), "ids": asked["ids"]}
    answer(told, [f"{file}: {len(packed):,} bytes. Unpack it, and run: python check_pack.py"], as_json)


def _replay_many(workspace: Path, sample: int, seed: str, as_json: bool) -> None:
    with reached(workspace) as reach:
        report = _waited_for(reach, reach.post("/v1/replays", {"sample": sample, "seed": seed}), as_json)
    lines = [
        f"{report['same']} of {report['replayed']} decisions came out the same (seed {report['seed']}, "
        f"{len(report['sets'])} sets, {len(report['models'])} models)."
    ]
    lines += [f"  {found['what']}: different in {found['count']}" for found in report["differences"]]
    lines += [f"  {found['seq']} cannot be replayed: {found['problem']}" for found in report["unread"]]
    answer(report, lines, as_json)
    finish(bool(report["different"] or report["unread_count"]))


def _waited_for(reach: Reach, told: dict[str, Any], quiet: bool) -> dict[str, Any]:
    """The report of a replay, also of one that goes on beside the request."""
    if "running" not in told:
        return told
    with steps(quiet) as report:
        while told["running"]:
            report("Deciding again", told["checked"], told["total"])
            sleep(_LOOK_SECONDS)
            known = reach.get("/v1/replays")
            last = known["last"]
            if last is None or not _same_run(last, told):
                return _recorded(known["replays"], told)
            told = last
    if told["report"] is None:
        raise SecondLookError(f"the replay did not end: {told['problem']}", hint="Start it again.")
    return dict(told["report"])


def _same_run(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether both tell of one replay: that of one seed begun at one moment."""
    starts = {datetime.fromisoformat(each["started_at"]) for each in (one, other)}
    return len(starts) == 1 and one["seed"] == other["seed"]


def _recorded(past: list[dict[str, Any]], told: dict[str, Any]) -> dict[str, Any]:
    """What was recorded of a replay that is no longer the server's last. SecondLookError where nothing was."""
    for found in past:
        if _same_run(found, told):
            return found
    raise SecondLookError(
        "the replay did not end, or another replay was begun since and nothing is recorded of this one",
        hint="Start it again.",
    )


def add_to(parent: typer.Typer) -> None:
    parent.command("replay")(replay)


def replay(
    transaction_id: Annotated[str, typer.Argument(help="The id of a decided transaction.")] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Decisions of the whole past instead of one.")
    ] = False,
    sample: Annotated[int, typer.Option("--sample", min=0, help="With --all: how many, at random.")] = 0,
    seed: Annotated[str, typer.Option("--seed", help="The same seed draws the same decisions.")] = "",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Decide past transactions again from what was stored and from the ledger; exit 1 if anything differs.

    Example: secondlook replay --all --sample 200 --workspace bank
    """
    if everything == bool(transaction_id):
        raise InputError("name one transaction, or say --all", allowed="ID, or --all [--sample N]")
    if everything:
        _replay_many(workspace, sample, seed, as_json)
    with reached(workspace) as reach:
        report = reach.get(f"/v1/replays/{quote(transaction_id, safe='')}")
    differences = [f"{d['what']}: {d['then']!r} then, {d['now']!r} now" for d in report["differences"]]
    same = f"{transaction_id}: {report['outcome']}, the same answer bit for bit."
    answer(report, differences or [same], as_json)
    finish(bool(differences))
