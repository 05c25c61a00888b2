"""What is it worth on the Handbook's validation folds to heed that labels come a week late, and in which way?

Whatever is done about the delay, the same payments are judged; what nobody could do shows what the delay itself costs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta

import duckdb
import numpy as np

from benchmarks.handbook_worth import means
from data.errors import InputError
from data.ledger import Ledger
from engine.features.feature_set import FeatureSet
from engine.measuring.backtest import Backtest, Protocol, run
from engine.measuring.labelled_history import History, Window, load_history

TRANSACTIONS = "SELECT seq, transaction_id, occurred_at, amount_minor, customer, terminal FROM transactions"
AT_ONCE = """
    CREATE TABLE outcomes AS SELECT o.* REPLACE (t.occurred_at AS known_at)
    FROM _outcomes o JOIN transactions t ON t.seq = o.transaction_seq"""


@dataclass(frozen=True)
class Handling:
    """One way to live with the delay: what was known by then, and from which rows a model learned."""

    name: str
    history: History
    protocols: Sequence[Protocol]


def rows(ledger: Ledger, features: FeatureSet, protocols: Sequence[Protocol]) -> Iterator[str]:
    """Table rows, one a handling: AUC, average precision, card precision, means over the folds."""
    judged: list[np.ndarray] = []
    for handling in _handlings(ledger, features, protocols):
        found = [run(handling.history, features, protocol) for protocol in handling.protocols]
        judged = judged or [fold.scores.seq for fold in found]
        _compare(judged, found)
        yield f"| {handling.name} | {means(found)} |"


def _handlings(ledger: Ledger, features: FeatureSet, protocols: Sequence[Protocol]) -> Iterator[Handling]:
    span = Window(min(p.train.start for p in protocols), max(p.test.end for p in protocols))
    history = load_history(ledger, features, [span], entity="customer")
    closer = [until_the_test(protocol) for protocol in protocols]
    yield Handling("as it is: the week whose labels nobody has is left out", history, protocols)
    yield Handling("that week learned from, too, its payments taken for good ones", history, closer)
    undelayed = replace(features, label_delay_us=0)
    hasty = load_history(ledger, undelayed, [span], entity="customer")
    yield Handling("label windows up to the payment, of labels known by then", hasty, protocols)
    known = replace(history, outcome_us=history.occurred_us[history.outcome_row])
    yield Handling("nobody could: that week learned from with its labels", known, closer)
    with closing(at_once(ledger)) as source:
        told = load_history(source, undelayed, [span], entity="customer")
    yield Handling(
        "nobody could: and label windows up to the payment, of all labels",
        replace(known, features=told.features),
        closer,
    )


def until_the_test(protocol: Protocol) -> Protocol:
    """The same test, with nothing left out before it."""
    return replace(protocol, train=Window(protocol.train.start, protocol.test.start), delay=timedelta(0))


def at_once(ledger: Ledger) -> duckdb.DuckDBPyConnection:
    """A copy of the ledger in which every label was known when its payment happened."""
    source = duckdb.connect()
    source.execute("SET TimeZone = 'UTC'")
    source.register("_transactions", ledger.read_arrow(TRANSACTIONS))
    source.register("_outcomes", ledger.read_arrow("SELECT * FROM outcomes"))
    source.execute("CREATE TABLE transactions AS FROM _transactions ORDER BY seq")
    source.execute(AT_ONCE)
    source.unregister("_transactions")
    source.unregister("_outcomes")
    return source


def _compare(judged: Sequence[np.ndarray], found: Sequence[Backtest]) -> None:
    for wanted, fold in zip(judged, found, strict=True):
        if not np.array_equal(wanted, fold.scores.seq):
            raise InputError("other payments are judged than before", where=str(fold.protocol.test.start))
