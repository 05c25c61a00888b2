"""Who has a sign-in, and how do they get one?"""

from __future__ import annotations

import secrets
from typing import Annotated
from urllib.parse import quote

import typer

from casework.cli.output import HERE, JsonOption, ReasonOption, WorkspaceOption, answer, table
from casework.cli.reach import reached

cli = typer.Typer(help="The people and systems that may sign in.", no_args_is_help=True)


@cli.command("list")
def list_users(workspace: WorkspaceOption = HERE, as_json: JsonOption = False) -> None:
    """List everyone who has a sign-in.

    Example: secondlook users list --workspace bank
    """
    with reached(workspace) as reach:
        users = reach.get("/v1/users")["users"]
    answer(users, table(users, ("user", "role", "created_at", "disabled_at")), as_json)


@cli.command("add")
def add_user(
    user: Annotated[str, typer.Argument(help="The user name, such as analyst-1.")],
    role: Annotated[
        str, typer.Option("--role", help="analyst, team_lead, risk_manager, auditor, admin, integrator.")
    ],
    reason: ReasonOption,
    password: Annotated[
        str,
        typer.Option("--password", envvar="SECONDLOOK_PASSWORD", help="Made up and shown once if left out."),
    ] = "",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Give somebody a sign-in.

    Example: secondlook users add analyst-1 --role analyst --reason "joins the fraud desk" --workspace bank
    """
    chosen = password or secrets.token_urlsafe(12)
    with reached(workspace) as reach:
        added = reach.post("/v1/users", {"user": user, "role": role, "password": chosen, "reason": reason})
    shown = {} if password else {"password": chosen}
    told = f"{added['user']} can sign in as {added['role']}."
    answer({**added, **shown}, [told, *(f"Password (shown once): {p}" for p in shown.values())], as_json)


@cli.command("disable")
def disable_user(
    user: Annotated[str, typer.Argument(help="The user name.")],
    reason: ReasonOption,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Take somebody's sign-in away; their tokens and keys stop working at once.

    Example: secondlook users disable analyst-1 --reason "left the bank" --workspace bank
    """
    with reached(workspace) as reach:
        reach.delete(f"/v1/users/{quote(user, safe='')}", reason=reason)
    answer({"user": user, "disabled": True}, [f"{user} can sign in no more."], as_json)


@cli.command("link")
def link_user(
    user: Annotated[str, typer.Argument(help="The user name.")],
    reason: ReasonOption,
    email: Annotated[str, typer.Option("--email", help="The verified e-mail address there.")] = "",
    subject: Annotated[str, typer.Option("--subject", help="Or the subject ('sub') there.")] = "",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Let somebody in through the institution's identity provider. The name is kept as a keyed hash only.

    Example: secondlook users link analyst-1 --email analyst-1@bank.example --reason "single sign-on" --workspace bank
    """
    kind, name = ("email", email) if email else ("subject", subject)
    with reached(workspace) as reach:
        path = f"/v1/users/{quote(user, safe='')}/outside-names"
        reach.post(path, {"kind": kind, "name": name, "reason": reason})
    answer({"user": user, "linked": kind}, [f"{user} can sign in through the identity provider."], as_json)


@cli.command("unlink")
def unlink_user(
    user: Annotated[str, typer.Argument(help="The user name.")],
    reason: ReasonOption,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Let nobody in as this user through the identity provider any more.

    Example: secondlook users unlink analyst-1 --reason "changed account" --workspace bank
    """
    with reached(workspace) as reach:
        reach.delete(f"/v1/users/{quote(user, safe='')}/outside-names", reason=reason)
    answer({"user": user, "linked": None}, [f"{user} signs in with a password only."], as_json)
