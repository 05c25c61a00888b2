"""Does the simulated institution look like one, and is it the same every time?"""

import re
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from data.errors import InputError
from data.simulator import TYPOLOGIES, Drift, InstitutionConfig, Simulated, simulate

SMALL = InstitutionConfig(seed=3, customers=200, merchants=80, days=30, transactions=4_000, fraud_rate=0.03)


def local_hours(payments: pd.DataFrame) -> pd.Series:
    return payments["occurred_at"].dt.tz_convert("Europe/Berlin").dt.hour


def test_the_same_seed_gives_the_same_tables() -> None:
    once, again = simulate(SMALL), simulate(SMALL)
    assert once.transactions.equals(again.transactions)
    assert once.chargebacks.equals(again.chargebacks)
    assert once.truth.equals(again.truth)


def test_another_seed_gives_another_institution() -> None:
    other = InstitutionConfig(
        seed=4, customers=200, merchants=80, days=30, transactions=4_000, fraud_rate=0.03
    )
    assert not simulate(SMALL).transactions["amount"].equals(simulate(other).transactions["amount"])


def test_the_columns_are_those_the_demo_mapping_reads(institution: Simulated) -> None:
    assert institution.transactions.schema == pa.schema(
        [
            ("transaction_id", pa.string()),
            ("occurred_at", pa.timestamp("us", tz="UTC")),
            ("customer", pa.string()),
            ("card", pa.string()),
            ("merchant", pa.string()),
            ("device", pa.string()),
            ("country", pa.string()),
            ("merchant_category", pa.string()),
            ("merchant_country", pa.string()),
            ("channel", pa.string()),
            ("amount", pa.decimal128(12, 2)),
            ("currency", pa.string()),
            ("device_age_days", pa.float64()),
            ("age_band", pa.string()),
            ("customer_name", pa.string()),
            ("email", pa.string()),
        ]
    )


def test_exactly_as_many_payments_and_frauds_as_asked_for(institution: Simulated) -> None:
    assert institution.transactions.num_rows == 90_000
    assert sum(institution.truth["is_fraud"].to_pylist()) == 900


def test_ids_are_unique_and_in_the_order_of_time(payments: pd.DataFrame) -> None:
    assert payments["transaction_id"].is_unique
    assert payments["transaction_id"].is_monotonic_increasing
    assert payments["occurred_at"].is_monotonic_increasing


def test_all_times_lie_in_the_simulated_days(payments: pd.DataFrame) -> None:
    assert payments["occurred_at"].min() >= pd.Timestamp("2026-01-05", tz="UTC")
    assert payments["occurred_at"].max() < pd.Timestamp("2026-04-05", tz="UTC")


def test_amounts_are_exact_cents_above_zero(institution: Simulated) -> None:
    amounts = institution.transactions["amount"].to_pylist()
    assert all(
        isinstance(a, Decimal) and a >= Decimal("0.50") and a.as_tuple().exponent == -2 for a in amounts
    )


def test_people_are_made_up_by_number(payments: pd.DataFrame) -> None:
    for row in payments.head(500).itertuples():
        number = int(row.customer.removeprefix("cust_"))
        assert row.customer_name == f"Customer {number}"
        assert row.email == f"c{number}@example.org"


def test_each_card_has_one_owner_and_each_customer_one_age_band(payments: pd.DataFrame) -> None:
    assert payments.groupby("card")["customer"].nunique().max() == 1
    assert payments.groupby("customer")["age_band"].nunique().max() == 1


def test_each_merchant_has_one_category_and_country(payments: pd.DataFrame) -> None:
    assert payments.groupby("merchant")[["merchant_category", "merchant_country"]].nunique().max().max() == 1


def test_a_device_is_named_online_and_never_in_a_shop(payments: pd.DataFrame) -> None:
    in_shop = payments["channel"] == "pos"
    assert payments.loc[in_shop, ["device", "device_age_days"]].isna().all().all()
    assert payments.loc[~in_shop, ["device", "device_age_days"]].notna().all().all()


def test_in_a_shop_the_payment_comes_from_the_country_of_the_shop(payments: pd.DataFrame) -> None:
    shop = payments[payments["channel"] == "pos"]
    assert (shop["country"] == shop["merchant_country"]).all()


def test_norway_is_among_the_countries(payments: pd.DataFrame) -> None:
    assert "NO" in set(payments["country"])


def test_people_sleep_at_night_local_time(payments: pd.DataFrame) -> None:
    honest = payments[~payments["is_fraud"] & (payments["country"] == "DE")]
    hours = local_hours(honest).value_counts(normalize=True).sort_index()
    assert hours.loc[1:4].sum() < 0.04
    assert hours.loc[16:19].sum() > 0.25


def test_fraud_is_more_frequent_at_night(payments: pd.DataFrame) -> None:
    night = local_hours(payments) < 5
    assert payments[night]["is_fraud"].mean() > 2 * payments[~night]["is_fraud"].mean()


def test_german_grocery_shops_are_nearly_empty_on_sundays(payments: pd.DataFrame) -> None:
    groceries = payments[(payments["merchant_category"] == "grocery") & (payments["channel"] == "pos")]
    weekday = (
        groceries["occurred_at"].dt.tz_convert("Europe/Berlin").dt.day_of_week.value_counts(normalize=True)
    )
    assert weekday[6] < 0.05 < 0.15 < weekday[5]


