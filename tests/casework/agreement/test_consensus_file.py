"""Does a verdict log become labels that say how sure they are, and on what they rest?"""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from casework.cli.main import cli
from casework.quality.agreement.table import Rating
from casework.quality.consensus.conviction import confidence_ranks, learn, out_of_fold, pooled
from casework.quality.consensus.report import consensus_of_file, read_golden
from casework.quality.consensus.votes import count_votes
from data.errors import InputError
from engine.measuring.metrics import auc

ANALYSTS = Path(__file__).resolve().parents[4] / "shared" / "data" / "analyst_decisions.csv"
WORDS = ("low", "high")


def log_of(folder: Path, rows: list[dict[str, str]], name: str = "verdicts.csv") -> Path:
    path = folder / name
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


def sure_and_unsure(seed: int, items: int = 300) -> tuple[list[dict[str, str]], dict[str, str]]:
    """Three reviewers who are right in 90 % of cases when confident and toss a coin when not; and the truth."""
    rng = np.random.default_rng(seed)
    rows, truth = [], {}
    for i in range(items):
        truth[f"i{i}"] = "fraud" if rng.random() < 0.3 else "ok"
        for who in "abc":
            sure = bool(rng.random() < 0.4)
            right = rng.random() < (0.9 if sure else 0.5)
            said = truth[f"i{i}"] if right else ("ok" if truth[f"i{i}"] == "fraud" else "fraud")
            rows.append({"item": f"i{i}", "reviewer": who, "verdict": said, "how_sure": WORDS[sure]})
    return rows, truth


def three_classes(items: int = 200) -> list[dict[str, str]]:
    rng = np.random.default_rng(3)
    rows = []
    for i in range(items):
        true = "abc"[i % 3]
        for j in range(4):
            said = true if rng.random() < 0.75 else "abc"[int(rng.integers(3))]
            rows.append({"item": f"i{i}", "reviewer": f"r{j}", "verdict": said})
    return rows


def test_any_number_of_classes_gets_a_label_and_a_posterior(tmp_path: Path) -> None:
    found = consensus_of_file(log_of(tmp_path, three_classes()))
    assert (found["method"], found["identified"], found["classes"]) == ("dawid-skene", True, ["a", "b", "c"])
    right = [row["label"] == "abc"[int(row["item"][1:]) % 3] for row in found["items"]]
    assert np.mean(right) > 0.9
    assert all(sum(row["posteriors"].values()) == pytest.approx(1) for row in found["items"])


def test_the_command_writes_a_csv_to_standard_output_and_its_method_to_standard_error(tmp_path: Path) -> None:
    ran = CliRunner().invoke(cli, ["consensus", str(log_of(tmp_path, three_classes()))])
    assert ran.exit_code == 0
    rows = list(csv.DictReader(ran.stdout.splitlines()))
    assert list(rows[0]) == ["item", "label", "posterior", "reviewers", "basis", "p_a", "p_b", "p_c"]
    assert (len(rows), rows[0]["reviewers"]) == (200, "4")
    assert ran.stderr.startswith("dawid-skene: Error rates are estimated from 200 items")


def test_the_command_answers_in_json(tmp_path: Path) -> None:
    ran = CliRunner().invoke(cli, ["consensus", str(log_of(tmp_path, three_classes())), "--json"])
    found = json.loads(ran.stdout)
    assert len(found["items"]) == 200
    assert found["reviewers"][0]["confusion"]["a"]["a"] > 0.6


def test_too_little_overlap_falls_back_to_the_majority_and_says_why(tmp_path: Path) -> None:
    votes = [("1", "a", "x"), ("1", "b", "y"), ("2", "a", "y"), ("2", "b", "y"), ("3", "a", "y")]
    rows = [dict(zip(("item", "reviewer", "verdict"), vote, strict=True)) for vote in votes]
    found = consensus_of_file(log_of(tmp_path, rows))
    assert (found["method"], found["identified"]) == ("majority", False)
    assert found["sentence"].startswith("Not identified: 0 items have three reviewers or more")
    first, second, _ = found["items"]
    assert (first["label"], first["tie"], first["posterior"]) == ("y", True, 0.5)
    assert (second["label"], second["tie"], second["posterior"]) == ("y", False, 1.0)


def test_golden_items_keep_their_truth(tmp_path: Path) -> None:
    log = log_of(tmp_path, three_classes())
    known = log_of(tmp_path, [{"item": f"i{i}", "truth": "c"} for i in range(4)], "known.csv")
    found = consensus_of_file(log, golden=known)
    assert [row["label"] for row in found["items"][:4]] == ["c"] * 4
    assert {row["basis"] for row in found["items"][:4]} == {"golden"}
    assert (found["n_golden"], found["golden_unused"]) == (4, 0)


