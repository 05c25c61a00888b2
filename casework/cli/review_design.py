"""What do a review design's shares cost and tell, on a terminal?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from casework.cli.output import HERE, JsonOption, WorkspaceOption, answer, table
from casework.cli.reach import reached

Share = Annotated[float | None, typer.Option(min=0, max=1, help="Instead of the policy's share.")]
_FIGURES = ("figure", "a week", "have", "needed", "expected", "95 % interval", "weeks until shown")


def add_to(cli: typer.Typer) -> None:
    cli.command("review-design")(review_design)


def review_design(
    second_review: Share = None,
    third_review: Share = None,
    audit: Share = None,
    golden: Share = None,
    re_serve: Share = None,
    weeks: Annotated[int, typer.Option(min=1, max=104, help="After how many weeks to look.")] = 12,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Say what the policy's shares of second reviews, audits, golden cases and re-serves cost in reviews a week, which
    interval each figure gets, and when it can first be shown.

    Example: secondlook review-design --second-review 0.4 --weeks 8 --workspace bank
    """
    asked = {"second_review": second_review, "third_review": third_review, "audit": audit}
    asked |= {"golden": golden, "re_serve": re_serve}
    with reached(workspace) as reach:
        found = reach.get("/v1/review-design", weeks=weeks, **asked)
    answer(found, _lines(found), as_json)


def _lines(found: Mapping[str, Any]) -> list[str]:
    cost, volumes = found["cost"], found["volumes"]
    kinds = ", ".join(f"{n:g} {kind.replace('_', '-')}" for kind, n in cost["by_kind"].items())
    return [
        f"{cost['reviews_a_week']:g} reviews a week, {cost['hours_a_week']:g} hours ({kinds}); as the policy stands "
        f"{cost['in_force_reviews_a_week']:g} and {cost['in_force_hours_a_week']:g}.",
        f"Measured over {volumes['weeks']:.1f} weeks: {volumes['cases']:.0f} cases and {volumes['automatic']:.0f} "
        f"automatic decisions a week, {volumes['analysts']} analysts.",
        "",
        *table([_figure(row, found["weeks"]) for row in found["figures"]], _FIGURES),
        "",
        *(f"Measured: {what}." for what in found["measured"]),
        *(f"Assumed: {what}." for what in found["assumed"]),
    ]


def _figure(row: Mapping[str, Any], weeks: int) -> dict[str, Any]:
    half, until = row["half_width"], row["weeks_until"]
    return {
        "figure": row["title"],
        "a week": row["a_week"],
        "have": row["have"],
        "needed": "-" if row["needed"] is None else row["needed"],
        "expected": f"{row['value']:.4g}",
        "95 % interval": f"insufficient data in {weeks} weeks" if half is None else f"± {half:.2g}",
        "weeks until shown": "never" if until is None else until,
    }
