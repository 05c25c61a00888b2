"""Does a workspace with nothing but a mapping find its first cases, and get its first model from what people say?"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from casework.app import App
from casework.deciding import decisions, importing
from casework.deciding.replaying import replay
from casework.deciding.transactions import Sent, checked
from casework.people.permissions import Role
from casework.people.signin import add_user
from casework.review import handing_out, verdicts
from casework.review.verdicts import VerdictForm
from casework.workspace import Admin, create, write_private
from data.incoming.mapping import load_mapping
from engine.templates import scaffold
from engine.triage import MOST_OF_A_KIND
from tests.http.institution import KEY, PASSWORD

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
DAYS, FRAUDS_A_DAY = 21, 3
MAPPING = """\
version: 1
institution: newcomer
base_currency: EUR
transaction: {id: id, occurred_at: at, amount: amount, currency: {constant: EUR}}
entities: {customer: customer, device: device}
attributes: {country: {column: country, type: category}}
"""


class Bank:
    """A workspace under a clock of its own, and the payments of its customers, one day after another."""

    def __init__(self, folder: Path) -> None:
        self.now, self.random, self.sent = START, random.Random(9), 0
        self.fraud: set[str] = set()
        mapping_file = folder / "mapping.yaml"
        mapping_file.write_text(MAPPING)
        files = scaffold(load_mapping(mapping_file))
        # A model is judged by verdicts that were given before the score was seen.
        policy = files["policy.yaml"].replace(b"blind_first: 0.30", b"blind_first: 1.00")
        files["policy.yaml"] = policy.replace(b"\nmodel: {}\n", b"\nmodel: {rounds: 60}\n")
        workspace = create(folder / "bank", mapping_file, files, Admin("admin-1", PASSWORD), at=START)
        write_private(workspace.key_file, KEY)
        self.app = App.open(workspace, lambda: self.now)
        with self.app.ledger.writing() as w:
            for name in ("analyst-1", "analyst-2"):
                add_user(w, name, "analyst", PASSWORD, by="admin-1", at=START)

    def payment(self, at: datetime, fraud: bool = False) -> dict[str, Any]:
        """An everyday payment; a fraud is a little dear, from a new device, and from one of two odd countries."""
        rng, self.sent = self.random, self.sent + 1
        name = f"p{self.sent}"
        if fraud:
            self.fraud.add(name)
        amount = rng.lognormvariate(4.5, 0.2) if fraud else rng.lognormvariate(3, 0.4)
        return {
            "id": name,
            "at": at,
            "amount": round(amount, 2),
            "customer": f"c{rng.randrange(60)}",
            "device": f"new{self.sent}" if fraud else f"d{rng.randrange(60)}",
            "country": rng.choice(["AQ", "BV"]) if fraud else rng.choice(["DE", "DE", "DE", "FR"]),
        }

    def history(self, folder: Path, rows: int) -> dict[str, Any]:
        """Import a past without a single label."""
        lines = ["id,at,amount,customer,device,country"]
        for n in range(rows):
            row = self.payment(self.now - timedelta(days=90) + timedelta(hours=90 * 24 * n / rows))
            lines.append(",".join(v.isoformat() if isinstance(v, datetime) else str(v) for v in row.values()))
        (folder / "history.csv").write_text("\n".join(lines) + "\n")
        return importing.import_file(
            self.app, folder / "history.csv", "history.csv", actor="admin-1", at=self.now
        )

    def day(self, frauds: int, payments: int = 14) -> list[dict[str, Any]]:
        """Decide a day's payments, with frauds among them."""
        kinds = [True] * frauds + [False] * payments
        self.random.shuffle(kinds)
        step = timedelta(hours=11) / len(kinds)
        sent = [self.payment(self.now + step * n, fraud) for n, fraud in enumerate(kinds)]
        self.now = self.now.replace(hour=20)
        mapping = self.app.mapping
        ready = [
            checked(
                Sent(
                    row["id"],
                    row["at"],
                    Decimal(str(row["amount"])),
                    "EUR",
                    {"customer": row["customer"], "device": row["device"]},
                    {"country": row["country"]},
                    {},
                ),
                mapping,
            )
            for row in sent
        ]
        made = [orjson.loads(answer) for answer in self.app.decide(ready, self.now)]  # type: ignore[arg-type]
        self.review()
        self.now = self.now.replace(hour=8) + timedelta(days=1)
        return made

    def review(self) -> None:
        """Both analysts work until nothing is left for them, and see what is fraud."""
        policy = self.app.settings().policy
        for reviewer in ("analyst-1", "analyst-2"):
            with self.app.ledger.writing() as w:
                while task := handing_out.take_next(
                    w, reviewer, policy, self.app.key, self.now, role=Role.ANALYST.value
                ):
                    name = w.read(
                        "SELECT transaction_id FROM transactions WHERE seq = ?", [task.transaction_seq]
                    )[0]["transaction_id"]
                    bad = name in self.fraud
                    form = VerdictForm(
                        value="confirmed_fraud" if bad else "legitimate",
                        typology="velocity" if bad else "",
                        reason_code="known_pattern" if bad else "explained_by_history",
                        confidence="high",
                    )
                    verdicts.give(w, task.task_id, reviewer, form, policy, self.now + timedelta(seconds=30))


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    folder: Path = tmp_path_factory.mktemp("newcomer")
    made = Bank(folder)
    made.history(folder, 1_500)
    yield made
    made.app.close()


