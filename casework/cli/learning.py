"""How is a model trained, tried on the past, and used on a file?"""

from __future__ import annotations

import csv
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

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
from casework.cli.progress import Report, steps
from casework.cli.reach import Reach, opened, reached
from casework.spreadsheet import safe
from casework.workspace import Workspace
from data import reading
from data.errors import InputError
from data.incoming import ingest
from data.incoming.mapping import Mapping
from data.ledger import Ledger
from data.storage.unfinished import command_folder
from data.transactions import Transaction
from engine.measuring import backtest as backtesting
from engine.measuring.labelled_history import Window

_BATCH = 250
_POLL_SECONDS = 0.25
_DAY = timedelta(days=1)
DayOption = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"])]


def add_to(parent: typer.Typer) -> None:
    parent.command("train")(train)
    parent.command("score")(score)
    parent.command("backtest")(backtest)


def train(
    reason: ReasonOption = "asked for by hand",
    tune: Annotated[bool, typer.Option("--tune", help="Search for better settings first.")] = False,
    budget: Annotated[
        int, typer.Option("--budget", min=1, max=86_400, help="Seconds the search may take.")
    ] = 300,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Train a model on the labels known by now; the first becomes champion, later ones must beat it.

    It is trained in a process of its own while payments go on being decided; this command waits for it, and Ctrl-C
    leaves a running server's retrain going on.

    With --tune, settings are tried until the budget is spent, each on folds in order of time; the model's card shows
    what was tried. Exit 1 if the model was refused or none could be trained.

    Example: secondlook train --tune --budget 600 --workspace bank
    """
    with reached(workspace) as reach:
        with steps(as_json) as report:
            started = reach.post("/v1/retrains", {"reason": reason, "search_seconds": budget if tune else 0})
            done = _waited(reach, started["run_id"], report)
        lines = [f"{done['result'].replace('_', ' ')}: {done['sentence']}", *_searched(reach, done)]
    answer(done, lines, as_json)
    finish(done["result"] in ("refused", "failed", "cancelled"))


def _waited(reach: Reach, run_id: str, report: Report) -> dict[str, Any]:
    """The run once it has ended; meanwhile each stage is shown."""
    while True:
        run: dict[str, Any] = reach.get(f"/v1/retrains/{run_id}")
        if run["result"] != "running":
            report("ended", 100, 100)
            return run
        report(run["stage"], round(100 * run["share"]), 100)
        time.sleep(_POLL_SECONDS)


def _searched(reach: Reach, done: dict[str, Any]) -> list[str]:
    """What the search for settings came to, if one was asked for and a model came of it."""
    if not done["challenger_id"]:
        return []
    found = reach.get(f"/v1/models/{done['challenger_id']}/card.json")["search"]
    if not found:
        return []
    before, after = found["average_precision_before"], found["average_precision_chosen"]
    tried = len(found["trials"])
    if not found["chosen"]:
        return [
            f"search: {tried} settings tried, none better than those given (average precision {before:.3f})"
        ]
    return [f"search: {tried} settings tried, average precision on later folds {before:.3f} -> {after:.3f}"]


def backtest(
    train_from: DayOption,
    train_to: DayOption,
    test_from: DayOption,
    test_to: DayOption,
    delay_days: Annotated[int, typer.Option("--delay-days", min=0, help="When labels become known.")] = 7,
    entity: Annotated[
        str, typer.Option("--entity", help="Leave out those of this entity known to be compromised.")
    ] = "",
    cards: Annotated[int, typer.Option("--cards", min=1, help="The k of card precision.")] = 100,
    reviews: Annotated[
        int | None, typer.Option("--reviews", min=1, help="Reviews a day; the policy's if not given.")
    ] = None,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Train on one stretch of time and judge on a later one, knowing only what was known by then.

    Days are UTC; the last day of a stretch is not part of it.

    Example: secondlook backtest --train-from 2018-07-25 --train-to 2018-08-01 --test-from 2018-08-08
    --test-to 2018-08-15 --entity customer --workspace handbook
    """
    with opened(workspace) as app:
        settings = app.settings()
        protocol = backtesting.Protocol(
            train=Window(train_from.replace(tzinfo=UTC), train_to.replace(tzinfo=UTC)),
            test=Window(test_from.replace(tzinfo=UTC), test_to.replace(tzinfo=UTC)),
            delay=delay_days * _DAY,
            entity=entity,
            cards=cards,
            reviews_per_day=reviews or settings.policy.capacity.reviews_per_day,
        )
        found = backtesting.backtest(
            app.ledger, settings.features, protocol, params=settings.policy.model, nthread=2
        ).to_json()
    answer(found, _backtest_lines(found, cards), as_json)


def _backtest_lines(found: dict[str, Any], cards: int) -> list[str]:
    lines = [
        f"{side}: {part['rows']:,} transactions, {part['frauds']:,} frauds, {part['from'][:10]} to {part['to'][:10]}"
        for side, part in (("train", found["train"]), ("test ", found["test"]))
    ]
    shown = [(name.replace("_", " "), found[name]) for name in ("auc", "average_precision")]
    shown.append((f"card precision at {cards}", found[f"card_precision_at_{cards}"]))
    spent = found["at_capacity"]
    reviews = f"at {spent['reviews_per_day']:,} reviews a day"
    shown += [
        (f"precision {reviews}", spent["precision"]),
        (f"recall {reviews}", spent["recall"]),
        (f"share of fraudulent money found {reviews}", spent["value_detection_rate"]),
        ("calibration slope", found["calibration_slope"]),
        ("calibration intercept", found["calibration_intercept"]),
    ]
    lines += [
        f"{name}: {_interval(figure)}" for name, figure in shown if figure and figure["value"] is not None
    ]
    return [*lines, f"Brier score: {found['brier']:.5f}", *_calibration_lines(found["calibration_curve"])]


def _interval(figure: dict[str, Any]) -> str:
    value, low, high = (figure[part] for part in ("value", "low", "high"))
    bounds = f"  [{low:.3f}, {high:.3f}]" if low is not None and high is not None else ""
    return f"{value:.3f}{bounds}"


def _calibration_lines(curve: list[dict[str, Any]]) -> list[str]:
    """Bins that each expect the same number of frauds, the most probable last."""
    return ["said, and came true (of rows):"] + [
        f"  {b['predicted']:.4f}  {b['observed']:.4f} [{b['low']:.4f}, {b['high']:.4f}] ({b['rows']:,})"
        for b in curve
    ]


def score(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A CSV or Parquet file in the mapping's words.")
    ],
    out: Annotated[Path | None, typer.Option("--out", help="Write a CSV file instead of the screen.")] = None,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Decide every transaction of a file, in order, as if it had been sent; the decisions are recorded.

    Exit 1 if rows could not be read or decided.

    Example: secondlook score today.csv --out decisions.csv --workspace bank
    """
    if not file.is_file():
        raise InputError("there is no such file", where=str(file), hint="Check the path.")
    refuse_existing(out)
    mapping = _as_sent(Workspace(workspace).opened().mapping())
    with reached(workspace) as reach, steps(as_json) as progress:
        rows, unread = _decided(reach, mapping, file, progress)
    counts = dict(Counter(row["outcome"] for row in rows))
    if out is not None:
        _write_csv(out, rows)
    shown = [] if out is not None else [f"{r['transaction_id']}  {r['outcome']}  {_percent(r)}" for r in rows]
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    aside(f"{len(rows)} transactions: {told}. {unread} rows could not be read.", as_json)
    answer({"outcomes": counts, "unreadable": unread, "rows": rows}, shown, as_json)
    finish(bool(unread or counts.get("not decided")))


def _as_sent(mapping: Mapping) -> Mapping:
    """The mapping that reads a file's values as they are: pseudonyms are made where they are sent to.

    InputError where a row's own content, of which a name would be part, stands for its id.
    """
    if mapping.pseudonymous and not mapping.transaction_id:
        raise InputError(
            "a file without ids cannot be scored where entities are pseudonyms",
            where=mapping.where,
            hint="An id made from the row would tell of the name. Import the file, or give its rows ids.",
        )
    return replace(mapping, pseudonymous=frozenset())


def _decided(
    reach: Reach, mapping: Mapping, file: Path, progress: Report
) -> tuple[list[dict[str, Any]], int]:
    """The file goes through the same checks as an import, in a ledger that is thrown away."""
    with command_folder("score") as folder:
        at = datetime.now(UTC)
        with Ledger.create(folder / "file.duckdb", mapping, at=at) as staged:
            report = ingest.import_file(staged, mapping, file, at=at, actor="score")
            rows = list(_batches(reach, staged, report.accepted, progress))
    return rows, report.quarantined


def _batches(reach: Reach, staged: Ledger, total: int, progress: Report) -> Iterator[dict[str, Any]]:
    personal: dict[str, dict[str, str]] = {}
    for row in staged.read("SELECT owner, field, value FROM personal_values"):
        personal.setdefault(row["owner"], {})[row["field"]] = row["value"]
    waiting, done = reading.transactions(staged), 0
    while batch := list(islice(waiting, _BATCH)):
        bodies = [_body(each, personal.get(f"transaction:{each.seq}", {})) for each in batch]
        answers = reach.post("/v1/decisions/batch", {"transactions": bodies})["decisions"]
        yield from (_row(each, answered) for each, answered in zip(batch, answers, strict=True))
        done += len(batch)
        progress("deciding", done, total)


def _body(each: Transaction, personal: dict[str, str]) -> dict[str, Any]:
    return {
        "transaction_id": each.transaction_id,
        "occurred_at": each.occurred_at.isoformat(),
        "amount": None if each.amount is None else str(each.amount),
        "currency": each.currency,
        "entities": dict(each.entities),
        "attributes": dict(each.attributes),
        "personal": personal,
    }


def _row(each: Transaction, answered: dict[str, Any]) -> dict[str, Any]:
    if "problem" in answered:
        return {
            "transaction_id": each.transaction_id,
            "outcome": "not decided",
            "probability": None,
            "reasons": [answered["problem"]["detail"]],
        }
    return {name: answered[name] for name in ("transaction_id", "outcome", "probability", "reasons")}


def _percent(row: dict[str, Any]) -> str:
    return "-" if row["probability"] is None else f"{row['probability']:.2%}"


def _write_csv(out: Path, rows: Iterable[dict[str, Any]]) -> None:
    with whole_file(out) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("transaction_id", "outcome", "probability", "reasons"))
        for row in rows:
            cells = (row["transaction_id"], row["outcome"], row["probability"], "; ".join(row["reasons"]))
            writer.writerow([safe(cell) for cell in cells])
