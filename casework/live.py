"""What decides right now: which approved set, which model, which memory of the past?"""

from __future__ import annotations

import logging
from collections.abc import Mapping as Map
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from casework.cases.past import PastPayments
from casework.learning.registry import novelty
from casework.safety import opening, taking_over
from casework.safety.guard import Guard
from casework.workspace import Workspace
from data import approved
from data.errors import ConfigError, InputError, NotFoundError
from data.incoming.mapping import Mapping
from data.ledger import Ledger
from engine.decide import Engine
from engine.features.feature_set import FeatureSet
from engine.features.online import OnlineState, columns_read
from engine.features.spec import load_features
from engine.model.scoring import Model
from engine.policy import Policy, load_policy
from engine.rules.lists import Lists, load_lists
from engine.rules.loader import load_rules
from engine.rules.rule_set import RuleSet
from engine.rules.sql import identifier
from engine.segments import Segments, load_segments

log = logging.getLogger("secondlook.server")
REQUIRED = ("features.yaml", "policy.yaml")


@dataclass(frozen=True, slots=True)
class Settings:
    """A set of rule files, read: what it takes to decide, but for the model and the memory."""

    files: Map[str, bytes]
    features: FeatureSet
    rules: RuleSet
    policy: Policy
    lists: Lists
    segments: Segments


@dataclass(frozen=True, slots=True)
class Live:
    """Everything that decides. It is replaced as a whole when a set is approved or a model promoted."""

    set_id: str
    settings: Settings
    model: Model | None
    memory: OnlineState
    engine: Engine
    guard: Guard
    past: PastPayments
    refused: str = ""
    """Why the champion's files could not be loaded again, while the model loaded before goes on."""

    @property
    def model_id(self) -> str:
        return self.model.model_id if self.model else ""


def read_settings(files: Map[str, bytes], mapping: Mapping, where: str = "rules") -> Settings:
    """Read a whole set of files. ConfigError with file:line:column for the first thing wrong."""
    for name in REQUIRED:
        if name not in files:
            raise ConfigError(
                "this file is missing", where=f"{where}/{name}", hint="Put it back; it is needed."
            )
    features = load_features(files["features.yaml"], f"{where}/features.yaml", mapping)
    lists = load_lists(files.get("lists.yaml", b""), f"{where}/lists.yaml")
    policy = load_policy(files["policy.yaml"], f"{where}/policy.yaml")
    _check_protected(features, policy, f"{where}/features.yaml")
    named = {f"{where}/{name}": content for name, content in files.items()}  # as a person finds them
    rules = load_rules(named, features, lists, currency=policy.currency)
    segments = load_segments(files["policy.yaml"], policy, features, lists, f"{where}/policy.yaml")
    return Settings(files, features, rules, policy, lists, segments)


def _check_protected(features: FeatureSet, policy: Policy, where: str) -> None:
    """ConfigError if a feature reads the attribute that is there for the subgroup table only."""
    for feature in features.features:
        if policy.protected_attribute and policy.protected_attribute in (feature.of, *feature.entity):
            raise ConfigError(
                f"the feature {feature.name} reads the protected attribute",
                where=where,
                hint="Take the feature out, or name another protected_attribute in policy.yaml.",
            )


def build(
    ledger: Ledger,
    workspace: Workspace,
    mapping: Mapping,
    before: Live | None = None,
    held: Model | None = None,
) -> Live:
    """Load the approved set, the champion and the memory of the past from the ledger.

    The memory of `before` is taken over where the features are declared as they were; `held` is the model that decided
    until now, which goes on where it is the champion and its files are not what they were.
    """
    current = approved.current(ledger)
    unchanged = before is not None and before.set_id == current.set_id  # the id is made of what is in the set
    settings = before.settings if before and unchanged else read_settings(current.files, mapping)
    model, absent, refused = found_champion(ledger, workspace.models, held)
    policy = opening.chosen_policy(ledger, settings)
    same = before is not None and before.settings.files["features.yaml"] == settings.files["features.yaml"]
    memory = before.memory if before and same else remembered(ledger, settings.features)
    engine = Engine(
        state=memory,
        rules=settings.rules,
        policy=policy.policy,
        model=model,
        key=workspace.key(),
        set_id=current.set_id,
        segments=policy.segments,
        notes=policy.notes,
        unlabelled=None if model else novelty.current(ledger, settings.files["features.yaml"]),
        absent=absent,
    )
    past = before.past if before else PastPayments(ledger, mapping)
    guard = opening.guard(ledger, engine, settings, workspace.models, partial(read_settings, mapping=mapping))
    return Live(current.set_id, settings, model, memory, engine, guard, past, refused)


