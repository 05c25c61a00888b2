"""How is a change of the approved set proposed, looked at, approved and taken back on the command line?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from casework.cli import consequences
from casework.cli.output import HERE, JsonOption, ReasonOption, WorkspaceOption, answer, finish, table
from casework.cli.reach import Reach, reached
from data.errors import InputError

JSON = dict[str, Any]
OverrideOption = Annotated[
    str, typer.Option("--override", help="Why a rule shall go live without the evidence asked for.")
]
UserOption = Annotated[
    str,
    typer.Option(
        "--user", "-u", envvar="SECONDLOOK_USER", help="Who does this; the author is never the approver."
    ),
]
PasswordOption = Annotated[
    str, typer.Option("--password", envvar="SECONDLOOK_PASSWORD", help="Asked for if left out.")
]
ProposalArgument = Annotated[str, typer.Argument(metavar="PROPOSAL", help="Such as p_0007.")]


def add_to(parent: typer.Typer) -> None:
    parent.command("propose")(propose)
    parent.command("promote")(promote)
    parent.command("rollback")(rollback)
    parent.command("proposals")(proposals)
    parent.command("proposal")(proposal)
    parent.command("approve")(approve)
    parent.command("reject")(reject)
    parent.command("withdraw")(withdraw)
    parent.command("sets")(sets)


@contextmanager
def as_user(
    workspace: Path, user: str, password: str, what: str = "a change of the approved set"
) -> Iterator[Reach]:
    """The workspace, asked by a person who answers for what is done."""
    if not user:
        raise InputError(
            f"{what} needs a person who answers for it",
            where="--user",
            hint="Give --user NAME (or SECONDLOOK_USER); 'secondlook users add' makes one.",
        )
    told = password or str(typer.prompt(f"Password of {user}", hide_input=True, err=True))
    with reached(workspace) as reach:
        yield reach.signed_in(user, told)


def propose(
    reason: ReasonOption,
    paths: Annotated[list[str] | None, typer.Argument(help="Only these files, such as policy.yaml.")] = None,
    override: OverrideOption = "",
    replaces: Annotated[str, typer.Option("--replaces", help="An open proposal whose place it takes.")] = "",
    user: UserOption = "",
    password: PasswordOption = "",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Propose the files that were edited, all or some; a second person approves them. Exit 1 if they are not sound.

    Example: secondlook rules propose --reason "lower the night limit" --user risk-manager-1 --workspace bank
    """
    body = {"edited": paths or [], "reason": reason, "override_reason": override, "replaces": replaces}
    _proposed(body, user, password, workspace, as_json)


