"""How consistently do the reviewers in any verdict log decide?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from casework.cli.consistency_lines import deeper_lines
from casework.cli.output import HERE, JsonOption, WorkspaceOption, answer
from casework.quality.agreement.log_report import Columns, report_of_file
from casework.quality.agreement.page import page
from data.errors import InputError

_SHOWN = ("raw", "positive_specific", "negative_specific", "alpha", "ac1")
_COLUMN = "default: the column of that name, if there is one"


def add_to(parent: typer.Typer) -> None:
    parent.command("consistency")(consistency)


def consistency(
    file: Annotated[Path, typer.Argument(help="A CSV file with the columns item, reviewer, verdict.")],
    truth: Annotated[str, typer.Option("--truth", help=f"The column of what was true ({_COLUMN}).")] = "",
    arm: Annotated[str, typer.Option("--arm", help=f"The column of the display arm ({_COLUMN}).")] = "",
    confidence: Annotated[
        str, typer.Option("--confidence", help=f"The column of stated confidence ({_COLUMN}).")
    ] = "",
    seconds: Annotated[str, typer.Option("--seconds", help=f"The column of seconds ({_COLUMN}).")] = "",
    score: Annotated[str, typer.Option("--score", help=f"The column of the model's score ({_COLUMN}).")] = "",
    threshold: Annotated[
        float, typer.Option("--threshold", help="The score from which the model says fraud.")
    ] = 0.5,
    positive: Annotated[
        str, typer.Option("--positive", help="The verdict that means fraud, or several: declined,suspicious.")
    ] = "",
    baseline: Annotated[
        str,
        typer.Option(
            "--baseline", help="The arm that others are set against (default: the one without a score)."
        ),
    ] = "",
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            help="A column to break agreement down by; may be given again (queue, reason, rule and guideline are).",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the bootstrap.")] = 0,
    html: Annotated[Path | None, typer.Option("--html", help="Write the report as one HTML file.")] = None,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Agreement between reviewers, with intervals, for any verdict log. Needs no workspace.

    With what was true, display arms, confidence and seconds it also says who is right how often, what the
    display does, whether confidence is earned, and how long verdicts take; with times (given_at) it gives trends and
    pace, with a person's second look at an item how steady people are, with facts of the items where they differ.

    Example: secondlook consistency verdicts.csv --truth fraud --arm screen --html report.html
    """
    columns = Columns(truth, arm, confidence, seconds, score)
    report = report_of_file(
        file, columns, positive=positive, baseline=baseline, threshold=threshold, by=by or (), seed=seed
    )
    if html:
        _write(html, page(report))
    answer(report, [*_lines(report), *([f"The whole report: {html}"] if html else [])], as_json)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise InputError(
            f"the report cannot be written ({problem.strerror})",
            where=str(path),
            hint="Choose another place.",
        ) from None


def _lines(report: dict[str, Any]) -> list[str]:
    counts = f"{report['n_ratings']} verdicts by {report['n_reviewers']} reviewers on {report['n_all_items']} items"
    lines = [f"{counts}; positive means {report['positive']}."]
    if report["headline"] == "within_arm":
        within = report["within_arm"]
        lines += [
            f"Within display arms, {within['n_items']} items:",
            *map(_line(within), _SHOWN),
            within["sentence"],
        ]
        lines.append(f"Across arms, {report['n_items']} items:")
    lines += [*map(_line(report), _SHOWN), report["sentence"]]
    if "against_truth" in report:
        lines += _truth_lines(report["against_truth"])
    lines += [_effect(one) for one in report.get("arm_effects", [])]
    lines += [
        f"  stated {one['confidence']}: right in {_share(one['right'])}"
        for one in report.get("calibration", [])
    ]
    lines += [
        f"  seconds, {arm}: median {one['value']:.0f}"
        + ("" if one["low"] is None else f" [{one['low']:.0f}, {one['high']:.0f}]")
        for arm, one in report.get("seconds", {}).items()
        if one["value"] is not None
    ]
    lines += deeper_lines(report)
    if report["unused_columns"]:
        lines.append(f"Columns that were not read: {', '.join(report['unused_columns'])}.")
    return lines


def _truth_lines(found: dict[str, Any]) -> list[str]:
    groups = {"all": found["all"]} | {f"reviewer {name}": one for name, one in found["by_reviewer"].items()}
    groups |= {f"arm {name}": one for name, one in found["by_arm"].items()}
    measures = ("recall", "precision", "false_positive_rate")
    return ["Against the truth:"] + [
        f"  {name}: " + ", ".join(f"{m.replace('_', ' ')} {_share(one[m])}" for m in measures)
        for name, one in groups.items()
    ]


def _share(one: dict[str, Any]) -> str:
    return "-" if one["value"] is None else f"{one['value']:.3f} [{one['low']:.3f}, {one['high']:.3f}]"


def _effect(one: dict[str, Any]) -> str:
    what = f"  {one['arm']} against {one['baseline']}, {one['measure'].replace('_', ' ')}"
    if one["difference"] is None:
        return f"{what}: no cases"
    interval = f"[{one['low']:+.3f}, {one['high']:+.3f}]"
    return f"{what}: {one['difference']:+.3f} {interval}, p {one['p']:.2g} (all arms {one['p_adjusted']:.2g})"


def _line(report: dict[str, Any]) -> Any:
    def line(name: str) -> str:
        found = report[name]
        value = found.get("value")
        if value is None:
            return f"  {name:<18} {found.get('state', 'undefined')}"
        low, high = found.get("low"), found.get("high")
        interval = f"  [{low:.3f}, {high:.3f}]" if low is not None and high is not None else ""
        return f"  {name:<18} {value:.3f}{interval}  {found.get('state', '')}"

    return line