@pytest.fixture(scope="module")
def decided(bank: Bank) -> list[dict[str, Any]]:
    """The decisions of the first days, before anybody has said what is fraud."""
    return [each for _ in range(6) for each in bank.day(FRAUDS_A_DAY)]


def test_novelty_is_learned_at_the_import_and_on_the_record(bank: Bank) -> None:
    found = bank.app.ledger.read("SELECT novelty_id, rows, fitted_by FROM novelty_fits")
    assert [(row["rows"], row["fitted_by"]) for row in found] == [(1_500, "admin-1")]
    told = bank.app.ledger.read("SELECT actor FROM events WHERE kind = 'novelty.fitted'")
    assert [row["actor"] for row in told] == ["admin-1"]
    assert bank.app.live.model is None


def test_without_a_label_what_is_unlike_the_rest_is_reviewed_and_said_why(
    bank: Bank, decided: list[dict[str, Any]]
) -> None:
    novel = [each for each in decided if each["triage"]["reason"] == "unlike_anything_seen"]
    found = {each["transaction_id"] for each in novel}
    assert len(found & bank.fraud) >= 0.8 * len(bank.fraud)
    # After a fraud the customer's own past is unusual too, so that some honest payments follow.
    honest = found - bank.fraud
    assert len(honest) <= 0.12 * len(decided), [e["reasons"] for e in novel if e["transaction_id"] in honest]
    for each in novel:
        assert each["outcome"] == "review"
        assert each["triage"]["sentence"].startswith("No model decides yet, so what is least like the rest")
        assert any(reason.startswith("unusual: ") for reason in each["reasons"])


def test_what_novelty_decided_replays_bit_for_bit(bank: Bank, decided: list[dict[str, Any]]) -> None:
    novel = next(each for each in decided if each["triage"]["reason"] == "unlike_anything_seen")
    for name in (novel["transaction_id"], decided[0]["transaction_id"]):
        stored = decisions.required(bank.app.ledger, bank.app.ledger.seq_of(name), name)
        assert replay(bank.app, stored)["differences"] == []


def test_a_day_of_one_kind_of_oddity_leaves_room_for_others(bank: Bank) -> None:
    made = bank.day(frauds=40)
    kinds = Counter(each["context"]["novel_kind"] for each in made if "novel_kind" in each["context"])
    capacity = bank.app.settings().policy.capacity.reviews_per_day
    assert max(kinds.values()) <= MOST_OF_A_KIND * capacity
    assert sum(kinds.values()) >= 5
    # The next day starts anew, and so does the count after a restart within a day.
    load = bank.app.decider._load
    assert dict(load.at(bank.now).novel_today) == {}
    assert dict(load._read((bank.now - timedelta(days=1)).date()).novel_today) == dict(kinds)


def test_a_share_drawn_at_random_is_looked_at_with_its_probability(decided: list[dict[str, Any]]) -> None:
    assert {each["draws"]["audit_probability"] for each in decided} == {0.005}


def test_the_first_model_is_trained_from_verdicts_and_takes_over(bank: Bank) -> None:
    for _ in range(DAYS):
        bank.day(FRAUDS_A_DAY, payments=6)
    bank.now += timedelta(days=61)  # what nobody disputed has matured by then
    bank.day(frauds=0)

    done = bank.app.retrain("person", "risk-manager-1", "the first one")

    assert done["result"] == "promoted", (done["sentence"], done["gates"])
    assert bank.app.live.model is not None
    assert bank.app.live.engine.unlabelled is None
    fraud = [each for each in bank.day(frauds=2) if each["transaction_id"] in bank.fraud]
    assert all(each["probability"] is not None for each in fraud)
    assert all(each["outcome"] != "approve" for each in fraud)
