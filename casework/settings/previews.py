"""What would these proposed files have changed in a past period: which payments, which money, how much work?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np

from casework.app import App
from casework.in_hand import Told, nobody
from casework.live import Settings, read_settings
from casework.settings import alarms_of_change, compared
from casework.settings import past_decisions as past_of
from casework.settings.compared import Asked, Compared
from casework.settings.evidence_of_fraud import Evidence, group, maturity, read_evidence
from casework.settings.flips import Side, flips_page
from casework.settings.past_decisions import UNKNOWN, PastDecisions
from data import approved
from data.errors import InputError
from engine.decision import Outcome
from engine.features.batch import batch_features
from engine.features.feature_set import FeatureSet, FeatureSpec
from engine.rules.rule_set import RuleSet
from engine.what_if.redecide import redecide

JSON = dict[str, Any]
MOST_RECOMPUTED = 200_000
SECONDS_A_CASE = 35.0
_WORDS = tuple(outcome.word for outcome in Outcome)


def proposed_files(app: App, texts: Mapping[str, str | None] | None = None) -> dict[str, bytes]:
    """The files to be previewed: the workspace's own, or the approved set with some files replaced (None removes)."""
    if texts is None:
        return approved.read_folder(app.workspace.rules)
    files = dict(approved.current(app.ledger).files)
    for path, text in texts.items():
        if text is None:
            files.pop(path, None)
        else:
            files[path] = text.encode()
    return files


def preview(
    app: App,
    files: Mapping[str, bytes],
    since: datetime | None,
    until: datetime | None,
    *,
    at: datetime,
    limit: int,
    offset: int = 0,
) -> JSON:
    """Decide a past period again under the approved set and under `files`, and compare (`compare`, then `told_of`)."""
    return told_of(app, files, compare(app, files, since, until, at=at), limit=limit, offset=offset)


def compare(
    app: App,
    files: Mapping[str, bytes],
    since: datetime | None,
    until: datetime | None,
    *,
    at: datetime,
    told: Told = nobody,
) -> Compared:
    """Both answers to every payment of a past period: under the approved set, and under `files`.

    Both sides start from the stored features, probabilities and draws, so their difference is that of the files. What
    was worked out within the last minute is taken again while nobody has acted since. `told` hears how far it is.
    ConfigError for files that cannot be read; InputError for an empty period or features that cannot be had.
    """
    then = read_settings(files, app.mapping)
    asked = question(app, files, since, until)
    return compared.once(app, asked, at, lambda beside: _worked_out(app, asked, then, at, beside, told))


def question(app: App, files: Mapping[str, bytes], since: datetime | None, until: datetime | None) -> Asked:
    """What is compared over which period; equal ones have the same answer as long as nothing is recorded."""
    return Asked(approved.current(app.ledger).set_id, approved.set_id_of(files), since, until)


def told_of(app: App, files: Mapping[str, bytes], found: Compared, *, limit: int, offset: int = 0) -> JSON:
    """A comparison in numbers. The payments that flip are listed from `offset` on, `limit` of them; `as_of` is the
    moment for which it was worked out."""
    current = approved.current(app.ledger)
    when, past, before, after, evidence = found.when, found.past, found.before, found.after, found.evidence
    changed = sorted(path for path in {*files, *current.files} if files.get(path) != current.files.get(path))
    answer = {
        "since": when.since,
        "until": when.until,
        "decisions": len(past),
        "set_id": current.set_id,
        "proposed_set_id": approved.set_id_of(files),
        "currency": app.settings().policy.currency,
        "as_of": found.at,
        "changed": changed,
        "maturity": maturity(evidence),
        **_compared(evidence, before, after),
        "cases": _cases(app, past, before, after),
        "rules": _rules(before, after),
        **flips_page(past, before, after, limit, offset),
        "not_known": _not_known(past, before, after, current.set_id),
    }
    return {**answer, "alarms": alarms_of_change.alarms(answer)}


