"""What does the ledger say of safety when what decides is loaded: what is paused, capped, snoozed, listed, tried?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from casework.learning.registry import models as registered
from casework.safety import alarms, breaker_acts, kill_switch, list_entries, rollout_watch, snoozes, trials
from casework.safety.expectations import Running, Sets, model_watches, policy_version, version_of, watches
from casework.safety.guard import Guard, Switched, Versions, controlled
from casework.safety.trials import ROLLOUT, SHADOW, Trial
from casework.watching import widening
from data.errors import ConfigError, SecondLookError
from data.ledger import Ledger
from engine.breaker import DECLINES, MODEL, ON_TRIAL, PAUSE, POLICY, RULE, Breaker, Watch
from engine.control import Control
from engine.costs import CapacityState
from engine.decide import Engine
from engine.features.feature_set import FeatureSet
from engine.model import registry
from engine.model.scoring import Model
from engine.policy import Policy, load_policy
from engine.rules.lists import Lists
from engine.rules.rule_set import RuleSet
from engine.segments import Segments, load_segments
from engine.what_if.trial import Rollout, Shadow

log = logging.getLogger("secondlook.safety")
JSON = dict[str, Any]


class Settings(Protocol):
    """A set of files, read."""

    @property
    def files(self) -> Mapping[str, bytes]: ...
    @property
    def features(self) -> FeatureSet: ...
    @property
    def rules(self) -> RuleSet: ...
    @property
    def policy(self) -> Policy: ...
    @property
    def lists(self) -> Lists: ...
    @property
    def segments(self) -> Segments: ...


Read = Callable[[Mapping[str, bytes]], Settings]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The policy that decides, and what is noted with each decision where it is not that of the set."""

    policy: Policy
    segments: Segments
    notes: Mapping[str, Any]


def paused_model(ledger: Ledger, model_id: str) -> bool:
    """Whether the breaker has paused this model."""
    return any(
        act["action"] == PAUSE and (act["kind"], act["subject"]) == (MODEL, model_id)
        for act in breaker_acts.in_force(ledger)
    )


def paused_trial(ledger: Ledger, trial: Trial) -> bool:
    """Whether the breaker has paused what this rollout lets decide."""
    if trial.model_id:
        return paused_model(ledger, trial.model_id)
    return any(
        a["kind"] in ON_TRIAL and a["version"] == trial.trial_id for a in breaker_acts.in_force(ledger)
    )


def model_before(ledger: Ledger, model_id: str) -> str:
    """The champion that this model took the place of, '' if it was the first."""
    return registered.predecessor(ledger, model_id)


def chosen_policy(ledger: Ledger, settings: Settings) -> Chosen:
    """The set's own policy, or the one before it while the breaker has paused it."""
    version = policy_version(settings.files)
    paused = any(
        act["action"] == PAUSE and act["kind"] == POLICY and act["version"] == version
        for act in breaker_acts.in_force(ledger)
    )
    if not paused:
        return Chosen(settings.policy, settings.segments, {})
    before = Sets(ledger).before("policy.yaml")
    if before is None:
        return Chosen(settings.policy, settings.segments, {})
    return policy_of(ledger, before[0], settings)


def policy_of(ledger: Ledger, set_id: str, settings: Settings) -> Chosen:
    """The policy of another set, on the features and lists of this one."""
    text = trials.files_of(ledger, set_id)["policy.yaml"]
    policy = load_policy(text)
    segments = load_segments(text, policy, settings.features, settings.lists)
    return Chosen(policy, segments, {"policy_set_id": set_id})


def watched_model(ledger: Ledger, engine: Engine, settings: Settings) -> list[Watch]:
    """What is watched of the model that this engine asks, with what was counted so far."""
    running = _running(engine, settings)
    return model_watches(ledger, running, _until(ledger))


def guard(ledger: Ledger, engine: Engine, settings: Settings, models: Path, read: Read) -> Guard:
    """The guard beside this engine, as the ledger has it."""
    running, until = _running(engine, settings), _until(ledger)
    watched = [
        *watches(ledger, running, until),
        *rollout_watch.watches(ledger, running.limits, until, engine.set_id),
    ]
    breaker = Breaker(watched, running.limits, engine.set_id)
    acts = standing_acts(breaker_acts.in_force(ledger), settings, running.model_id)
    for act in acts:
        watch = breaker.watches.get((act["kind"], act["subject"]))
        if watch is not None:
            watch.acted = True
    versions: dict[str, Versions] = {}
    shadows, rollout = _tried(ledger, engine, settings, models, read, versions)
    control, opened = control_of(ledger, acts), alarms.open_keys(ledger)
    switched = rules_acted_on(ledger)
    made = Guard(engine, control, breaker, opened, shadows, rollout, switched=switched, versions=versions)
    made.kill(kill_switch.standing(ledger).is_on)
    return made


def _running(engine: Engine, settings: Settings) -> Running:
    model_id = engine.model.model_id if engine.model else ""
    return Running(settings.files, settings.rules, model_id, settings.policy.breaker)


def _until(ledger: Ledger) -> datetime:
    """Just after the last decision, or the first set where there is none yet."""
    last = ledger.read("SELECT max(decided_at) AS at FROM decisions")[0]["at"]
    moment: datetime = last or ledger.read("SELECT max(approved_at) AS at FROM approved_sets")[0]["at"]
    return moment + timedelta(microseconds=1)


