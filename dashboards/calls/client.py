"""How does the console ask the API? The only module of the console that speaks HTTP to it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import httpx

from dashboards.calls.audit_calls import AuditCalls
from dashboards.calls.consequence_calls import ConsequenceCalls
from dashboards.calls.consistency_calls import ConsistencyCalls
from dashboards.calls.import_calls import ImportCalls
from dashboards.calls.model_calls import ModelCalls
from dashboards.calls.own_work_calls import OwnWorkCalls
from dashboards.calls.safety_calls import SafetyCalls
from dashboards.calls.watch_calls import WatchCalls
from dashboards.calls.work_calls import WorkCalls

Json = dict[str, Any]
DEFAULT_API = "http://127.0.0.1:8000"
_TIMEOUT = httpx.Timeout(20.0, connect=3.0)
_PATIENT = httpx.Timeout(1200.0, connect=3.0)
"""For what the API does while the caller waits: a retrain, a job, walking the whole chain."""
UNREACHABLE = 0


class ApiError(Exception):
    """The API said no, or could not be reached.

    `status` is the HTTP status, or 0 when nothing answered; `title`, `detail` and `hint` come from problem+json.
    """

    def __init__(self, status: int, title: str, detail: str = "", hint: str = "") -> None:
        self.status, self.title, self.detail, self.hint = status, title, detail, hint
        super().__init__(" ".join(part for part in (title, detail, hint) if part))


def api_base() -> str:
    """The API's address, from the environment variable SECONDLOOK_API."""
    return os.environ.get("SECONDLOOK_API", DEFAULT_API).rstrip("/")


def open_pool(base: str) -> httpx.Client:
    """Connections to one API, to be shared by every session of this process (httpx.Client is thread-safe)."""
    return httpx.Client(base_url=base, headers={"Accept": "application/json"})


def _problem(answer: httpx.Response) -> ApiError:
    try:
        body = answer.json()
    except ValueError:
        body = {}
    if not isinstance(body, dict):
        body = {}
    title = str(body.get("title") or answer.reason_phrase or f"HTTP {answer.status_code}")
    return ApiError(answer.status_code, title, str(body.get("detail") or ""), str(body.get("hint") or ""))


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "")}


