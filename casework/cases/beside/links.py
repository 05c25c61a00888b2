"""Who and what hangs together with a payment: whose device, card, address or merchant did others use too?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from data.ledger import Ledger
from data.outcome_order import in_force
from engine.rules.sql import identifier

JSON = dict[str, Any]
LOOK_BACK_DAYS = 90
HUB = 25
"""From so many customers on, a busy merchant or terminal says nothing of those who meet there: not followed."""
MOST_EACH = 5
"""Linked values that are drawn of one kind for each of the payment's own; the others are counted."""
MOST_ROWS = 2_000
_FRAUD = f"seq IN (SELECT transaction_seq FROM ({in_force('known_at <= ?')}) WHERE is_fraud)"


@dataclass
class _Tie:
    """What ties one value to another: the payments that name both."""

    payments: int = 0
    known_frauds: int = 0


@dataclass
class _Own:
    """One of the payment's own values, and what it is tied to, by (kind, value)."""

    kind: str
    value: str
    payments: int
    customers: int
    known_frauds: int
    ties: dict[tuple[str, str], _Tie] = field(default_factory=lambda: defaultdict(_Tie))

    @property
    def is_hub(self) -> bool:
        return self.customers > HUB


def links(ledger: Ledger, dossier: Mapping[str, Any], seq: int) -> JSON:
    """{nodes: [{id, kind, value, hop, payments, known_frauds, amount_minor, customers, hub}], edges: [{from, to,
    payments, known_frauds}], more: [{of, kind, count}], sentences, limits}.

    Hop 0 is the payment, hop 1 are its own values, hop 2 what shared a payment with one of those before this payment
    in LOOK_BACK_DAYS. Frauds are those known when the payment was decided. Facts only, nobody's opinion.
    """
    payment = dossier["transaction"]
    kinds = [
        f.name for f in ledger.fields if f.role == "entity"
    ]  # in the mapping's order: whose payment it is first
    own = {kind: str(payment["entities"][kind]) for kind in kinds if payment["entities"].get(kind)}
    first = kinds[0] if kinds else ""
    at = datetime.fromisoformat(payment["occurred_at"])
    since, known = at - timedelta(days=LOOK_BACK_DAYS), datetime.fromisoformat(dossier["decided_at"])
    roots = _own_values(ledger, own, first, seq, since, known)
    rows = _payments(ledger, [root for root in roots if not root.is_hub], list(own), seq, since, known)
    for root in roots:
        if not root.is_hub:
            _tie(root, rows, own, {r.kind for r in roots if r.is_hub and r.kind != first})
    return _picture(payment, roots, rows, first)


def _own_values(
    ledger: Ledger, own: Mapping[str, str], first: str, seq: int, since: datetime, known: datetime
) -> list[_Own]:
    """The payment's own values, each with how often and by how many it was used before."""
    if not own:
        return []
    counts, parameters = [], []
    for place, (kind, value) in enumerate(own.items()):
        this = f"FILTER ({identifier(kind)} = ?)"
        counts.append(f"count(*) {this} AS n{place}")
        counts.append(f"count(DISTINCT {identifier(first)}) {this} AS c{place}")
        counts.append(f"count(*) FILTER ({identifier(kind)} = ? AND fraud) AS f{place}")
        parameters += [value] * 3
    columns = ", ".join(map(identifier, dict.fromkeys([first, *own])))
    found = ledger.read(
        f"SELECT {', '.join(counts)} FROM (SELECT {columns}, {_FRAUD} AS fraud FROM transactions "
        "WHERE seq < ? AND occurred_at >= ?)",
        [*parameters, known, seq, since],
    )[0]
    return [
        _Own(kind, value, found[f"n{i}"], 0 if kind == first else found[f"c{i}"], found[f"f{i}"])
        for i, (kind, value) in enumerate(own.items())
    ]


def _payments(
    ledger: Ledger, roots: Sequence[_Own], kinds: Sequence[str], seq: int, since: datetime, known: datetime
) -> list[JSON]:
    if not roots:
        return []
    either = " OR ".join(f"{identifier(root.kind)} = ?" for root in roots)
    columns = ", ".join(map(identifier, kinds))
    return ledger.read(
        f"SELECT {columns}, amount_minor, {_FRAUD} AS fraud FROM transactions "
        f"WHERE seq < ? AND occurred_at >= ? AND ({either}) ORDER BY seq DESC LIMIT {MOST_ROWS}",
        [known, seq, since, *(root.value for root in roots)],
    )


def _tie(root: _Own, rows: Sequence[JSON], own: Mapping[str, str], skipped: set[str]) -> None:
    """Count what shared a payment with this value; values of a kind that everybody meets at are left out."""
    for row in rows:
        if row[root.kind] != root.value:
            continue
        for kind, value in own.items():
            other = row[kind]
            if kind == root.kind or kind in skipped or other is None or other == value:
                continue
            tie = root.ties[kind, str(other)]
            tie.payments += 1
            tie.known_frauds += bool(row["fraud"])


