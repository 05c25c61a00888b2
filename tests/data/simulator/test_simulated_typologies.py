"""Can each typology be told from what it does, and is it still hidden among honest payments?"""

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.metrics import average_precision_score


@pytest.fixture(scope="module")
def features(payments: pd.DataFrame) -> pd.DataFrame:
    """What a plain engine would know: amount against habit, first use, velocity, sharing, the merchant's past."""
    p = payments.copy()
    p["second"] = (p["occurred_at"] - p["occurred_at"].min()).dt.total_seconds()
    past = p.groupby("customer")["amount"]
    mean = (past.cumsum() - p["amount"]) / past.cumcount().replace(0, np.nan)
    known = pd.DataFrame(
        {"amount": p["amount"], "ratio": p["amount"] / mean, "hour": p["second"] // 3600 % 24}
    )
    for entity in ("device", "merchant", "country"):
        first = p.groupby(["customer", entity])["second"].transform("min")
        known[f"customer_{entity}_age"] = p["second"] - first
    known["customer_gap"] = p.groupby("customer")["second"].diff()
    known["device_age"] = p["second"] - p.groupby("device")["second"].transform("min")
    known["device_new_customers"] = customers_before(p)
    known["merchant_recent_mean"] = p.groupby("merchant")["amount"].transform(
        lambda a: a.shift().rolling(20, 5).mean()
    )
    known["merchant_seconds_for_five"] = p.groupby("merchant")["second"].diff(5)
    for column in ("merchant_category", "channel", "country"):
        known[column] = p[column].astype("category").cat.codes
    return known.replace([np.inf, -np.inf], np.nan)


def customers_before(p: pd.DataFrame) -> pd.Series:
    """How many customers the payment's device had served before; missing in a shop."""
    new = ~p.duplicated(["device", "customer"])
    return new.groupby(p["device"]).cumsum() - new


def test_a_good_model_finds_much_of_the_fraud_and_not_nearly_all(
    payments: pd.DataFrame, features: pd.DataFrame
) -> None:
    cut = int(0.7 * len(payments))
    settings = {"objective": "binary:logistic", "max_depth": 5, "eta": 0.1, "base_score": 0.5, "max_bin": 512}
    known = xgboost.DMatrix(features[:cut], payments["is_fraud"][:cut])
    model = xgboost.train({**settings, "nthread": 1, "seed": 1}, known, 120)
    score = model.predict(xgboost.DMatrix(features[cut:]))
    assert 0.45 < average_precision_score(payments["is_fraud"][cut:], score) < 0.85


@pytest.mark.parametrize("column, sign", [("amount", 1), ("ratio", 1), ("customer_device_age", -1)])
def test_no_single_feature_gives_fraud_away(
    payments: pd.DataFrame, features: pd.DataFrame, column: str, sign: int
) -> None:
    score = (sign * features[column]).fillna(-1e12)
    assert average_precision_score(payments["is_fraud"], score) < 0.35


def test_card_testing_is_tiny_payments_of_many_cards_at_two_shops(payments: pd.DataFrame) -> None:
    tests = payments[payments["typology"] == "card_testing"]
    campaigns = tests.groupby("campaign_id")
    assert tests["amount"].median() < 6
    assert tests["amount"].max() > 50
    assert campaigns["card"].nunique().median() >= 5
    tiny = tests[tests["amount"] < 8].groupby("campaign_id")["merchant"].nunique()
    assert tiny.median() <= 3


def test_taken_over_accounts_pay_more_than_usual_from_unknown_devices(payments: pd.DataFrame) -> None:
    taken = payments["typology"] == "account_takeover"
    usual = payments[~payments["is_fraud"]].groupby("customer")["amount"].median()
    new = ~payments[payments["device"].notna()].duplicated(["customer", "device"])
    assert (payments["amount"] / payments["customer"].map(usual))[taken].median() > 2
    assert payments[taken].groupby("campaign_id")["customer"].nunique().max() == 1
    unknown = new.reindex(payments.index, fill_value=False)[taken].groupby(payments["campaign_id"]).any()
    assert 0.55 < unknown.mean() < 0.9


def test_cards_of_one_leak_had_paid_at_one_merchant(payments: pd.DataFrame) -> None:
    leaks = payments[payments["typology"] == "merchant_compromise"]
    honest = payments[~payments["is_fraud"]]
    shared = []
    for _, campaign in leaks.groupby("campaign_id"):
        victims = set(campaign["customer"])
        visits = honest[honest["customer"].isin(victims)].groupby("merchant")["customer"].nunique()
        shared.append(visits.max() == len(victims))
    assert np.mean(shared) > 0.95


def test_rings_use_few_devices_for_several_accounts(payments: pd.DataFrame) -> None:
    rings = payments[payments["typology"] == "shared_devices"].groupby("campaign_id")
    main = rings.apply(lambda ring: ring.groupby("device")["customer"].nunique().max())
    assert main.median() >= 2
    assert rings["customer"].nunique().median() >= 4


def test_abusers_use_their_own_devices(payments: pd.DataFrame) -> None:
    abuse = payments[payments["typology"] == "first_party_abuse"]
    honest = payments[~payments["is_fraud"]]
    own = set(zip(honest["customer"], honest["device"], strict=True))
    assert np.mean([pair in own for pair in zip(abuse["customer"], abuse["device"], strict=True)]) > 0.6
