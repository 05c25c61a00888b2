"""How has the institution decided to share out review work: queues, joining of alerts, desks, files, webhooks?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from engine.fields import Fields

GENERAL = "default"
"""The queue of everything that no other queue asks for."""


@dataclass(frozen=True, slots=True)
class Queue:
    """Where cases wait that are of one of `segments`, have one of the values in `match` for every field named there,
    and at least this amount. Empty conditions always hold. Only members of one of `teams` who speak one of
    `languages` take from it; empty means anybody."""

    name: str
    segments: tuple[str, ...] = ()
    match: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    amount_from_minor: int = 0
    teams: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Joining:
    """Alerts of one `entity` join its open case if that is not older than `within` and holds fewer than `most`."""

    entity: str
    within: timedelta
    most: int


@dataclass(frozen=True, slots=True)
class Work:
    """Queues in the order in which they are tried; `held_at_once`: tasks a person may hold; `idle_after`: a pause from
    which on time no longer counts as handling; files' largest size in bytes and how long they are kept after the case
    is closed; `webhook_hosts`: the only hosts that webhooks may be sent to; `head_hosts`: those of them
    that are told how far the chain has come; `alike_most`: of any `alike_in`
    tasks that one person is handed in a row, how many may be nearly the same; `least_seconds`: how long a task is to be
    looked at before it can be answered (0: no matter)."""

    queues: tuple[Queue, ...] = ()
    joining: Joining | None = None
    held_at_once: int = 5
    idle_after: timedelta = timedelta(minutes=3)
    largest_file: int = 2_000_000
    keep_files: timedelta = timedelta(days=365)
    webhook_hosts: tuple[str, ...] = ()
    head_hosts: tuple[str, ...] = ()
    alike_in: int = 10
    alike_most: int = 3
    least_seconds: int = 0

    def queue(self, name: str) -> Queue:
        """The queue of that name; one that anybody takes from where the policy no longer has it."""
        return next((queue for queue in self.queues if queue.name == name), Queue(name))

    def queue_for(self, segment: str, fields: Mapping[str, object], amount_minor: int | None) -> str:
        """The name of the first queue that asks for a payment with these fields; GENERAL if none does."""
        for queue in self.queues:
            if queue.segments and segment not in queue.segments:
                continue
            if (amount_minor or 0) < queue.amount_from_minor:
                continue
            if all(str(fields.get(name)) in values for name, values in queue.match.items()):
                return queue.name
        return GENERAL


def read_work(top: Fields, currency: str) -> Work:
    """The optional keys `queues`, `joining`, `desk`, `files` and `webhooks` of policy.yaml."""
    desk, files = top.fields("desk", optional=True), top.fields("files", optional=True)
    hooks = top.fields("webhooks", optional=True)
    usual = Work()
    work = Work(
        queues=_queues(top.fields("queues", optional=True), currency),
        joining=_joining(top.fields("joining", optional=True)),
        held_at_once=desk.integer("held_at_once", usual.held_at_once, low=1, high=100)
        if desk
        else usual.held_at_once,
        idle_after=desk.duration("idle_after", "3m") if desk else usual.idle_after,
        largest_file=files.integer("largest", usual.largest_file, low=1, high=4_000_000)
        if files
        else usual.largest_file,
        keep_files=files.duration("keep", "365d") if files else usual.keep_files,
        webhook_hosts=hooks.texts("hosts") if hooks else (),
        head_hosts=_head_hosts(hooks) if hooks else (),
        alike_in=desk.integer("alike_in", usual.alike_in, low=1, high=100) if desk else usual.alike_in,
        alike_most=desk.integer("alike_most", usual.alike_most, low=1, high=100)
        if desk
        else usual.alike_most,
        least_seconds=desk.integer("least_seconds", usual.least_seconds, low=0, high=120)
        if desk
        else usual.least_seconds,
    )
    for part in (desk, files, hooks):
        if part is not None:
            part.done()
    return work


def _head_hosts(hooks: Fields) -> tuple[str, ...]:
    hosts, found = hooks.texts("hosts"), hooks.texts("heads")
    for host in found:
        if host not in hosts:
            raise hooks.error(
                f"'heads' names '{host[:80]}', to which nothing may be sent",
                "heads",
                allowed=", ".join(hosts),
                hint="Name it under 'hosts', too.",
            )
    return found


def _queues(part: Fields | None, currency: str) -> tuple[Queue, ...]:
    if part is None:
        return ()
    found = []
    for name in part.value:
        row = part.part(name)
        if name == GENERAL:
            raise part.error(
                f"'{GENERAL}' takes what no other queue asks for", name, hint="Choose another name."
            )
        found.append(
            Queue(
                name=name,
                segments=row.texts("segments"),
                match=_match(row.fields("match", optional=True)),
                amount_from_minor=row.money("amount_from", currency, "0"),
                teams=row.texts("teams"),
                languages=row.texts("languages"),
            )
        )
        row.done()
    return tuple(found)


def _match(part: Fields | None) -> dict[str, tuple[str, ...]]:
    return {} if part is None else {name: part.texts(name, optional=False) for name in part.value}


def _joining(part: Fields | None) -> Joining | None:
    if part is None:
        return None
    joining = Joining(part.text("entity"), part.duration("within"), part.integer("most", 20, low=2, high=200))
    part.done()
    return joining
