"""How is the engine stopped, started, and its alarms read, from the command line?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from casework.cli.output import HERE, JsonOption, ReasonOption, WorkspaceOption, answer, finish, table
from casework.cli.reach import reached

cli = typer.Typer(
    help="Kill switch, alarms, breaker, and settings tried on live traffic.", no_args_is_help=True
)


@cli.command("status")
def status(workspace: WorkspaceOption = HERE, as_json: JsonOption = False) -> None:
    """Show the kill switch, today's price of a review, open alarms and what the breaker did; exit 1 if anything is.

    Example: secondlook safety status --workspace bank
    """
    with reached(workspace) as reach:
        found = reach.get("/v1/safety")
    acts = [act for act in found["acts"] if act["in_force"]]
    switch = found["kill_switch"]
    lines = [
        f"The kill switch is on since {switch['turned_at']}, by {switch['turned_by']}: {switch['reason']}"
        if switch["is_on"]
        else "The kill switch is off.",
        found["capacity"]["sentence"],
        *(f"alarm {alarm['alarm_id']}: {alarm['sentence']}" for alarm in found["alarms"]),
        *(f"{act['action']} {act['act_id']}: {act['sentence']}" for act in acts),
    ]
    answer(found, lines, as_json)
    finish(bool(switch["is_on"] or found["alarms"] or acts))


@cli.command("stop")
def stop(reason: ReasonOption, workspace: WorkspaceOption = HERE, as_json: JsonOption = False) -> None:
    """Turn the kill switch on: no automatic declines and no model from the next decision on.

    Example: secondlook safety stop --reason "the model declines everybody" --workspace bank
    """
    _turn(True, reason, workspace, as_json)


@cli.command("start")
def start(reason: ReasonOption, workspace: WorkspaceOption = HERE, as_json: JsonOption = False) -> None:
    """Turn the kill switch off; whoever turned it on cannot.

    Example: secondlook safety start --reason "the model was replaced" --workspace bank
    """
    _turn(False, reason, workspace, as_json)


@cli.command("acknowledge")
def acknowledge(
    alarm_id: Annotated[str, typer.Argument(help="As `secondlook safety status` names it.")],
    reason: ReasonOption,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Say that somebody has seen to an alarm; where the breaker only capped declines, they go on.

    Example: secondlook safety acknowledge alarm_1f2e --reason "a real attack, now over" --workspace bank
    """
    with reached(workspace) as reach:
        reach.post(f"/v1/alarms/{alarm_id}/acknowledgement", {"reason": reason})
    answer({"alarm_id": alarm_id}, [f"{alarm_id} is acknowledged."], as_json)


@cli.command("resume")
def resume(
    act_id: Annotated[str, typer.Argument(help="As `secondlook safety status` names it.")],
    reason: ReasonOption,
    expected: Annotated[
        float | None, typer.Option("--expected", help="The share it is expected to speak up in.")
    ] = None,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Let what the breaker paused decide again, held against the stated rate.

    Example: secondlook safety resume act_1f2e --reason "meant so" --expected 0.04 --workspace bank
    """
    body: dict[str, Any] = {"reason": reason, "expected": expected}
    with reached(workspace) as reach:
        done = reach.post(f"/v1/breaker/{act_id}/end", body)
    answer(done, [f"{done['kind']} {done['subject']} goes on."], as_json)


@cli.command("shadow")
def shadow(
    files: Annotated[list[Path], typer.Argument(help="Files to try in place of the approved ones.")],
    reason: ReasonOption,
    name: Annotated[str, typer.Option("--name", help="What to call it.")] = "",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Have the approved set with these files answer every payment beside it: recorded, never obeyed.

    Example: secondlook safety shadow strict/policy.yaml --reason "dearer misses" --workspace bank
    """
    texts = {_inside(file): file.read_text(encoding="utf-8") for file in files}
    with reached(workspace) as reach:
        made = reach.post("/v1/candidate-sets", {"files": texts, "reason": reason})
        done = reach.post("/v1/shadows", {"set_id": made["set_id"], "name": name, "reason": reason})
    answer({**made, **done}, [f"{done['trial_id']} answers as {made['set_id']} would."], as_json)


@cli.command("rollout")
def rollout(
    what: Annotated[str, typer.Argument(help="A set or a model, by its id.")],
    share: Annotated[float, typer.Option("--share", help="Of the entity's values, such as 0.1.")],
    reason: ReasonOption,
    entity: Annotated[str, typer.Option("--entity", help="Whose values are drawn.")] = "customer",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Have another set or model decide a share of the customers, the same ones every time.

    Example: secondlook safety rollout set_0123456789abcdef --share 0.1 --reason "first tenth" --workspace bank
    """
    named = {"set_id" if what.startswith("set_") else "model_id": what}
    with reached(workspace) as reach:
        done = reach.post("/v1/rollouts", {**named, "share": share, "entity": entity, "reason": reason})
    answer(
        done,
        [f"{done['trial_id']} decides {share:.0%} of all {entity} values, always the same ones."],
        as_json,
    )


@cli.command("trials")
def trials(workspace: WorkspaceOption = HERE, as_json: JsonOption = False) -> None:
    """List shadows and rollouts, with how often each answered otherwise.

    Example: secondlook safety trials --workspace bank
    """
    with reached(workspace) as reach:
        found = reach.get("/v1/trials")
    columns = ("trial_id", "kind", "name", "share", "started_at", "stopped_at", "decisions", "differing")
    rows = [{name: row[name] if row[name] is not None else "" for name in columns} for row in found["trials"]]
    answer(found, list(table(rows, columns)) if rows else ["Nothing is tried."], as_json)


@cli.command("withdraw")
def withdraw(
    trial_id: Annotated[str, typer.Argument(help="As `secondlook safety trials` names it.")],
    reason: ReasonOption,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Stop a shadow or rollout at once.

    Example: secondlook safety withdraw rollout_1f2e --reason "declines too many" --workspace bank
    """
    with reached(workspace) as reach:
        reach.post(f"/v1/trials/{trial_id}/stop", {"reason": reason})
    answer({"trial_id": trial_id}, [f"{trial_id} has ended."], as_json)


def _turn(on: bool, reason: str, workspace: Path, as_json: bool) -> None:
    with reached(workspace) as reach:
        stands = reach.post("/v1/kill-switch", {"is_on": on, "reason": reason})
    word = "on: rules decide, nothing is declined automatically" if on else "off"
    answer(stands, [f"The kill switch is {word}."], as_json)


def _inside(file: Path) -> str:
    """The path of a file within a set: rules lie in catalogue/, everything else at the top."""
    return f"catalogue/{file.name}" if file.parent.name == "catalogue" else file.name
