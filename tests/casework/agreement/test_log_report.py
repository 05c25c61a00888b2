"""Does the report of a verdict log use all that the log holds, and reproduce what real analysts showed?"""

import csv
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from casework.cli.main import cli
from casework.quality.agreement.against_truth import holm, is_fraud
from casework.quality.agreement.log_report import Columns, report_of_file
from casework.quality.agreement.page import page
from data.errors import InputError

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "analyst_decisions.csv"
NO_SCORE, SCORE = "Control (No Scores)", "Control (Scores)"
real = pytest.mark.skipif(not DATA.is_file(), reason=f"real analyst decisions are not at {DATA}")


@pytest.fixture
def log(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "log.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="module")
def analysts(tmp_path_factory: pytest.TempPathFactory) -> dict:
    path = tmp_path_factory.mktemp("real") / "verdicts.csv"
    with DATA.open(encoding="utf-8") as lines, path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["item", "reviewer", "verdict", "screen", "Fraud", "sure", "took"])
        for r in csv.DictReader(lines):
            told = (
                r["Experimental Arm"],
                r["Fraud Label"],
                r["Perceived Confidence"],
                r["Decision Time (seconds)"],
            )
            writer.writerow([r["Transaction ID"], r["Analyst ID"], r["Analyst Decision"], *told])
    columns = Columns(truth="Fraud", arm="screen", confidence="sure", seconds="took")
    return report_of_file(path, columns, positive="declined,suspicious")


@real
def test_several_verdicts_can_mean_fraud(analysts: dict) -> None:
    assert analysts["positive"] == "declined or suspicious"
    assert analysts["alpha"]["value"] == pytest.approx(0.1844, abs=5e-5)
    assert analysts["ac1"]["value"] == pytest.approx(0.6532, abs=5e-5)


@real
def test_the_score_on_the_screen_halves_false_alarms_and_leaves_recall(analysts: dict) -> None:
    arms = analysts["against_truth"]["by_arm"]
    assert arms[NO_SCORE]["false_positive_rate"]["value"] == pytest.approx(0.249, abs=5e-4)
    assert arms[SCORE]["false_positive_rate"]["value"] == pytest.approx(0.141, abs=5e-4)
    assert arms[SCORE]["recall"]["value"] == pytest.approx(0.493, abs=5e-4)
    assert arms[SCORE]["precision"]["value"] == pytest.approx(0.385, abs=5e-4)
    effect = next(e for e in analysts["arm_effects"] if e["arm"] == SCORE)
    assert (effect["baseline"], effect["measure"]) == (NO_SCORE, "false_positive_rate")
    assert effect["p"] == pytest.approx(0.0001, abs=5e-5)
    assert effect["low"] < effect["difference"] < effect["high"] < 0


@real
def test_real_analysts_are_faster_with_a_score(analysts: dict) -> None:
    seconds = analysts["seconds"]
    assert (seconds[NO_SCORE]["value"], seconds[SCORE]["value"]) == (37, 27)
    assert seconds[SCORE]["low"] < 27 < seconds[SCORE]["high"] < seconds[NO_SCORE]["low"]


@real
def test_stated_confidence_is_earned(analysts: dict) -> None:
    right = {level["confidence"]: level["right"]["value"] for level in analysts["calibration"]}
    assert list(right)[:4] == ["Certainty", "High confidence", "Medium confidence", "Low confidence"]
    assert list(right.values())[:4] == pytest.approx([0.886, 0.786, 0.703, 0.681], abs=6e-4)


@real
def test_two_votes_of_three_are_right_in_three_cases_of_ten(analysts: dict) -> None:
    shares = {
        v["said_fraud"]: v["fraud"]["value"] for v in analysts["votes_for_fraud"] if v["reviewers"] == 3
    }
    assert (shares[0], shares[2], shares[3]) == pytest.approx((0.074, 0.296, 0.667), abs=5e-4)


@real
def test_the_headline_compares_only_people_who_saw_the_same(analysts: dict) -> None:
    assert analysts["headline"] == "within_arm"
    assert analysts["within_arm"]["n_items"] == 324 < analysts["n_items"] == 989


