"""How is an engine put together from the demo's files and a model, without a workspace?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import duckdb

from benchmarks.institutions import END, RULES, START, demo_features
from data.incoming.mapping import load_mapping
from data.transactions import Transaction
from engine.decide import Engine
from engine.features.online import OnlineState
from engine.measuring.labelled_history import Window, as_microseconds, load_history
from engine.model.scoring import Model
from engine.model.train import TrainedModel, train
from engine.policy import Policy, load_policy
from engine.rules.lists import load_lists
from engine.rules.loader import load_rules
from engine.rules.rule_set import RuleSet

MAPPING = load_mapping(RULES / "mapping.yaml")


def demo_rules() -> RuleSet:
    """The demo's live and shadow rules."""
    files = {p.relative_to(RULES).as_posix(): p.read_bytes() for p in RULES.rglob("*") if p.is_file()}
    return load_rules(files, demo_features(), load_lists(files["lists.yaml"]))


def demo_policy() -> Policy:
    return load_policy((RULES / "policy.yaml").read_bytes())


def trained_model(connection: duckdb.DuckDBPyConnection) -> TrainedModel:
    """200 trees on everything the connection holds (see institutions.ledger_like), by the chargebacks known at the
    end."""
    features = demo_features()
    window = Window(datetime.combine(START, datetime.min.time(), UTC), END)
    history = load_history(connection, features, [window])
    labels, _ = history.labels(known_by_us=as_microseconds(END))
    return train(history.training(history.rows(window), labels), feature_set=features)


def engine(state: OnlineState, model: Model | None, policy: Policy | None = None) -> Engine:
    """Features, the demo's rules, model, triage and explanations."""
    return Engine(
        state=state,
        rules=demo_rules(),
        policy=policy or demo_policy(),
        model=model,
        key=b"benchmark",
        set_id="benchmark",
    )


def transactions(rows: Iterable[Mapping[str, Any]]) -> Iterator[Transaction]:
    """Rows of a ledger-like table as the engine takes them."""
    for row in rows:
        yield Transaction(
            transaction_id=row["transaction_id"],
            occurred_at=row["occurred_at"].replace(tzinfo=UTC),
            amount_minor=row["amount_minor"],
            entities={name: row[name] for name in MAPPING.entities},
            attributes={name: row[name] for name in MAPPING.attributes},
            seq=row["seq"],
        )
