"""Are the rules sound, and what do changes of them do?"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from casework.cli import consequences, proposals, rule_consequences
from casework.cli.consequences import moment
from casework.cli.output import HERE, JsonOption, WorkspaceOption, answer, finish, to_json
from casework.cli.reach import reached
from casework.live import Settings, read_settings
from casework.settings import rule_lock
from casework.settings.checking import pin_row, test_row
from casework.settings.linting import finding_row, lint_files
from casework.workspace import Workspace
from data import approved
from data.errors import InputError
from data.incoming.mapping import Mapping, load_mapping
from engine.rules.lint import Severity
from engine.rules.pinning import check_all_pins
from engine.rules.testing import failures, run_tests
from engine.schemas import schemas

SinceOption = Annotated[str, typer.Option("--since", help="First moment, such as 2026-10-01.")]
UntilOption = Annotated[str, typer.Option("--until", help="Moment before which it ends.")]

cli = typer.Typer(
    help="Rules, features, policy and lists: check, test, compare, propose, approve.", no_args_is_help=True
)


@cli.command("check")
def check(workspace: WorkspaceOption = HERE, as_json: JsonOption = False) -> None:
    """Name everything wrong or doubtful in the files under rules/, with its line; exit 1 if anything is an error.

    Example: secondlook rules check --workspace bank
    """
    folder, files, mapping = _folder(workspace)
    running: dict[str, Any] = {}
    if Workspace(workspace).exists:
        with reached(workspace) as reach:
            running = reach.get("/v1/approved-set")["rules"]
    found = lint_files(files, mapping, at=datetime.now(UTC), running=running, where=str(folder))
    tally = Counter(finding.severity for finding in found)
    counts = ", ".join(f"{tally[severity]} {severity.value}" for severity in Severity)
    lines = [*map(str, found), f"{len(files)} files: {counts}."]
    answer({"findings": [finding_row(f) for f in found], "tally": dict(tally)}, lines, as_json)
    finish(bool(tally[Severity.ERROR]))


@cli.command("test")
def test(
    pins: Annotated[
        bool, typer.Option("--pins/--no-pins", help="Also look for numbers no test defends.")
    ] = True,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Run the rules' inline tests, then change each number and condition and see whether a test notices.

    Example: secondlook rules test --workspace bank
    """
    rules = _proposed(workspace).rules
    outcomes = run_tests(rules)
    failed = {outcome.rule_id for outcome in failures(outcomes)}
    loose = [u for u in check_all_pins(rules) if u.rule_id not in failed] if pins else []
    shown = [test_row(outcome) for outcome in outcomes]
    tally = {
        "rules": len(rules),
        "tests": len(outcomes),
        "failed": sum(not row["passed"] for row in shown),
        "unpinned": len(loose),
    }
    lines = [*map(str, outcomes), *(f"UNPINNED {u}" for u in loose)]
    counts = f"{tally['tests']} tests, {tally['failed']} failed, {tally['unpinned']} unpinned"
    lines.append(f"{tally['rules']} rules: {counts if pins else counts.rsplit(',', 1)[0]}.")
    answer({"tally": tally, "tests": shown, "unpinned": [pin_row(u) for u in loose]}, lines, as_json)
    finish(bool(failed or loose))


