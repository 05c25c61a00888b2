"""How were the settled payments judged that looked most like this one to the engine?"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import orjson

from casework.review.review_design import BLIND_KINDS
from casework.review.verdict_codes import TYPOLOGIES
from data.canonical import rfc3339
from data.ledger import Ledger
from data.storage.rows import aware

JSON = dict[str, Any]
MOST_SHOWN = 5
MOST_COMPARED = 400
"""Settled payments that are compared, the latest: older ones met another model and other fraud."""
# In cases closed before this payment was decided, and not waiting to be judged again, by anybody, as if it were new.
_SETTLED = """
    SELECT x.case_id, x.transaction_seq, x.verdict, x.settled_at, t.transaction_id, t.occurred_at, x.amount_minor,
           (SELECT count(*) FROM verdicts v WHERE v.transaction_seq = x.transaction_seq AND v.undone_at IS NULL
            AND v.case_id = x.case_id) AS people,
           (SELECT max(v.typology) FROM verdicts v WHERE v.transaction_seq = x.transaction_seq AND v.undone_at IS NULL
            AND v.value = x.verdict AND list_contains(?, v.typology)) AS typology,
           (SELECT any_value(d.content) FROM dossiers d WHERE d.transaction_seq = x.transaction_seq) AS content
    FROM (SELECT p.* FROM case_transactions p JOIN cases c ON c.case_id = p.case_id
          WHERE c.status = 'closed' AND c.closed_at < ? AND p.verdict <> '' AND p.transaction_seq <> ?
          ORDER BY c.closed_at DESC LIMIT ?) x
    JOIN transactions t ON t.seq = x.transaction_seq
    WHERE x.transaction_seq NOT IN (SELECT transaction_seq FROM tasks
                                    WHERE kind = 'golden' OR (status IN ('open', 'claimed') AND list_contains(?, kind)))
"""


def similar(
    ledger: Ledger, dossier: Mapping[str, Any], seq: int, named_by_rules: Collection[str] = ()
) -> JSON:
    """{cases: [{transaction_id, transaction_seq, case_id, occurred_at, amount_minor, verdict, typology, people,
    settled_at, alike, shared}], compared, sentence}: the nearest settled before this payment was decided.

    Nearest by Euclidean distance of the SHAP values in log-odds, and of the rules that were hit, each counting as one;
    where no model gave a score, by the rules and the amount. `alike` is 1 / (1 + distance), `shared` names what pulled
    both the same way most. A `typology` is a code, the console's or `named_by_rules`, else '': words of somebody's own
    would stay here when they are erased with the payment that they are about.
    """
    decided = datetime.fromisoformat(dossier["decided_at"])
    codes = sorted(TYPOLOGIES | {*named_by_rules})
    rows = ledger.read(_SETTLED, [codes, decided, seq, MOST_COMPARED, list(BLIND_KINDS)])
    here, measured = _profile(dossier), []
    for row in rows:
        if row["content"] is None:
            continue
        there = _profile(orjson.loads(row["content"]))
        measured.append((_distance(here, there), row["transaction_seq"], row, there))
    measured.sort(key=lambda each: each[:2])
    cases = [_case(row, distance, here, there) for distance, _, row, there in measured[:MOST_SHOWN]]
    return {"cases": cases, "compared": len(measured), "sentence": _sentence(cases, len(measured))}


def _profile(dossier: Mapping[str, Any]) -> JSON:
    """What is compared: pushes by input, rules hit, and the amount in powers of two."""
    bars = (dossier.get("explanation") or {}).get("bars", [])
    hit = {rule["id"]: rule["title"] for rule in dossier["rules"] if rule["state"] == "hit"}
    pushes = {bar["name"]: float(bar["contribution"]) for bar in bars}
    phrases = {bar["name"]: bar["phrase"] for bar in bars}
    amount = math.log2(max(dossier["transaction"]["amount_minor"] or 1, 1))
    return {"pushes": pushes, "phrases": phrases, "rules": hit, "amount": amount}


def _distance(here: JSON, there: JSON) -> float:
    rules = len(here["rules"].keys() ^ there["rules"].keys())
    if not here["pushes"] or not there["pushes"]:
        # What no model scored is never nearer than what one did: a unit apart for each that lacks it.
        lacking = bool(here["pushes"]) + bool(there["pushes"])
        return math.sqrt(rules + (here["amount"] - there["amount"]) ** 2) + lacking
    names = here["pushes"].keys() | there["pushes"].keys()
    apart = sum((here["pushes"].get(n, 0.0) - there["pushes"].get(n, 0.0)) ** 2 for n in names)
    return math.sqrt(apart + rules)


def _case(row: Mapping[str, Any], distance: float, here: JSON, there: JSON) -> JSON:
    return {
        "transaction_id": row["transaction_id"],
        "transaction_seq": row["transaction_seq"],
        "case_id": row["case_id"],
        "occurred_at": rfc3339(aware(row["occurred_at"])),
        "settled_at": rfc3339(aware(row["settled_at"])),
        "amount_minor": row["amount_minor"],
        "verdict": row["verdict"],
        "typology": row["typology"] or "",
        "people": row["people"],
        "alike": round(1.0 / (1.0 + distance), 3),
        "shared": _shared(here, there),
    }


def _shared(here: JSON, there: JSON) -> list[str]:
    """Rules that both hit, then the inputs that pushed both the same way, the strongest first; three at most."""
    rules = [title for rule, title in here["rules"].items() if rule in there["rules"]]
    both = {
        name: min(abs(push), abs(there["pushes"][name]))
        for name, push in here["pushes"].items()
        if push * there["pushes"].get(name, 0.0) > 0
    }
    strongest = sorted(both, key=lambda name: -both[name])
    return [*rules, *(here["phrases"][name] for name in strongest)][:3]


def _sentence(cases: list[JSON], compared: int) -> str:
    if not cases:
        return "No payment had been settled by people when this one was decided."
    fraud = sum(case["verdict"] == "confirmed_fraud" for case in cases)
    return (
        f"{fraud} of the {len(cases)} most alike were confirmed as fraud, out of {compared} settled before."
    )
