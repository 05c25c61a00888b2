"""How does the console behave against an API? An in-memory one, served over real HTTP on a free port.

python tests/dashboards/fake_api.py 8700    serves it by hand; every user of USERS has the password "look"
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import fake_beside
import fake_consequences
import fake_consistency
import fake_design
import fake_imports
import fake_institution as data
import fake_models
import fake_proposals
import fake_record
import fake_safety
import fake_tasks
import fake_watch
import fake_work
from fake_asking import Asked, Refused
from fake_clock import ahead, stamp
from fake_proposals import ProposalDesk

Json = dict[str, Any]
PASSWORD = "look"
USERS = {
    "analyst-1": "analyst",
    "team-lead-1": "team_lead",
    "risk-manager-1": "risk_manager",
    "risk-manager-2": "risk_manager",
    "auditor-1": "auditor",
    "admin": "admin",
    "integrator-1": "integrator",
}


@dataclass
class FakeApi(ProposalDesk):
    """State of the made-up institution. `fail` maps 'GET /queue' to the refusal that route shall give."""

    tasks: dict[str, Json] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    verdicts: list[Json] = field(default_factory=list)
    drafts: dict[str, Json] = field(default_factory=dict)
    released: list[tuple[str, str]] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)
    signed_off: list[tuple[str, str]] = field(default_factory=list)
    switched: list[tuple[str, str, Json]] = field(default_factory=list)
    dispositions: list[Json] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    fail: dict[str, Refused] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    done: list[tuple[str, str, Json]] = field(default_factory=list)
    parts_asked: list[tuple[str, str]] = field(default_factory=list)
    listed: list[Json] = field(default_factory=list)
    unmasked: list[tuple[str, str, str]] = field(default_factory=list)
    unsent: dict[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def with_work(cls) -> FakeApi:
        api = cls()
        pages = [
            fake_tasks.task_page(1),
            fake_tasks.task_page(2, arm="blind_first", lane="review"),
            fake_tasks.task_page(3, amount=22900),
            fake_tasks.unknown_entity_page(),
        ]
        for page in pages:
            api.tasks[page["task_id"]] = page
            api.order.append(page["task_id"])
        return api

    def token_for(self, user: str) -> str:
        token = f"token-of-{user}"
        self.tokens[token] = user
        return token

    # Routing
    def answer(
        self, method: str, path: str, query: dict[str, str], body: Json, token: str
    ) -> tuple[int, Any]:
        try:
            for verb, pattern, public, handler in ROUTES:
                found = re.fullmatch(pattern, path)
                if verb == method and found:
                    user = self.tokens.get(token, "")
                    if not user and not public:
                        raise Refused(401, "Sign in first", "No token was sent.", "Sign in.")
                    route = f"{method} {path}"
                    if route in self.fail:
                        raise self.fail[route]
                    if route in self.answers:
                        return 200, self.answers[route]
                    result = handler(self, Asked(user, found.groups(), query, body))
                    return (204, None) if result is None else (200, result)
            raise Refused(404, "Not found", f"{method} {path}")
        except Refused as refused:
            return refused.status, refused.body

    # Sign-in
    def sign_in(self, asked: Asked) -> Json:
        user = asked.body["user"]
        if user not in USERS or asked.body["password"] != PASSWORD:
            raise Refused(
                401, "Sign in first", "The user name or the password is wrong.", "Check both and try again."
            )
        return {
            "token": self.token_for(user),
            "user": user,
            "role": USERS[user],
            "expires_at": ahead(hours=12),
        }

    def sign_in_from_outside(self, asked: Asked) -> Json:
        """What the API answers for a token it has verified; that it verifies is tested at the API."""
        self.done.append(("outside", "", asked.body))
        return {
            "token": self.token_for("analyst-1"),
            "user": "analyst-1",
            "role": "analyst",
            "expires_at": ahead(hours=12),
        }

    def sign_out(self, asked: Asked) -> None:
        self.tokens = {t: u for t, u in self.tokens.items() if u != asked.user}

    def me(self, asked: Asked) -> Json:
        return {"user": asked.user, "role": USERS[asked.user]}

    # Review
    def brief(self, task_id: str) -> Json:
        page = self.tasks[task_id]
        return {
            "task_id": task_id,
            "lane_shown": page["lane_shown"],
            "kind_shown": page["kind_shown"],
            "amount_minor": page["transaction"]["amount_minor"],
            "status": "claimed" if page["claimed_by"] else "open",
            "deadline": page["deadline"],
            "lock_expires_at": page["lock_expires_at"],
            "occurred_at": page["transaction"]["occurred_at"],
            "entity": "customer",
            "value": page["transaction"]["entities"]["customer"],
            "why_shown": page["why"]["reason"] if page["claimed_by"] else "",
        }

    def queue(self, asked: Asked) -> Json:
        open_ids = [t for t in self.order if not self.tasks[t]["claimed_by"]]
        lanes: dict[str, Json] = {}
        for task_id in self.order:
            page = self.tasks[task_id]
            lane = lanes.setdefault(
                page["lane_shown"],
                {
                    "lane": page["lane_shown"],
                    "open": 0,
                    "claimed": 0,
                    "oldest_deadline": None,
                    "amount_minor": 0,
                },
            )
            lane["claimed" if page["claimed_by"] else "open"] += 1
            lane["oldest_deadline"] = min(filter(None, [lane["oldest_deadline"], page["deadline"]]))
            lane["amount_minor"] += page["transaction"]["amount_minor"]
        mine = [self.brief(t) for t in self.order if self.tasks[t]["claimed_by"] == asked.user]
        done = sum(v["reviewer"] == asked.user for v in self.verdicts)
        return {"lanes": list(lanes.values()), "mine": mine, "open_total": len(open_ids), "done_today": done}

    def next_task(self, asked: Asked) -> Json | None:
        for task_id in self.order:
            if self.tasks[task_id]["claimed_by"] in ("", asked.user):
                return self.claim(Asked(asked.user, (task_id,), {}, {}))
        return None

    def task(self, asked: Asked) -> Json:
        page = self.tasks.get(asked.parts[0])
        if page is None:
            raise Refused(
                404, "Not found", f"There is no task {asked.parts[0]}.", "Take the next one from the queue."
            )
        return {**copy.deepcopy(page), "draft": self.drafts.get(asked.parts[0])}

    def claim(self, asked: Asked) -> Json:
        page = self.tasks[asked.parts[0]]
        if page["claimed_by"] not in ("", asked.user):
            raise Refused(
                409, "Not possible now", f"{page['claimed_by']} is working on this task.", "Take another one."
            )
        page["claimed_by"] = asked.user
        return self.task(asked)

    def release(self, asked: Asked) -> None:
        self.tasks[asked.parts[0]]["claimed_by"] = ""
        self.order.append(self.order.pop(self.order.index(asked.parts[0])))
        self.released.append((asked.parts[0], asked.body["reason"]))

    def save_draft(self, asked: Asked) -> Json:
        self.drafts[asked.parts[0]] = asked.body
        return {"lock_expires_at": self.tasks[asked.parts[0]]["lock_expires_at"]}

    def verdict(self, asked: Asked) -> Json:
        task_id = asked.parts[0]
        given = {
            "verdict_id": f"v_{len(self.verdicts) + 1}",
            "task_id": task_id,
            "reviewer": asked.user,
            **asked.body,
        }
        self.verdicts.append(given)
        self.order.remove(task_id)
        return {"verdict": given, "next": None}

    def undo(self, asked: Asked) -> Json:
        given = next(v for v in self.verdicts if v["verdict_id"] == asked.parts[0])
        self.undone.append(given["verdict_id"])
        self.order.insert(0, given["task_id"])
        return self.claim(Asked(asked.user, (given["task_id"],), {}, {}))

    # The rest is mostly reading
    def decision(self, asked: Asked) -> Json:
        for one in data.DECISIONS:
            if one["transaction_id"] == asked.parts[0]:
                return one
        raise Refused(
            404, "Not found", f"There is no decision for transaction {asked.parts[0]!r}.", "Check the id."
        )

    def decisions(self, asked: Asked) -> Json:
        self.listed.append(asked.query)
        start = int(asked.query.get("cursor") or 0)
        limit = int(asked.query.get("limit") or 50)
        found = [d for d in data.DECISIONS if d["outcome"] == asked.query.get("outcome", d["outcome"])]
        more = start + limit < len(found)
        return {
            "decisions": found[start : start + limit],
            "currency": "EUR",
            "next_cursor": str(start + limit) if more else None,
        }

    def sign_off(self, asked: Asked) -> Json:
        self.signed_off.append((asked.parts[0], asked.body["reason"]))
        return fake_models.model(asked.parts[0])

    def dispose(self, asked: Asked) -> Json:
        self.dispositions.append({"case_id": asked.parts[0], **asked.body})
        return self.dispositions[-1]

    def case(self, asked: Asked) -> Json:
        found = next(c for c in data.CASES if c["case_id"] == asked.parts[0])
        return {**found, **data.STORY}


def _fixed(value: Any) -> Callable[[FakeApi, Asked], Any]:
    return lambda _api, _asked: value


def _replay(_api: FakeApi, asked: Asked) -> Json:
    return {"transaction_id": asked.parts[0], "same": True, "features_equal": True, "differences": []}


def _rule(_api: FakeApi, asked: Asked) -> Json:
    return next(r for r in data.RULE_FILES if r["id"] == asked.parts[0])


def _text(asked: Asked) -> str:
    """A file of the set: a rule's, or a line that names it."""
    name = asked.parts[0].removeprefix("catalogue/").removesuffix(".yaml")
    return next((r["file"] for r in data.RULE_FILES if r["id"] == name), f"# {asked.parts[0]}\n")


