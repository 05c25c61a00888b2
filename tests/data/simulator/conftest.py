"""Which simulated institution do these tests look at?"""

import pandas as pd
import pytest

from data.simulator import InstitutionConfig, Simulated, simulate

CONFIG = InstitutionConfig(seed=11, customers=2_500, merchants=700, days=90, transactions=90_000)


@pytest.fixture(scope="session")
def institution() -> Simulated:
    return simulate(CONFIG)


@pytest.fixture(scope="session")
def payments(institution: Simulated) -> pd.DataFrame:
    """Transactions and their truth side by side, amounts as floats."""
    table = institution.transactions.to_pandas().merge(institution.truth.to_pandas(), on="transaction_id")
    table["amount"] = table["amount"].astype(float)
    return table