class Client:
    """One person's view of the API: `pool` carries the connections, `token` says who asks.

    Every method returns the JSON of the answer and raises ApiError for anything but success.
    """

    def __init__(self, pool: httpx.Client, token: str = "") -> None:
        self._pool = pool
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def _ask(self, method: str, path: str, **request: Any) -> Any:
        """The JSON of the answer, None for an empty one."""
        answer = self._answer(method, path, **request)
        return answer.json() if answer.content else None

    def _answer(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        files: Any = None,
        timeout: httpx.Timeout = _TIMEOUT,
    ) -> httpx.Response:
        try:
            answer = self._pool.request(
                method,
                f"/v1{path}",
                params=_present(query or {}),
                json=body,
                files=files,
                headers=self._headers,
                timeout=timeout,
            )
        except httpx.TimeoutException as late:
            hint = "Try again; if it stays slow, ask whoever runs it to look at its log."
            raise ApiError(UNREACHABLE, "The API took too long to answer", str(late), hint) from late
        except httpx.HTTPError as broken:
            hint = f"Is `secondlook serve` running? This console expects it at {self._pool.base_url}."
            raise ApiError(UNREACHABLE, "The API does not answer", str(broken), hint) from broken
        if answer.is_error:
            raise _problem(answer)
        return answer

    @property
    def consequences(self) -> ConsequenceCalls:
        """What changes of rules and thresholds would do."""
        return ConsequenceCalls(self._ask)

    @property
    def learning(self) -> ModelCalls:
        """Runs, sign-offs, trials and rollbacks of models; jobs paused and resumed."""
        return ModelCalls(self._ask)

    @property
    def safety(self) -> SafetyCalls:
        """Kill switch, alarms, breaker, snoozes, lists and trials."""
        return SafetyCalls(self._ask)

    @property
    def own_work(self) -> OwnWorkCalls:
        """What a person is told of his or her own work."""
        return OwnWorkCalls(self._ask)

    @property
    def work(self) -> WorkCalls:
        """Work that waits, moves, goes up and hangs together."""
        return WorkCalls(self._ask, self._send, lambda path: self._answer("GET", path).content)

    @property
    def watch(self) -> WatchCalls:
        """Drift, digests, labels and labelling campaigns."""
        return WatchCalls(self._ask)

    @property
    def agreement(self) -> ConsistencyCalls:
        """The parts of the consistency report."""
        return ConsistencyCalls(self._ask)

    @property
    def record(self) -> AuditCalls:
        """Stories of decisions, days of the past, walks over the chain, replays and evidence."""
        return AuditCalls(self._ask, self._answer)

    @property
    def imports(self) -> ImportCalls:
        """Files that come in, and what became of their lines."""
        return ImportCalls(self._ask, self._answer)

    def _send(self, path: str, name: str, content: bytes) -> Any:
        """Post one file."""
        return self._answer("POST", path, files={"file": (name, content)}).json()

    # Who is asking
    def sign_in(self, user: str, password: str) -> Json:
        return self._ask("POST", "/sessions", body={"user": user, "password": password})

    def sign_in_from_outside(self, id_token: str) -> Json:
        """A session for the bearer of an identity provider's token, which the API verifies."""
        return self._ask("POST", "/sessions/outside", body={"id_token": id_token})

    def sign_out(self) -> None:
        self._ask("DELETE", "/sessions/current")

    def me(self) -> Json:
        return self._ask("GET", "/me")

    # Review work
    def queue(self) -> Json:
        return self._ask("GET", "/queue")

    def next_task(self) -> Json | None:
        """The next task's page, claimed for the asker; None when nothing waits for them."""
        return self._ask("POST", "/tasks/next")

    def tasks(
        self,
        *,
        status: str = "",
        lane: str = "",
        queue: str = "",
        order: str = "",
        due_within_hours: str = "",
        limit: int = 50,
    ) -> Json:
        asked = {
            "status": status,
            "lane": lane,
            "queue": queue,
            "order": order,
            "due_within_hours": due_within_hours,
        }
        return self._ask("GET", "/tasks", query={**asked, "limit": limit})

    def task(self, task_id: str) -> Json:
        return self._ask("GET", f"/tasks/{task_id}")

    def part(self, task_id: str, name: str) -> Json:
        """links, what_if, similar or behind_rules: worked out when the task's holder first asks."""
        return self._ask("GET", f"/tasks/{task_id}/parts/{name}")

    def unmask(self, task_id: str, field: str, reason: str) -> Json:
        """Read one masked personal field of a task's payment; the reading is recorded with its reason."""
        return self._ask("POST", f"/tasks/{task_id}/unmasked", body={"field": field, "reason": reason})

    def claim(self, task_id: str) -> Json:
        return self._ask("POST", f"/tasks/{task_id}/claim")

    def release(self, task_id: str, reason: str) -> None:
        self._ask("POST", f"/tasks/{task_id}/release", body={"reason": reason})

    def save_draft(self, task_id: str, draft: Mapping[str, Any]) -> Json:
        """The answer tells until when the task is held from now on."""
        return self._ask("PUT", f"/tasks/{task_id}/draft", body=dict(draft))

    def give_verdict(self, task_id: str, verdict: Mapping[str, Any]) -> Json:
        return self._ask("POST", f"/tasks/{task_id}/verdict", body=dict(verdict))

    def undo(self, verdict_id: str) -> Json:
        """Take one's verdict back; the answer is the page of its task, held again."""
        return self._ask("POST", f"/verdicts/{verdict_id}/undo")

    # Cases
    def cases(self, *, status: str = "", limit: int = 50, cursor: str = "") -> Json:
        return self._ask("GET", "/cases", query={"status": status, "limit": limit, "cursor": cursor})

    def case(self, case_id: str) -> Json:
        return self._ask("GET", f"/cases/{case_id}")

    def open_case(self, transaction_id: str, reason: str) -> Json:
        return self._ask("POST", "/cases", body={"transaction_id": transaction_id, "reason": reason})

    def dispose(self, case_id: str, value: str, reason: str) -> Json:
        return self._ask("POST", f"/cases/{case_id}/disposition", body={"value": value, "reason": reason})

    # Decisions
    def decision(self, transaction_id: str) -> Json:
        return self._ask("GET", f"/decisions/{transaction_id}")

    def decisions(self, search: Mapping[str, str], *, limit: int = 50, cursor: str = "") -> Json:
        """Decisions by entity, value, outcome, since, until; newest first.

        `next_cursor` of the answer continues where it ended.
        """
        return self._ask("GET", "/decisions", query={**search, "limit": limit, "cursor": cursor})

    # Quality
    def consistency(self, *, arm: str = "", since: str = "") -> Json:
        return self._ask("GET", "/consistency", query={"arm": arm, "since": since})

    def summary(self) -> Json:
        return self._ask("GET", "/summary")

    # Settings
    def rules(self) -> Json:
        return self._ask("GET", "/rules")

    def rule(self, rule_id: str) -> Json:
        return self._ask("GET", f"/rules/{rule_id}")

    def policy(self) -> Json:
        return self._ask("GET", "/policy")

    def drafts(self) -> Json:
        return self._ask("GET", "/drafts")

    def approved_sets(self) -> Json:
        return self._ask("GET", "/approved-sets")

    def file(self, path: str) -> Json:
        """One file of the set that runs, as text."""
        return self._ask("GET", f"/approved-set/files/{path}")

    def evidence(self, rule_id: str) -> Json:
        """What a rule has shown in shadow."""
        return self._ask("GET", f"/rules/{rule_id}/evidence")

    def check(self, files: Mapping[str, str]) -> Json:
        """Findings, inline tests and unpinned numbers of texts that are saved nowhere."""
        return self._ask("POST", "/rules/check", body={"files": dict(files)})

    # Proposals
    def proposals(self, *, status: str = "") -> Json:
        return self._ask("GET", "/proposals", query={"status": status})

    def proposal(self, proposal_id: str) -> Json:
        return self._ask("GET", f"/proposals/{proposal_id}")

    def propose(
        self, reason: str, change: Mapping[str, Any], *, override_reason: str = "", replaces: str = ""
    ) -> Json:
        """Put a change (files, edited, step or back_to) before a second person, in place of an open one if named."""
        told = {"override_reason": override_reason, "replaces": replaces}
        body = {"reason": reason, "origin": "console", **told}
        return self._ask("POST", "/proposals", body={**body, **change})

    def approve(self, proposal: Mapping[str, Any], reason: str) -> Json:
        """Bring a proposal into force as it was shown."""
        seen = {"content_sha256": proposal["content_sha256"], "set_id": proposal["resulting_set_id"]}
        body = {"proposal_id": proposal["proposal_id"], "reason": reason, **seen}
        return self._ask("POST", "/approvals", body=body, timeout=_PATIENT)

    def reject(self, proposal_id: str, reason: str) -> Json:
        return self._ask("POST", f"/proposals/{proposal_id}/rejection", body={"reason": reason})

    def withdraw(self, proposal_id: str, reason: str) -> Json:
        return self._ask("POST", f"/proposals/{proposal_id}/withdrawal", body={"reason": reason})

    # Models and jobs
    def models(self) -> Json:
        return self._ask("GET", "/models")

    def model(self, model_id: str) -> Json:
        """One model, with its flips named by payment."""
        return self._ask("GET", f"/models/{model_id}")

    def model_card(self, model_id: str) -> Json:
        return self._ask("GET", f"/models/{model_id}/card.json")

    def model_file(self, model_id: str, name: str) -> bytes:
        """A picture or page of the model's card."""
        return self._answer("GET", f"/models/{model_id}/{name}").content

    def retrains(self) -> Json:
        return self._ask("GET", "/retrains")

    def retrain(self, reason: str) -> Json:
        """Start training a challenger; the run goes on by itself."""
        return self._ask("POST", "/retrains", body={"reason": reason})

    def sign_off(self, model_id: str, reason: str) -> Json:
        return self._ask("POST", f"/models/{model_id}/sign-off", body={"reason": reason})

    def jobs(self) -> Json:
        return self._ask("GET", "/jobs")

    def run_job(self, name: str) -> Json:
        return self._ask("POST", f"/jobs/{name}/run", timeout=_PATIENT)