Route = tuple[str, str, bool, Callable[[FakeApi, Asked], Any]]
ROUTES: list[Route] = [
    ("POST", "/sessions", True, FakeApi.sign_in),
    ("POST", "/sessions/outside", True, FakeApi.sign_in_from_outside),
    ("DELETE", "/sessions/current", False, FakeApi.sign_out),
    ("GET", "/me", False, FakeApi.me),
    ("GET", "/queue", False, FakeApi.queue),
    ("POST", "/tasks/next", False, FakeApi.next_task),
    ("GET", "/tasks", False, fake_beside.list_tasks),
    ("GET", "/tasks/([^/]+)", False, FakeApi.task),
    ("POST", "/tasks/([^/]+)/claim", False, FakeApi.claim),
    ("POST", "/tasks/([^/]+)/release", False, FakeApi.release),
    ("PUT", "/tasks/([^/]+)/draft", False, FakeApi.save_draft),
    ("POST", "/tasks/([^/]+)/verdict", False, FakeApi.verdict),
    ("POST", "/verdicts/([^/]+)/undo", False, FakeApi.undo),
    ("GET", "/decisions", False, FakeApi.decisions),
    ("GET", "/decisions/([^/]+)", False, FakeApi.decision),
    ("GET", "/replays/([^/]+)", False, _replay),
    ("GET", "/cases", False, _fixed({"cases": data.CASES, "next_cursor": ""})),
    ("POST", "/cases", False, _fixed({"case_id": "c_0001"})),
    ("GET", "/cases/([^/]+)", False, FakeApi.case),
    ("POST", "/cases/([^/]+)/disposition", False, FakeApi.dispose),
    *fake_consistency.ROUTES,
    ("GET", "/summary", False, _fixed(data.SUMMARY)),
    ("GET", "/subgroups", False, _fixed(data.SUBGROUPS)),
    ("GET", "/rules", False, _fixed({"set_id": data.SET_ID, "rules": data.RULE_FILES})),
    ("GET", "/rules/([^/]+)", False, _rule),
    ("GET", "/policy", False, _fixed({"file": "currency: EUR\n", "policy": {"currency": "EUR"}})),
    (
        "GET",
        "/approved-set",
        False,
        _fixed({"set_id": data.SET_ID, "approved_by": "admin", "approved_at": stamp(days=4)}),
    ),
    ("GET", "/drafts", False, _fixed({"drafts": [], "problems": []})),
    (
        "GET",
        "/approved-set/files/(.+)",
        False,
        lambda _api, asked: {"path": asked.parts[0], "text": _text(asked)},
    ),
    ("GET", "/approved-sets", False, _fixed({"sets": data.SETS})),
    ("GET", "/rules/([^/]+)/evidence", False, _fixed(fake_proposals.EVIDENCE)),
    ("POST", "/rules/check", False, FakeApi.check),
    ("POST", "/previews", False, _fixed(fake_proposals.PREVIEW)),
    ("GET", "/proposals", False, FakeApi.listed_proposals),
    ("POST", "/proposals", False, FakeApi.propose),
    ("GET", "/proposals/([^/]+)", False, FakeApi.proposal),
    ("GET", "/proposals/[^/]+/preview", False, _fixed(fake_proposals.PREVIEW)),
    ("POST", "/proposals/([^/]+)/(rejection|withdrawal)", False, FakeApi.settle),
    ("POST", "/approvals", False, FakeApi.approve),
    ("POST", "/models/([^/]+)/sign-off", False, FakeApi.sign_off),
    *fake_models.ROUTES,
    ("GET", "/jobs", False, _fixed(data.JOBS)),
    ("POST", "/jobs/([^/]+)/run", False, _fixed({"run_id": "j_10"})),
    *fake_record.ROUTES,
    *fake_imports.ROUTES,
    ("GET", "/events", False, _fixed(data.EVENTS)),
    *fake_safety.ROUTES,
    *fake_work.ROUTES,
    *fake_design.ROUTES,
    *fake_beside.ROUTES,
    *fake_watch.ROUTES,
]
# Before the patterns: a report is no rule's id.
ROUTES[:0] = fake_consequences.ROUTES
