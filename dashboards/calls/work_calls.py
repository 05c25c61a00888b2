"""How does the console ask the API about work that waits, moves and hangs together?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dashboards.calls.safety_calls import Ask

Json = dict[str, Any]


class WorkCalls:
    """The part of the API by which people share out work. Raises ApiError for anything but success; `send` posts a
    file, `fetch` gets one."""

    def __init__(
        self, ask: Ask, send: Callable[[str, str, bytes], Any], fetch: Callable[[str], bytes]
    ) -> None:
        self._ask, self._send, self._fetch = ask, send, fetch

    # A task one holds
    def snooze(self, task_id: str, until: str, reason: str) -> None:
        self._ask("POST", f"/tasks/{task_id}/snooze", body={"until": until, "reason": reason})

    def escalate(self, task_id: str, note: str) -> None:
        self._ask("POST", f"/tasks/{task_id}/escalate", body={"note": note})

    def apply_to(self, task_ids: list[str], verdict: Mapping[str, Any], applied_from: str) -> list[Json]:
        """Give one verdict on several tasks; a result for each."""
        body = {**verdict, "task_ids": task_ids, "applied_from": applied_from}
        results: list[Json] = self._ask("POST", "/bulk-verdicts", body=body)["results"]
        return results

    def undo_all(self, verdict_ids: list[str]) -> list[Json]:
        results: list[Json] = self._ask("POST", "/bulk-verdicts/undo", body={"verdict_ids": verdict_ids})[
            "results"
        ]
        return results

    def away(self, until: str | None, user: str = "") -> Json:
        """`user` '' is the one who asks."""
        path = f"/reviewers/{user}/away" if user else "/me/away"
        return self._ask("PUT", path, body={"until": until})

    # What was typed and not sent
    def unsent(self, place: str) -> str:
        """What the asker typed at a place and has not sent; '' for nothing."""
        text: str = self._ask("GET", "/me/unsent", query={"place": place})["text"]
        return text

    def keep_unsent(self, place: str, text: str) -> None:
        """Keep it, or forget it with ''."""
        self._ask("PUT", "/me/unsent", body={"place": place, "text": text})

    # Files and notes
    def attach(self, where: str, name: str, content: bytes) -> Json:
        """`where` is 'tasks/ID' or 'cases/ID'."""
        return self._send(f"/{where}/files", name, content)

    def file(self, file_id: str) -> bytes:
        return self._fetch(f"/files/{file_id}")

    def note(self, case_id: str, text: str) -> None:
        self._ask("POST", f"/cases/{case_id}/notes", body={"text": text})

    # Cases
    def merge(self, case_id: str, other: str, reason: str) -> None:
        self._ask("POST", f"/cases/{case_id}/merge", body={"other": other, "reason": reason})

    def link(self, case_id: str, other: str, reason: str) -> None:
        self._ask("POST", f"/cases/{case_id}/links", body={"other": other, "reason": reason})

    def split(self, case_id: str, transaction_ids: list[str], reason: str) -> Json:
        body = {"transaction_ids": transaction_ids, "reason": reason}
        return self._ask("POST", f"/cases/{case_id}/split", body=body)

    def reverse(self, transaction_id: str, reason: str) -> Json:
        return self._ask("POST", f"/decisions/{transaction_id}/reversal", body={"reason": reason})

    # The team
    def team(self) -> Json:
        return self._ask("GET", "/team")

    def move(self, task_ids: list[str], queue: str, assignee: str, reason: str) -> list[Json]:
        body = {"task_ids": task_ids, "queue": queue, "assignee": assignee, "reason": reason}
        results: list[Json] = self._ask("POST", "/task-moves", body=body)["results"]
        return results

    def place(self, user: str, teams: list[str], languages: list[str], held_limit: int) -> None:
        body = {"teams": teams, "languages": languages, "held_limit": held_limit}
        self._ask("PUT", f"/reviewers/{user}", body=body)

    def training_needs(self) -> Json:
        return self._ask("GET", "/training-needs")

    def inbox(self) -> list[Json]:
        flags: list[Json] = self._ask("GET", "/inbox")["flags"]
        return flags

    def answer_flag(self, flag_id: str, answer: str) -> None:
        self._ask("POST", f"/inbox/{flag_id}/answer", body={"answer": answer})

    # How reviews are drawn and reviewers trained
    def review_design(self, asked: Mapping[str, Any]) -> Json:
        """Cost and power of shares; `asked` as GET /v1/review-design has it."""
        return self._ask("GET", "/review-design", query=asked)

    def golden_cases(self) -> list[Json]:
        found: list[Json] = self._ask("GET", "/golden-cases")["golden_cases"]
        return found

    def nominate(self, transaction_id: str, is_fraud: bool, reason: str) -> None:
        body = {"transaction_id": transaction_id, "is_fraud": is_fraud, "reason": reason}
        self._ask("POST", "/golden-cases", body=body)

    def retire_golden(self, golden_id: str, reason: str) -> None:
        self._ask("POST", f"/golden-cases/{golden_id}/retirement", body={"reason": reason})

    def my_training(self) -> Json:
        return self._ask("GET", "/me/training")

    def newcomers(self) -> list[Json]:
        found: list[Json] = self._ask("GET", "/newcomers")["newcomers"]
        return found

    def begin_training(self, user: str, reason: str) -> None:
        self._ask("POST", f"/reviewers/{user}/training", body={"reason": reason})

    def qualify(self, user: str, reason: str) -> None:
        self._ask("POST", f"/reviewers/{user}/qualification", body={"reason": reason})

    def second_thought(self, verdict_id: str, value: str, confidence: str) -> Json:
        """What one says of a blind verdict after seeing the engine's opinion."""
        body = {"value": value, "confidence": confidence}
        return self._ask("POST", f"/verdicts/{verdict_id}/revision", body=body)

    # Webhooks
    def webhooks(self) -> Json:
        return self._ask("GET", "/webhooks")

    def add_webhook(self, url: str, reason: str) -> Json:
        return self._ask("POST", "/webhooks", body={"url": url, "reason": reason})

    def api_keys(self) -> Json:
        """Every API key there was, and what each scope allows."""
        return self._ask("GET", "/api-keys")

    def add_api_key(self, form: Mapping[str, Any]) -> Json:
        """The new key with its secret, which is never shown again."""
        return self._ask("POST", "/api-keys", body=dict(form))

    def revoke_api_key(self, key_id: str, reason: str) -> None:
        self._ask("DELETE", f"/api-keys/{key_id}", query={"reason": reason})

    def deliveries(self) -> list[Json]:
        found: list[Json] = self._ask("GET", "/deliveries", query={"limit": 50})["deliveries"]
        return found

    def resend(self, delivery_id: str) -> None:
        self._ask("POST", f"/deliveries/{delivery_id}/resend")
