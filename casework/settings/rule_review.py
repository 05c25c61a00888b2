"""Which rules could go, because they never hit, add nothing, or work against another; and what would that change?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from casework.app import App
from casework.settings import past_decisions as past_of
from casework.settings import previews
from casework.settings.evidence_of_fraud import Evidence, group, maturity, read_evidence
from casework.settings.flips import Side
from casework.settings.rule_text import with_step
from data import approved
from data.errors import InputError
from engine.decision import RuleResult
from engine.rules.conditions import Listed, walk
from engine.rules.contradictions import contradictions
from engine.rules.rule import Rule
from engine.what_if.redecide import decide_row

JSON = dict[str, Any]
RARE = ("high", "critical")  # severities of rules that may be kept for what has not happened yet
MOST_FLIPS = 20
KINDS = {
    "contradictory": "can never hit: its own conditions exclude each other",
    "dead": "hit nothing",
    "redundant": "changed no answer",
    "opposed": "works against another rule",
}


@dataclass(frozen=True)
class Reviewed:
    """What a review looks at: the present set over a past period, and what is known of it."""

    side: Side
    evidence: Evidence

    def answers_without(self, place: int, gone: frozenset[str]) -> int:
        """The outcome of one payment without some rules, the day's load being what it was."""
        side = self.side
        results: Sequence[RuleResult] = side.answers.asking.get(place, ())
        kept = [result for result in results if result.rule_id not in gone]
        load = side.decided.loads[place]
        answer = decide_row(side.past.columns, place, kept, side.settings.policy, load, side.segmented)
        return int(answer.outcome)

    def decided_by(self, rule_id: str, gone: frozenset[str] = frozenset()) -> np.ndarray:
        """The places of payments that would have been answered otherwise without this rule (and those `gone`)."""
        places = [
            place
            for place in self.side.answers.asking
            if any(result.rule_id == rule_id for result in self.side.answers.asking[place])
        ]
        without = gone | {rule_id}
        outcome = self.side.decided.outcome
        explored = self.side.decided.explored
        moved = [p for p in places if not explored[p] and self.answers_without(p, without) != outcome[p]]
        return np.array(sorted(moved), np.int64)


def rule_review(app: App, since: datetime | None, until: datetime | None, *, at: datetime) -> JSON:
    """The rules in force over a past period: each with what it decided and what speaks against it, a proposal that
    retires those nothing speaks for, and the measured effect of that proposal on the same period."""
    when, settings = past_of.period(app.ledger, since, until), app.settings()
    past = past_of.read_past(app.ledger, when, settings.features, settings.policy, at)
    blocking = previews.blocking_rules(settings.rules)
    evidence = read_evidence(app.ledger, when, settings.policy, at, blocking)
    reviewed = Reviewed(previews.side_of(app, past, settings), evidence)
    rules = [rule for rule in settings.rules if rule.runs]
    rows = [_row(reviewed, rule, rules) for rule in rules]
    return {
        "since": when.since,
        "until": when.until,
        "decisions": len(past),
        "currency": settings.policy.currency,
        "maturity": maturity(evidence),
        "kinds": KINDS,
        "rules": rows,
        "pruning": _pruning(app, reviewed, rules, rows, since, until, at),
    }


def _row(reviewed: Reviewed, rule: Rule, rules: Sequence[Rule]) -> JSON:
    hits, moved = reviewed.side.answers.hits[rule.id], reviewed.decided_by(rule.id)
    row: JSON = {
        "id": rule.id,
        "title": rule.title,
        "status": rule.status,
        "severity": rule.severity,
        "effect": rule.then.effect,
        "floor": rule.then.floor.word,
        "hits": len(hits),
        "decides": group(reviewed.evidence, _chosen(reviewed, moved)),
        "within": _within(reviewed, rule, rules),
        "opposed": _opposed(reviewed, rule, rules),
    }
    row["finding"], row["sentence"] = _finding(row, rule, len(reviewed.evidence))
    return row


def _chosen(reviewed: Reviewed, places: np.ndarray) -> np.ndarray:
    flags = np.zeros(len(reviewed.evidence), bool)
    flags[places] = True
    return flags


def _within(reviewed: Reviewed, rule: Rule, rules: Sequence[Rule]) -> list[str]:
    """The live rules that hit everything this one hit, and ask for as much."""
    hits = set(reviewed.side.answers.hits[rule.id].tolist())
    return [
        other.id
        for other in rules
        if hits
        and other.id != rule.id
        and other.status == "live"
        and other.then.effect == rule.then.effect == "floor"
        and other.then.floor >= rule.then.floor
        and hits <= set(reviewed.side.answers.hits[other.id].tolist())
    ]


