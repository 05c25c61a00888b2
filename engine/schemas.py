"""Which shape must rule, policy, feature and list files have, in the words that editors understand?

JSON Schema (draft 2020-12), made from the same constants that the loaders use. A schema refuses what no file may
hold; the loaders refuse more, since only they know features, lists and how values hang together.
"""

from __future__ import annotations

from typing import Any

from engine.decision import Outcome
from engine.features.feature_set import HISTORY, LABELS, OWN, UNITS
from engine.policy import AUTONOMY, DEFAULT_SEGMENT, LABEL_SOURCES, LANES
from engine.policy_design import FEEDBACK
from engine.rules.inline_tests import EXPECT, FRAUD_KNOWN, LONGEST_HISTORY
from engine.rules.loader import ID_PATTERN
from engine.rules.rule import SEVERITIES, STATUSES
from engine.schema_shapes import (
    duration as _duration,
)
from engine.schema_shapes import (
    integer as _integer,
)
from engine.schema_shapes import (
    mapping_of as _object,
)
from engine.schema_shapes import (
    maybe as _maybe,
)
from engine.schema_shapes import (
    moment as _moment,
)
from engine.schema_shapes import (
    money as _money,
)
from engine.schema_shapes import (
    number as _number,
)
from engine.schema_shapes import (
    one_of as _one_of,
)
from engine.schema_shapes import (
    share as _share,
)
from engine.schema_shapes import (
    text as _text,
)

JSON = dict[str, Any]
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_DATE = r"^\d{4}-\d{2}-\d{2}$"


def schemas() -> dict[str, JSON]:
    """The four schemas by name: rule, policy, features, lists."""
    return {"rule": rule(), "policy": policy(), "features": features(), "lists": lists()}


def rule() -> JSON:
    """A rule file, `catalogue/<id>.yaml`."""
    required = {
        "id": {"type": "string", "pattern": f"^{ID_PATTERN}$", "description": "The file's name."},
        "version": _integer(1),
        "title": _text(100),
        "status": _one_of(STATUSES),
        "typology": _text(60),
        "severity": _one_of(SEVERITIES),
        "owner": _text(100),
        "description": _text(),
        "when": {"$ref": "#/$defs/condition"},
        "on_missing": _one_of(("no_hit", "review")),
        "then": _then(),
        "false_positives": _text(about="Which honest people this rule will stop."),
        "runbook": _text(about="What a reviewer does with a hit."),
        "history": {"type": "array", "minItems": 1, "items": _change()},
        "tests": {"type": "array", "minItems": 2, "items": _test()},
    }
    return _file("A Second Look rule", _object(required), {"condition": _condition()})


def policy() -> JSON:
    """policy.yaml."""
    required = {
        "version": _integer(1),
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "costs": _object(
            {"missed_fraud_share": _number(0, 10), "good_declined": _money(), "review": _money()},
            {"assumed_amount": _money()},
        ),
        "thresholds": _thresholds(),
        "capacity": _object({"reviews_per_day": _integer()}, {"price_from": _share()}),
        "reviewer": _object({"recall": _share(), "false_positive_rate": _share()}),
        "segments": _segments(),
        "lanes": _object({}, {lane: _share() for lane in LANES}),
        "sampling": _sampling(),
        "task": _object({"lock_minutes": _integer(1, 24 * 60)}),
        "four_eyes_amount": _money(),
        "high_amount": _money(),
        "fail_safe": _one_of(outcome.word for outcome in Outcome),
        "labels": _object(
            {"maturity": _duration(), "weights": _object({source: _share() for source in LABEL_SOURCES})},
            {
                "precedence": _texts(),
                "cap": _share(),
                "matures": _object({}, {source: _duration() for source in LABEL_SOURCES[:-1]}),
            },
        ),
        "retrain": _retrain(),
    }
    optional = {
        "money_at_risk_from": _money(),
        "disagree_below": _share(),
        "novelty_at": _share(),
        "protected_attribute": {"type": "string"},
        "breaker": _object(
            {},
            {
                "days": _integer(0, 365),
                "decisions": _integer(0, 10**7),
                "tolerance": _number(1, 100),
                "ratio": _number(1, 1000),
                "false_alarms": _number(1e-12, 0.1),
                "unknown_rate": _number(1e-6, 0.5),
            },
        ),
        "promotion": _object(
            {}, {"shadow_days": _integer(), "hits": _integer(), "known": _integer(), "precision": _share()}
        ),
        "model": {"type": "object", "additionalProperties": {"type": ["number", "string", "boolean"]}},
        "queues": {"type": "object", "additionalProperties": _queue()},
        "review_design": _design(),
        "joining": _object({"entity": _text(), "within": _duration()}, {"most": _integer(2, 200)}),
        "desk": _desk(),
        "watch": _watch(),
        "files": _object({}, {"largest": _integer(1, 4_000_000), "keep": _duration()}),
        "webhooks": _object({}, {"hosts": _texts(), "heads": _texts()}),
        "retention": _object({}, {"personal": _duration(), "telemetry": _duration()}),
    }
    return _file("A Second Look policy", _object(required, optional))


