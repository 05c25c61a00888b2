"""Who proposes which change of the approved set, why, and what has become of it?

A proposal is fixed when it is made: its contents are in the ledger, and its content hash is over all of them. Whoever
wants other content makes another proposal, which may replace the first. The author is never the approver.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import orjson

from casework.app import App
from casework.settings import evidence
from casework.settings.linting import lint_files
from data import approved
from data.canonical import canonical_json, sha256_hex
from data.errors import ConflictError, InputError, NotFoundError, PermissionDenied
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer
from engine.rules.lint import CHECKS

JSON = dict[str, Any]
OPEN, APPROVED, REJECTED, WITHDRAWN, REPLACED = "open", "approved", "rejected", "withdrawn", "replaced"
LARGEST_FILE, MOST_FILES = 200_000, 500
NAME_IN_CLEAR = "name_in_clear"
_NAMES = tuple(check for check in CHECKS if check.name == NAME_IN_CLEAR)
_PATH = re.compile(
    r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*/){0,3}[A-Za-z0-9_][A-Za-z0-9_.-]*\.(?:yaml|yml|md|json)\Z"
)


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one file: added, changed or removed; the hash of its content before and after, '' for none."""

    path: str
    change: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Who wants a change, and why. `origin` says by which way it came in; `override_reason` why a rule shall go live
    without the evidence asked for; `replaces` is an open proposal that this one takes the place of."""

    by: str
    reason: str
    origin: str = "http"
    override_reason: str = ""
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One proposal as it stands. Its content never changes; only `status` and what belongs to it do."""

    proposal_id: str
    content_sha256: str
    base_set_id: str
    changes: tuple[Change, ...]
    author: str
    authors: tuple[str, ...]
    origin: str
    reason: str
    override_reason: str
    evidence: tuple[JSON, ...]
    proposed_at: datetime
    replaces: str
    status: str
    settled_by: str
    settled_at: datetime | None
    settled_reason: str
    set_id: str

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(change.path for change in self.changes)


def content_hash(changes: Sequence[Change]) -> str:
    """What an approval names: SHA-256 over path, hash before and hash after of every change, by path."""
    lines = (f"{c.path}:{c.before}:{c.after}" for c in sorted(changes, key=lambda c: c.path))
    return sha256_hex("\n".join(lines).encode())


def propose(app: App, texts: Mapping[str, bytes | None], asked: Asked, *, at: datetime) -> Proposal:
    """Put a change of some files (None removes one) before a second person. Nothing decides otherwise until approved.

    PermissionDenied unless a user makes it; ConflictError if nothing would change or the same is already proposed;
    InputError for a path that is no file of a set, a file too large, or one that names somebody whom the ledger knows
    by a pseudonym only: what is proposed stays readable for good.
    """
    require_user(app.ledger, asked.by)
    for path, content in texts.items():
        _check_file(path, content, len(texts))
    running = approved.current(app.ledger)
    changes = _changes(running.files, texts)
    if not changes:
        raise ConflictError("nothing differs from the approved set", hint="Change a file first.")
    replaced = _replaced(app.ledger, asked)
    _refuse_twin(app.ledger, content_hash(changes), asked.replaces)
    wanted = {c.path: content for c in changes if (content := texts[c.path]) is not None}
    _refuse_names(app, {**running.files, **texts}, wanted, at)
    found = evidence.of_promotions(app, {**running.files, **wanted}, at)
    with app.ledger.writing() as w:
        approved.keep(w, wanted, at)
        proposal_id = _record(w, running.set_id, changes, asked, replaced, found, at)
    return find(app.ledger, proposal_id)


def require_user(ledger: Ledger, user_id: str) -> None:
    """PermissionDenied for anyone who is no user, such as the local administration of a workspace."""
    sql = "SELECT 1 AS ok FROM users WHERE user_id = ? AND disabled_at IS NULL"
    if not ledger.read(sql, [user_id]):
        raise PermissionDenied(
            "a change of the approved set needs a person who answers for it",
            allowed="a user of this workspace",
            hint="On the command line give --user NAME; 'secondlook users add' makes one.",
        )


def _check_file(path: str, content: bytes | None, count: int) -> None:
    if not _PATH.match(path) or path == "mapping.yaml":
        allowed = "a path such as catalogue/my_rule.yaml, policy.yaml or guidelines.md"
        raise InputError(f"{path[:120]!r} is no file of a set", where="files", allowed=allowed)
    if count > MOST_FILES:
        raise InputError(f"{count} files at once", where="files", allowed=f"at most {MOST_FILES}")
    if content is not None and len(content) > LARGEST_FILE:
        raise InputError(
            f"the file has {len(content):,} bytes", where=path, allowed=f"at most {LARGEST_FILE:,}"
        )


def _refuse_names(
    app: App, files: Mapping[str, bytes | None], changed: Collection[str], at: datetime
) -> None:
    """InputError for the first name in clear among the files changed."""
    if not app.mapping.pseudonymous:
        return
    then = {path: content for path, content in files.items() if content is not None}
    for found in lint_files(then, app.mapping, at=at, checks=_NAMES):
        if found.check == NAME_IN_CLEAR and any(found.where.startswith(f"rules/{path}:") for path in changed):
            raise InputError(found.what, where=found.where, hint=f"{found.hint} Nothing was kept.")


def _changes(running: Mapping[str, bytes], texts: Mapping[str, bytes | None]) -> tuple[Change, ...]:
    found = []
    for path, content in sorted(texts.items()):
        held = running.get(path)
        if content == held:
            continue
        word = "removed" if content is None else "added" if held is None else "changed"
        found.append(Change(path, word, hash_of(held), hash_of(content)))
    return tuple(found)