def _worked_out(
    app: App, asked: Asked, then: Settings, at: datetime, beside: Compared | None, told: Told
) -> Compared:
    """Both sides decided again; the same files are not decided twice."""
    now = app.settings()
    found = beside or _as_it_is(app, now, asked, at, told)
    told("Deciding the past again under the change", 0.8)
    same, past = asked.set_id == asked.proposed_id, found.past
    after = found.before if same else side_of(app, with_new_features(app, past, now, then), then)
    return replace(found, after=after)


def _as_it_is(app: App, now: Settings, asked: Asked, at: datetime, told: Told) -> Compared:
    """The period under the present set, on both sides."""
    when = past_of.period(app.ledger, asked.since, asked.until)
    past = past_of.read_past(
        app.ledger, when, now.features, now.policy, at, lambda what, share: told(what, 0.6 * share)
    )
    told("Deciding the past again under the present set", 0.6)
    before = side_of(app, past, now)
    told("Reading what became known of the payments", 0.75)
    evidence = read_evidence(app.ledger, when, now.policy, at, blocking_rules(now.rules))
    return Compared(at, when, past, before, before, evidence)


def blocking_rules(rules: RuleSet) -> list[str]:
    """The rules whose hits are declined whatever chance says."""
    return [rule.id for rule in rules if rule.then.effect == "block"]


def side_of(app: App, past: PastDecisions, settings: Settings) -> Side:
    """What a set of files would have answered in the past, rule by rule and in the end."""
    answers = past_of.rule_answers(app.ledger, past, settings.rules)
    segmented = past_of.segmented(app.ledger, past, settings.segments)
    decided = redecide(past.columns, answers.asking, settings.policy, segmented)
    return Side(past, settings, answers, segmented, decided)


def with_new_features(app: App, past: PastDecisions, now: Settings, then: Settings) -> PastDecisions:
    """Features declared otherwise than in the approved set are worked out anew from the ledger."""
    changed = _redeclared(now.features, then.features)
    learned = sorted(changed & set(now.features.model_names))
    if learned and past.columns.probability.count(None) < len(past):
        raise InputError(
            f"the model learned from {learned[0]} as it was declared",
            where="features.yaml",
            hint="Give the new feature another name; the model knows it only once it is trained again.",
        )
    used = {name for rule in then.rules if rule.runs for name in rule.features}
    read = (used | set(then.segments.features)) & changed
    if not read:
        return past
    if len(past) > MOST_RECOMPUTED:
        what = f"{sorted(read)[0]} would have to be worked out for {len(past):,} decisions"
        raise InputError(
            what, where="features.yaml", allowed=f"up to {MOST_RECOMPUTED:,}", hint="Shorten the period."
        )
    seqs = past.table.column("seq").to_numpy()
    table = batch_features(app.ledger, then.features, first_seq=int(seqs.min()), last_seq=int(seqs.max()))
    places = np.searchsorted(table.column("seq").to_numpy(), seqs)
    return past.with_features({name: table.column(name).take(places) for name in read})


def _redeclared(now: FeatureSet, then: FeatureSet) -> set[str]:
    """The features of `then` that `now` does not have, or has otherwise; and what is derived from them."""
    shared = ("label_delay_us", "time_zone", "lateness_us", "horizon_us")
    if any(getattr(now, name) != getattr(then, name) for name in shared):
        return {spec.name for spec in then.features}
    held = {spec.name: _computed(spec) for spec in now.features}
    changed: set[str] = set()
    for spec in then.features:
        inputs = spec.expression.names if spec.expression else ()
        if held.get(spec.name) != _computed(spec) or not changed.isdisjoint(inputs):
            changed.add(spec.name)
    return changed


def _computed(spec: FeatureSpec) -> tuple[FeatureSpec, str]:
    """What a feature's value depends on; what it is called for people is left out."""
    told = replace(spec, phrase="", unit="", model=True, expression=None)
    return told, spec.expression.text if spec.expression else ""


