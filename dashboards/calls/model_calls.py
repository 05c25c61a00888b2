"""How does the console ask the API about runs that train, and about letting a model decide or taking it back?"""

from __future__ import annotations

from typing import Any

from dashboards.calls.safety_calls import Ask

Json = dict[str, Any]


class ModelCalls:
    """The part of the API about models on their way. Raises ApiError for anything but success."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def run(self, run_id: str) -> Json:
        """One run, with how far it is."""
        return self._ask("GET", f"/retrains/{run_id}")

    def cancel(self, run_id: str, reason: str) -> Json:
        return self._ask("POST", f"/retrains/{run_id}/cancel", body={"reason": reason})

    def turn_down(self, model_id: str, reason: str) -> Json:
        return self._ask("POST", f"/models/{model_id}/refusal", body={"reason": reason})

    def open_flip(self, model_id: str, seq: int) -> Json:
        """A payment that would be decided differently; that this person looked at it goes on record."""
        return self._ask("POST", f"/models/{model_id}/flips/{seq}")

    def roll_back(self, reason: str) -> Json:
        return self._ask("POST", "/model-rollbacks", body={"reason": reason})

    def shadow(self, model_id: str, reason: str) -> Json:
        """Have a model answer beside the champion, never obeyed."""
        return self._ask("POST", "/shadows", body={"model_id": model_id, "reason": reason})

    def roll_out(self, model_id: str, entity: str, share: float, reason: str) -> Json:
        """Have a model decide a share of an entity's values."""
        body = {"model_id": model_id, "entity": entity, "share": share, "reason": reason}
        return self._ask("POST", "/rollouts", body=body)

    def pause_job(self, name: str, reason: str) -> None:
        self._ask("POST", f"/jobs/{name}/pause", body={"reason": reason})

    def resume_job(self, name: str, reason: str) -> None:
        self._ask("POST", f"/jobs/{name}/resume", body={"reason": reason})