def hash_of(content: bytes | None) -> str:
    """The SHA-256 of a file's content, '' where there is no file."""
    return "" if content is None else sha256_hex(content)


def _replaced(ledger: Ledger, asked: Asked) -> Proposal | None:
    if not asked.replaces:
        return None
    found = find(ledger, asked.replaces)
    require_open(found)
    return found


def _refuse_twin(ledger: Ledger, content_sha256: str, but: str) -> None:
    sql = (
        "SELECT proposal_id FROM proposals WHERE content_sha256 = ? AND status = 'open' AND proposal_id <> ?"
    )
    if rows := ledger.read(sql, [content_sha256, but]):
        raise ConflictError(
            f"this is already proposed as {rows[0]['proposal_id']}",
            hint="Approve, reject or withdraw that one.",
        )


def _record(
    w: Writer,
    base_set_id: str,
    changes: tuple[Change, ...],
    asked: Asked,
    replaced: Proposal | None,
    found: Sequence[JSON],
    at: datetime,
) -> str:
    proposal_id = f"p_{1 + w.read('SELECT count(*) AS n FROM proposals')[0]['n']:04d}"
    told = {
        "content_sha256": content_hash(changes),
        "base_set_id": base_set_id,
        "origin": asked.origin,
        "reason": asked.reason,
        "override_reason": asked.override_reason,
        "replaces": asked.replaces,
    }
    # Who wrote a part of what this replaces has written a part of this.
    authors = sorted({asked.by, *(replaced.authors if replaced else ())})
    data = {**told, "authors": authors, "changes": [asdict(c) for c in changes], "evidence": list(found)}
    event_seq = w.event(EventDraft(asked.by, "proposal.made", f"proposal:{proposal_id}", data), at)
    row = {
        **told,
        "proposal_id": proposal_id,
        "author": asked.by,
        "authors": authors,
        "changes": canonical_json(data["changes"]).decode(),
        "evidence": canonical_json(data["evidence"]).decode(),
        "proposed_at": at,
        "status": OPEN,
        "settled_by": "",
        "settled_reason": "",
        "set_id": "",
        "event_seq": event_seq,
    }
    w.insert("proposals", [row])
    if replaced:
        settle(w, replaced.proposal_id, REPLACED, by=asked.by, reason=f"replaced by {proposal_id}", at=at)
    return proposal_id


def find(ledger: Ledger, proposal_id: str) -> Proposal:
    """A proposal by its id. NotFoundError for an unknown one."""
    rows = ledger.read("SELECT * EXCLUDE (event_seq) FROM proposals WHERE proposal_id = ?", [proposal_id])
    if not rows:
        raise NotFoundError(
            f"there is no proposal {proposal_id[:80]!r}", hint="GET /v1/proposals lists them."
        )
    return _read(rows[0])


def listing(ledger: Ledger, status: str = "", limit: int = 200) -> list[Proposal]:
    """Proposals, newest first, of one status or of all."""
    sql = (
        "SELECT * EXCLUDE (event_seq) FROM proposals WHERE ? IN ('', status) ORDER BY event_seq DESC LIMIT ?"
    )
    return [_read(row) for row in ledger.read(sql, [status, limit])]


def _read(row: Mapping[str, Any]) -> Proposal:
    return Proposal(
        **{
            **row,
            "changes": tuple(Change(**change) for change in orjson.loads(row["changes"])),
            "authors": tuple(row["authors"]),
            "evidence": tuple(orjson.loads(row["evidence"])),
        }
    )


def require_open(proposal: Proposal) -> None:
    """ConflictError for a proposal that is settled."""
    if proposal.status != OPEN:
        raise ConflictError(
            f"{proposal.proposal_id} was {proposal.status} by {proposal.settled_by}",
            hint="Propose the change anew if it is still wanted.",
        )


def withdraw(app: App, proposal_id: str, *, by: str, reason: str, at: datetime) -> Proposal:
    """Take one's own proposal back. PermissionDenied for anybody but an author."""
    found = find(app.ledger, proposal_id)
    require_open(found)
    if by not in found.authors:
        raise PermissionDenied(
            f"only its author takes {proposal_id} back", allowed=", ".join(found.authors), hint="Reject it."
        )
    return _end(app, proposal_id, WITHDRAWN, by, reason, at)


def reject(app: App, proposal_id: str, *, by: str, reason: str, at: datetime) -> Proposal:
    """Decline a proposal with a reason; its author withdraws instead."""
    require_user(app.ledger, by)
    found = find(app.ledger, proposal_id)
    require_open(found)
    if by in found.authors:
        raise PermissionDenied(f"{by} wrote {proposal_id}", hint="Withdraw it instead.")
    return _end(app, proposal_id, REJECTED, by, reason, at)


def _end(app: App, proposal_id: str, status: str, by: str, reason: str, at: datetime) -> Proposal:
    with app.ledger.writing() as w:
        settle(w, proposal_id, status, by=by, reason=reason, at=at)
    return find(app.ledger, proposal_id)


def settle(
    w: Writer,
    proposal_id: str,
    status: str,
    *,
    by: str,
    reason: str,
    at: datetime,
    data: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Record what became of a proposal. ConflictError if it is no longer open."""
    if not w.read("SELECT 1 AS ok FROM proposals WHERE proposal_id = ? AND status = 'open'", [proposal_id]):
        raise ConflictError(f"{proposal_id} is no longer open", hint="Read it again.")
    payload = {"reason": reason, **data}
    w.event(EventDraft(by, f"proposal.{status}", f"proposal:{proposal_id}", payload), at)
    w.execute(
        "UPDATE proposals SET status = ?, settled_by = ?, settled_at = ?, settled_reason = ?, set_id = ? "
        "WHERE proposal_id = ?",
        [status, by, at, reason, data.get("set_id", ""), proposal_id],
    )
