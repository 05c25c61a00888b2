"""Which proposals does the made-up institution hold, and how does a change look that waits for approval?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fake_asking import Asked, Refused
from fake_clock import stamp

Json = dict[str, Any]
CONTENT = "4be1c09f2d7a6630" * 4
EVIDENCE: Json = {
    "rule": "quiet_account",
    "days": 69,
    "hits": 192,
    "known": 95,
    "precision": {"value": 0.042, "low": 0.016, "high": 0.103, "n": 95},
    "added_cases_a_day": 2.3,
    "cases_a_day": 6.4,
    "capacity": 60,
    "needed": {"shadow_days": 14, "hits": 20, "known": 10, "precision": 0.02},
    "lacking": ["the lower end of its precision is 1.6%; the policy asks for 2.0%"],
    "enough": False,
}
STEP: Json = {
    "rule": "quiet_account",
    "title": "Quiet for two weeks",
    "from": "shadow",
    "to": "live",
    "allowed": True,
    "evidence": EVIDENCE,
}
CHECKED: Json = {
    "findings": [],
    "tests": [{"rule": "r", "name": "third payment", "expected": "hit", "actual": "hit", "passed": True}],
    "unpinned": [],
    "sound": True,
}


def share(value: float | None) -> Json:
    return {"value": value, "low": value, "high": value, "n": 0 if value is None else 20}


def group(count: int, value: float | None = None) -> Json:
    estimate = {"fraud_share": None if value is None else share(value)}
    return {
        "count": count,
        "amount_minor": 4100 * count,
        "estimate": estimate,
        "told": "How this was estimated.",
    }


PREVIEW: Json = {
    "since": stamp(days=30),
    "until": stamp(),
    "decisions": 15703,
    "alerts": {"gained": group(65, 0.11), "both": group(219), "lost": group(3)},
    "cases": {
        "before": {"a_day": 10.7, "analyst_hours_a_day": 0.11},
        "after": {"a_day": 12.8, "analyst_hours_a_day": 0.13, "capacity": 60},
    },
    "flipped": 68,
    "alarms": [{"sentence": "Every tenth payment would be looked at."}],
    "not_known": ["For 64 of the 68 flipped payments no outcome is known."],
}


def proposal(number: int, author: str, path: str, **more: Any) -> Json:
    row = {
        "proposal_id": f"p_{number:04d}",
        "content_sha256": CONTENT,
        "author": author,
        "authors": [author],
        "origin": "console: texts",
        "reason": "after the February ring",
        "override_reason": "",
        "proposed_at": stamp(hours=number),
        "status": "open",
        "settled_by": "",
        "settled_at": None,
        "settled_reason": "",
        "set_id": "",
        "changes": [{"path": path, "change": "changed"}],
    }
    lines = ["--- approved", "+++ proposed", "@@ -1,3 +1,3 @@", " id: x", "-  - a >= 3", "+  - a >= <b>4</b>"]
    page = {
        **CHECKED,
        "files": [{"path": path, "change": "changed", "diff": lines, "text": "id: x\n- a >= 4\n"}],
        "resulting_set_id": "set_00000000000000aa",
        "overtaken": [],
        "problems": [],
        "steps": [],
        "without_evidence": [],
        "you_may_not_approve": "",
    }
    return {**row, **page, **more}


@dataclass
class ProposalDesk:
    """One person writes, another approves."""

    approvals: list[Json] = field(default_factory=list)
    proposals: dict[str, Json] = field(default_factory=dict)
    settled: list[tuple[str, str, str]] = field(default_factory=list)
    checked: list[Json] = field(default_factory=list)

    def listed_proposals(self, asked: Asked) -> Json:
        wanted = asked.query.get("status", "")
        found = [p for p in self.proposals.values() if wanted in ("", p["status"])]
        return {"proposals": found, "open": len(found), "waiting_for_you": 0}

    def proposal(self, asked: Asked) -> Json:
        found = self.proposals[asked.parts[0]]
        return {**found, "you_may_not_approve": "you wrote it" if asked.user in found["authors"] else ""}

    def propose(self, asked: Asked) -> Json:
        number = len(self.proposals) + 1
        path = next(iter(asked.body.get("files") or {"catalogue/x.yaml": ""}))
        made = proposal(number, asked.user, path, reason=asked.body["reason"], asked=asked.body)
        self.proposals[made["proposal_id"]] = made
        return made

    def approve(self, asked: Asked) -> Json:
        found = self.proposals[asked.body["proposal_id"]]
        if asked.user in found["authors"]:
            raise Refused(403, "Not allowed", "nobody approves a change of their own", "Ask another.")
        self.approvals.append(asked.body)
        found |= {"status": "approved", "settled_by": asked.user, "settled_reason": asked.body["reason"]}
        found |= {"settled_at": stamp(), "set_id": found["resulting_set_id"]}
        return {"set_id": found["resulting_set_id"], "files_left_alone": []}

    def settle(self, asked: Asked) -> Json:
        proposal_id, how = asked.parts
        self.settled.append((proposal_id, how, asked.body["reason"]))
        word = {"rejection": "rejected", "withdrawal": "withdrawn"}[how]
        self.proposals[proposal_id] |= {"status": word, "settled_by": asked.user, "settled_at": stamp()}
        return self.proposals[proposal_id]

    def check(self, asked: Asked) -> Json:
        self.checked.append(asked.body["files"])
        text = next(iter(asked.body["files"].values()))
        if "costumer" not in text:
            return CHECKED
        what = {"what": "there is no feature 'costumer'", "hint": "Did you mean 'customer'?"}
        error = {
            "check": "unknown_feature",
            "severity": "error",
            "where": "rules/catalogue/x.yaml:3:1",
            **what,
        }
        return {**CHECKED, "findings": [error], "sound": False}
