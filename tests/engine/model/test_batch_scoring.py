"""Does scoring in columns answer exactly as the engine does one payment at a time?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from data.incoming.mapping import load_mapping
from data.simulator import InstitutionConfig, simulate
from data.transactions import Transaction
from engine.batch_scoring import BatchEngine, draw_sql
from engine.control import Control, ListEntry, Snooze, Widening
from engine.costs import CapacityState
from engine.decide import Engine, load_after
from engine.draws import draw
from engine.features.batch import batch_features
from engine.features.online import OnlineState
from engine.features.spec import load_features
from engine.measuring.labelled_history import Window, as_microseconds, load_history
from engine.model import cold_start
from engine.model.cold_start import ColdStart
from engine.model.scoring import Model
from engine.model.train import train
from engine.policy import load_policy
from engine.rules.lists import load_lists
from engine.rules.loader import load_rules
from engine.segments import load_segments

RULES = Path(__file__).parents[3] / "rules"
START, DAYS = date(2026, 3, 2), 20
END = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(days=DAYS)
MAPPING = load_mapping(RULES / "mapping.yaml")
FILES = {p.relative_to(RULES).as_posix(): p.read_bytes() for p in RULES.rglob("*") if p.is_file()}
FEATURES = load_features(FILES["features.yaml"], "features.yaml", MAPPING)
LISTS = load_lists(FILES["lists.yaml"])
DEMO = load_rules(FILES, FEATURES, LISTS)
# So few reviews that days fill up, and so much chance that audits and explored declines occur.
POLICY = (
    FILES["policy.yaml"]
    .replace(b"reviews_per_day: ", b"reviews_per_day: 4 # ")
    .replace(b"\n  audit: ", b"\n  audit: 0.05 # ")
)
ROOMY = POLICY.replace(b"reviews_per_day: 4 #", b"reviews_per_day: 12 #").replace(
    b"\nnovelty_at: ", b"\nnovelty_at: 0.95 # "
)
KEY = b"k" * 80


@pytest.fixture(scope="module")
def past() -> Iterator[duckdb.DuckDBPyConnection]:
    made = simulate(
        InstitutionConfig(
            transactions=2_500, customers=60, merchants=40, days=DAYS, start=START, fraud_rate=0.05
        )
    )
    with closing(duckdb.connect()) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("made", made.transactions)
        connection.register("truth", made.truth)
        connection.execute(
            """CREATE TABLE transactions AS SELECT row_number() OVER (ORDER BY occurred_at, transaction_id) AS seq,
            * REPLACE (CAST(occurred_at AT TIME ZONE 'UTC' AS TIMESTAMP) AS occurred_at),
            CAST(amount * 100 AS BIGINT) AS amount_minor FROM made ORDER BY seq"""
        )
        connection.execute(
            """CREATE TABLE outcomes AS SELECT seq AS transaction_seq, is_fraud, occurred_at AS known_at,
            CAST(0 AS BIGINT) AS reported_seq, occurred_at AS recorded_at
            FROM transactions JOIN truth USING (transaction_id) WHERE is_fraud ORDER BY seq"""
        )
        yield connection


@pytest.fixture(scope="module")
def model(past: duckdb.DuckDBPyConnection) -> Model:
    window = Window(datetime.combine(START, datetime.min.time(), UTC), END)
    history = load_history(past, FEATURES, [window])
    labels, _ = history.labels(known_by_us=as_microseconds(END))
    trained = train(history.training(history.rows(window), labels), {"rounds": 30}, feature_set=FEATURES)
    return trained.model()


@pytest.fixture(scope="module")
def unlike(past: duckdb.DuckDBPyConnection) -> ColdStart:
    return cold_start.fit(batch_features(past, FEATURES), FEATURES)


def one_by_one(
    past: duckdb.DuckDBPyConnection,
    model: Model | None,
    unlabelled: ColdStart | None = None,
    control: Control | None = None,
    killed: bool = False,
    text: bytes = POLICY,
) -> list[dict[str, Any]]:
    """What Engine.decide answers, each payment at the moment it occurred, every day beginning without reviews."""
    policy = load_policy(text)
    segments = load_segments(text, policy, FEATURES, LISTS)
    state = OnlineState(FEATURES)
    engine = Engine(
        state=state,
        rules=DEMO,
        policy=policy,
        model=model,
        key=KEY,
        set_id="set",
        segments=segments,
        control=control,
        unlabelled=unlabelled,
    )
    engine.killed = killed
    outcomes = past.sql("FROM outcomes").to_arrow_table()
    rows = past.sql("FROM transactions ORDER BY seq").to_arrow_table().to_pylist()
    frauds = {row["transaction_seq"] for row in outcomes.to_pylist()}
    load, day, answers = CapacityState(), None, []
    for row in rows:
        payment = transaction(row)
        if payment.seq in frauds:  # known at once, behind no later payment
            state.observe_outcome(
                payment, True, known_at=payment.occurred_at, reported_seq=0, recorded_at=payment.occurred_at
            )
        if payment.occurred_at.date() != day:
            load, day = CapacityState(), payment.occurred_at.date()
        decision = engine.decide([payment], at=payment.occurred_at, load=load)[0]
        load = load_after(load, decision)
        answers.append(
            {
                "transaction_id": payment.transaction_id,
                "outcome": decision.outcome.word,
                "probability": decision.probability,
                "margin": decision.margin,
                "novelty": decision.context["novelty"],
                "explored": decision.explored,
            }
        )
    return answers


def transaction(row: Mapping[str, Any]) -> Transaction:
    return Transaction(
        transaction_id=row["transaction_id"],
        occurred_at=row["occurred_at"].replace(tzinfo=UTC),
        amount_minor=row["amount_minor"],
        entities={name: row[name] for name in MAPPING.entities},
        attributes={name: row[name] for name in MAPPING.attributes},
        seq=row["seq"],
    )


def in_columns(
    past: duckdb.DuckDBPyConnection, model: Model | None, text: bytes = POLICY, **more: Any
) -> pa.Table:
    policy = load_policy(text)
    segments = load_segments(text, policy, FEATURES, LISTS)
    return BatchEngine(FEATURES, DEMO, segments, model, KEY, **more).score(past)


def switched(past: duckdb.DuckDBPyConnection) -> Control:
    """A rule paused, one capped, and snoozes, list entries and a wider review for values that occur."""
    customers = [
        row[0] for row in past.sql("SELECT DISTINCT customer FROM transactions ORDER BY 1").fetchall()
    ]
    rules = [rule.id for rule in DEMO if rule.status == "live"]
    later = END + timedelta(days=30)
    entries = [
        ListEntry(f"e{n}", "customer", value, effect, "made by hand", later)
        for n, (value, effect) in enumerate(zip(customers[:6], ["block", "review"] * 3, strict=True))
    ]
    return Control(
        paused_rules=frozenset(rules[::3]),
        capped_rules=frozenset(rules[1::3]),
        model_capped=True,
        snoozes=[Snooze(f"s{n}", "customer", value, "", later) for n, value in enumerate(customers[6:30])],
        entries=entries,
        widenings=[Widening("w", "default", 0.2, 2, "inputs have drifted", later)],
    )


def test_scoring_in_columns_answers_as_the_engine_does_one_by_one(
    past: duckdb.DuckDBPyConnection, model: Model
) -> None:
    scored = in_columns(past, model)
    expected = one_by_one(past, model)
    assert scored.select(list(expected[0])).to_pylist() == expected
    assert set(scored["outcome"].to_pylist()) == {"approve", "review", "decline"}
    assert np.count_nonzero(scored["audited"]) > 20


def test_without_a_model_rules_and_the_fail_safe_outcome_answer_alike(
    past: duckdb.DuckDBPyConnection,
) -> None:
    scored, expected = in_columns(past, None), one_by_one(past, None)
    assert scored.select(list(expected[0])).to_pylist() == expected


def test_what_is_novel_is_reviewed_alike_where_no_model_decides(
    past: duckdb.DuckDBPyConnection, unlike: ColdStart
) -> None:
    scored = in_columns(past, None, ROOMY, unlabelled=unlike)
    expected = one_by_one(past, None, unlike, text=ROOMY)
    assert scored.select(list(expected[0])).to_pylist() == expected
    without = in_columns(past, None, ROOMY)
    reviews = [table["outcome"].to_pylist().count("review") for table in (scored, without)]
    assert reviews[0] > reviews[1]


@pytest.mark.parametrize("killed", [False, True])
def test_what_was_switched_snoozed_or_listed_counts_alike(
    past: duckdb.DuckDBPyConnection, model: Model, killed: bool
) -> None:
    control = switched(past)
    scored = in_columns(past, model, control=control, killed=killed)
    expected = one_by_one(past, model, control=control, killed=killed)
    assert scored.select(list(expected[0])).to_pylist() == expected
    assert scored["outcome"].to_pylist() != in_columns(past, model)["outcome"].to_pylist()


def test_a_span_of_rows_scores_as_it_does_within_the_whole(
    past: duckdb.DuckDBPyConnection, model: Model
) -> None:
    columns = ["seq", "margin", "probability", "novelty"]
    policy = load_policy(POLICY)
    engine = BatchEngine(FEATURES, DEMO, load_segments(POLICY, policy, FEATURES, LISTS), model, KEY)
    part = engine.score(past, first_seq=700, last_seq=900).select(columns)
    assert part.to_pylist() == engine.score(past).slice(699, 201).select(columns).to_pylist()


def test_stretches_answer_as_the_whole_does_late_rows_and_all(
    past: duckdb.DuckDBPyConnection, unlike: ColdStart
) -> None:
    """Every thirteenth payment arrives a day late, so that days reach over from one stretch into the next."""
    with closing(duckdb.connect()) as late:
        late.execute("SET TimeZone = 'UTC'")
        late.register("_rows", past.sql("FROM transactions").to_arrow_table())
        late.register("_told", past.sql("FROM outcomes LIMIT 0").to_arrow_table())
        order = "ORDER BY occurred_at + to_days(CASE WHEN seq % 13 = 0 THEN 1 ELSE 0 END), seq"
        late.execute(
            f"CREATE TABLE transactions AS SELECT * REPLACE (row_number() OVER ({order}) AS seq) FROM _rows"
        )
        late.execute("CREATE TABLE outcomes AS FROM _told")
        policy = load_policy(ROOMY)
        segments = load_segments(ROOMY, policy, FEATURES, LISTS)
        engine = BatchEngine(FEATURES, DEMO, segments, None, KEY, unlabelled=unlike, control=switched(past))
        parts = list(engine.stretches(late, first_seq=1, last_seq=2_500, rows=900))
        assert [len(part) for part in parts] == [900, 900, 700]
        assert pa.concat_tables(parts).to_pylist() == engine.score(late).to_pylist()


def test_nothing_to_score_gives_an_empty_table(past: duckdb.DuckDBPyConnection, model: Model) -> None:
    engine = BatchEngine(
        FEATURES, DEMO, load_segments(POLICY, load_policy(POLICY), FEATURES, LISTS), model, KEY
    )
    empty = engine.score(past, first_seq=5_000, last_seq=5_001)
    assert empty.num_rows == 0 and "outcome" in empty.column_names


@pytest.mark.parametrize("key", [b"", b"short", b"k" * 64, KEY])
def test_chance_in_sql_is_that_of_python_to_the_last_bit(past: duckdb.DuckDBPyConnection, key: bytes) -> None:
    ids = ["a", "", "Zürich-7", "x" * 10_000, *(f"txn_{n}" for n in range(200))]
    table = pa.table({"id": ids})
    past.register("named", table)
    drawn = [row[0] for row in past.execute(f"SELECT {draw_sql(key, 'audit', 'id')} FROM named").fetchall()]
    past.unregister("named")
    assert drawn == [draw(key, "audit", each) for each in ids]
