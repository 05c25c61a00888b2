"""Does a verdict log with further columns give the further parts, and one without them none of these?"""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from casework.cli.main import cli
from casework.quality.agreement.log_report import report_of_file
from casework.quality.agreement.page import page
from data.errors import InputError

COLUMNS = (
    *(
        "item",
        "reviewer",
        "verdict",
        "arm",
        "truth",
        "seconds",
        "score",
        "given_at",
        "queue",
        "rule",
        "guideline",
    ),
    *("revised", "amount"),
)
START = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """360 items judged by two of three people in one of two arms, some of them again a month later."""
    rng = np.random.default_rng(8)
    path = tmp_path_factory.mktemp("logs") / "rich.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        lines = csv.writer(out)
        lines.writerow(COLUMNS)
        for i in range(360):
            fraud, amount = bool(rng.random() < 0.3), round(float(rng.uniform(1, 500)), 2)
            score = round(float(np.clip((0.6 if fraud else 0.3) + rng.normal(0, 0.2), 0, 1)), 3)
            arm, guideline = ("blind", "with score")[i % 2], ("v1", "v2")[i // 180]
            for who in rng.choice(["a", "b", "c"], 2, replace=False):
                for look in range(2 if i % 12 == 0 else 1):
                    said = bool(rng.random() < (0.6 if fraud else 0.2))
                    at = START + timedelta(minutes=5 * i, days=30 * look, seconds=int(rng.integers(200)))
                    later = said if rng.random() < 0.8 else score >= 0.5
                    told = [("ok", "fraud")[v] for v in (said, later)]
                    lines.writerow(
                        [f"i{i}", who, told[0], arm, int(fraud), int(rng.integers(10, 60)), score, at.isoformat(),
                         ("large", "small")[amount < 250], "r1;r2" if i % 3 else "", guideline,
                         told[1] if arm == "blind" else "", amount]
                    )  # fmt: skip
    return path


@pytest.fixture(scope="module")
def report(rich: Path) -> dict:
    return report_of_file(rich)


def test_agreement_is_broken_down_by_every_fact_there_is(report: dict) -> None:
    assert report["by"].keys() == {"queue", "rule", "guideline", "week"}
    assert {row["value"] for row in report["by"]["rule"]["groups"]} == {"r1", "r2"}
    queues = report["by"]["queue"]["groups"]
    assert sum(row["n_items"] for row in queues) == 360
    assert all(row["alpha"]["low"] < row["alpha"]["value"] < row["alpha"]["high"] for row in queues)
    assert report["unused_columns"] == []


def test_the_trend_is_given_at_a_fixed_mix_too(report: dict) -> None:
    weeks = report["fixed_mix"]["weeks"]
    assert [week["week"] for week in weeks] == [row["value"] for row in report["by"]["week"]["groups"]]
    assert len(report["fixed_mix"]["bands"]) == 5


def test_a_second_look_is_no_second_person(report: dict) -> None:
    assert (report["repeats"], report["second_looks"]["n_looks"]) == (60, 60)
    assert report["second_looks"]["median_days_between"] == pytest.approx(30, abs=0.1)
    assert report["n_pairs"] == 360


def test_the_display_the_reveal_the_disputes_and_the_pace_are_there(report: dict) -> None:
    assert {one["contrast"] for one in report["display"]["effects"]} == {"score"}
    revealed = report["display"]["after_reveal"]
    assert revealed["n"] == 360
    assert revealed["gave_in_model_right"]["n"] > 0
    assert report["disputes"]["trees"].keys() == {"each_other", "model", "outcome"}
    assert "amount" in report["facts_of_cases"]
    assert [one["reviewer"] for one in report["pace"]["by_reviewer"]] == ["a", "b", "c"]


def test_the_page_and_the_command_tell_all_of_it(report: dict, rich: Path) -> None:
    text = page(report)
    for title in ("By queue", "By week", "Trend at a fixed mix of cases", "Does a person say the same twice?",
                  "After the score was revealed", "Where people differ", "Pace"):  # fmt: skip
        assert f"<h2>{title}</h2>" in text, title
    assert "though nobody changed</h2>" in text
    ran = CliRunner().invoke(cli, ["consistency", str(rich), "--by", "arm"])
    assert ran.exit_code == 0, ran.output
    for words in (
        "By arm:",
        "The same person on the same item again, 60 times",
        "after the reveal:",
        "Pace: ",
    ):
        assert words in ran.stdout, words


def test_a_plain_log_has_none_of_it(tmp_path: Path) -> None:
    path = tmp_path / "plain.csv"
    path.write_text("item,reviewer,verdict\n1,a,fraud\n1,b,ok\n", encoding="utf-8")
    found = report_of_file(path)
    assert not {"by", "fixed_mix", "second_looks", "display", "pace"} & found.keys()
    assert found["disputes"]["trees"]["each_other"]["state"] == "insufficient data"
    assert found["skew"]["measured"] is False


def test_a_line_exported_twice_is_no_second_look(tmp_path: Path) -> None:
    path = tmp_path / "twice.csv"
    path.write_text("item,reviewer,verdict\n1,a,fraud\n1,a,fraud\n1,a,ok\n", encoding="utf-8")
    assert report_of_file(path)["second_looks"]["n_looks"] == 1


def test_a_time_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    path.write_text("item,reviewer,verdict,given_at\n1,a,fraud,yesterday\n", encoding="utf-8")
    with pytest.raises(InputError, match="'yesterday' is no time"):
        report_of_file(path)


def test_a_column_to_slice_by_that_is_not_there_is_misuse(rich: Path) -> None:
    with pytest.raises(InputError, match="there is no column 'quue'"):
        report_of_file(rich, by=["quue"])


@pytest.mark.parametrize(
    "rows",
    [
        "1,a,fraud\n1,b,fraud\n2,a,fraud\n",
        "1,a,fraud\n2,b,ok\n3,c,maybe\n",
        "1,a,x\n1,b,y\n1,c,z\n2,a,w\n2,b,w\n",
        "1,a,ok\n1,a,ok\n1,a,fraud\n",
    ],
    ids=["one category", "single reviews", "four classes", "same person only"],
)
def test_the_odd_logs_give_a_whole_report(rows: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text(f"item,reviewer,verdict\n{rows}", encoding="utf-8")
    text = page(report_of_file(path))
    assert "nan" not in text.lower().replace("nano", "")