def refresh(ledger: Ledger, held: Guard, settings: Settings) -> None:
    """Have a guard take over what people have switched since it was made; its counters stay."""
    model_id = held.engine.model.model_id if held.engine.model else ""
    acts = standing_acts(breaker_acts.in_force(ledger), settings, model_id)
    held.use(control_of(ledger, acts), rules_acted_on(ledger))
    held.kill(kill_switch.standing(ledger).is_on)
    held.open_alarms = alarms.open_keys(ledger)


def control_of(ledger: Ledger, acts: Sequence[JSON]) -> Control:
    """Snoozes, entries and the breaker's acts as one control."""
    control = Control(
        snoozes=snoozes.in_force(ledger),
        entries=list_entries.in_force(ledger),
        widenings=widening.in_force(ledger),
    )
    for act in acts:
        control = controlled(control, act["action"], act["kind"], act["subject"])
    return control


def standing_acts(acts: Sequence[JSON], settings: Settings, model_id: str) -> list[JSON]:
    """The acts that are about what runs now: a new version of a rule, or another model, is another thing. What is
    paused does not run, and its act stands until somebody ends it."""
    versions = {(RULE, rule): version for rule, version in rule_versions(settings).items()}
    versions[POLICY, POLICY] = policy_version(settings.files)
    versions[DECLINES, DECLINES] = ""
    versions[MODEL, model_id] = model_id
    paused = [act for act in acts if act["kind"] in (MODEL, *ON_TRIAL) and act["action"] == PAUSE]
    standing = [act for act in acts if versions.get((act["kind"], act["subject"])) == act["version"]]
    return standing + [act for act in paused if act not in standing]


def rule_versions(settings: Settings) -> dict[str, str]:
    """The version of each rule that runs, as the breaker tells them apart."""
    return {rule.id: version_of(rule, settings.files) for rule in settings.rules if rule.runs}


def rules_acted_on(ledger: Ledger) -> Switched:
    """What the breaker has done to rules of any version, and nobody has ended."""
    acts = breaker_acts.in_force(ledger)
    return frozenset((a["action"], a["subject"], a["version"]) for a in acts if a["kind"] == RULE)


def _tried(
    ledger: Ledger,
    engine: Engine,
    settings: Settings,
    models: Path,
    read: Read,
    versions: dict[str, Versions],
) -> tuple[list[Shadow], Rollout | None]:
    """The trials that run, `versions` filled with their rules'; one whose settings can no longer be had is left out,
    and said so in the log."""
    shadows: list[Shadow] = []
    rollout: Rollout | None = None
    for trial in trials.running(ledger):
        try:
            if trial.kind == ROLLOUT and paused_trial(ledger, trial):
                continue
            then = _then(ledger, trial, settings, read)
            versions[trial.trial_id] = rule_versions(then)
            if trial.kind == SHADOW:
                shadows.append(_shadow(ledger, trial, engine, settings, then, models))
            elif trial.kind == ROLLOUT:
                rollout = _rollout(ledger, trial, engine, then, models)
        except SecondLookError:
            log.exception("the trial %s cannot run", trial.trial_id)
    return shadows, rollout


def _shadow(
    ledger: Ledger, trial: Trial, engine: Engine, settings: Settings, then: Settings, models: Path
) -> Shadow:
    same = _same_rules(settings, then)
    model = loaded_model(ledger, models, trial.model_id) if trial.model_id else None
    shadow = Shadow(trial.trial_id, then.segments, None if same else then.rules, engine.set_id, model)
    rows = ledger.read(
        "SELECT CAST(decided_at AS DATE) AS day, count(*) FILTER (outcome = 'review') AS reviews "
        "FROM trial_answers WHERE trial_id = ? GROUP BY day ORDER BY day DESC LIMIT 1",
        [trial.trial_id],
    )
    if rows:
        shadow.restore(rows[0]["day"], CapacityState(reviews_today=rows[0]["reviews"]))
    return shadow


def _then(ledger: Ledger, trial: Trial, now: Settings, read: Read) -> Settings:
    """What is tried, if it has the features of the set that decides; another set may have come into force since."""
    if not trial.set_id:
        return now
    then = read(trials.files_of(ledger, trial.set_id))
    if then.files["features.yaml"] != now.files["features.yaml"]:
        raise ConfigError("the set that decides declares other features now", where=trial.trial_id)
    return then


def _same_rules(now: Settings, then: Settings) -> bool:
    """Whether both sets hold the same rules on the same lists, so that one evaluation serves both."""
    own = [
        {
            path: text
            for path, text in each.files.items()
            if path.startswith("catalogue/") or path == "lists.yaml"
        }
        for each in (now, then)
    ]
    return own[0] == own[1]


def _rollout(ledger: Ledger, trial: Trial, engine: Engine, then: Settings, models: Path) -> Rollout:
    model = loaded_model(ledger, models, trial.model_id) if trial.model_id else engine.model
    candidate = Engine(
        state=engine.state,
        rules=then.rules,
        policy=then.policy,
        model=model,
        key=engine.key,
        set_id=trial.set_id or engine.set_id,
        segments=then.segments,
        unlabelled=engine.unlabelled,
    )
    name = trial.set_id or trial.model_id
    return Rollout(trial.trial_id, name, trial.entity, trial.share, engine.key, candidate)


def loaded_model(ledger: Ledger, models: Path, model_id: str) -> Model:
    """A model by its id, checked against the digest on record."""
    rows = ledger.read("SELECT files_sha256 FROM models WHERE model_id = ?", [model_id])
    digest = rows[0]["files_sha256"] if rows else ""
    return registry.load(models / model_id, manifest_sha256=digest)
