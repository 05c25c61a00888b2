"""What does Prometheus fetch?"""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.responses import Response

from casework.app import App
from casework.http.access import allowed, the_app
from casework.people.permissions import Permission, Person

router = APIRouter(tags=["health"])
_TASKS = "SELECT queue, count(*) AS n FROM tasks WHERE status IN ('open', 'claimed') GROUP BY queue"
_KILL = "SELECT is_on FROM kill_switch ORDER BY event_seq DESC LIMIT 1"
_ALARMS = "SELECT kind, count(*) AS n FROM alarms WHERE acknowledged_at IS NULL GROUP BY kind"


class State(Collector):
    """Figures that are read off when they are asked for; those of the ledger cost a few milliseconds."""

    def __init__(self, app: App) -> None:
        self._app = app

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing beforehand: registering must not read the ledger."""
        return []

    def collect(self) -> list[GaugeMetricFamily]:
        """One family each."""
        app = self._app
        ledger, current = app.ledger, app.live if app.deciding else None
        read = ledger.read_settled  # two seconds late at most, and there when the disk takes nothing
        return [
            _one("ready", "Whether decisions can be made", app.is_ready),
            _one("waiting_transactions", "Payments taken and not answered yet", app.loop.waiting),
            _one("journal_waiting_events", "Events on disk that DuckDB has not got yet", ledger.waiting),
            _one("wal_bytes", "Write-ahead log that a checkpoint would move", ledger.wal_bytes),
            _one("ledger_bytes", "The ledger's file", ledger.path.stat().st_size),
            _one("last_event", "The last event of the chain", ledger.last_event.seq),
            _one("kill_switch", "Whether the kill switch is on", any(r["is_on"] for r in read(_KILL))),
            _of("open_alarms", "Alarms nobody has acknowledged", "kind", read(_ALARMS)),
            _of("open_tasks", "Review tasks waiting or claimed", "queue", read(_TASKS)),
            _serving(current.set_id if current else "", current.model_id if current else ""),
        ]


def _one(name: str, what: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"secondlook_{name}", what, value=float(value))


def _of(name: str, what: str, label: str, rows: list[dict]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"secondlook_{name}", what, labels=[label])
    for row in rows:
        family.add_metric([next(iter(row.values())) or ""], row["n"])
    return family


def _serving(set_id: str, model_id: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "secondlook_serving", "The approved set and the model that decide", labels=["set_id", "model_id"]
    )
    family.add_metric([set_id, model_id], 1)
    return family


@router.get("/metrics", response_class=Response)
async def metrics(request: Request, person: Person = allowed(Permission.METRICS_READ)) -> Response:
    """Counters and gauges of this server in Prometheus' text format; nothing of any payment or person."""
    # Not among the framework's threads, which may all be at work on slow reports.
    text = await asyncio.to_thread(the_app(request).measures.text)
    return Response(text, media_type=CONTENT_TYPE_LATEST)
