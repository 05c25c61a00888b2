"""Does the report reproduce what was measured on real fraud analysts?"""

import csv
import json
from pathlib import Path

import pytest

from casework.quality.agreement.log_report import report_of_file
from casework.quality.agreement.report import consistency
from casework.quality.agreement.table import Rating

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "analyst_decisions.csv"
pytestmark = pytest.mark.skipif(not DATA.is_file(), reason=f"real analyst decisions are not at {DATA}")


@pytest.fixture(scope="module")
def ratings() -> list[Rating]:
    with DATA.open(encoding="utf-8") as lines:
        return [
            Rating(
                row["Transaction ID"],
                row["Analyst ID"],
                "approved" if row["Analyst Decision"] == "approved" else "not approved",
                row["Experimental Arm"],
            )
            for row in csv.DictReader(lines)
        ]


@pytest.fixture(scope="module")
def report(ratings: list[Rating]) -> dict:
    return consistency(ratings, positive="not approved").as_json()


def test_how_much_there_is(report: dict) -> None:
    assert (report["n_ratings"], report["n_all_items"], report["n_items"]) == (3463, 1994, 989)
    assert report["n_pairs"] == 989 - 480 + 3 * 480
    assert report["state"] == "enough"


@pytest.mark.parametrize(
    ("name", "value", "low", "high"),
    [
        ("raw", 0.757, None, None),
        ("alpha", 0.1844, 0.124, 0.243),
        ("ac1", 0.6532, 0.609, 0.696),
        ("ac1_all_items", 0.6567, None, None),
        ("positive_specific", 0.332, None, None),
    ],
)
def test_the_coefficients_and_their_intervals(
    report: dict, name: str, value: float, low: float | None, high: float | None
) -> None:
    assert report[name]["value"] == pytest.approx(
        value, abs=5e-4 if name in ("raw", "positive_specific") else 5e-5
    )
    if low is not None:
        assert (report[name]["low"], report[name]["high"]) == pytest.approx((low, high), abs=0.02)


def test_the_pairs(report: dict) -> None:
    kappas = {tuple(pair["reviewers"]): pair["cohen_kappa"]["value"] for pair in report["by_pair"]}
    expected = {("1", "2"): 0.1190, ("1", "3"): 0.1946, ("2", "3"): 0.2416}
    assert kappas == pytest.approx(expected, abs=5e-5)


def test_the_sentence_explains_why_alpha_and_ac1_differ(report: dict) -> None:
    assert report["sentence"].startswith("Raw agreement is 0.76, alpha 0.18, AC1 0.65. They differ because")
    assert "another concurs in 33%" in report["sentence"]


def test_the_file_report_says_the_same_and_is_plain_json(
    ratings: list[Rating], report: dict, tmp_path: Path
) -> None:
    log = tmp_path / "verdicts.csv"
    lines = [f'{r.item},{r.reviewer},{r.verdict},"{r.arm}"' for r in ratings]
    log.write_text("item,reviewer,verdict,arm\n" + "\n".join(lines) + "\n", encoding="utf-8")
    found = json.loads(json.dumps(report_of_file(log)))
    assert found["positive"] == "not approved"
    assert found["alpha"] == report["alpha"]
    assert len(found["by_arm"]) == 7
    assert found["within_arm"]["n_items"] < found["n_items"]