def test_confidence_counts_when_golden_items_show_what_it_is_worth(tmp_path: Path) -> None:
    rows, truth = sure_and_unsure(5, items=600)
    known = [{"item": item, "truth": value} for item, value in list(truth.items())[:300]]
    log, golden = log_of(tmp_path, rows), log_of(tmp_path, known, "known.csv")
    by_confidence = consensus_of_file(log, golden=golden, confidence="how_sure")
    by_votes = consensus_of_file(log, golden=golden)
    assert (by_confidence["method"], by_votes["method"]) == ("confidence", "dawid-skene")

    def right(found: dict) -> float:
        return float(np.mean([row["label"] == truth[row["item"]] for row in found["items"][300:]]))

    assert right(by_confidence) > right(by_votes) + 0.02


def test_confidence_without_golden_items_is_not_used_and_that_is_said(tmp_path: Path) -> None:
    rows, _ = sure_and_unsure(6)
    found = consensus_of_file(log_of(tmp_path, rows), confidence="how_sure")
    assert (
        "Stated confidence is not used: 0 golden items are 'fraud', 20 of every class needed"
        in found["sentence"]
    )


def test_a_reviewer_without_golden_items_weighs_what_everybody_weighs() -> None:
    rows, truth = sure_and_unsure(7)
    ratings = [Rating(r["item"], r["reviewer"], r["verdict"]) for r in rows]
    votes = count_votes([*ratings, Rating("new", "newcomer", "fraud")], golden=truth)
    sure = np.append(confidence_ranks([r["how_sure"] for r in rows]), 3.0)[:, None]
    model = learn(votes, sure, votes.known)
    assert model.deviation[votes.reviewers.index("newcomer")] == pytest.approx(0)
    assert pooled(votes, sure, model).sum(axis=1) == pytest.approx(1)


def test_no_fold_sees_the_truth_it_is_judged_on() -> None:
    rows, _ = sure_and_unsure(8)
    coins = np.random.default_rng(8).random(300) < 0.5
    senseless = {f"i{i}": "fraud" if coin else "ok" for i, coin in enumerate(coins)}
    votes = count_votes([Rating(r["item"], r["reviewer"], r["verdict"]) for r in rows], golden=senseless)
    sure = confidence_ranks([r["how_sure"] for r in rows])[:, None]
    held_out = out_of_fold(votes, sure, votes.known)[:, 0]
    assert auc(votes.golden == 0, held_out) < 0.56


@pytest.mark.parametrize(
    ("word", "rank"),
    [("High confidence", 3), ("Certainty", 4), ("no confidence", 0), ("0.75", 0.75), ("4", 4), ("LOW", 1)],
)
def test_stated_confidence_is_a_number_or_a_known_word(word: str, rank: float) -> None:
    assert confidence_ranks([word])[0] == rank


def test_other_words_for_confidence_are_refused() -> None:
    with pytest.raises(InputError, match="'so-so' is not a stated confidence"):
        confidence_ranks(["high", "so-so"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("item,truth\n1,a\n1,b\n", "item '1' has two truths"),
        ("item,label\n1,a\n", "'item' or 'truth' is missing"),
    ],
)
def test_a_golden_file_that_contradicts_itself_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "golden.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_golden(path)


def test_an_unknown_way_of_pooling_is_misuse(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no way of pooling 'magic'"):
        consensus_of_file(log_of(tmp_path, three_classes(5)), method="magic")


@pytest.mark.skipif(not ANALYSTS.is_file(), reason=f"real analyst decisions are not at {ANALYSTS}")
def test_confidence_improves_the_pooled_verdicts_of_real_analysts_out_of_fold() -> None:
    with ANALYSTS.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    said = {"1": "no", "0": "approved"}
    truth = {row["Transaction ID"]: said[row["Fraud Label"]] for row in rows}
    verdicts = ["approved" if row["Analyst Decision"] == "approved" else "no" for row in rows]
    votes = count_votes(
        [
            Rating(row["Transaction ID"], row["Analyst ID"], verdict)
            for row, verdict in zip(rows, verdicts, strict=True)
        ],
        golden=truth,
    )
    sure = confidence_ranks([row["Perceived Confidence"] for row in rows])[:, None]
    judged = votes.reviewers_per_item == 3
    assert judged.sum() == 480
    fraud = votes.golden[judged]
    found = [auc(fraud, out_of_fold(votes, sure, judged, seed=seed)[judged, 1]) for seed in range(3)]
    assert auc(fraud, votes.tally[judged, 1]) == pytest.approx(0.701, abs=5e-4)
    assert np.mean(found) >= 0.735
