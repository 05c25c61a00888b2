"""What does a person read who opens an evidence pack without our program?"""

from __future__ import annotations

from html import escape
from typing import Any

import orjson

from data.said import REASONS

JSON = dict[str, Any]
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2733}"
    "table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #d5dbe1;padding:.3rem .5rem;"
    "text-align:left;vertical-align:top}code,pre{font-size:13px;overflow-wrap:anywhere;white-space:pre-wrap}"
)


def page(evidence: JSON) -> str:
    """One page without scripts or anything from elsewhere: what was decided, and every event in order."""
    shown = [
        f"<h1>Evidence {escape(evidence['export_id'])}</h1>",
        f"<p>{escape(evidence['institution'])}, taken by {escape(evidence['made_by'])} at "
        f"{escape(evidence['made_at'])}. Personal values are {_included(evidence)}. To check it: "
        "<code>python check_pack.py</code>.</p>",
    ]
    decided = [event for event in evidence["events"] if event["kind"] == "transaction.decided"]
    shown += [_decision(orjson.loads(event["payload"]), event) for event in decided]
    shown.append("<h2>Events</h2><table><tr><th>Event</th><th>When (UTC)</th><th>Who</th><th>What</th></tr>")
    said: dict[str, list[str]] = {}
    for row in evidence["personal"]:
        if row["field"] in REASONS:
            said.setdefault(row["owner"], []).append(f"{row['field']}: {row['value']}")
    shown += [_event(event, said.get(f"event:{event['seq']}", [])) for event in evidence["events"]]
    body = "\n".join([*shown, "</table>"])
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Evidence</title>'
        f"<style>{_STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def _included(evidence: JSON) -> str:
    return f"included ({escape(evidence['reason'])})" if evidence["unmasked"] else "not included"


def _decision(decided: JSON, event: JSON) -> str:
    hits = [rule for rule in decided["rules"] if rule["state"] == "hit"]
    rules = "".join(f"<li>{escape(rule['id'])}: {escape(rule.get('reason', ''))}</li>" for rule in hits)
    probability = decided["probability"]
    facts = {
        "Outcome": decided["outcome"],
        "Why": decided["triage"]["sentence"],
        "Probability of fraud": "no model" if probability is None else f"{probability:.4f}",
        "Decided at": decided["decided_at"],
        "Approved set": decided["set_id"],
        "Model": decided["model_id"] or "none",
        "Event": f"{event['seq']} {event['hash']}",
    }
    rows = "".join(f"<tr><th>{name}</th><td>{escape(str(value))}</td></tr>" for name, value in facts.items())
    named = escape(decided["transaction_id"])
    return f"<h2>Transaction {named}</h2><table>{rows}</table><p>Rules that hit:</p><ul>{rules or '<li>none</li>'}</ul>"


def _event(event: JSON, said: list[str]) -> str:
    payload = event["payload"] if len(event["payload"]) <= 1000 else event["payload"][:1000] + " ..."
    return (
        f"<tr><td>{event['seq']}</td><td>{escape(event['recorded_at'])}</td><td>{escape(event['actor'])}</td>"
        f"<td>{escape(event['kind'])}<br>{escape(event['subject'])}<br><code>{escape(payload)}</code>"
        f"{''.join('<br>' + escape(words) for words in said)}</td></tr>"
    )
