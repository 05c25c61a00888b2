"""How well do our features and defaults find fraud on the Fraud Detection Handbook's data, next to its own figures?

    python -m benchmarks.handbook [handbook_transactions.parquet] [--quick | --worth | --delay | --pictures FOLDER]

Everything goes the product's own way: mapping, import into a ledger, features from YAML, backtest with the product's
default settings. `--worth` takes away one group of features, or one setting, at a time, on the validation folds.
`--delay` shows there what each way to live with late labels is worth.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks import handbook_delay, handbook_pictures, handbook_worth
from benchmarks.handbook_ceiling import Ceiling
from data.incoming.ingest import import_file
from data.incoming.mapping import load_mapping
from data.ledger import Ledger
from engine.features.feature_set import FeatureSet
from engine.features.spec import load_features
from engine.measuring.backtest import Backtest, Protocol, run
from engine.measuring.labelled_history import History, Window, load_history

FILES = Path(__file__).parent / "handbook_files"
DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data" / "handbook_transactions.parquet"
AT = datetime(2026, 1, 1, tzinfo=UTC)
CHAPTER_3 = "2018-07-25"
VALIDATION_FOLDS = ("2018-07-11", "2018-07-04", "2018-06-27", "2018-06-20")
TEST_FOLDS = ("2018-08-15", "2018-08-08", "2018-08-01", "2018-07-25")
WEEK = timedelta(days=7)
PUBLISHED = {
    "chapter 3": (
        ("book: logistic regression", 0.871, 0.606, 0.291),
        ("book: random forest", 0.867, 0.658, 0.287),
        ("book: XGBoost", 0.862, 0.639, 0.273),
    ),
    "chapter 5": (
        ("book: random forest", 0.870, 0.678, 0.299),
        ("book: XGBoost, chosen on validation", 0.869, 0.687, 0.303),
        ("book: XGBoost, best on test", 0.871, 0.694, 0.304),
        ("book: neural net (chapter 7)", 0.876, 0.675, 0.303),
        ("book: LSTM (chapter 7)", 0.876, 0.665, 0.297),
    ),
}


def protocol(week: str, train_days: int = 7) -> Protocol:
    """Training ends seven days after `week`; a week of delay, a week of test. A longer training window reaches further
    back, while the same customers count as compromised."""
    start = datetime.fromisoformat(week).replace(tzinfo=UTC)
    end = start + WEEK
    return Protocol(
        train=Window(end - timedelta(days=train_days), end),
        test=Window(end + WEEK, end + 2 * WEEK),
        delay=WEEK,
        entity="customer",
        compromised_since=start,
    )


@contextmanager
def imported(path: Path) -> Iterator[tuple[Ledger, FeatureSet, float]]:
    """(ledger, features, seconds the import took) in a folder that is gone afterwards."""
    mapping = load_mapping(FILES / "mapping.yaml")
    features = load_features((FILES / "features.yaml").read_bytes(), "features.yaml", mapping)
    with tempfile.TemporaryDirectory() as folder:
        before = time.perf_counter()
        ledger = Ledger.create(Path(folder) / "handbook.duckdb", mapping, at=AT)
        try:
            import_file(ledger, mapping, path, at=AT, actor="benchmark")
            yield ledger, features, time.perf_counter() - before
        finally:
            ledger.close()


def folds(history: History, features: FeatureSet, weeks: tuple[str, ...], train_days: int) -> list[Backtest]:
    return [run(history, features, protocol(week, train_days)) for week in weeks]


def row(name: str, found: list[Backtest]) -> str:
    """Means over folds; in brackets the 95 % interval of one fold, or the spread (sd) of several."""
    ap = [f.average_precision.value for f in found]
    one = found[0].average_precision
    spread = f"[{one.low:.3f}, {one.high:.3f}]" if len(found) == 1 else f"(sd {np.std(ap, ddof=1):.3f})"
    area = np.mean([f.auc.value for f in found])
    cards = np.mean([f.card_precision.value for f in found if f.card_precision])
    return f"| {name} | {area:.3f} | {np.mean(ap):.3f} {spread} | {cards:.3f} |"


def published(chapter: str) -> list[str]:
    return [f"| {name} | {a:.3f} | {ap:.3f} | {cp:.3f} |" for name, a, ap, cp in PUBLISHED[chapter]]


def table(title: str, rows: Iterable[str]) -> None:
    print(f"\n{title}\n\n| | AUC | average precision | card precision at 100 |\n|---|---|---|---|")
    for line in rows:
        print(line, flush=True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", nargs="?", type=Path, default=DEFAULT)
    parser.add_argument("--quick", action="store_true", help="chapter 3 only")
    parser.add_argument(
        "--worth", action="store_true", help="what each part is worth, on the validation folds"
    )
    parser.add_argument("--delay", action="store_true", help="what handling late labels is worth, likewise")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="also draw the curves")
    given = parser.parse_args(arguments)
    if not given.path.is_file():
        print(f"The Handbook's transactions are not at {given.path}; give the path of the Parquet file.")
        return 2
    with imported(given.path) as (ledger, features, seconds):
        print(f"Import: {ledger.next_transaction_seq - 1:,} transactions in {seconds:.1f} s")
        if given.worth:
            worth(ledger, features)
            return 0
        if given.delay:
            late_labels(ledger, features)
            return 0
        if given.quick:
            windows = [protocol(CHAPTER_3).train, protocol(CHAPTER_3).test]
            chapter_3_table(load_history(ledger, features, windows, entity="customer"), features)
            return 0
        history = whole_history(ledger, features)
        chapter_3_table(history, features)
        test_tables(history, features, Ceiling(given.path), given.pictures)
    return 0


def chapter_3_table(history: History, features: FeatureSet) -> None:
    found = run(history, features, protocol(CHAPTER_3))
    table(
        f"Chapter 3: train {found.train_rows:,} / {found.train_frauds} frauds, "
        f"test {found.test_rows:,} / {found.test_frauds} frauds",
        [row("Second Look", [found]), *published("chapter 3")],
    )


def whole_history(ledger: Ledger, features: FeatureSet) -> History:
    everything = Window(protocol(VALIDATION_FOLDS[-1], 63).train.start, protocol(TEST_FOLDS[0]).test.end)
    return load_history(ledger, features, [everything], entity="customer")


def test_tables(history: History, features: FeatureSet, ceiling: Ceiling, pictures: Path | None) -> None:
    chosen = folds(history, features, VALIDATION_FOLDS, 7)
    table(
        "Mean of the four validation folds (on which everything was chosen)",
        [
            row("Second Look, 7 days", chosen),
            bound("somebody who knows the scenarios", ceiling.figures(chosen)),
        ],
    )
    found = {days: folds(history, features, TEST_FOLDS, days) for days in (7, 28, 63)}
    ours = [row(f"Second Look, {days} days", of) for days, of in found.items()]
    best = ceiling.figures(found[7])
    table(
        "Mean of the four test folds of chapters 5 to 7",
        [*ours, bound("somebody who knows the scenarios", best), *published("chapter 5")],
    )
    blind = ceiling.unknowable(found[7])
    print(
        f"\n{blind:.1%} of the test frauds are of terminals in their first week, which nobody can know of yet."
    )
    measured(found[7])
    if pictures:
        handbook_pictures.calibration(pictures / "handbook-calibration.png", found[7])
        named = {"7 days of training": found[7], "63 days of training": found[63]}
        handbook_pictures.precision_recall(pictures / "handbook-precision-recall.png", named, [1 - blind])


def measured(found: list[Backtest]) -> None:
    """What the four test folds together say at review capacity and of calibration."""
    print("\nAt 100 reviews a day, fold by fold: precision, recall, share of fraudulent money found")
    for fold in found:
        at = fold.at_capacity
        print(
            f"  {fold.protocol.test.start:%Y-%m-%d}: {at.precision}, {at.recall}, {at.value_detection_rate}"
        )
    line = handbook_pictures.pooled(found)
    print(f"\nCalibration: slope {line.slope}, intercept {line.intercept}, level {line.level}")
    print(
        f"Brier {line.brier:.5f} (skill {line.brier_skill:.3f}), log-loss {line.log_loss:.5f}; said, came true:"
    )
    for b in line.bins:
        print(f"  {b.predicted:.4f}  {b.observed:.4f} [{b.low:.4f}, {b.high:.4f}] ({b.rows:,} payments)")


def bound(name: str, figures: tuple[float, float, float]) -> str:
    return "| {} | {:.3f} | {:.3f} | {:.3f} |".format(name, *figures)


def worth(ledger: Ledger, features: FeatureSet) -> None:
    """Print what each variant reaches on the validation folds; test folds are not looked at."""
    history = whole_history(ledger, features)
    protocols = [protocol(week) for week in VALIDATION_FOLDS]
    table("Mean of the four validation folds", handbook_worth.rows(history, features, protocols))


def late_labels(ledger: Ledger, features: FeatureSet) -> None:
    """Print what each way to live with late labels reaches on the validation folds."""
    protocols = [protocol(week) for week in VALIDATION_FOLDS]
    table("Mean of the four validation folds", handbook_delay.rows(ledger, features, protocols))


if __name__ == "__main__":
    raise SystemExit(main())
