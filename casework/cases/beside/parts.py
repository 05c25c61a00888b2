"""What was shown of a payment beside its dossier, and by whom was it first opened?

A part is worked out when the holder of a task first looks at it, from what was known when the payment was decided, and
is stored then, so that it stays what was displayed. A part that nobody opened does not exist: whoever reads the record
later is told so. Decisions never wait for any of this.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from casework.app import App
from casework.cases import dossiers
from casework.cases.beside import behind_rules, links, similar, what_if
from casework.people.permissions import Person
from casework.review import tasks
from casework.review.blindness import blind_transactions
from casework.review.measuring import fresh
from casework.review.review_design import BLIND_FIRST, REVIEWER_ROLES
from casework.review.tasks import Task
from data.canonical import canonical_json, sha256_hex
from data.errors import NotFoundError
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer

JSON = dict[str, Any]
LINKS, WHAT_IF, SIMILAR, BEHIND_RULES = "links", "what_if", "similar", "behind_rules"
PARTS = (LINKS, WHAT_IF, SIMILAR, BEHIND_RULES)
OPINIONS = (WHAT_IF, SIMILAR, BEHIND_RULES)
"""Parts that tell what engine or people thought: withheld while somebody decides first."""
_STORED = (
    "SELECT content, created_at FROM dossier_parts WHERE transaction_seq = ? AND dossier_id = ? AND part = ?"
)


def part(app: App, task_id: str, name: str, person: Person, at: datetime) -> JSON:
    """{part, shown_at, content, withheld}. `content` is None while it is `withheld` (a sentence says why) and where
    nobody has opened it yet.

    Whoever holds or has judged the task has it worked out and stored; any other reader gets what was stored.
    NotFoundError for a task that is not this person's to read.
    """
    task = tasks.find(app.ledger, task_id)
    reviewer = person.role in REVIEWER_ROLES
    if reviewer and task.claimed_by != person.user_id:
        raise NotFoundError("there is no such task for you", where=task_id, hint="Take the next one instead.")
    if reviewer and name in OPINIONS and task.arm == BLIND_FIRST and task.status != tasks.DONE:
        return {"part": name, "shown_at": None, "content": None, "withheld": "Shown after your verdict."}
    kept = _stored(app.ledger, task, name)
    if kept is None and task.claimed_by == person.user_id:
        kept = _store(app, task, name, _worked_out(app, task, name), person.user_id, at)
    if kept is None:
        return {"part": name, "shown_at": None, "content": None, "withheld": "Nobody has opened this part."}
    content = orjson.loads(kept["content"])
    if name == SIMILAR:
        content = _without_blind(app, content, person)
    return {"part": name, "shown_at": kept["created_at"], "content": content, "withheld": ""}


def _stored(source: Ledger | Writer, task: Task, name: str) -> Mapping[str, Any] | None:
    rows = source.read(_STORED, [task.transaction_seq, task.dossier_id, name])
    return rows[0] if rows else None


def _worked_out(app: App, task: Task, name: str) -> JSON:
    """As the payment was decided; where it is shown again as if it were new, the moments are those of its page."""
    shown = dossiers.stored(app.ledger, task.dossier_id, task.transaction_seq)
    by = fresh.moved_by(shown)
    made: JSON = fresh.moved(_as_then(app, task.transaction_seq, name, fresh.moved(shown, -by)), by)
    return made


def _as_then(app: App, seq: int, name: str, dossier: JSON) -> JSON:
    if name == LINKS:
        return links.links(app.ledger, dossier, seq)
    if name == SIMILAR:
        named = {rule.typology for rule in app.settings().rules.rules}
        return similar.similar(app.ledger, dossier, seq, named)
    if name == WHAT_IF:
        return what_if.what_if(app, seq)
    settings = what_if.settings_then(app, dossier["set_id"])
    protected = app.settings().policy.protected_attribute
    return behind_rules.behind_rules(app.ledger, dossier, settings.features, seq, protected)


def _store(app: App, task: Task, name: str, made: JSON, user: str, at: datetime) -> Mapping[str, Any]:
    """Keep what is about to be shown, and who opened it; what somebody stored meanwhile stands."""
    content = canonical_json(made)
    row = {
        "dossier_id": task.dossier_id,
        "transaction_seq": task.transaction_seq,
        "part": name,
        "content": content,
    }
    with app.ledger.writing() as w:
        kept = _stored(w, task, name)
        if kept is not None:
            return kept
        digest = sha256_hex(content)
        w.insert("dossier_parts", [{**row, "sha256": digest, "created_at": at}])
        payload = {"dossier_id": task.dossier_id, "part": name, "sha256": digest}
        w.event(EventDraft(user, "dossier.extended", f"task:{task.task_id}", payload), at)
    return {**row, "created_at": at}


def _without_blind(app: App, content: JSON, person: Person) -> JSON:
    """The similar cases but for those that this person may be given to judge again."""
    blind = blind_transactions(app.ledger, person.user_id, person.role)
    kept = [case for case in content["cases"] if case["transaction_seq"] not in blind]
    return content if len(kept) == len(content["cases"]) else {**content, "cases": kept, "sentence": ""}