def test_customers_keep_to_their_own_price_level(payments: pd.DataFrame) -> None:
    honest = payments[~payments["is_fraud"]].assign(level=lambda p: np.log(p["amount"]))
    by_category = honest["level"] - honest.groupby("merchant_category")["level"].transform("mean")
    first, second = (
        by_category[honest.index % 2 == half].groupby(honest["customer"]).mean() for half in (0, 1)
    )
    assert first.corr(second) > 0.6


def test_most_payments_are_made_at_home_and_some_people_travel(payments: pd.DataFrame) -> None:
    shop = payments[(payments["channel"] == "pos") & ~payments["is_fraud"]]
    home = shop.groupby("customer")["country"].agg(lambda c: c.mode().iloc[0])
    away = shop["country"] != shop["customer"].map(home)
    assert 0.01 < away.mean() < 0.15
    assert 0.1 < away.groupby(shop["customer"]).any().mean() < 0.6


def test_every_default_typology_occurs_in_its_share(payments: pd.DataFrame) -> None:
    share = payments.loc[payments["is_fraud"], "typology"].value_counts(normalize=True)
    assert set(share.index) == set(TYPOLOGIES) - {"scam_payment"}
    assert share.between(0.10, 0.29).all()


def test_the_fraud_rate_is_about_even_over_time(payments: pd.DataFrame) -> None:
    fifteen_days = (payments["occurred_at"] - payments["occurred_at"].min()).dt.days // 15
    assert payments.groupby(fifteen_days)["is_fraud"].mean().between(0.006, 0.015).all()


def test_truth_names_a_typology_and_campaign_for_fraud_alone(payments: pd.DataFrame) -> None:
    assert ((payments["typology"] != "") == payments["is_fraud"]).all()
    named = payments.loc[payments["is_fraud"], "campaign_id"]
    assert all(re.fullmatch(r"[a-z_]+-\d{6}", campaign) for campaign in named)


def test_honest_households_and_offices_share_devices_too(payments: pd.DataFrame) -> None:
    users = payments[~payments["is_fraud"]].groupby("device")["customer"].nunique()
    assert (users >= 2).sum() > 50


def test_without_drift_there_are_no_scams_and_with_it_they_start_on_that_day() -> None:
    drift = Drift(day=20, new_typology="scam_payment", new_share=0.5)
    drifted = simulate(InstitutionConfig(seed=3, customers=200, days=30, transactions=4_000, drift=drift))
    scams = drifted.transactions.to_pandas()[drifted.truth["typology"].to_pandas() == "scam_payment"]
    assert len(scams) == 7  # half of the 40 frauds, for a third of the time
    assert scams["occurred_at"].min() >= pd.Timestamp("2026-01-25", tz="UTC")
    assert "scam_payment" not in simulate(SMALL).truth["typology"].to_pylist()


def test_drift_moves_amounts_and_channel_from_that_day_on() -> None:
    drift = Drift(day=15, new_typology=None, amount_factor=1.5, online_shift=0.4)
    drifted = simulate(InstitutionConfig(seed=3, customers=400, days=30, transactions=12_000, drift=drift))
    table = drifted.transactions.to_pandas()
    later = table["occurred_at"] >= pd.Timestamp("2026-01-20", tz="UTC")
    online = (table["channel"] != "pos").groupby(later).mean()
    amount = table[table["merchant_category"] == "grocery"]["amount"].astype(float).groupby(later).median()
    assert online[True] - online[False] > 0.12
    assert 1.3 < amount[True] / amount[False] < 1.7


def test_more_fraud_can_be_asked_for() -> None:
    assert sum(simulate(SMALL).truth["is_fraud"].to_pylist()) == 120


def test_no_fraud_at_all_can_be_asked_for() -> None:
    clean = simulate(InstitutionConfig(customers=50, days=10, transactions=500, fraud_rate=0.0))
    assert not any(clean.truth["is_fraud"].to_pylist())


@pytest.mark.parametrize("transactions", [1, 2, 60])
def test_the_smallest_institution_works(transactions: int) -> None:
    tiny = InstitutionConfig(customers=10, merchants=20, days=2, transactions=transactions, fraud_rate=0.5)
    assert simulate(tiny).transactions.num_rows == transactions


def test_the_start_is_the_first_day() -> None:
    later = simulate(InstitutionConfig(start=date(2024, 2, 28), days=3, customers=50, transactions=300))
    days = {moment.date() for moment in later.transactions["occurred_at"].to_pylist()}
    assert days == {date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)}


def test_a_size_that_cannot_be_simulated_is_refused_in_a_sentence() -> None:
    with pytest.raises(InputError) as refusal:
        InstitutionConfig(customers=3)
    assert str(refusal.value) == "simulator settings: customers cannot be 3 (allowed: 10 or more)"


def test_an_unknown_typology_is_refused() -> None:
    with pytest.raises(InputError, match=r"typology_shares cannot be phishing \(allowed: card_testing, "):
        InstitutionConfig(typology_shares={"phishing": 1.0})


def test_drift_after_the_last_day_is_refused() -> None:
    with pytest.raises(InputError, match=r"drift.day cannot be 40 \(allowed: below days \(30\)\)"):
        InstitutionConfig(days=30, drift=Drift(day=40))