def features() -> JSON:
    """features.yaml."""
    optional = {
        "horizon": _duration(),
        "label_delay": _duration(),
        "lateness": _duration(),
        "time_zone": {"type": "string"},
    }
    rows = {"type": "array", "minItems": 1, "maxItems": 500, "items": _feature()}
    required = {"version": {"const": 1}, "features": rows}
    return _file("Second Look features", _object(required, optional))


def lists() -> JSON:
    """lists.yaml."""
    entry = _object(
        {"value": _text(200), "reason": _text(), "added_by": _text()},
        {"added": _moment(), "expires": _moment()},
    )
    named = _object({"description": _text()}, {"entries": {"type": "array", "items": entry}})
    every = {"type": "object", "additionalProperties": named}
    return _file("Second Look lists", _object({"version": _integer(1), "lists": every}))


def _condition() -> JSON:
    inner = {"$ref": "#/$defs/condition"}
    many = {"type": "array", "minItems": 1, "items": inner}
    branches = [_object({word: many}) for word in ("all", "any")] + [_object({"not": inner})]
    return {"anyOf": [{"type": "string", "minLength": 3}, *branches]}


def _then() -> JSON:
    reason = {"reason": _text(300)}
    return {
        "oneOf": [
            _object(
                {"floor": _one_of(("review", "decline")), **reason},
                {"lane": _one_of(("money_at_risk", "uncertain"))},
            ),
            _object({"allow": {"const": True}, "expires": _moment(), "amount_cap": _money(), **reason}),
            _object({"block": {"const": True}, **reason}),
        ]
    }


def _change() -> JSON:
    return _object({"version": _integer(1), "at": {"type": "string", "pattern": _DATE}, "change": _text()})


def _test() -> JSON:
    given = {"type": "object", "additionalProperties": _scalar()}
    required = {"name": _text(150), "expect": _one_of(EXPECT)}
    return {
        "anyOf": [
            _object({**required, "given": given}, {"at": _moment()}),
            _object({**required, "transaction": _transaction()}, {"at": _moment(), "history": _history()}),
        ]
    }


def _history() -> JSON:
    row = _transaction({"ago": _duration()}, {FRAUD_KNOWN: _duration()})
    return {"type": "array", "maxItems": LONGEST_HISTORY, "items": row}


def _transaction(required: JSON | None = None, optional: JSON | None = None) -> JSON:
    """A transaction as a test gives it; which entities and attributes there are is the institution's own."""
    shape = _object(required or {}, {"amount": _money(), **(optional or {})})
    return {**shape, "additionalProperties": _scalar()}


def _scalar() -> JSON:
    return {"type": ["number", "string", "boolean", "null"]}


def _thresholds() -> JSON:
    solved = _object({"solve": {"const": "expected_cost"}})
    return {"oneOf": [solved, _object({"review_at": _share(), "decline_at": _share()})]}


def _segments() -> JSON:
    said = {
        "autonomy": _one_of(AUTONOMY),
        "review_holds_payment": {"type": "boolean"},
        "deadline": _duration(),
        "on_timeout": _one_of(("approve", "decline")),
    }
    costs = {"missed_fraud_share": _number(0, 10), "good_declined": _money(), "review": _money()}
    own = {
        "costs": _object({}, {**costs, "assumed_amount": _money()}),
        "thresholds": _thresholds(),
        "four_eyes_amount": _money(),
        "high_amount": _money(),
    }
    other = _object({"when": {"type": "string", "minLength": 1, "maxLength": 500}}, {**said, **own})
    return {
        "type": "object",
        "required": [DEFAULT_SEGMENT],
        "properties": {DEFAULT_SEGMENT: _object(said, own)},
        "additionalProperties": other,
    }


