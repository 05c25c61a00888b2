"""Which earlier payments does a dossier name, and what does a reviewer see of them?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import orjson
import pytest

from casework.app import App
from casework.cases import past
from casework.cases.earlier import Earlier, laid_out, named
from casework.deciding import outcomes
from casework.deciding.transactions import Sent, checked
from data.canonical import canonical_json
from data.events import EventDraft
from data.incoming.mapping import Mapping as Columns
from data.transactions import Transaction
from tests.http.institution import make_workspace, payment

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    opened = App.open(make_workspace(tmp_path / "workspace"))
    yield opened
    opened.close()


def sent(columns: Columns, number: int, amount: str | None = "12.50") -> Transaction:
    """A payment of one customer, who is the same for all numbers."""
    body = {**payment(number), "amount": amount and Decimal(amount), "occurred_at": NOW, "personal": {}}
    return checked(Sent(**{**body, "entities": payment(1)["entities"]}), columns)


def test_the_past_is_named_the_same_whether_it_came_before_the_start_or_after(app: App) -> None:
    kept = past.PastPayments(app.ledger, app.mapping)
    payments = [sent(app.mapping, n) for n in range(1, 5)]
    app.decide(payments, NOW)
    latest = replace(payments[0], seq=5)
    kept.add(replace(each, seq=seq) for seq, each in enumerate(payments, start=1))
    anew = past.PastPayments(app.ledger, app.mapping)
    assert kept.before(latest, NOW) == anew.before(latest, NOW)
    assert list(anew.before(latest, NOW).seqs) == [4, 3, 2, 1]


def test_what_is_named_is_laid_out_as_facts_newest_first(app: App) -> None:
    app.decide([sent(app.mapping, n, None if n == 3 else "12.50") for n in range(1, 4)], NOW)
    other = replace(sent(app.mapping, 4), entities={"customer": "somebody else"})
    app.decide([other], NOW)
    of = {"entities": sent(app.mapping, 5).entities, "currency": "EUR"}
    entity = next(iter(app.mapping.entities))
    earlier = Earlier(entity, (4, 3, 2, 1), (2,), tuple(app.mapping.attributes))
    rows = laid_out(app.ledger, named(earlier, "channel"), of)
    assert [row["transaction_id"] for row in rows] == [payment(n)["transaction_id"] for n in (3, 2, 1)]
    assert [row["known_fraud"] for row in rows] == [False, True, False]
    assert [row["amount_minor"] for row in rows] == [None, 1250, 1250]
    assert orjson.dumps(rows) == canonical_json(
        rows
    )  # in the order of a copy that is stored for a golden task
    assert rows[0]["entities"].keys() == set(app.mapping.entities)
    assert rows[0]["attributes"].keys() == set(app.mapping.attributes) - {"channel"}
    with app.ledger.writing() as w:
        assert laid_out(w, named(earlier, "channel"), of) == rows
        w.event(EventDraft("test", "test.looked", "test"), NOW)


def test_a_burst_decided_at_once_hides_nothing_that_was_before_it(app: App) -> None:
    kept = past.PastPayments(app.ledger, app.mapping)
    burst = [replace(sent(app.mapping, 1), seq=n) for n in range(1, 121)]
    kept.add(burst[:3])
    kept.add(burst[3:60])
    fifth, sixtieth = (kept.before(burst[n], NOW).seqs for n in (4, 59))
    kept.add(burst[60:])
    assert list(fifth) == [4, 3, 2, 1]
    assert list(sixtieth) == list(range(59, 39, -1))
    assert list(kept.before(burst[119], NOW).seqs) == list(range(119, 99, -1))


def test_a_fraud_that_was_taken_back_is_no_known_fraud(app: App) -> None:
    app.decide([sent(app.mapping, 1)], NOW)
    latest, known = replace(sent(app.mapping, 2), seq=app.ledger.next_transaction_seq), []
    kept = past.PastPayments(app.ledger, app.mapping)
    for reported_seq, is_fraud in ((1, True), (2, False)):
        kept.learn(1, is_fraud, NOW, reported_seq=reported_seq, recorded_at=NOW)
        outcome = {"transaction_seq": 1, "is_fraud": is_fraud, "known_at": NOW, "recorded_at": NOW}
        with app.ledger.writing() as w:
            w.insert(
                "outcomes", [{**outcome, "reported_seq": reported_seq, "source": "api", "reason_code": ""}]
            )
            w.event(EventDraft("test", "outcomes.reported", "outcomes"), NOW)
        anew = past.PastPayments(app.ledger, app.mapping)
        known += [list(memory.before(latest, NOW).frauds) for memory in (kept, anew)]
    assert known == [[1], [1], [], []]


def test_of_outcomes_told_at_once_the_one_in_force_counts_whichever_comes_first(app: App) -> None:
    """As in a list of chargebacks that begins with the newest."""
    app.decide([sent(app.mapping, 1)], NOW)
    fraud, reversal = (
        outcomes.Told("t1", is_fraud, NOW + timedelta(hours=hours), "")
        for is_fraud, hours in ((True, 1), (False, 2))
    )
    outcomes.report(app, [reversal, fraud], by="integrator-1", at=NOW + timedelta(hours=3))
    latest, later = replace(sent(app.mapping, 2), seq=2), NOW + timedelta(hours=4)
    told = app.live.past.before(latest, later)
    assert told == past.PastPayments(app.ledger, app.mapping).before(latest, later)
    assert (list(told.seqs), list(told.frauds)) == ([1], [])