def _opposed(reviewed: Reviewed, rule: Rule, rules: Sequence[Rule]) -> list[JSON]:
    """Live rules that ask for the opposite on the same payments: an allow lane against floors, a block against it."""
    if rule.status != "live":
        return []
    hits, found = reviewed.side.answers.hits, []
    for other in rules:
        apart = (rule.then.effect == "allow") != (other.then.effect == "allow")
        both = len(np.intersect1d(hits[rule.id], hits[other.id])) if apart and other.status == "live" else 0
        if both:
            wins = "block" if "block" in (rule.then.effect, other.then.effect) else "allow"
            found.append({"id": other.id, "both": both, "wins": wins})
    return found


def _finding(row: JSON, rule: Rule, decisions: int) -> tuple[str, str]:
    """What speaks against a rule, as a kind and a sentence; empty where nothing does."""
    never = next((found for found in contradictions(rule.when) if found.whole), None)
    if never is not None:
        return "contradictory", f"It can never hit: {never}."
    if not row["hits"]:
        bound = f"at most {3 / decisions:.3%} of payments, with 95 % confidence"
        return "dead", f"It hit none of {decisions:,} payments ({bound})."
    if row["opposed"]:
        first = row["opposed"][0]
        return "opposed", (
            f"On {first['both']:,} payments {first['id']} asks for the opposite; the {first['wins']} rule wins."
        )
    if rule.status != "live" or row["decides"]["count"] or rule.then.effect == "allow":
        return "", ""
    why = (
        f"{row['within'][0]} hits all of them too" if row["within"] else "model, policy or other rules did it"
    )
    return "redundant", f"Without it all of its {row['hits']:,} hits would have been answered alike: {why}."


def _pruning(
    app: App,
    reviewed: Reviewed,
    rules: Sequence[Rule],
    rows: Sequence[JSON],
    since: datetime | None,
    until: datetime | None,
    at: datetime,
) -> JSON:
    """The rules that could be retired together, the files that would do it, and what that changes."""
    gone, kept = _removable(reviewed, rules, rows)
    if not gone:
        return {"retire": [], "kept": kept, "files": {}, "effect": None}
    files, texts = dict(approved.current(app.ledger).files), {}
    by_id = {rule.id: rule for rule in rules}
    said = {row["id"]: row["sentence"] for row in rows}
    for rule_id in sorted(gone):
        path = next(name for name in files if name.rsplit("/", 1)[-1] == f"{rule_id}.yaml")
        rule = by_id[rule_id]
        try:
            text = with_step(
                files[path],
                path,
                version=rule.version + 1,
                status="retired",
                change=f"Retired: {said[rule_id]}",
                on=at.date(),
            )
        except InputError as problem:
            kept.append({"id": rule_id, "why": f"Its file has to be edited by hand: {problem.what}."})
            continue
        files[path], texts[path] = text, text.decode()
    effect = previews.preview(app, files, since, until, at=at, limit=MOST_FLIPS) if texts else None
    retired = [path.rsplit("/", 1)[-1].removesuffix(".yaml") for path in texts]
    return {"retire": sorted(retired), "kept": kept, "files": texts, "effect": effect}


def _removable(
    reviewed: Reviewed, rules: Sequence[Rule], rows: Sequence[JSON]
) -> tuple[frozenset[str], list[JSON]]:
    """The rules that can go together without changing an answer, tried from the fewest hits on; and those with a
    finding that stay, with why. Each is tried with all that go before it, so that of two equal rules one stays."""
    gone: frozenset[str] = frozenset()
    kept: list[JSON] = []
    by_id = {rule.id: rule for rule in rules}
    for row in sorted(rows, key=lambda row: (row["hits"], row["id"])):
        rule = by_id[row["id"]]
        if row["finding"] in ("", "opposed"):
            continue
        if rule.then.effect != "floor" or any(isinstance(part, Listed) for part in walk(rule.when)):
            kept.append({"id": rule.id, "why": "It reads a list: it waits for entries."})
        elif row["finding"] == "dead" and rule.severity in RARE:
            kept.append(
                {"id": rule.id, "why": f"Severity {rule.severity}: it may be meant for what is rare."}
            )
        elif row["finding"] == "redundant" and len(reviewed.decided_by(rule.id, gone)):
            kept.append({"id": rule.id, "why": "Once the others are retired, it is needed."})
        else:
            gone |= {rule.id}
    return gone, kept