def _queue() -> JSON:
    optional = {"segments": _texts(), "teams": _texts(), "languages": _texts(), "amount_from": _money()}
    return _object({}, {**optional, "match": {"type": "object", "additionalProperties": _texts()}})


def _texts() -> JSON:
    return {"type": "array", "items": {"type": "string"}}


def _desk() -> JSON:
    counts = {name: _integer(1, 100) for name in ("held_at_once", "alike_in", "alike_most")}
    counts["least_seconds"] = _integer(0, 120)
    return _object({}, {**counts, "idle_after": _duration()})


def _watch() -> JSON:
    spans = {name: _duration() for name in ("recent", "reference", "lasts")}
    return _object({}, {**spans, "widen": _share(), "most": _share()})


def _sampling() -> JSON:
    caps = {"share": _share(), "max_per_day": _integer(), "max_amount": _money()}
    exploration = _object(caps, {"max_amount_per_day": _money()})
    shares = {"audit": _share(), "second_review": _share(), "blind_first": _share()}
    return _object({**shares, "exploration": exploration}, {"third_review": _share()})


def _design() -> JSON:
    golden = {"start_with": _integer(0, 1000), "start_share": _share(), "fraud_share": _share()}
    golden |= {
        "retire_after": _integer(1, 10_000),
        "pool": _integer(0, 10_000),
        "feedback": _one_of(FEEDBACK),
    }
    training = {"tasks": _integer(1, 10_000), "fraud_share": _share(), "recall": _share()}
    parts = {
        "golden": _object({}, golden),
        "re_serve": _object({}, {"share": _share(), "wash_out": _duration()}),
        "training": _object({}, {**training, "false_positive_rate": _share()}),
        "further": _object(
            {}, {"per_day": _integer(0, 10_000), "below": _number(0.5, 1), "within": _duration()}
        ),
        "scorecards": _object({}, {"every": _duration(), "lead_after": _duration()}),
    }
    return _object({}, parts)


def _retrain() -> JSON:
    required = {
        "every": _duration(),
        "min_new_labels": _integer(),
        "min_frauds": _integer(),
        "promote": _one_of(("automatic", "sign_off")),
        "max_seconds": _integer(1),
    }
    watched = {
        "max_memory_mb": _integer(200),
        "new_labels": _integer(),
        "drift": {"type": "boolean"},
        "flips": _integer(0, 20),
        "holdout": _number(0, 0.5),
        "holdout_by": {"type": "string"},
    }
    return _object(required, {"judge": _duration(), "embargo": _duration(), **watched})


def _feature() -> JSON:
    name = {"name": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,62}$"}}
    told = {
        "unit": _maybe(_one_of(UNITS)),
        "phrase": _maybe(_text(200)),
        "model": _maybe({"type": "boolean"}),
        "actionable": _maybe({"type": "boolean"}),
    }
    entity = {"anyOf": [{"type": "string"}, {"type": "array", "minItems": 1, "items": {"type": "string"}}]}
    of, window, over = {"of": {"type": "string"}}, {"window": _duration()}, {**name, "entity": entity}
    since, counted = ("seconds_since_last", "seconds_since_first"), ("count", *LABELS)
    amounts = [m for m in HISTORY if m not in (*since, "count", "distinct")]
    return {
        "anyOf": [
            _object({**name, "measure": {"const": "value"}}, {**of, **told}),
            _object({**name, "measure": _one_of(m for m in OWN if m != "value")}, told),
            _object({**over, "measure": _one_of(counted), **window}, told),
            _object({**over, "measure": {"const": "distinct"}, **of, **window}, told),
            _object({**over, "measure": _one_of(amounts), **window}, {**of, **told}),
            _object({**over, "measure": _one_of(since)}, {**window, **told}),
            _object({**name, "attribute": {"type": "string"}}, told),
            _object({**name, "derived": _text()}, told),
        ]
    }


def _file(title: str, shape: JSON, defs: JSON | None = None) -> JSON:
    return {"$schema": _DRAFT, "title": title, **shape, **({"$defs": defs} if defs else {})}