@cli.command("diff")
def diff(
    effect: Annotated[
        bool, typer.Option("--effect", help="Decide a past period again and show what changes.")
    ] = False,
    since: SinceOption = "",
    until: UntilOption = "",
    flips: Annotated[int, typer.Option("--flips", min=0, max=1000, help="List so many of them.")] = 10,
    offset: Annotated[int, typer.Option("--offset", min=0, help="Of those that flip, from here on.")] = 0,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show how the files differ from what runs, or what that difference does; exit 1 if they differ.

    Example: secondlook rules diff --effect --since 2026-10-01 --until 2026-11-01 --workspace bank
    """
    with reached(workspace) as reach:
        if effect:
            asked = {"since": moment(since), "until": moment(until), "limit": flips, "offset": offset}
            found = reach.get("/v1/previews", **asked)
        else:
            found = reach.get("/v1/drafts")
    if effect:
        answer(found, consequences.preview_lines(found), as_json)
        finish(bool(found["flipped"]))
    lines = [line for draft in found["drafts"] for line in draft["diff"]]
    lines += [f"{p['where']}: {p['what']}. {p['hint']}" for p in found["problems"]]
    answer(found, lines or [f"Nothing differs from the approved set {found['set_id']}."], as_json)
    finish(bool(found["drafts"]))


@cli.command("report")
def report(
    since: SinceOption = "",
    until: UntilOption = "",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show what each rule brought in a period: hits, precision, value caught, and what the model would have missed.

    Example: secondlook rules report --since 2026-10-01 --workspace bank
    """
    with reached(workspace) as reach:
        found = reach.get("/v1/rules/report", since=moment(since), until=moment(until))
    answer(found, consequences.report_lines(found), as_json)


@cli.command("tune")
def tune(
    review_at: Annotated[
        float | None, typer.Option("--review-at", help="Review from this probability.")
    ] = None,
    decline_at: Annotated[float | None, typer.Option("--decline-at", help="Decline from this one.")] = None,
    reviews_per_day: Annotated[int | None, typer.Option("--capacity", help="Reviews a day.")] = None,
    by: Annotated[str, typer.Option("--by", help="Also split by this attribute, such as channel.")] = "",
    since: SinceOption = "",
    until: UntilOption = "",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show what other cut-offs would have meant, beside the present ones and the best for the policy's costs.

    Example: secondlook rules tune --review-at 0.1 --decline-at 0.6 --workspace bank
    """
    asked = {"review_at": review_at, "decline_at": decline_at, "reviews_per_day": reviews_per_day, "by": by}
    with reached(workspace) as reach:
        found = reach.get("/v1/tuner", **asked, since=moment(since), until=moment(until))
    answer(found, consequences.tuner_lines(found), as_json)


@cli.command("lock")
def lock(workspace: WorkspaceOption = HERE, as_json: JsonOption = False) -> None:
    """Write rules/rules.lock.json: from then on a changed rule needs a new version.

    Example: secondlook rules lock --workspace bank
    """
    settings = _proposed(workspace)
    file = workspace / "rules" / rule_lock.LOCK_FILE
    if (held := settings.files.get(rule_lock.LOCK_FILE)) is not None:
        wrong = rule_lock.complaints(rule_lock.read(held, str(file)), settings.rules)
        if wrong:
            raise InputError(wrong[0]["what"], where=wrong[0]["where"], hint=wrong[0]["hint"])
    locked = rule_lock.locked(settings.rules)
    file.write_bytes(rule_lock.as_bytes(locked))
    answer({"locked": locked}, [f"{len(locked)} rules are locked in {file}."], as_json)


@cli.command("schema")
def schema(
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Write all four here, for an editor.")
    ] = None,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show the JSON Schemas of rule, policy, features and lists files, or write them where an editor finds them.

    Example: secondlook rules schema --folder bank/schemas
    """
    known = schemas()
    if folder is None:
        answer(known, [to_json(known)], as_json)
        return
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{name}.schema.json" for name in known]
    for file, content in zip(files, known.values(), strict=True):
        file.write_text(to_json(content) + "\n", encoding="utf-8")
    answer({"files": [str(file) for file in files]}, [f"Written: {file}" for file in files], as_json)


proposals.add_to(cli)
rule_consequences.add_to(cli)


def _proposed(root: Path) -> Settings:
    """The files of a workspace, or of a folder like the repository's own, read."""
    folder, files, mapping = _folder(root)
    return read_settings(files, mapping, str(folder))


def _folder(root: Path) -> tuple[Path, dict[str, bytes], Mapping]:
    """The rules folder, its files and the mapping, which the repository's own folder keeps under rules/."""
    workspace = Workspace(root)
    if not workspace.rules.is_dir():
        raise InputError("there is no rules folder here", where=str(root), hint="Give --workspace DIR.")
    beside = workspace.mapping_file
    mapping = load_mapping(beside if beside.is_file() else workspace.rules / "mapping.yaml")
    return workspace.rules, approved.read_folder(workspace.rules), mapping
