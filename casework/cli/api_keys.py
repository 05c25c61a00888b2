"""Which API keys do payment systems have, and how do they get one or lose it?"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from casework.cli.output import HERE, JsonOption, ReasonOption, WorkspaceOption, answer, table
from casework.cli.reach import reached

cli = typer.Typer(help="API keys of payment systems.", no_args_is_help=True)


@cli.command("list")
def list_keys(workspace: WorkspaceOption = HERE, as_json: JsonOption = False) -> None:
    """List every API key there was, without its secret.

    Example: secondlook keys list --workspace bank
    """
    with reached(workspace) as reach:
        found = reach.get("/v1/api-keys")["keys"]
    shown = [{**row, "scopes": " ".join(row["scopes"])} for row in found]
    columns = ("key_id", "user", "name", "scopes", "per_second", "expires_at", "revoked_at")
    answer(found, table(shown, columns), as_json)


@cli.command("add")
def add_key(
    user: Annotated[str, typer.Argument(help="The system's user name; its role must be integrator.")],
    reason: ReasonOption,
    scope: Annotated[
        list[str], typer.Option("--scope", help="decide, import, outcomes, read, metrics; repeatable.")
    ],
    name: Annotated[str, typer.Option("--name", help="What the key is called.")] = "default",
    per_second: Annotated[
        int, typer.Option("--per-second", help="Requests a second; each transaction of a batch counts.")
    ] = 1000,
    days: Annotated[int, typer.Option("--days", help="How long it is good for, at most 730.")] = 365,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Give a system an API key. The secret is shown once.

    Example: secondlook keys add integrator-1 --scope decide --scope read --reason "card authorisation" --workspace bank
    """
    asked = {
        "user": user,
        "name": name,
        "scopes": scope,
        "per_second": per_second,
        "days": days,
        "reason": reason,
    }
    with reached(workspace) as reach:
        made = reach.post("/v1/api-keys", asked)
    lines = [
        f"{made['key_id']} is good until {made['expires_at']}.",
        f"Secret (shown once): {made['secret']}",
        "Send it as 'Authorization: Bearer SECRET'.",
    ]
    answer(made, lines, as_json)


@cli.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="The key, as 'keys list' names it.")],
    reason: ReasonOption,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Let an API key in no more, at once.

    Example: secondlook keys revoke key_0a1b2c3d4e5f --reason "its system was retired" --workspace bank
    """
    with reached(workspace) as reach:
        reach.delete(f"/v1/api-keys/{quote(key_id, safe='')}", reason=reason)
    answer({"key_id": key_id, "revoked": True}, [f"{key_id} is let in no more."], as_json)