def after_pause(ledger: Ledger, models: Path, before: Live) -> Live:
    """What decides once the breaker has paused the model, the policy or a rollout of `before`.

    Payments wait meanwhile, so only what takes over is read from the ledger; settings, memory and counters stay.
    """
    settings, held = before.settings, before.engine
    model, absent, refused = before.model, held.absent, before.refused
    if champion_id(ledger) != before.model_id:
        model, absent, refused = found_champion(ledger, models, before.model)
    unlabelled = held.unlabelled
    if model is None and unlabelled is None:
        unlabelled = novelty.current(ledger, settings.files["features.yaml"])
    policy = opening.chosen_policy(ledger, settings)
    engine = Engine(
        state=before.memory,
        rules=settings.rules,
        policy=policy.policy,
        model=model,
        key=held.key,
        set_id=before.set_id,
        segments=policy.segments,
        notes=policy.notes,
        unlabelled=unlabelled,
        absent=absent,
    )
    guard = taking_over.guard(ledger, before.guard, engine, settings)
    return replace(before, model=model, engine=engine, guard=guard, refused=refused)


def found_champion(ledger: Ledger, models: Path, held: Model | None = None) -> tuple[Model | None, str, str]:
    """The model that decides, the word for why there is none, and why its files were refused, '' if they were not.

    A champion whose files are gone or altered must not keep the server from starting: rules go on, and where none asks
    for more the policy's fail-safe outcome stands, with an alarm. One that is in memory already was checked when it was
    loaded: it goes on.
    """
    wanted = champion_id(ledger)
    try:
        return opening.loaded_model(ledger, models, wanted) if wanted else None, "no_model", ""
    except (NotFoundError, InputError) as problem:
        log.error("the champion cannot be used: %s", problem.what)
        if held is not None and held.model_id == wanted:
            return held, "no_model", problem.what
        return None, "model_missing", ""


def champion_id(ledger: Ledger) -> str:
    """Which model decides: '' before the first is trained; the one before while the breaker has paused it."""
    rows = ledger.read(
        "SELECT model_id FROM models WHERE status = 'champion' ORDER BY created_at DESC LIMIT 1"
    )
    model_id = str(rows[0]["model_id"]) if rows else ""
    if model_id and opening.paused_model(ledger, model_id):
        return opening.model_before(ledger, model_id)
    return model_id


def remembered(ledger: Ledger, features: FeatureSet) -> OnlineState:
    """The online memory, filled with all of the ledger that a window can still reach."""
    state = OnlineState(features)
    newest = ledger.read("SELECT max(occurred_at) AS at FROM transactions")[0]["at"]
    if newest is None:
        return state
    since = max(newest - timedelta(microseconds=features.memory_us), datetime(1970, 1, 1, tzinfo=UTC))
    columns = ", ".join(identifier(name) for name in columns_read(features))
    transactions = ledger.read_arrow(
        f"SELECT {columns} FROM transactions WHERE occurred_at >= ? ORDER BY seq", [since]
    )
    outcomes = ledger.read_arrow(
        "SELECT o.* FROM outcomes o JOIN transactions t ON t.seq = o.transaction_seq WHERE t.occurred_at >= ? "
        "ORDER BY o.reported_seq, o.recorded_at, o.transaction_seq",
        [since],
    )
    state.bulk_load(transactions, outcomes)
    return state
