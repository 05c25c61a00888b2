"""Is what is in force, runs or waits for somebody still shown when hundreds of newer ones are not?"""

from __future__ import annotations

from datetime import datetime, timedelta

from casework.safety import alarms, breaker_acts, list_entries, overview, snoozes, trial_report
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


def test_an_open_alarm_is_listed_however_many_newer_ones_there_were(house) -> None:
    alarm = {"kind": "fail_safe", "sentence": "no model", "reason": ""}
    before = {
        **alarm, "alarm_id": "old", "subject": "old", "raised_at": house.now - timedelta(days=1),
        "acknowledged_at": None, "acknowledged_by": "",
    }  # fmt: skip
    later = [
        {**alarm, "alarm_id": f"n{n:03}", "subject": f"n{n}", "raised_at": at,
         "acknowledged_at": at, "acknowledged_by": "lead-1"}
        for n, at in enumerate(_later(house))
    ]  # fmt: skip
    _insert(house, "alarms", [before, *later])
    listed = alarms.listed(house.ledger, only_open=False)
    assert (listed[0]["alarm_id"], listed[-1]["alarm_id"], len(listed)) == ("n599", "old", 201)
    assert [row["alarm_id"] for row in alarms.listed(house.ledger)] == ["old"]


def test_open_alarms_are_counted_however_many_there_are(house) -> None:
    alarm = {
        "kind": "surge",
        "sentence": "loud",
        "reason": "",
        "acknowledged_at": None,
        "acknowledged_by": "",
    }
    _insert(house, "alarms", [
        {**alarm, "alarm_id": f"n{n:03}", "subject": f"n{n}", "raised_at": at}
        for n, at in enumerate(_later(house))
    ])  # fmt: skip
    assert overview.banner(house.ledger)["open"] == NEWER


def test_a_trial_that_runs_is_listed_and_an_old_one_reported_on_however_many_newer_ones_there_were(
    house,
) -> None:
    trial = {"kind": "shadow", "set_id": "s", "model_id": "", "entity": "", "share": 0.0, "reason": "to see"}
    trial |= {"started_by": "risk-manager-1", "stopped_by": "", "stopped_reason": "", "stopped_at": None}
    before = [
        {**trial, "trial_id": "runs", "name": "runs", "started_at": house.now - timedelta(days=2)},
        {**trial, "trial_id": "over", "name": "over", "started_at": house.now - timedelta(days=1)},
    ]
    over = {"stopped_by": "lead-1", "stopped_reason": "seen", "stopped_at": house.now}
    later = [
        {**trial, **over, "trial_id": f"n{n:03}", "name": f"n{n}", "started_at": at}
        for n, at in enumerate(_later(house))
    ]
    _insert(house, "trials", [before[0], {**before[1], **over}, *later])
    listed = trial_report.listed(house.ledger)
    assert (listed[0]["trial_id"], listed[-1]["trial_id"], len(listed)) == ("n599", "runs", 101)
    assert trial_report.report(house.ledger, "over", 10)["name"] == "over"


def _later(house) -> list[datetime]:
    return [house.now - timedelta(minutes=NEWER - n) for n in range(NEWER)]


def _insert(house, table: str, rows: list[dict]) -> None:
    with house.ledger.writing() as w:
        w.insert(table, rows)
        w.event(EventDraft("test", "test.rows", "test"), house.now)
