"""What does a reviewer get to see of a decision, frozen at the moment the task opened?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any, Protocol

import orjson

from casework.cases.earlier import Earlier, laid_out_all, named
from casework.review.review_design import BLIND_FIRST
from data.canonical import canonical_json, rfc3339, sha256_hex
from data.ledger import Ledger
from data.money import decimals
from data.writer import Writer
from engine.decision import Decision, FeatureValue, RuleState
from engine.units import text

SHOWN_STATES = (RuleState.HIT, RuleState.MISSING, RuleState.ERROR)
QUESTION = "Is this payment fraud?"
NEUTRAL = "Chosen for review. Judge it by the facts; the engine's opinion comes after your verdict."


_MOST_BYTES = 8 * 1024 * 1024


class _Recent:
    """The latest dossiers that were stored or read, by the SHA-256 of their bytes, so that none can be taken for
    another: between taking a task and answering it the same one is read a dozen times."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}
        self._bytes = 0
        self._lock = Lock()

    def get(self, digest: str) -> bytes | None:
        with self._lock:
            content = self._kept.pop(digest, None)
            if content is not None:
                self._kept[digest] = content  # the latest used stand last
            return content

    def keep(self, digest: str, content: bytes) -> None:
        with self._lock:
            self._bytes += len(content) - len(self._kept.pop(digest, b""))
            self._kept[digest] = content
            while self._bytes > _MOST_BYTES:
                self._bytes -= len(self._kept.pop(next(iter(self._kept))))

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self._bytes = 0


_RECENT = _Recent()


