"""What do pilots show, and what do scorecards say, on a terminal?

Both are about single people, so they are asked for by a person who may read them, and each look is on record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from casework.cli.output import HERE, JsonOption, WorkspaceOption, answer, table
from casework.cli.proposals import PasswordOption, as_user

WhoOption = Annotated[
    str, typer.Option("--user", "-u", envvar="SECONDLOOK_USER", help="Who asks; that is on record.")
]
PilotArgument = Annotated[
    str, typer.Argument(metavar="[PILOT]", help="One pilot; all are listed if left out.")
]
CardArgument = Annotated[
    str, typer.Argument(metavar="[SCORECARD]", help="One scorecard; all are listed if left out.")
]
Json = Mapping[str, Any]
_LOOK = "a look at figures of single people"


def add_to(parent: typer.Typer) -> None:
    parent.command("pilots")(pilots)
    parent.command("scorecards")(scorecards)


def pilots(
    pilot: PilotArgument = "",
    user: WhoOption = "",
    password: PasswordOption = "",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """List the pilots (one set of past cases put before everybody), or say how far apart people were in one, and what
    a change of the guideline did. For team leads.

    Example: secondlook pilots --user team-lead-1 --workspace bank
    """
    with as_user(workspace, user, password, _LOOK) as reach:
        found = reach.get(f"/v1/consistency/pilots/{pilot}" if pilot else "/v1/consistency/pilots")
    answer(found, _pilot(found) if pilot else _pilots(found["pilots"]), as_json)


def scorecards(
    scorecard: CardArgument = "",
    own: Annotated[bool, typer.Option("--own", help="Your own scorecards.")] = False,
    user: WhoOption = "",
    password: PasswordOption = "",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """List everybody's latest scorecards by name, or show one: for team leads, once its reviewer has read it. With
    --own an analyst's own; to open one lets the team lead read it too.

    Example: secondlook scorecards --own --user analyst-2 --workspace bank
    """
    with as_user(workspace, user, password, _LOOK) as reach:
        if scorecard:
            found = reach.get(f"/v1/{'me/' if own else ''}scorecards/{scorecard}")
        elif own:
            found = {"scorecards": reach.get("/v1/me/work")["scorecards"]}
        else:
            found = reach.get("/v1/scorecards")
    answer(found, _card(found) if scorecard else _cards(found["scorecards"]), as_json)


def _pilots(found: list[Json]) -> list[str]:
    rows = [
        {
            "pilot": row["pilot_id"],
            "name": row["name"],
            "opened": row["opened_at"][:10],
            "closed": (row["closed_at"] or "-")[:10],
            "cases": row["cases"],
            "people": row["people"],
            "answered": f"{row['answered']} of {row['asked']}",
        }
        for row in found
    ]
    return table(rows, ("pilot", "name", "opened", "closed", "cases", "people", "answered"))


def _pilot(found: Json) -> list[str]:
    lines = [
        f"{found['name']}: {found['answered']} of {found['asked']} answers.",
        *_agreement(found["report"]),
    ]
    if found["before"]:
        lines += ["", f"Before, {found['days_between']} days earlier:", *_agreement(found["before"]), ""]
        lines += [
            f"Change of {name}: {_share(figure)}"
            for name, figure in found["change"].items()
            if isinstance(figure, Mapping)
        ]
    return lines


def _agreement(report: Json) -> list[str]:
    return [
        f"{name.replace('_', ' ')}: {_share(report[name])}"
        for name in ("raw", "positive_specific", "alpha", "ac1")
        if isinstance(report.get(name), Mapping)
    ]


def _cards(found: list[Json]) -> list[str]:
    rows = [
        {
            "scorecard": row["scorecard_id"],
            "reviewer": row["reviewer"],
            "issued": row["issued_at"][:10],
            "read by its reviewer": (row["opened_at"] or "-")[:10],
            "needs a talk": {True: "yes", False: "no", None: "not shown yet"}[row["flagged"]],
        }
        for row in found
    ]
    return table(rows, ("scorecard", "reviewer", "issued", "read by its reviewer", "needs a talk"))


def _card(found: Json) -> list[str]:
    figures = found["figures"]
    known, money = figures["known"]["all"], figures["money"]
    lines = [
        f"{found['reviewer']}, {figures['since'][:10]} to {figures['until'][:10]}, {figures['reviews']} reviews",
        figures["sentence"],
        f"Fraud found: {_counted(known['recall'])}",
        f"Honest payments called fraud: {_counted(known['false_positive_rate'])}",
        f"Money in frauds that was missed: {_share(money['share'])} of {money['n']} frauds",
        *(f"Unlike colleagues: {flag['sentence']}" for flag in figures["signals"]["flags"]),
        *(f"Comment of {each['at'][:10]}: {each['content']}" for each in found["comments"]),
    ]
    return [*lines, *(f"Read by {look['seen_by']} on {look['at'][:10]}" for look in found["looks"])]


def _counted(figure: Json) -> str:
    counts = f"{figure['said']} of {figure['n']}"
    return f"{counts}, {_share(figure)}"


def _share(figure: Json) -> str:
    """0.72 [0.63, 0.79], or that too little is known."""
    if figure.get("value") is None:
        return "insufficient data"
    if figure.get("low") is None:
        return f"{figure['value']:.2f}"
    return f"{figure['value']:.2f} [{figure['low']:.2f}, {figure['high']:.2f}]"