def promote(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The rule's id.")],
    reason: ReasonOption,
    to: Annotated[
        str, typer.Option("--to", help="draft, shadow, live or retired; the next if left out.")
    ] = "",
    override: OverrideOption = "",
    user: UserOption = "",
    password: PasswordOption = "",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Propose a rule's next step: draft, shadow, live, retired. To live it needs what it has shown in shadow.

    Example: secondlook rules promote night_on_new_device --reason "precise enough" --user risk-manager-1 -w bank
    """
    body = {"step": {"rule": rule, "to": to}, "reason": reason, "override_reason": override}
    _proposed(body, user, password, workspace, as_json)


def rollback(
    set_id: Annotated[str, typer.Argument(metavar="SET", help="An earlier set; see rules sets.")],
    reason: ReasonOption,
    override: OverrideOption = "",
    user: UserOption = "",
    password: PasswordOption = "",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Propose to go back to an earlier set, as new versions of its rules.

    Example: secondlook rules rollback set_f1d8612cc676698a --reason "too many reviews" --user risk-manager-1 -w bank
    """
    body = {"back_to": set_id, "reason": reason, "override_reason": override}
    _proposed(body, user, password, workspace, as_json)


def _proposed(body: JSON, user: str, password: str, workspace: Path, as_json: bool) -> None:
    with as_user(workspace, user, password) as reach:
        made = reach.post("/v1/proposals", {**body, "origin": "cli"})
    answer(made, page_lines(made), as_json)
    finish(bool(made["problems"]))


def proposals(
    status: Annotated[
        str, typer.Option("--status", help="open, approved, rejected, withdrawn or replaced.")
    ] = "",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """List proposals, newest first.

    Example: secondlook rules proposals --status open --workspace bank
    """
    with reached(workspace) as reach:
        found = reach.get("/v1/proposals", status=status)
    rows = [{**p, "files": ", ".join(c["path"] for c in p["changes"])} for p in found["proposals"]]
    shown = table(rows, ("proposal_id", "status", "author", "proposed_at", "settled_by", "files", "reason"))
    answer(found, shown, as_json)


def proposal(
    proposal_id: ProposalArgument,
    effect: Annotated[bool, typer.Option("--effect", help="Also what it would have changed.")] = False,
    since: Annotated[str, typer.Option("--since", help="First moment, such as 2026-10-01.")] = "",
    until: Annotated[str, typer.Option("--until", help="Moment before which it ends.")] = "",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show one proposal: its diff, checks and evidence, and what it would have changed in a past period.

    Example: secondlook rules proposal p_0007 --effect --workspace bank
    """
    with reached(workspace) as reach:
        found = reach.get(f"/v1/proposals/{proposal_id}")
        preview = None
        if effect:
            period = {"since": consequences.moment(since), "until": consequences.moment(until)}
            preview = reach.get(f"/v1/proposals/{proposal_id}/preview", **period)
    lines = page_lines(found) + (consequences.preview_lines(preview) if preview else [])
    answer({**found, **({"preview": preview} if preview else {})}, lines, as_json)


def approve(
    proposal_id: ProposalArgument,
    reason: ReasonOption,
    content: Annotated[str, typer.Option("--content", help="The content hash that you looked at.")],
    user: UserOption = "",
    password: PasswordOption = "",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Bring somebody else's proposal into force; it decides from then on.

    Example: secondlook rules approve p_0007 --content 4be1c09f2d --reason "seen" --user risk-manager-2 -w bank
    """
    with as_user(workspace, user, password) as reach:
        found = reach.get(f"/v1/proposals/{proposal_id}")
        body = {"proposal_id": proposal_id, "content_sha256": _whole_hash(found, content), "reason": reason}
        done = reach.post("/v1/approvals", body)
    left = done["files_left_alone"]
    lines = [f"{', '.join(done['approved'])}: in force as {done['set_id']}."]
    lines += [f"Edited meanwhile and left alone: {', '.join(left)}."] if left else []
    answer(done, lines, as_json)


def _whole_hash(found: JSON, given: str) -> str:
    """The content hash that somebody gave the beginning of. InputError if it is not this proposal's."""
    whole = str(found["content_sha256"])
    if len(given) < 8 or not whole.startswith(given):
        raise InputError(
            f"{given[:64]!r} is not the content of {found['proposal_id']}",
            where="--content",
            allowed="8 or more of the first digits of its content hash",
            hint=f"Look at it with 'rules proposal {found['proposal_id']}'.",
        )
    return whole


def reject(
    proposal_id: ProposalArgument,
    reason: ReasonOption,
    user: UserOption = "",
    password: PasswordOption = "",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Decline somebody else's proposal.

    Example: secondlook rules reject p_0007 --reason "stops shift workers" --user risk-manager-2 --workspace bank
    """
    _settled("rejection", proposal_id, reason, user, password, workspace, as_json)


def withdraw(
    proposal_id: ProposalArgument,
    reason: ReasonOption,
    user: UserOption = "",
    password: PasswordOption = "",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Take one's own proposal back.

    Example: secondlook rules withdraw p_0007 --reason "wrong limit" --user risk-manager-1 --workspace bank
    """
    _settled("withdrawal", proposal_id, reason, user, password, workspace, as_json)


def _settled(
    how: str, proposal_id: str, reason: str, user: str, password: str, workspace: Path, as_json: bool
) -> None:
    with as_user(workspace, user, password) as reach:
        done = reach.post(f"/v1/proposals/{proposal_id}/{how}", {"reason": reason})
    answer(done, [f"{done['proposal_id']} is {done['status']}."], as_json)


def sets(workspace: WorkspaceOption = HERE, as_json: JsonOption = False) -> None:
    """List every set that was ever approved, newest first.

    Example: secondlook rules sets --workspace bank
    """
    with reached(workspace) as reach:
        found = reach.get("/v1/approved-sets")
    answer(found, table(found["sets"], ("set_id", "approved_by", "approved_at", "reason")), as_json)


def page_lines(found: JSON) -> list[str]:
    """A proposal as a person reads it, ending with what to do next."""
    by = f"{found['author']} ({found['origin']})"
    lines = [f"{found['proposal_id']}: {found['status']}, proposed by {by}: {found['reason']}"]
    lines += [line for file in found["files"] for line in file["diff"]]
    for row in found.get("steps", []):
        lines += step_lines(row)
    if rules := found.get("without_evidence"):
        why = found["override_reason"] or "no reason is given"
        lines.append(f"EXCEPTION: {', '.join(rules)} would go live without evidence from shadow: {why}")
    lines += [f"FAIL {t['rule']}: {t['name']}" for t in found.get("tests", []) if not t["passed"]]
    lines += [f"UNPINNED {u['rule']}: no test notices when {u['change']}" for u in found.get("unpinned", [])]
    lines += [f"{p['where']}: error: {p['what']}. {p['hint']}" for p in found.get("problems", [])]
    lines += [f"{path} has changed since in the approved set." for path in found.get("overtaken", [])]
    lines.append(f"Content: {found['content_sha256']}")
    if found["status"] == "open":
        short = found["content_sha256"][:12]
        command = f"rules approve {found['proposal_id']} --content {short} --reason ... --user ..."
        lines.append(f"A second person approves it: {command}")
    else:
        lines.append(f"{found['status']} by {found['settled_by']}: {found['settled_reason']}")
    return lines


def step_lines(row: JSON) -> list[str]:
    """A rule's step in its life, with what it has shown in shadow."""
    lines = [f"{row['rule']}: {row['from'] or 'new'} -> {row['to']}"]
    seen = row["evidence"]
    if seen:
        p = seen["precision"]
        precise = f"{p['value']:.1%} ({p['low']:.1%} to {p['high']:.1%})" if p["n"] else "not known"
        lines.append(
            f"  {seen['days']} days in shadow, {seen['hits']} hits, precision {precise} of {seen['known']} known, "
            f"{seen['added_cases_a_day']:.1f} more cases a day on {seen['cases_a_day']:.1f} of {seen['capacity']}"
        )
        lines += [f"  lacking: {sentence}" for sentence in seen["lacking"]]
    return lines
