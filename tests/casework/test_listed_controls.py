"""Is a snooze, list entry or act of the breaker that is in force still shown when hundreds of newer ones are not?"""

from __future__ import annotations

from datetime import datetime, timedelta

from casework.safety import breaker_acts, list_entries, snoozes
from data.events import EventDraft

NEWER = 600


def test_an_entry_in_force_is_listed_however_many_newer_ones_there_were(house) -> None:
    entry = {
        "entity": "device",
        "effect": "block",
        "reason": "stolen",
        "case_id": "",
        "proposed_by": "risk-manager-1",
    }
    entry |= {
        "confirmed_by": "risk-manager-1",
        "expires_at": house.now + timedelta(days=300),
        "in_force_at": house.now,
    }
    before = {**entry, "entry_id": "old", "value": "old", "proposed_at": house.now - timedelta(days=1)}
    over = {"ended_by": "risk-manager-1", "ended_reason": "found"}
    later = [
        {**entry, **over, "entry_id": f"n{n:03}", "value": f"n{n}", "proposed_at": at, "ended_at": at}
        for n, at in enumerate(_later(house))
    ]
    _insert(house, "list_entries", [{**before, "ended_by": "", "ended_reason": "", "ended_at": None}, *later])
    listed = list_entries.listed(house.ledger, house.now)
    assert (listed[0]["entry_id"], listed[-1]["entry_id"], listed[-1]["state"]) == ("n599", "old", "in_force")
    assert len(listed) == 501


def test_a_snooze_in_force_is_listed_however_many_newer_ones_there_were(house) -> None:
    snooze = {"entity": "device", "rule_id": "", "reason": "a fair", "made_by": "risk-manager-1"}
    snooze |= {"ended_by": "", "ended_reason": "", "ended_at": None}
    before = {**snooze, "snooze_id": "old", "value": "old", "made_at": house.now - timedelta(days=1)}
    later = [
        {**snooze, "snooze_id": f"n{n:03}", "value": f"n{n}", "made_at": at, "expires_at": at}
        for n, at in enumerate(_later(house))
    ]
    _insert(house, "snoozes", [{**before, "expires_at": house.now + timedelta(days=20)}, *later])
    listed = snoozes.listed(house.ledger, house.now)
    assert (listed[0]["state"], listed[-1]["snooze_id"], listed[-1]["state"]) == (
        "expired",
        "old",
        "in_force",
    )
    assert len(listed) == 501


def test_an_act_of_the_breaker_that_stands_is_listed_however_many_newer_ones_there_were(house) -> None:
    act = {
        "action": "pause",
        "kind": "rule",
        "subject": "r1",
        "version": "1",
        "sentence": "",
        "seen": 9,
        "alarms": 9,
    }
    act |= {"expected": 0.1, "stated_rate": None, "ended_reason": ""}
    before = {
        **act,
        "act_id": "old",
        "acted_at": house.now - timedelta(days=1),
        "ended_at": None,
        "ended_by": "",
    }
    later = [
        {**act, "act_id": f"n{n:03}", "acted_at": at, "ended_at": at, "ended_by": "lead-1"}
        for n, at in enumerate(_later(house))
    ]
    _insert(house, "breaker_acts", [before, *later])
    listed = breaker_acts.listed(house.ledger, {"old"})
    assert (listed[0]["act_id"], listed[-1]["act_id"], len(listed)) == ("n599", "old", 101)


def _later(house) -> list[datetime]:
    return [house.now - timedelta(minutes=NEWER - n) for n in range(NEWER)]


def _insert(house, table: str, rows: list[dict]) -> None:
    with house.ledger.writing() as w:
        w.insert(table, rows)
        w.event(EventDraft("test", "test.rows", "test"), house.now)