class Shown(Protocol):
    """What a dossier needs of a feature's declaration."""

    @property
    def name(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def phrase(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Guideline:
    """The reviewers' guideline as it stood: its version (a hash or a number) and its text."""

    version: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Background:
    """What a dossier needs beside the decision.

    `features` are the declared features, `rules` maps a rule id to its title, runbook and false_positives,
    `earlier` names recent transactions of the entity. `protected` names the attribute that is there for the
    subgroup table only: no dossier shows it.
    """

    features: Sequence[Shown]
    rules: Mapping[str, Mapping[str, Any]]
    earlier: Earlier
    guideline: Guideline
    currency: str
    protected: str = ""


def build_dossier(decision: Decision, background: Background) -> dict[str, Any]:
    """Everything a task page may ever show of a decision, as JSON-ready values; earlier payments by their seqs.

    It holds the engine's opinion (score, rules, explanation, why) whatever the display arm; `for_arm`
    withholds it.
    """
    return {
        "version": 2,
        "question": QUESTION,
        "lane": decision.triage.lane,
        "why": {"reason": decision.triage.reason.value, "sentence": decision.triage.sentence},
        "outcome": decision.outcome.word,
        "decided_at": rfc3339(decision.decided_at),
        "set_id": decision.set_id,
        "model_id": decision.model_id,
        "transaction": _transaction(decision, background),
        "probability": decision.probability,
        "margin": decision.margin,
        "thresholds": dict(decision.thresholds),
        "features": [_feature(shown, decision, background.currency) for shown in background.features],
        "explanation": _explanation(decision, background),
        "rules": [_rule(result, background.rules) for result in decision.rules if _is_shown(result)],
        "earlier": named(background.earlier, background.protected),
        "guideline": {"version": background.guideline.version, "text": background.guideline.text},
    }


def for_arm(dossier: Mapping[str, Any], arm: str) -> dict[str, Any]:
    """The page's part of a dossier. In the blind-first arm everything the engine thinks is left out, and the
    features stand in their declared order, so the page of an audit looks like any other."""
    page = {
        name: dossier[name]
        for name in (
            "question",
            "transaction",
            "features",
            "history",
            "guideline",
            "probability",
            "thresholds",
        )
    }
    if arm == BLIND_FIRST:
        opinion = {"why": {"reason": "review", "sentence": NEUTRAL}, "lane_shown": "review", "rules": []}
        return {**page, **opinion, "explanation": None, "probability": None, "thresholds": None, "arm": arm}
    opinion = {"why": dossier["why"], "lane_shown": dossier["lane"], "rules": dossier["rules"]}
    return {**page, **opinion, "explanation": dossier["explanation"], "arm": arm}


def store(
    w: Writer, dossier_id: str, case_id: str, seq: int, dossier: Mapping[str, Any], at: datetime
) -> str:
    """Keep a dossier's canonical bytes; returns their SHA-256, which belongs in the event that opens the
    task."""
    content = canonical_json(dossier)
    digest = sha256_hex(content)
    _RECENT.keep(digest, content)
    row = {"dossier_id": dossier_id, "case_id": case_id, "transaction_seq": seq, "content": content}
    w.insert("dossiers", [{**row, "sha256": digest, "created_at": at}])
    return digest


def load(source: Ledger | Writer, dossier_id: str, transaction_seq: int) -> dict[str, Any]:
    """The stored dossier, with the earlier payments that it names laid out as its history."""
    return whole(source, stored(source, dossier_id, transaction_seq))


def load_all(source: Ledger | Writer, wanted: Iterable[tuple[str, int]]) -> list[dict[str, Any]]:
    """The stored dossiers of these ids and seqs of their payments, as `load` gives each, with all the earlier payments
    read at once."""
    return whole_all(source, [stored(source, *each) for each in wanted])


def whole(source: Ledger | Writer, dossier: Mapping[str, Any]) -> dict[str, Any]:
    """A dossier as it is stored, with its history in place of names; one of version 1 has it."""
    return whole_all(source, [dossier])[0]


def whole_all(source: Ledger | Writer, kept: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Dossiers as they are stored, with their histories in place of names, read at once."""
    found = [dict(dossier) for dossier in kept]
    naming = [dossier for dossier in found if "earlier" in dossier]
    told = laid_out_all(source, [(dossier.pop("earlier"), dossier["transaction"]) for dossier in naming])
    for dossier, history in zip(naming, told, strict=True):
        dossier["history"] = history
    return found


def stored(source: Ledger | Writer, dossier_id: str, transaction_seq: int) -> dict[str, Any]:
    """The dossier as it is stored. Found by its payment's seq, which DuckDB can skip to, and then by its id."""
    where, found = "FROM dossiers WHERE transaction_seq = ? AND dossier_id = ?", [transaction_seq, dossier_id]
    digest = source.read(f"SELECT sha256 {where}", found)[0]["sha256"]
    content = _RECENT.get(digest)
    if content is None:
        # Among two thousand dossiers that DuckDB has packed together it takes 20 ms to one.
        content = source.read(f"SELECT content {where}", found)[0]["content"]
        if sha256_hex(content) == digest:
            _RECENT.keep(digest, content)
    dossier: dict[str, Any] = orjson.loads(content)
    return dossier


def forget() -> None:
    """Hold no content in memory any more, because some of it was erased."""
    _RECENT.clear()


def without(attributes: Mapping[str, Any], protected: str) -> dict[str, Any]:
    """The attributes but for the protected one."""
    return {name: value for name, value in attributes.items() if name != protected}


def masked(personal: Mapping[str, str]) -> dict[str, str]:
    """Personal fields with only as much left as helps to recognise them: "A*** B***", "a***@example.org"."""
    return {name: _mask(str(value)) for name, value in personal.items()}


def _mask(value: str) -> str:
    name, at, domain = value.partition("@")
    if at:
        return f"{name[:1]}***@{domain}"
    return " ".join(f"{word[:1]}***" for word in value.split()) or "***"


def _transaction(decision: Decision, background: Background) -> dict[str, Any]:
    transaction, currency = decision.transaction, background.currency
    return {
        "transaction_id": transaction.transaction_id,
        "occurred_at": rfc3339(transaction.occurred_at),
        "amount_minor": transaction.amount_minor,
        "currency": currency,
        "minor_digits": decimals(currency),
        "amount_text": text(transaction.amount_minor, "money", currency),
        "entities": dict(transaction.entities),
        "attributes": without(transaction.attributes, background.protected),
        "personal_masked": masked(transaction.personal),
    }


def _feature(shown: Shown, decision: Decision, currency: str) -> dict[str, Any]:
    value = decision.features.get(shown.name)
    named = {"name": shown.name, "phrase": shown.phrase, "unit": shown.unit}
    return {**named, "value": value, "text": text(value, shown.unit, currency)}


def _explanation(decision: Decision, background: Background) -> dict[str, Any] | None:
    """Bars, strongest first; base + all contributions = margin, and the probability is the calibrated last
    step."""
    found = decision.explanation
    if found is None:
        return None
    shown = {spec.name: spec for spec in background.features}
    strongest = sorted(found.contributions.items(), key=lambda bar: -abs(bar[1]))
    bars = [_bar(name, size, shown, decision.features, background.currency) for name, size in strongest]
    return {"base": found.base, "margin": decision.margin, "probability": decision.probability, "bars": bars}


def _bar(
    name: str,
    contribution: float,
    shown: Mapping[str, Shown],
    values: Mapping[str, FeatureValue],
    currency: str,
) -> dict[str, Any]:
    spec = shown.get(name)
    phrase, unit = (spec.phrase, spec.unit) if spec else (name, "number")
    value_text = text(values.get(name), unit, currency)
    return {"name": name, "phrase": phrase, "value_text": value_text, "contribution": float(contribution)}


def _is_shown(result: Any) -> bool:
    return result.status == "live" and result.state in SHOWN_STATES


def _rule(result: Any, about: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    known = about.get(result.rule_id, {})
    return {
        "id": result.rule_id,
        "version": result.version,
        "title": known.get("title", result.rule_id),
        "state": result.state.value,
        "reason": result.reason,
        "floor": result.floor.word,
        "features": list(result.features),
        "runbook": known.get("runbook", ""),
        "false_positives": known.get("false_positives", ""),
    }