class Links(HTMLParser):
    """Collects what a page would load, and its texts."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [f"{tag} {name}" for name, _ in attrs if name in ("src", "href", "data", "action")]


@real
def test_the_page_shows_every_part_and_loads_nothing(analysts: dict) -> None:
    text = page(analysts)
    seen = Links()
    seen.feed(text)
    assert seen.loads == []
    assert not {"script", "link", "img", "iframe"} & set(seen.tags)
    assert "url(" not in text and "@import" not in text and "http" not in text
    titles = re.findall(r"<h2>(.*?)</h2>", text)
    assert titles == [
        "Across arms",
        "By display arm",
        "By pair of reviewers",
        "Against the truth",
        "What the display does",
        "Is stated confidence earned?",
        "Seconds a verdict",
        "Fraud by number of votes for it",
        "What score and explanation change",
        "Where people differ",
        analysts["skew"]["sentence"],
        "Notes",
    ]
    assert "0.184" in text and "0.653" in text


def test_texts_from_the_log_are_escaped(log) -> None:
    bad = "<script>alert(1)</script>"
    rows = f"{bad},{bad},fraud,{bad},1,{bad}\n1,b,{bad},x,0,high\n1,c,fraud,x,0,high\n"
    text = page(report_of_file(log(f"item,reviewer,verdict,arm,truth,confidence\n{rows}")))
    assert bad not in text
    assert "&lt;script&gt;" in text


def test_columns_of_the_plain_names_need_no_option(log) -> None:
    found = report_of_file(log("item,reviewer,verdict,truth,seconds\n1,a,fraud,1,12\n1,b,ok,1,30\n"))
    assert found["against_truth"]["all"]["recall"]["value"] == 0.5
    assert found["seconds"]["all"]["value"] == 21
    assert found["unused_columns"] == []


def test_following_a_wrong_score_is_shown_apart_from_following_a_right_one(log) -> None:
    rows = "1,a,fraud,x,1,0.9\n2,a,fraud,x,0,0.8\n3,a,ok,x,0,0.7\n4,a,ok,x,0,0.1\n"
    found = report_of_file(log(f"item,reviewer,verdict,arm,truth,score\n{rows}"))["automation_bias"][
        "by_arm"
    ]["x"]
    assert (found["model_right"]["value"], found["model_right"]["n"]) == (1.0, 2)
    assert (found["model_wrong"]["value"], found["model_wrong"]["n"]) == (0.5, 2)
    assert "Automation bias" in page(report_of_file(log(f"item,reviewer,verdict,arm,truth,score\n{rows}")))


def test_an_item_without_known_truth_is_left_out_of_the_rates(log) -> None:
    found = report_of_file(log("item,reviewer,verdict,truth\n1,a,fraud,1\n2,a,fraud,\n"))
    assert found["against_truth"]["all"]["n"] == 1


@pytest.mark.parametrize(
    ("word", "expected"),
    [("1", True), ("0.0", False), ("TRUE", True), ("ok", False), ("", None), ("bad", True)],
)
def test_a_truth_may_be_written_in_many_ways(word: str, expected: bool | None) -> None:
    assert is_fraud(word, "bad", ["bad", "fine"]) is expected


def test_a_truth_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="'maybe' is no truth"):
        is_fraud("maybe", "fraud", ["fraud", "ok"], where="log.csv")


def test_seconds_that_are_none_are_refused(log) -> None:
    with pytest.raises(InputError, match="'-3' is no number of 0 or more"):
        report_of_file(log("item,reviewer,verdict,seconds\n1,a,fraud,-3\n"))


def test_holm_keeps_order_and_never_exceeds_one() -> None:
    assert holm([0.01, 0.04, 0.03, 0.9]) == pytest.approx([0.04, 0.09, 0.09, 0.9])
    assert holm([]) == []


def test_an_arm_that_is_not_there_cannot_be_the_baseline(log) -> None:
    text = "item,reviewer,verdict,arm,truth\n1,a,fraud,x,1\n1,b,ok,y,1\n"
    with pytest.raises(InputError, match=r"there is no arm 'z' \(allowed: x, y\)"):
        report_of_file(log(text), baseline="z")


def test_the_command_writes_one_html_file_and_answers_in_json(log, tmp_path: Path) -> None:
    path = log("item,reviewer,verdict,arm,truth\n1,a,fraud,x,1\n1,b,ok,y,1\n")
    ran = CliRunner().invoke(cli, ["consistency", str(path), "--html", str(tmp_path / "r.html"), "--json"])
    assert ran.exit_code == 0
    assert json.loads(ran.stdout)["against_truth"]["all"]["n"] == 2
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_place_that_cannot_be_written_is_misuse(log, tmp_path: Path) -> None:
    path = log("item,reviewer,verdict\n1,a,fraud\n")
    ran = CliRunner().invoke(cli, ["consistency", str(path), "--html", str(tmp_path / "no" / "r.html")])
    assert isinstance(ran.exception, InputError)
    assert "the report cannot be written" in str(ran.exception)
