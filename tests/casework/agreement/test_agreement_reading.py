"""Is a verdict log read as it stands, or refused with a sentence that helps?"""

from pathlib import Path

import pytest

from casework.quality.agreement.log_report import report_of_file
from casework.quality.agreement.reading import positive_category, read_verdicts
from data.errors import InputError

COLUMNS = "item, reviewer, verdict; optional arm, confidence, seconds, given_at"


@pytest.fixture
def log(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "log.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_line_that_repeats_another_word_for_word_is_counted_once(log) -> None:
    found = report_of_file(log("item,reviewer,verdict\n1,a,fraud\n1,a,fraud\n1,b,ok\n"))
    assert (found["duplicate_lines"], found["repeats"], found["n_ratings"]) == (1, 1, 2)


def test_columns_may_come_in_any_order_and_with_a_byte_order_mark(log) -> None:
    found = read_verdicts(log("\ufeffverdict,item,reviewer\nok,1,a\n\nfraud,1,b\n"))
    assert [(r.item, r.reviewer, r.verdict) for r in found.ratings] == [("1", "a", "ok"), ("1", "b", "fraud")]


def test_a_column_that_nothing_reads_is_named_and_does_no_harm(log) -> None:
    found = report_of_file(log("item,reviewer,verdict,mood\n1,a,ok,fine\n"))
    assert found["unused_columns"] == ["mood"]


def test_a_named_column_that_is_not_there_is_refused_with_a_hint(log) -> None:
    path = log("item,reviewer,verdict,Fraud\n1,a,ok,0\n")
    with pytest.raises(InputError) as refusal:
        read_verdicts(path, named=["fraud"])
    allowed = "item, reviewer, verdict, Fraud"
    assert str(refusal.value) == (
        f"{path}:1: there is no column 'fraud' (allowed: {allowed}). Did you mean 'Fraud'?"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "",
            "{path}: the file is empty (allowed: {columns})",
        ),
        (
            "item,verdict\n1,ok\n",
            "{path}:1: the column 'reviewer' is missing (allowed: {columns}). Rename your columns.",
        ),
        (
            "item,reviewer,verdict,item\n1,a,ok,1\n",
            "{path}:1: the column 'item' appears twice (allowed: each column once)",
        ),
        (
            "item,reviewer,verdict\n",
            "{path}: the file has a header but no verdicts (allowed: one verdict a line)",
        ),
        (
            "item,reviewer,verdict\n1,a,ok\n2,b\n",
            "{path}:3: this line has 2 fields (allowed: 3, as in the header)",
        ),
        (
            "item,reviewer,verdict\n1,,ok\n",
            "{path}:2: 'reviewer' is empty. Leave out lines without a verdict.",
        ),
    ],
)
def test_a_log_that_cannot_be_used_is_refused_with_file_and_line(log, text: str, message: str) -> None:
    path = log(text)
    with pytest.raises(InputError) as refusal:
        read_verdicts(path)
    assert str(refusal.value) == message.format(path=path, columns=COLUMNS)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(b"PAR1\xff\xfe\x00")
    with pytest.raises(InputError, match="this is not a CSV file in UTF-8"):
        read_verdicts(path)


def test_the_positive_category_is_a_known_word_or_else_the_rarest() -> None:
    assert positive_category(["ok", "ok", "Fraud"]) == "Fraud"
    assert positive_category(["x", "y", "x"]) == "y"
    assert positive_category(["x", "y", "x"], "x") == "x"
    with pytest.raises(InputError, match=r"nobody gave the verdict 'z' \(allowed: x, y\)"):
        positive_category(["x", "y"], "z")
