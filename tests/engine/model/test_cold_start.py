"""Does novelty without labels find what is unlike the rest, say in what, and survive being stored?"""

from __future__ import annotations

import json
import random
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from data.errors import InputError
from engine.features.spec import load_features
from engine.model import cold_start
from engine.model.cold_start import ColdStart

MAPPING: Any = SimpleNamespace(
    entities={"customer": "c"},
    attributes={"country": SimpleNamespace(type="category"), "trusted": SimpleNamespace(type="flag")},
    time_zone="UTC",
)
FEATURES = load_features(
    """
version: 1
features:
  - {name: amount_minor, measure: value, of: amount, unit: money, phrase: amount of this payment}
  - {name: hour, measure: local_hour, phrase: hour of the day}
  - {name: count_1d, entity: customer, measure: count, window: 1d, phrase: payments in a day}
  - {name: count_7d, entity: customer, measure: count, window: 7d, phrase: payments in a week}
  - {name: since, entity: customer, measure: seconds_since_last, phrase: since the last payment}
  - {name: share, entity: customer, measure: fraud_share, window: 7d}
  - {name: country, attribute: country, phrase: country}
  - {name: trusted, attribute: trusted, phrase: trusted}
""",
    "features.yaml",
    MAPPING,
)


def row(rng: random.Random, **changes: Any) -> dict[str, Any]:
    day = rng.randrange(4)
    everyday = {
        "amount_minor": round(rng.lognormvariate(7, 0.5)),
        "hour": rng.randrange(8, 22),
        "count_1d": day,
        "count_7d": day + rng.randrange(8),
        "since": rng.expovariate(1e-5),
        "share": None,
        "country": rng.choice(["DE", "DE", "FR"]),
        "trusted": True,
    }
    return everyday | changes


def seen(rows: int = 2_000) -> list[dict[str, Any]]:
    rng = random.Random(1)
    made = [row(rng) for _ in range(rows)]
    made[7] |= {"country": "NO"}
    return made


def table(rows: list[dict[str, Any]]) -> pa.Table:
    kinds = {"share": pa.float64(), "since": pa.float64()}
    return pa.table({n: pa.array([r[n] for r in rows], kinds.get(n)) for n in FEATURES.names})


@pytest.fixture(scope="module")
def fitted() -> ColdStart:
    return cold_start.fit(table(seen()), FEATURES)


def test_a_number_whose_cube_is_infinite_says_on_which_side_numbers_are_strange() -> None:
    rows = [each | {"amount_minor": float(each["amount_minor"])} for each in seen(300)]
    rows[3]["amount_minor"] = rows[4]["amount_minor"] = 1e200

    found = cold_start.fit(table(rows), FEATURES).seen["amount_minor"]

    assert isinstance(found, cold_start.NumberSeen) and found.high


STRANGE: dict[str, tuple[dict[str, Any], str, str]] = {
    "a large amount": ({"amount_minor": 900_000}, "amount_minor", "amount of this payment: 9,000.00 EUR (more than"),
    "an hour nobody pays at": ({"hour": 4}, "hour", "hour of the day: 4 (never seen before)"),
    "a new country": ({"country": "AQ"}, "country", "country: AQ (never seen before)"),
    "a rare country": ({"country": "NO"}, "country", "country: NO (0.05 % of the transactions seen were as rare)"),
    "many payments": ({"count_1d": 40, "count_7d": 40}, "customer count", "payments in a day: 40 (more than"),
    "no amount": ({"amount_minor": None}, "missing", "amount of this payment: missing"),
}  # fmt: skip


@pytest.mark.parametrize("name", STRANGE)
def test_what_is_unlike_the_rest_is_novel_and_said_in_words(fitted: ColdStart, name: str) -> None:
    changes, kind, said = STRANGE[name]
    strange = row(random.Random(5), **changes)
    plain = row(random.Random(5))
    assert fitted.novelty(strange) > fitted.novelty(plain)
    found = fitted.strangeness(strange, "EUR")
    assert found.kind == kind
    assert found.words[0].startswith(said)
    assert len(found.words) <= 3


def test_novelty_is_the_share_of_what_was_seen_that_was_less_surprising(fitted: ColdStart) -> None:
    scores = [fitted.novelty(each) for each in seen()]
    assert all(0 <= score <= 1 for score in scores)
    assert 0.005 < sum(score >= 0.99 for score in scores) / len(scores) < 0.02
    assert fitted.novelty(row(random.Random(3), amount_minor=10**9, hour=4, country="AQ")) == 1.0


def test_what_lies_beyond_all_is_strange_on_the_side_of_the_short_tail_too(fitted: ColdStart) -> None:
    tiny = row(random.Random(5), amount_minor=1)
    assert fitted.novelty(tiny) > fitted.novelty(row(random.Random(5), amount_minor=1_000))
    assert (
        fitted.strangeness(tiny, "EUR").words[0]
        == "amount of this payment: 0.01 EUR (less than was ever seen)"
    )


def test_several_windows_over_one_thing_count_once(fitted: ColdStart) -> None:
    one = row(random.Random(5), count_1d=0, count_7d=40)
    both = {**one, "count_1d": 40}
    assert fitted.novelty(one) == fitted.novelty(both)


def test_a_long_silence_is_not_strange_since_the_record_itself_grows(fitted: ColdStart) -> None:
    waiting = row(random.Random(5), since=1e9)
    assert fitted.novelty(waiting) == fitted.novelty({**waiting, "since": 5.0})


def test_labels_and_what_never_changes_are_left_out(fitted: ColdStart) -> None:
    assert not {"share", "trusted"} & set(fitted.seen)


def test_a_stored_one_is_the_same(fitted: ColdStart) -> None:
    again = cold_start.from_stored(json.loads(fitted.to_bytes()))
    assert again == fitted
    assert again.novelty_id == fitted.novelty_id


def test_the_same_rows_give_the_same_fit(fitted: ColdStart) -> None:
    assert cold_start.fit(table(seen()), FEATURES).to_bytes() == fitted.to_bytes()
    assert cold_start.fit(table(seen()[:-1]), FEATURES).novelty_id != fitted.novelty_id


def test_too_few_rows_are_refused_with_how_many_are_needed() -> None:
    with pytest.raises(InputError) as caught:
        cold_start.fit(table(seen(50)), FEATURES)
    said = "50 transactions are too few to say what is unusual"
    assert str(caught.value).startswith(f"novelty: {said} (allowed: 200 or more)")


def test_where_nothing_varies_nothing_can_be_unusual() -> None:
    same = [{**row(random.Random(1)), "since": None}] * 300
    with pytest.raises(InputError, match="no input varies"):
        cold_start.fit(table(same), FEATURES)


def test_values_that_were_never_looked_at_are_scored_too(fitted: ColdStart) -> None:
    odd = row(random.Random(5), amount_minor=-(10**12), hour=25, count_1d=None, country="", since=None)
    assert 0 <= fitted.novelty(odd) <= 1