def _compared(evidence: Evidence, before: Side, after: Side) -> JSON:
    old, new = before.decided.outcome, after.decided.outcome
    matrix = np.bincount(old.astype(np.int64) * 3 + new, minlength=9).reshape(3, 3)
    was, now = before.alerts, after.alerts
    return {
        "matrix": {
            word: dict(zip(_WORDS, row, strict=True))
            for word, row in zip(_WORDS, matrix.tolist(), strict=True)
        },
        "alerts": {
            "gained": group(evidence, now & ~was),
            "both": group(evidence, now & was),
            "lost": group(evidence, was & ~now),
        },
        "outcomes": {"before": _money(evidence, before), "after": _money(evidence, after)},
    }


def _money(evidence: Evidence, side: Side) -> JSON:
    return {word: group(evidence, side.decided.outcome == outcome) for outcome, word in enumerate(_WORDS)}


def _cases(app: App, past: PastDecisions, before: Side, after: Side) -> JSON:
    sql = "SELECT count(*) AS n, avg(seconds) AS seconds FROM verdicts "
    sql += "WHERE undone_at IS NULL AND task_kind <> 'training' AND NOT isnan(seconds)"
    row = app.ledger.read(sql)[0]
    seconds = float(row["seconds"]) if row["n"] >= 30 else SECONDS_A_CASE
    days = np.array([moment.date().toordinal() for moment in past.columns.decided_at])
    return {
        "seconds_a_case": seconds,
        "before": _work(before, days, seconds),
        "after": _work(after, days, seconds),
    }


def _work(side: Side, days: np.ndarray, seconds: float) -> JSON:
    """Cases and audits by day against the policy's capacity; days without any decision are not counted."""
    looked_at = (side.decided.outcome == Outcome.REVIEW) | side.decided.audited
    dates, places = np.unique(days, return_inverse=True)
    daily = np.bincount(places, weights=looked_at, minlength=len(dates))
    capacity = side.settings.policy.capacity.reviews_per_day
    return {
        "total": int(daily.sum()),
        "a_day": float(daily.mean()),
        "busiest_day": int(daily.max()),
        "capacity": capacity,
        "days": len(dates),
        "days_at_capacity": int((daily >= capacity).sum()),
        "analyst_hours_a_day": float(daily.mean()) * seconds / 3600,
    }


def _rules(before: Side, after: Side) -> list[JSON]:
    """The rules whose hits differ, or whose standing does."""
    found = []
    for rule_id in sorted({*before.answers.hits, *after.answers.hits}):
        old, new = (set(s.answers.hits.get(rule_id, np.empty(0)).tolist()) for s in (before, after))
        was, now = _status(before.settings.rules, rule_id), _status(after.settings.rules, rule_id)
        if old != new or was != now:
            found.append(
                {
                    "id": rule_id,
                    "status_before": was,
                    "status_after": now,
                    "hits_before": len(old),
                    "hits_after": len(new),
                    "gained": len(new - old),
                    "lost": len(old - new),
                }
            )
    return found


def _status(rules: RuleSet, rule_id: str) -> str:
    return next((rule.status for rule in rules if rule.id == rule_id), "")


def _not_known(past: PastDecisions, before: Side, after: Side, set_id: str) -> list[str]:
    """What this comparison cannot tell, in sentences."""
    flipped = before.decided.outcome != after.decided.outcome
    unknown = int((flipped & (past.fraud == UNKNOWN)).sum())
    told = []
    if unknown:
        told.append(
            f"For {unknown:,} of the {int(flipped.sum()):,} flipped payments no outcome is known: declined ones never "
            "get one, and silence counts only once it has matured."
        )
    other = sum(found != set_id for found in past.table.column("_set_id").to_pylist())
    if other:
        told.append(
            f"{other:,} decisions of the period were made under another set; here the present one is applied to them."
        )
    told.append(
        "Probabilities are those of the model that decided then; what customers would have done differently after a "
        "decline cannot be replayed."
    )
    return told
