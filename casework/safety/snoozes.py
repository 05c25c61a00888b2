"""Which rule is kept quiet for whom, until when, why, and what has it silenced?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from casework.safety import effects
from casework.safety.naming import end_of, new_id, reason_of
from data.errors import ConflictError, InputError, NotFoundError, did_you_mean
from data.events import EventDraft
from data.incoming.mapping import Mapping
from data.ledger import Ledger
from data.writer import Writer
from engine.control import Snooze
from engine.rules.rule_set import RuleSet

LONGEST = timedelta(days=90)


def checked_value(entity: str, value: str, mapping: Mapping) -> str:
    """The value as payments in the ledger have it. InputError unless the mapping has this entity and one is named."""
    if entity not in mapping.entities:
        known = list(mapping.entities)
        hint = did_you_mean(entity, known)
        raise InputError(
            f"{entity[:64]!r} is not an entity", where="entity", allowed=", ".join(known), hint=hint
        )
    if not value.strip():
        raise InputError(f"which {entity}?", where="value", hint="Give its identifier.")
    return mapping.held(entity, value.strip())


def check_rule(rule_id: str, rules: RuleSet) -> None:
    """InputError unless the rule asks for something, or '' stands for every rule that does."""
    if not rule_id:
        return
    known = [rule.id for rule in rules if rule.runs]
    if rule_id not in known:
        hint = did_you_mean(rule_id, known)
        raise InputError(f"no rule {rule_id[:64]!r} runs", where="rule_id", hint=hint)
    effect = rules.rule(rule_id).then.effect
    if effect != "floor":
        raise InputError(
            f"{rule_id} is {'a block list' if effect == 'block' else 'an allow lane'} and cannot be snoozed",
            where="rule_id",
            hint="End the entry on its list instead.",
        )


def make(
    w: Writer,
    *,
    entity: str,
    value: str,
    rule_id: str,
    expires: datetime,
    by: str,
    reason: str,
    at: datetime,
) -> str:
    """Keep a rule (every rule, if '') quiet for this value until before `expires`; returns the snooze's id."""
    row = {
        "snooze_id": new_id("snooze", entity, value, rule_id, at.isoformat()),
        "entity": entity,
        "value": value.strip(),
        "rule_id": rule_id,
        "reason": reason_of(reason, "a snooze"),
        "made_by": by,
        "made_at": at,
        "expires_at": end_of(expires, at, LONGEST, "the snooze"),
    }
    w.event(EventDraft(by, "snooze.made", f"snooze:{row['snooze_id']}", row), at)
    w.insert("snoozes", [{**row, "ended_by": "", "ended_reason": ""}])
    return str(row["snooze_id"])


def end(w: Writer, snooze_id: str, *, by: str, reason: str, at: datetime) -> None:
    """Let the rule speak again. NotFoundError, ConflictError if it had ended, InputError without a reason."""
    why = reason_of(reason, "ending a snooze")
    rows = w.read("SELECT ended_at, expires_at FROM snoozes WHERE snooze_id = ?", [snooze_id])
    if not rows:
        raise NotFoundError("there is no such snooze", where=snooze_id)
    if rows[0]["ended_at"] is not None or rows[0]["expires_at"] <= at:
        raise ConflictError("this snooze has ended already", where=snooze_id)
    w.event(EventDraft(by, "snooze.ended", f"snooze:{snooze_id}", {"reason": why}), at)
    w.execute(
        "UPDATE snoozes SET ended_at = ?, ended_by = ?, ended_reason = ? WHERE snooze_id = ?",
        [at, by, why, snooze_id],
    )


def in_force(source: Ledger | Writer) -> list[Snooze]:
    """Snoozes that nobody has ended; whether one has expired is seen at each decision, by its moment."""
    rows = source.read(
        "SELECT snooze_id, entity, value, rule_id, expires_at AS expires FROM snoozes WHERE ended_at IS NULL "
        "ORDER BY made_at, snooze_id"
    )
    return [Snooze(**row) for row in rows]


# However many are newer: what is in force can be ended only by somebody who sees it.
_LISTED = """
    SELECT * FROM snoozes WHERE (ended_at IS NULL AND expires_at > ?)
       OR snooze_id IN (SELECT snooze_id FROM snoozes ORDER BY made_at DESC, snooze_id LIMIT 500)
    ORDER BY made_at DESC, snooze_id
"""


def listed(ledger: Ledger, at: datetime) -> list[dict[str, Any]]:
    """Every snooze in force and the newest others, newest first, with its state at `at` and what it silenced."""
    counted = effects.counts(ledger, effects.SNOOZE)
    rows = ledger.read(_LISTED, [at])
    return [
        {**row, "state": state_of(row, at), "silenced": counted.get(row["snooze_id"], effects.NONE)}
        for row in rows
    ]


def state_of(row: dict[str, Any], at: datetime) -> str:
    """in_force, ended (by somebody) or expired."""
    if row["ended_at"] is not None:
        return "ended"
    return "expired" if row["expires_at"] <= at else "in_force"
