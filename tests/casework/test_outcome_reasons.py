"""Does only a fraud reason make a fraud, however the report arrives?"""

import pytest

from casework.deciding.outcomes import meaning
from data.incoming.mapping_columns import OutcomeColumns, TimeColumn

CODES = OutcomeColumns("id", TimeColumn("at"), reason="why", fraud_codes=("10.4",), reversal_codes=("rev",))


@pytest.mark.parametrize(
    ("flag", "code", "says"),
    [
        (None, "10.4", True),
        (None, "13.1", None),
        (None, "REV", False),
        (True, "10.4", True),
        (True, "13.1", None),
        (True, "rev", False),
        (True, "", True),
        (False, "10.4", False),
        (False, "13.1", False),
    ],
)
def test_a_report_says_what_its_reason_says(flag: bool | None, code: str, says: bool | None) -> None:
    assert meaning(CODES, flag, code) is says


def test_where_no_code_is_explained_the_flag_alone_speaks() -> None:
    assert meaning(None, True, "13.1") is True