def _picture(payment: Mapping[str, Any], roots: Sequence[_Own], rows: Sequence[JSON], first: str) -> JSON:
    centre = {"id": "payment", "kind": "payment", "value": payment["transaction_id"], "hop": 0}
    nodes: dict[str, JSON] = {"payment": {**centre, "amount_minor": payment["amount_minor"]}}
    edges: list[JSON] = []
    more: list[JSON] = []
    for root in roots:
        name = f"{root.kind}:{root.value}"
        nodes[name] = _node(root, name)
        edges.append(
            {"from": "payment", "to": name, "payments": root.payments, "known_frauds": root.known_frauds}
        )
        for (kind, value), tie in _strongest(root):
            other = f"{kind}:{value}"
            nodes.setdefault(other, _linked(kind, value, rows))
            edges.append(
                {"from": name, "to": other, "payments": tie.payments, "known_frauds": tie.known_frauds}
            )
        more += _left_out(root)
    return {
        "nodes": list(nodes.values()),
        "edges": edges,
        "more": more,
        "sentences": [_said(root, first) for root in roots],
        "limits": _limits(roots, len(rows)),
    }


def _node(root: _Own, name: str) -> JSON:
    figures = {"payments": root.payments, "known_frauds": root.known_frauds, "customers": root.customers}
    return {"id": name, "kind": root.kind, "value": root.value, "hop": 1, "hub": root.is_hub, **figures}


def _linked(kind: str, value: str, rows: Sequence[JSON]) -> JSON:
    """A value that shared payments with the payment's own, each payment counted once however many ties it makes."""
    found = [row for row in rows if row[kind] == value]
    return {
        "id": f"{kind}:{value}",
        "kind": kind,
        "value": value,
        "hop": 2,
        "payments": len(found),
        "known_frauds": sum(bool(row["fraud"]) for row in found),
        "amount_minor": sum(row["amount_minor"] or 0 for row in found),
    }


def _strongest(root: _Own) -> list[tuple[tuple[str, str], _Tie]]:
    """Of each kind the values with known fraud first, then those with most payments."""
    ordered = sorted(root.ties.items(), key=lambda t: (-t[1].known_frauds, -t[1].payments, t[0]))
    taken: Counter[str] = Counter()
    kept = []
    for (kind, value), tie in ordered:
        taken[kind] += 1
        if taken[kind] <= MOST_EACH:
            kept.append(((kind, value), tie))
    return kept


def _left_out(root: _Own) -> list[JSON]:
    by_kind = Counter(kind for kind, _ in root.ties)
    of = f"{root.kind}:{root.value}"
    return [{"of": of, "kind": kind, "count": n - MOST_EACH} for kind, n in by_kind.items() if n > MOST_EACH]


def _said(root: _Own, first: str) -> str:
    """One of the payment's values in a sentence, for whoever does not see the picture."""
    named = f"{root.kind.replace('_', ' ').capitalize()} {root.value}"
    if not root.payments:
        return f"{named} was never seen in the {LOOK_BACK_DAYS} days before."
    frauds = f", {root.known_frauds} of them known fraud" if root.known_frauds else ""
    told = f"{named}: {_plural(root.payments, 'payment')} in {LOOK_BACK_DAYS} days{frauds}"
    if root.is_hub:
        many = _plural(root.customers, first.replace("_", " "))
        return f"{told}, by {many}; so many meet there that it is not followed."
    if not root.ties:
        return f"{told}, with nobody and nothing else."
    parts = [
        f"{kind.replace('_', ' ')} {_values(root, kind)}" for kind in dict.fromkeys(k for k, _ in root.ties)
    ]
    return f"{told}, also with {'; '.join(parts)}."


def _values(root: _Own, kind: str) -> str:
    shown = [(value, tie) for (k, value), tie in _strongest(root) if k == kind]
    told = [f"{value} ({tie.payments}{', known fraud' if tie.known_frauds else ''})" for value, tie in shown]
    rest = sum(k == kind for k, _ in root.ties) - len(shown)
    return ", ".join(told) + (f" and {rest} more" if rest else "")


def _limits(roots: Sequence[_Own], read: int) -> str:
    said = f"Two steps from the payment, {LOOK_BACK_DAYS} days back, at most {MOST_EACH} of a kind for each of its own."
    if read >= MOST_ROWS:
        said += f" Only the latest {MOST_ROWS:,} payments were followed."
    hubs = [root.kind.replace("_", " ") for root in roots if root.is_hub]
    return said + (f" Not followed because more than {HUB} meet there: {', '.join(hubs)}." if hubs else "")


def _plural(n: int, word: str) -> str:
    return f"{n:,} {word}{'' if n == 1 else 's'}"
