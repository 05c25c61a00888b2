"""How far is a replay of more decisions than one request waits for, and what did the last one find?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from casework.auditing.walking import Walk, Walks
from casework.deciding import replay_samples
from data.errors import ConflictError

if TYPE_CHECKING:
    from casework.app import App

JSON = dict[str, Any]
AT_ONCE = 1_000
"""Decisions that a request waits for: some ten seconds of work."""


@dataclass
class ReplayRun(Walk):
    """One replay of `sample` decisions (0 for all), drawn by `seed`. What came of it is recorded at its end."""

    sample: int = 0
    seed: str = ""

    def told(self) -> JSON:
        return {**super().told(), "sample": self.sample, "seed": self.seed}

    def work(self, app: App) -> JSON:
        who, when = self.started_by, self.started_at
        return replay_samples.replay_sample(app, self.sample, self.seed, who, self._progress, when)


class ReplayRuns(Walks):
    """The replay that is under way, or the last one; one at a time."""

    def begin_replay(self, app: App, sample: int, seed: str, by: str) -> Walk:
        """The replay of this sample, begun or under way. ConflictError while another one is."""
        new = ReplayRun(
            app.clock(), by, total=replay_samples.size(app.ledger, sample), sample=sample, seed=seed
        )
        run = self._begun(app, lambda: new)
        if isinstance(run, ReplayRun) and (run.sample, run.seed) != (sample, seed):
            raise ConflictError(
                f"another replay is under way: {run.checked:,} of {run.total:,} decisions",
                where="sample",
                allowed=f"up to {AT_ONCE:,} decisions meanwhile",
                hint="GET /v1/replays tells how far it is.",
            )
        return run
