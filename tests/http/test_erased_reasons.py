"""Are the reasons that people give for what they do shown, kept out of every event, and gone once they are erased?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from data.events import EventDraft
from data.integrity import chain
from data.ledger import Ledger
from tests.http.institution import Institution, large_payment, make_workspace, payment, served

WHOSE = "c-said"
AUDITOR, LEAD, ADMIN = "auditor-1", "team-lead-1", "admin-1"
Places = list[tuple[str, str]]
"""Who reads the words where."""


def answered(answer: Any) -> Any:
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


@dataclass
class Review:
    """A payment of one customer that somebody reviews, and what a person says of it."""

    bank: Institution
    number: int
    words: str
    customer: str = WHOSE

    def __post_init__(self) -> None:
        body = large_payment(
            self.number, entities={"customer": self.customer}, personal={"email": "ada@example.org"}
        )
        made = self.bank.decide(body)
        self.payment, self.case = str(made["transaction_id"]), str(made["case_id"])
        sql = "SELECT task_id FROM tasks WHERE transaction_seq = ? ORDER BY kind"
        self.task = str(self.bank.app.ledger.read(sql, [made["seq"]])[0]["task_id"])

    def ask(self, who: str, path: str, **body: Any) -> Any:
        return answered(self.bank.ask(who, "POST", f"/v1{path}", json=body))

    def claimed(self) -> str:
        self.ask("analyst-2", f"/tasks/{self.task}/claim")
        return f"/tasks/{self.task}"

    @property
    def timeline(self) -> tuple[str, str]:
        return LEAD, f"/v1/cases/{self.case}"

    @property
    def story(self) -> tuple[str, str]:
        return AUDITOR, f"/v1/audit/decisions/{self.payment}"


def released(of: Review) -> Places:
    of.ask("analyst-2", f"{of.claimed()}/release", reason=of.words)
    return [of.timeline, of.story, (LEAD, "/v1/team")]


def snoozed(of: Review) -> Places:
    until = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    of.ask("analyst-2", f"{of.claimed()}/snooze", until=until, reason=of.words)
    return [of.timeline]


def moved(of: Review) -> Places:
    of.ask(LEAD, "/task-moves", task_ids=[of.task], assignee="analyst-1", reason=of.words)
    return [of.timeline]


def flag_answered(of: Review) -> Places:
    body = {"value": "legitimate", "flags": ["data_wrong"], "note": "look at this"}
    verdict = of.ask("analyst-2", f"{of.claimed()}/verdict", **body)["verdict"]["verdict_id"]
    sql = "SELECT flag_id FROM flags WHERE verdict_id = ?"
    [flag] = of.bank.app.ledger.read(sql, [verdict])
    of.ask(ADMIN, f"/inbox/{flag['flag_id']}/answer", answer=of.words)
    return [(ADMIN, "/v1/inbox?answered=true")]


def unmasked(of: Review) -> Places:
    of.ask("analyst-2", f"{of.claimed()}/unmasked", field="email", reason=of.words)
    return [of.timeline, of.story]


def disposed(of: Review) -> Places:
    of.ask(LEAD, f"/cases/{of.case}/disposition", value="released", reason=of.words)
    return [of.timeline, of.story, ("integrator-1", "/v1/dispositions")]


def reversed_by_hand(of: Review) -> Places:
    """What nobody was asked about."""
    of.bank.decide(payment(of.number + 40, entities={"customer": WHOSE}))
    of.payment = f"t{of.number + 40}"
    of.ask(LEAD, f"/decisions/{of.payment}/reversal", reason=of.words)
    return [of.story]


def opened(of: Review) -> Places:
    of.bank.decide(payment(of.number + 40, entities={"customer": WHOSE}))
    of.payment = f"t{of.number + 40}"
    of.case = of.ask(LEAD, "/cases", transaction_id=of.payment, reason=of.words)["case_id"]
    [task] = of.bank.app.ledger.read("SELECT task_id FROM tasks WHERE case_id = ? LIMIT 1", [of.case])
    of.task = str(task["task_id"])
    of.ask("analyst-2", f"{of.claimed()}/escalate", note="not me")  # the adjudicator is told why, too
    return [of.timeline, (AUDITOR, f"/v1/audit/displays/{of.task}")]


def merged(of: Review) -> Places:
    other = Review(of.bank, of.number + 40, "")
    of.ask(LEAD, f"/cases/{of.case}/merge", other=other.case, reason=of.words)
    return [of.timeline]


def split(of: Review) -> Places:
    other = Review(of.bank, of.number + 40, "")
    of.ask(LEAD, f"/cases/{of.case}/merge", other=other.case, reason="one story")
    body = {"transaction_ids": [other.payment], "reason": of.words}
    made = of.ask(LEAD, f"/cases/{of.case}/split", **body)["case_id"]
    return [of.timeline, (LEAD, f"/v1/cases/{made}")]


def linked(of: Review) -> Places:
    """With a case of somebody else."""
    other = Review(of.bank, of.number + 40, "", "c-else")
    of.ask(LEAD, f"/cases/{other.case}/links", other=of.case, reason=of.words)
    return [of.timeline, other.timeline]


def judged(of: Review) -> Places:
    body = {"value": "confirmed_fraud", "typology": of.words, "reason_code": f"{of.words} So."}
    of.ask("analyst-2", f"{of.claimed()}/verdict", **body)
    return [of.timeline, of.story]


def made_golden(of: Review) -> Places:
    of.ask("analyst-2", f"{of.claimed()}/verdict", value="legitimate")
    of.ask(LEAD, "/golden-cases", transaction_id=of.payment, is_fraud=False, reason=of.words)
    return [(LEAD, "/v1/golden-cases")]


def golden_retired(of: Review) -> Places:
    of.ask("analyst-2", f"{of.claimed()}/verdict", value="legitimate")
    body = {"transaction_id": of.payment, "is_fraud": False, "reason": "known"}
    made = of.ask(LEAD, "/golden-cases", **body)["golden_id"]
    of.ask(LEAD, f"/golden-cases/{made}/retirement", reason=of.words)
    return [(LEAD, "/v1/golden-cases")]


ACTS: dict[str, Callable[[Review], Places]] = {
    "task.released": released,
    "task.snoozed": snoozed,
    "task.moved": moved,
    "flag.answered": flag_answered,
    "personal.unmasked": unmasked,
    "disposition.recorded": disposed,
    "decision.reversed": reversed_by_hand,
    "case.opened": opened,
    "case.merged": merged,
    "case.split": split,
    "case.linked": linked,
    "verdict.given": judged,
    "golden.added": made_golden,
    "golden.retired": golden_retired,
}


@dataclass
class Told:
    """What became of one kind's words: which events have them in clear, which of the places that should show them do,
    and where they are left after the erasure."""

    in_clear: list[str]
    unshown: list[str]
    shown_after: list[str]
    left: list[str]


def events_with(ledger: Ledger, words: str) -> list[str]:
    """Kinds of events that have these words in clear."""
    rows = ledger.read("SELECT kind FROM events WHERE contains(decode(payload), ?) ORDER BY seq", [words])
    return [row["kind"] for row in rows]


def texts_with(ledger: Ledger, words: Iterable[str]) -> dict[str, list[str]]:
    """For each of these, every column of text or JSON that has it in some row; one question finds them all."""
    columns = ledger.read(
        "SELECT table_name AS t, column_name AS c, data_type AS d FROM information_schema.columns "
        "WHERE table_schema = 'main' AND data_type IN ('VARCHAR', 'BLOB') ORDER BY t, c"
    )
    asked = [
        f"SELECT '{each['t']}.{each['c']}' AS there, sought.said FROM \"{each['t']}\" AS held, sought "
        f'WHERE contains(CAST(held."{each["c"]}" AS VARCHAR), sought.said)'
        for each in columns
    ]
    sought = "WITH sought AS (SELECT unnest(CAST($words AS VARCHAR[])) AS said) "
    found: dict[str, list[str]] = {each: [] for each in words}
    for row in ledger.read(sought + " UNION ".join(asked), {"words": list(found)}):
        found[row["said"]].append(row["there"])
    return found


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Institution]:
    with served(make_workspace(tmp_path_factory.mktemp("reasons") / "bank")) as running:
        yield running


def erase(bank: Institution, customer: str) -> None:
    scope = {"entity": "customer", "value": customer}
    counted = answered(bank.ask(ADMIN, "POST", "/v1/erasures/preview", json=scope))["erased"]
    done = answered(bank.ask(ADMIN, "POST", "/v1/erasures", json={"reason": "a request", **scope}))
    assert done["erased"] == counted
    report = chain.verify(bank.app.ledger)
    assert report.ok, report.problem


@pytest.fixture(scope="module")
def told(bank: Institution) -> dict[str, Told]:
    """All kinds are done, looked at, erased together and looked at again."""
    places: dict[str, Places] = {}
    words = {kind: f"Astrid Lindqvist said {number}." for number, kind in enumerate(ACTS)}
    for number, (kind, act) in enumerate(ACTS.items()):
        events = (AUDITOR, f"/v1/events?kind={kind}")
        places[kind] = [*act(Review(bank, 1 + number, words[kind])), events]

    def shown(kind: str) -> list[str]:
        return [path for who, path in places[kind] if words[kind] in bank.ask(who, "GET", path).text]

    ledger = bank.app.ledger
    in_clear = {kind: events_with(ledger, words[kind]) for kind in ACTS}
    before = {kind: shown(kind) for kind in ACTS}
    assert all(texts_with(ledger, words.values()).values())
    report = chain.verify(ledger)
    assert report.ok, report.problem
    erase(bank, WHOSE)
    after = {kind: shown(kind) for kind in ACTS}
    left = texts_with(ledger, words.values())
    return {
        kind: Told(
            in_clear[kind],
            [path for _, path in places[kind] if path not in before[kind]],
            after[kind],
            left[words[kind]],
        )
        for kind in ACTS
    }


@pytest.mark.parametrize("kind", ACTS)
def test_a_reason_is_in_no_event_is_shown_and_is_gone_once_it_was_erased(
    kind: str, told: dict[str, Told]
) -> None:
    assert told[kind] == Told(in_clear=[], unshown=[], shown_after=[], left=[])


def test_reasons_that_a_version_before_recorded_in_clear_still_verify_and_are_shown(
    bank: Institution,
) -> None:
    of, at = Review(bank, 30, "in clear", "c-older"), bank.app.clock()
    row = {"disposition_seq": 1000, "value": "released", "reason": "Ada in clear", "case_id": of.case}
    with bank.app.ledger.writing() as w:
        w.event(
            EventDraft("analyst-1", "task.released", f"task:{of.task}", {"reason": "no time, in clear"}), at
        )
        w.event(EventDraft(LEAD, "disposition.recorded", f"transaction:{of.payment}", row), at)
        seq = w.seq_of(of.payment)
        more = {"transaction_seq": seq, "transaction_id": of.payment, "actor": LEAD, "at": at}
        w.insert("dispositions", [row | more])
    erase(bank, "c-older")
    shown = bank.ask(of.timeline[0], "GET", of.timeline[1]).text
    assert "Gave the task back: no time, in clear." in shown
    assert "Payment released: Ada in clear" in shown


def test_a_reason_that_was_changed_beside_its_event_is_found(bank: Institution) -> None:
    of = Review(bank, 31, "as it was said", "c-changed")
    disposed(of)
    was = "SELECT disposition_seq FROM dispositions WHERE reason = ?"
    changed = "UPDATE dispositions SET reason = ? WHERE disposition_seq = ?"
    [row] = bank.app.ledger.read(was, [of.words])
    for words, ok in (("as nobody said it", False), (of.words, True)):
        with bank.app.ledger.writing() as w:
            w.execute(changed, [words, row["disposition_seq"]])
        report = chain.verify(bank.app.ledger)
        assert (report.ok, "dispositions.reason was changed" in report.problem) == (ok, not ok)
