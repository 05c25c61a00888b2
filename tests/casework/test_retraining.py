"""Is a run held to its limits, started when it is due, and concluded so that nothing slips back into force?"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from casework.learning.registry import models
from casework.learning.retraining import concluding, limits, progress, runs, triggers
from casework.learning.retraining.concluding import Asked, conclude
from casework.learning.retraining.limits import Limits
from casework.learning.retraining.runs import Ending, Request
from data.errors import ConflictError, PermissionDenied
from data.ledger import Ledger
from engine.model import registry
from engine.policy import Policy, load_policy
from tests.http.test_models import saved
from tests.ledgers import new_ledger

NOW = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)
RULES = Path(__file__).resolve().parents[2] / "rules"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with new_ledger(tmp_path / "ledger.duckdb", None, NOW) as made:
        yield made


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy((RULES / "policy.yaml").read_bytes(), "policy.yaml")


def found(model_id: str, *, passed: bool = True, **record: Any) -> dict[str, Any]:
    gate = {"name": "no worse than the champion", "passed": passed, "sentence": "it ranks better"}
    return {
        "model_id": model_id,
        "metrics": {},
        "record": record,
        "gates": [gate],
        "passed": passed,
        "manifest_sha256": "0" * 64,
        "card_files": {},
    }


def kept(folder: Path, rounds: int) -> dict[str, Any]:
    """What a run found whose model is in the folder of all models."""
    model_id = saved(folder, rounds)
    return {**found(model_id), "manifest_sha256": registry.manifest_digest(folder / model_id)}


def concluded(ledger: Ledger, policy: Policy, what: dict[str, Any]) -> Ending:
    asked = Asked("run_1", Request("schedule", "scheduler"), policy, NOW)
    with ledger.writing() as w:
        return conclude(w, asked, what)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield child
    child.kill()
    child.wait()


def test_a_child_that_takes_too_long_is_told_from_one_that_takes_too_much(
    sleeper: subprocess.Popen[bytes],
) -> None:
    long = limits.watch(sleeper, Limits(0, 4000), lambda: False)
    assert (
        long == "training took longer than the 0 s that were allowed (retrain.max_seconds), and was stopped"
    )
    large = limits.watch(sleeper, Limits(60, 1), lambda: False)
    assert large.startswith("training needed more than the 1 MB of memory that were allowed")


def test_a_child_that_somebody_wants_to_end_is_not_waited_for(sleeper: subprocess.Popen[bytes]) -> None:
    assert limits.watch(sleeper, Limits(60, 4000), lambda: True) == ""


def test_a_process_beyond_its_memory_is_refused_more_by_the_system() -> None:
    code = (
        "from casework.learning.retraining.limits import Limits, hold\nhold(Limits(60, 200))\n"
        "try:\n    bytearray(3_000_000_000)\nexcept MemoryError:\n    print('refused')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "refused", done.stderr


def test_progress_is_told_whole_and_grows(tmp_path: Path) -> None:
    assert progress.told(tmp_path)["share"] == 0.0
    tell = progress.teller(tmp_path)
    shares = []
    for stage in progress.STAGES:
        tell(stage)
        shares.append(progress.told(tmp_path)["share"])
    assert shares == sorted(shares) and shares[-1] == 1.0


def test_whoever_asked_for_the_run_does_not_sign_off_its_model(
    ledger: Ledger, policy: Policy, tmp_path: Path
) -> None:
    with ledger.writing() as w:
        conclude(w, Asked("run_0", Request("person", "risk-manager-1"), policy, NOW), found("m_1"))
    concluded(ledger, policy, found("m_2"))
    with ledger.writing() as w, pytest.raises(PermissionDenied, match="you asked for this model"):
        models.sign_off(w, "m_1", by="risk-manager-1", reason="I liked it better", at=NOW, folder=tmp_path)


def test_a_model_that_people_rolled_back_does_not_come_back_by_itself(
    ledger: Ledger, policy: Policy, tmp_path: Path
) -> None:
    first, second = kept(tmp_path, rounds=5), kept(tmp_path, rounds=6)
    back = {"by": "risk-manager-1", "at": NOW, "folder": tmp_path}
    assert concluded(ledger, policy, first).result == runs.PROMOTED
    assert concluded(ledger, policy, second).result == runs.PROMOTED
    with ledger.writing() as w:
        assert models.roll_back(w, reason="alarms too much", **back) == first["model_id"]
    again = concluded(ledger, policy, second)
    assert again.result == runs.REFUSED
    assert again.sentence == "Refused: the same model came out that people have rolled back, bit for bit."
    assert models.champion_id(ledger) == first["model_id"]
    with ledger.writing() as w, pytest.raises(ConflictError, match="no model before"):
        models.roll_back(w, reason="and further", **back)


def test_the_record_says_who_let_a_model_decide(ledger: Ledger, policy: Policy) -> None:
    concluded(ledger, policy, found("m_1"))
    row = models.one(ledger, "m_1")
    assert (row["approved_by"], row["approved_at"], row["run_id"]) == ("gates", NOW, "run_1")
    assert row["approval"] == "Passed all 1 gates: it ranks better."


def test_where_generations_go_back_and_forth_a_person_decides_and_an_alarm_is_raised(
    ledger: Ledger, policy: Policy
) -> None:
    concluded(ledger, policy, found("m_1"))
    back = {"alarm": True, "sentence": "Generations go back and forth: 30 of 32."}
    ending = concluded(ledger, policy, found("m_2", oscillation=back))
    assert ending.result == runs.WAITING
    assert ending.sentence.endswith("Generations go back and forth: 30 of 32.")
    alarms = ledger.read("SELECT kind, sentence FROM alarms")
    assert alarms == [{"kind": "oscillation", "sentence": back["sentence"]}]


def test_the_lineage_is_that_of_promotions_not_of_rollbacks(
    ledger: Ledger, policy: Policy, tmp_path: Path
) -> None:
    second = kept(tmp_path, rounds=5)
    for what in (found("m_1"), second, found("m_3")):
        concluded(ledger, policy, what)
    assert models.lineage(ledger) == ["m_1", second["model_id"], "m_3"]
    with ledger.writing() as w:
        models.roll_back(w, by="risk-manager-1", reason="worse", at=NOW, folder=tmp_path)
    assert models.lineage(ledger) == ["m_1", second["model_id"]]


def test_a_folder_taken_over_is_whole_and_the_first_of_its_name_stays(tmp_path: Path) -> None:
    for content in ("first", "second"):
        made = tmp_path / "made" / "m_1"
        made.mkdir(parents=True)
        (made / "manifest.json").write_text(content)
        concluding.take_over(tmp_path / "made", tmp_path / "kept", found("m_1"))
    assert (tmp_path / "kept" / "m_1" / "manifest.json").read_text() == "first"


def told_at(ledger: Ledger, count: int, at: datetime) -> None:
    rows = [
        {
            "transaction_seq": n,
            "is_fraud": True,
            "known_at": at,
            "reported_seq": 0,
            "source": "chargeback",
            "reason_code": "10.4",
            "recorded_at": at,
        }
        for n in range(count)
    ]
    with ledger.writing() as w:
        w.insert("outcomes", rows)


def test_many_new_labels_start_a_run_but_not_within_a_day_of_the_last(ledger: Ledger, policy: Policy) -> None:
    said = replace(policy.retrain, new_labels=10, drift=False)
    told_at(ledger, 9, NOW)
    assert triggers.due(ledger, said, NOW + DAY) is None
    told_at(ledger, 12, NOW)
    reason = triggers.due(ledger, said, NOW + DAY)
    assert reason is not None and reason.trigger == "labels"
    assert reason.sentence == (
        "12 payments got an outcome and 0 others a verdict since the last run; the policy asks for 10."
    )
    runs.begin(ledger, Request("labels", "scheduler", reason.sentence), NOW + DAY)
    told_at(ledger, 50, NOW + 1.1 * DAY)
    assert triggers.due(ledger, said, NOW + 1.5 * DAY) is None
    assert triggers.due(ledger, said, NOW + 3 * DAY) is not None
    assert triggers.due(ledger, replace(said, new_labels=0), NOW + 3 * DAY) is None


def test_only_payments_that_got_a_label_count_as_new_and_each_once(ledger: Ledger, policy: Policy) -> None:
    kinds = ("primary", "second", "audit", "adjudication", "golden", "re_serve", "training", "pilot")
    row = {
        "case_id": "", "lane": "", "reviewer": "analyst-1", "value": "legitimate", "typology": "", "reason_code": "",
        "note": "", "confidence": "", "seconds": 1.0, "guideline_version": "", "arm": "", "corrections": "{}",
        "flags": [], "given_at": NOW, "event_seq": 0, "deserved": "", "idle_seconds": 0.0, "applied_from": "",
    }  # fmt: skip
    told_at(ledger, 3, NOW)
    with ledger.writing() as w:
        rows = [
            {**row, "verdict_id": f"v{n}", "task_id": f"k{n}", "transaction_seq": n, "task_kind": kind}
            for n, kind in enumerate(kinds)
        ]
        w.insert("verdicts", [*rows, {**rows[3], "verdict_id": "v9", "transaction_seq": 9}])
        void = {"verdict_id": "v9", "transaction_seq": 9, "voided_by": "", "reason": "", "voided_at": NOW}
        w.insert("voided_verdicts", [void])
    assert triggers.due(ledger, replace(policy.retrain, new_labels=5, drift=False), NOW + DAY) is None
    reason = triggers.due(ledger, replace(policy.retrain, new_labels=4, drift=False), NOW + DAY)
    assert reason is not None and "3 payments got an outcome and 1 others" in reason.sentence


def test_a_drift_report_asks_once(ledger: Ledger, policy: Policy) -> None:
    report = {"made_at": NOW, "level": "alarm", "drifted": ["amount_minor", "channel"]}
    asks = triggers.drift_asks_for_retrain(report, NOW - DAY)
    assert (
        asks
        == "The drift report of 2026-03-02 found amount_minor, channel changed beyond the bound of an alarm."
    )
    assert triggers.drift_asks_for_retrain(report, NOW + DAY) == ""
    assert triggers.drift_asks_for_retrain({**report, "level": "notice"}, NOW - DAY) == ""
    with ledger.writing() as w:
        made = {"report_id": "r_1", "since": NOW - 7 * DAY, "until": NOW, "content": "{}"}
        w.insert("watch_reports", [{**report, **made}])
    reason = triggers.due(ledger, replace(policy.retrain, new_labels=0, drift=True), NOW + DAY)
    assert reason is not None and (reason.trigger, reason.sentence) == ("drift", asks)
