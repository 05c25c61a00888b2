"""Does pooling hold for any log: any classes, any ids, sparse and lopsided designs, in any order?"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from casework.cli.main import cli
from casework.quality.agreement.reading import read_verdicts
from casework.quality.agreement.table import Rating
from casework.quality.consensus.dawid_skene import fit
from casework.quality.consensus.report import pool
from casework.quality.consensus.votes import count_votes, shares_of_votes
from data.errors import InputError

CLASSES = "abcde"
# Sparse and lopsided on purpose: some reviewers say one thing only, some items have one vote, some classes none.
LOGS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 6), st.sampled_from(CLASSES)), min_size=1, max_size=60
)


def ratings(log: list[tuple[int, int, str]]) -> list[Rating]:
    return [Rating(f"i{item}", f"r{who}", said) for item, who, said in log]


def told(log: list[Rating], **options) -> dict[str, dict[str, float]]:
    votes = count_votes(log, **options)
    posterior = fit(votes, rounds=60).posterior
    return {
        item: dict(zip(votes.classes, map(float, row), strict=True))
        for item, row in zip(votes.items, posterior, strict=True)
    }


@settings(max_examples=20, deadline=None)
@given(LOGS)
def test_every_posterior_sums_to_one_and_every_row_of_a_matrix_does(log) -> None:
    votes = count_votes(ratings(log))
    found = fit(votes, rounds=60)
    assert found.posterior.sum(axis=1) == pytest.approx(1.0)
    assert found.confusion.sum(axis=2) == pytest.approx(1.0)


@settings(max_examples=12, deadline=None)
@given(LOGS, st.permutations(range(7)), st.permutations(CLASSES), st.randoms(use_true_random=False))
def test_neither_names_of_reviewers_and_classes_nor_the_order_of_lines_matter(
    log, people, words, luck
) -> None:
    first = {}
    for item, who, said in log:
        first.setdefault((item, who), said)  # a second look is left out, so which is first must not change
    log = [(item, who, said) for (item, who), said in first.items()]
    renamed = dict(zip(CLASSES, words, strict=True))
    mixed = [(item, people[who], renamed[said]) for item, who, said in log]
    luck.shuffle(mixed)
    one, other = told(ratings(log)), told(ratings(mixed))
    for item, row in one.items():
        assert other[item] == pytest.approx({renamed[name]: share for name, share in row.items()}, abs=2e-3)


@settings(max_examples=25, deadline=None)
@given(LOGS, st.lists(st.sampled_from(CLASSES), min_size=13, max_size=13))
def test_where_every_item_is_golden_the_matrices_are_what_was_counted(log, truth) -> None:
    golden = {f"i{n}": each for n, each in enumerate(truth)}
    votes = count_votes(ratings(log), golden=golden)
    found = fit(votes)
    assert found.posterior.max(axis=1) == pytest.approx(1.0)
    assert [votes.classes[n] for n in found.posterior.argmax(axis=1)] == [golden[i] for i in votes.items]
    counted = np.zeros(found.confusion.shape)
    np.add.at(counted, (votes.reviewer, votes.golden[votes.item], votes.choice), 1)
    pulled = counted + 0.01 + 5.0 * found.shared
    own = pulled / pulled.sum(axis=2, keepdims=True)
    few = np.broadcast_to(found.shared, own.shape)
    assert found.confusion == pytest.approx(np.where(found.few_cases[:, None, None], few, own))


def test_an_answer_that_is_no_class_tells_of_an_item_what_it_told_of_golden_ones() -> None:
    """Whoever is unsure of frauds only says something by being unsure."""
    log = [Rating(f"g{n}", "r1", "unsure" if n % 2 else "ok") for n in range(40)]
    golden = {f"g{n}": "fraud" if n % 2 else "ok" for n in range(40)}
    votes = count_votes(
        [*log, Rating("new", "r1", "unsure"), Rating("other", "r1", "ok")],
        golden=golden,
        classes=("fraud", "ok"),
        beside=("unsure",),
    )
    found = fit(votes)
    assert votes.answers == ("fraud", "ok", "unsure")
    assert found.confusion.shape == (1, 2, 3)
    assert found.posterior[-2, 0] > 0.95
    assert found.posterior[-1, 1] > 0.95
    assert shares_of_votes(votes)[-2].sum() == pytest.approx(1.0)


def test_many_classes_and_few_votes_a_reviewer_are_not_called_chance() -> None:
    rng = np.random.default_rng(1)
    log = [
        Rating(
            f"i{item}", f"r{who}", str(item % 20) if rng.random() < 0.4 + who / 200 else str(rng.integers(20))
        )
        for item in range(1200)
        for who in rng.choice(100, 5, replace=False)
    ]
    votes = count_votes(log)
    found = pool(votes)
    right = np.array([str(int(item[1:]) % 20) for item in votes.items])
    assert found.identified
    pooled = np.array(votes.classes)[found.posterior.argmax(axis=1)]
    assert (pooled == right).mean() > (np.array(votes.classes)[votes.tally.argmax(axis=1)] == right).mean()


def test_ids_with_any_characters_come_out_as_they_went_in(tmp_path: Path) -> None:
    ids = ["a\fb", "line\nbreak", 'q"uote', "comma,", "\u2028", "=1+1", "ß ü 漢", "x" * 300]
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(["item", "reviewer", "verdict"])
    lines.writerows([f"<{each}>", f"<{who}{each}>", f"<{each}>"] for each in ids for who in range(2))
    path = tmp_path / "odd.csv"
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    ran = CliRunner().invoke(cli, ["consensus", str(path)])
    assert ran.exit_code == 0
    rows = list(csv.DictReader(io.StringIO(ran.stdout, newline="")))
    assert [row["item"] for row in rows] == [f"<{each}>" for each in ids]
    assert {row["label"] for row in rows} == {f"<{each}>" for each in ids}


def test_a_line_that_is_no_csv_is_named(tmp_path: Path) -> None:
    path = tmp_path / "open.csv"
    path.write_text('item,reviewer,verdict\na,r,x\n"b' + "b" * 200_000 + ",r,x\n")
    with pytest.raises(InputError, match="cannot be read as CSV"):
        read_verdicts(path)
