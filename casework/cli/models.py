"""How are models listed, tried and taken back, and jobs paused, from the command line?"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from casework.cli.output import HERE, JsonOption, ReasonOption, WorkspaceOption, answer, finish, table
from casework.cli.reach import reached

cli = typer.Typer(
    help="Models: which decides, which wanted to, and back to the one before.", no_args_is_help=True
)
jobs = typer.Typer(help="What the server does by itself: list, run, pause, resume.", no_args_is_help=True)


@cli.command("list")
def list_models(workspace: WorkspaceOption = HERE, as_json: JsonOption = False) -> None:
    """List every model, newest first: its status, its figure on the hold-out, and who let it decide.

    Example: secondlook models list --workspace bank
    """
    with reached(workspace) as reach:
        found = reach.get("/v1/models")
    rows = [
        {
            "model": m["model_id"],
            "status": m["status"],
            "trained": m["created_at"][:10],
            "on the hold-out": _held_out(m),
            "let decide by": m["approved_by"] or None,
        }
        for m in found["models"]
    ]
    answer(found, table(rows, ("model", "status", "trained", "on the hold-out", "let decide by")), as_json)


def _held_out(model: dict[str, Any]) -> str:
    """The average precision it had on the hold-out when it was judged."""
    held = (model.get("record") or {}).get("holdout")
    if not held:
        return "-"
    found = held["generations"][-1]["average_precision"]
    return f"{found['value']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


@cli.command("rollback")
def rollback(reason: ReasonOption, workspace: WorkspaceOption = HERE, as_json: JsonOption = False) -> None:
    """Have the champion before decide again, from the next decision on.

    Example: secondlook models rollback --reason "declines pensioners" --workspace bank
    """
    with reached(workspace) as reach:
        done = reach.post("/v1/model-rollbacks", {"reason": reason})
    answer(done, [f"{done['model_id']} decides again."], as_json)


@cli.command("shadow")
def shadow(
    model_id: Annotated[str, typer.Argument(metavar="MODEL", help="A model that does not decide.")],
    reason: ReasonOption,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Have a model answer beside the champion: recorded with its own probability, never obeyed.

    Example: secondlook models shadow m_0123456789ab --reason "what would it have done?" --workspace bank
    """
    with reached(workspace) as reach:
        done = reach.post("/v1/shadows", {"model_id": model_id, "reason": reason})
    answer(done, [f"{done['trial_id']} runs; 'secondlook safety trials' shows it."], as_json)


@jobs.command("list")
def list_jobs(workspace: WorkspaceOption = HERE, as_json: JsonOption = False) -> None:
    """List the scheduled jobs: what they do, when each ran last and what came of it, and whether it is paused.

    Example: secondlook jobs list --workspace bank
    """
    with reached(workspace) as reach:
        found = reach.get("/v1/jobs")
    rows = [
        {"job": j["name"], "last run": _last(j), "paused": _paused(j), "what": j["what"]}
        for j in found["jobs"]
    ]
    answer(found, table(rows, ("job", "last run", "paused", "what")), as_json)


def _last(job: dict[str, Any]) -> str:
    return f"{job['last_started_at'][:16]} {job['last_result']}" if job["last_started_at"] else "-"


def _paused(job: dict[str, Any]) -> str:
    return f"by {job['paused_by']}: {job['paused_reason']}" if job["paused"] else "-"


@jobs.command("run")
def run(
    name: Annotated[str, typer.Argument(metavar="JOB")],
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Run a job now and wait for it; exit 1 if it failed.

    Example: secondlook jobs run verify --workspace bank
    """
    with reached(workspace) as reach:
        done = reach.post(f"/v1/jobs/{name}/run", {})
    answer(done, [f"{done['result']}: {done['detail']}"], as_json)
    finish(done["result"] != "done")


@jobs.command("pause")
def pause(
    name: Annotated[str, typer.Argument(metavar="JOB")],
    reason: ReasonOption,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Keep a job from running by itself, also over restarts, until somebody resumes it.

    Example: secondlook jobs pause retrain --reason "month-end" --workspace bank
    """
    _turn(name, "pause", reason, workspace, as_json)


@jobs.command("resume")
def resume(
    name: Annotated[str, typer.Argument(metavar="JOB")],
    reason: ReasonOption,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Have a paused job run by itself again.

    Example: secondlook jobs resume retrain --reason "books are closed" --workspace bank
    """
    _turn(name, "resume", reason, workspace, as_json)


def _turn(name: str, act: str, reason: str, workspace: Any, as_json: bool) -> None:
    with reached(workspace) as reach:
        reach.post(f"/v1/jobs/{name}/{act}", {"reason": reason})
    answer({"job": name, "done": act}, [f"{name} is {act}d."], as_json)
