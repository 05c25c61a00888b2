"""Do chargebacks come late, incompletely, and now and then wrongly?"""

import pandas as pd
import pytest

from data.simulator import FRAUD_REASON_CODES, NON_FRAUD_REASON_CODES, Simulated, is_fraud_reason


@pytest.fixture(scope="module")
def disputes(institution: Simulated, payments: pd.DataFrame) -> pd.DataFrame:
    return institution.chargebacks.to_pandas().merge(payments, on="transaction_id", validate="one_to_one")


def test_chargebacks_become_known_about_three_weeks_later(disputes: pd.DataFrame) -> None:
    delay = (disputes["known_at"] - disputes["occurred_at"]).dt.total_seconds() / 86_400
    assert 17 < delay.median() < 23
    assert delay.min() >= 0.5
    assert (delay > 40).mean() > 0.08


def test_some_become_known_only_after_the_last_day(disputes: pd.DataFrame, payments: pd.DataFrame) -> None:
    late = disputes["known_at"] > payments["occurred_at"].max()
    assert 0.05 < late.mean() < 0.6


def test_they_are_listed_as_they_become_known(institution: Simulated) -> None:
    assert institution.chargebacks["known_at"].to_pandas().is_monotonic_increasing


def test_some_frauds_are_never_disputed_tiny_ones_least(
    disputes: pd.DataFrame, payments: pd.DataFrame
) -> None:
    frauds = payments[payments["is_fraud"]]
    filed = frauds["transaction_id"].isin(disputes["transaction_id"]).groupby(frauds["typology"]).mean()
    assert filed["card_testing"] < 0.75 < 0.85 < filed["account_takeover"] < 1


def test_some_honest_payments_are_disputed_mostly_for_other_reasons(disputes: pd.DataFrame) -> None:
    honest = disputes[~disputes["is_fraud"]]
    called_fraud = honest["reason_code"].map(is_fraud_reason)
    assert 40 < len(honest) < 200
    assert 0 < called_fraud.mean() < 0.35


def test_reason_codes_say_fraud_or_not(disputes: pd.DataFrame) -> None:
    assert set(disputes["reason_code"]) <= {*FRAUD_REASON_CODES, *NON_FRAUD_REASON_CODES}
    assert all(map(is_fraud_reason, FRAUD_REASON_CODES))
    assert not any(map(is_fraud_reason, NON_FRAUD_REASON_CODES))


def test_abusers_often_claim_that_nothing_arrived(disputes: pd.DataFrame) -> None:
    abuse = disputes[disputes["typology"] == "first_party_abuse"]
    assert 0.2 < (abuse["reason_code"] == "not_received").mean() < 0.6
