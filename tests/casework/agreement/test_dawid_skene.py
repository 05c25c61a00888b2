"""Does pooling with full confusion matrices find what was published, and say when it cannot?"""

from pathlib import Path

import numpy as np
import pytest
import yaml

from casework.quality.agreement.table import Rating
from casework.quality.consensus.dawid_skene import PUBLISHED, Smoothing, fit
from casework.quality.consensus.identification import identification
from casework.quality.consensus.report import consensus_of_file
from casework.quality.consensus.votes import Votes, count_votes
from data.errors import InputError

BLUEBIRDS = Path(__file__).resolve().parents[4] / "shared" / "data" / "bluebirds"
# Dawid and Skene 1979, Table 1: 45 patients; the first anaesthetist judged each form three times, four others once.
PATIENTS = """
111 1 1 1 1|333 4 3 3 4|112 2 1 2 2|222 3 1 2 1|222 3 2 2 2|222 3 3 2 2|122 2 1 1 1|333 3 4 3 3|222 2 2 2 3
232 2 2 2 3|444 4 4 4 4|222 3 3 4 3|111 1 1 1 1|222 3 2 1 2|121 1 1 1 1|111 2 1 1 1|111 1 1 1 1|111 1 1 1 1
222 2 2 2 1|222 1 3 2 2|222 2 2 2 2|222 2 2 2 1|222 3 2 2 2|221 2 2 2 2|111 1 1 1 1|111 1 1 1 1|232 2 2 2 2
111 1 1 1 1|111 1 1 1 1|112 1 1 2 1|111 1 1 1 1|333 3 2 3 3|111 1 1 1 1|222 2 2 2 2|222 3 2 3 2|433 4 3 4 3
221 2 2 3 2|232 3 2 3 3|333 3 4 3 2|111 1 1 1 1|111 1 1 1 1|121 2 1 1 1|232 2 2 2 2|121 1 1 1 1|222 2 2 2 2
"""


def anaesthetists() -> list[Rating]:
    patients = PATIENTS.replace("\n", "|").strip("|").split("|")
    return [
        Rating(str(patient), f"observer-{who}", verdict)
        for patient, line in enumerate(patients)
        for who, verdicts in enumerate(line.split())
        for verdict in verdicts
    ]


def made_up(
    seed: int, *, items: int = 400, reviewers: int = 4, share: float = 0.3
) -> tuple[list[Rating], np.ndarray]:
    """Reviewers with a recall of .8 and a false positive rate of .1, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.random(items) < share
    said = rng.random((items, reviewers)) < np.where(truth, 0.8, 0.1)[:, None]
    words = np.where(said, "fraud", "ok")
    return [Rating(f"i{i}", f"r{j}", str(words[i, j])) for i in range(items) for j in range(reviewers)], truth


def ends(votes: Votes, smoothing: Smoothing | None = None) -> tuple[bool, str]:
    rule = smoothing or Smoothing()
    found = identification(votes, fit(votes, smoothing=rule), rule)
    return found.identified, found.sentence


def test_the_class_shares_of_the_45_patients_are_the_published_ones() -> None:
    votes = count_votes(anaesthetists(), repeats=True)
    assert len(votes.item) == 315
    found = fit(votes, smoothing=PUBLISHED)
    assert found.converged
    assert found.prior[0] == pytest.approx([0.3996, 0.4220, 0.1118, 0.0667], abs=1e-3)
    assert ends(votes)[0]


def test_the_published_class_shares_come_out_of_a_file_too(tmp_path: Path) -> None:
    log = tmp_path / "patients.csv"
    lines = [f"{r.item},{r.reviewer},{r.verdict}" for r in anaesthetists()]
    log.write_text("\n".join(["item,reviewer,verdict", *lines]))
    found = consensus_of_file(log, method="published", repeats=True)
    assert list(found["class_shares"].values()) == pytest.approx([0.3996, 0.4220, 0.1118, 0.0667], abs=1e-3)


def test_the_first_look_of_each_observer_counts_unless_repeats_are_asked_for() -> None:
    votes = count_votes(anaesthetists())
    assert (len(votes.item), votes.left_out) == (225, 90)


@pytest.mark.skipif(not BLUEBIRDS.is_dir(), reason=f"the Bluebirds set is not at {BLUEBIRDS}")
@pytest.mark.parametrize("smoothing", [PUBLISHED, Smoothing()], ids=["published", "default"])
def test_bluebirds_are_told_apart_better_than_by_majority(smoothing: Smoothing) -> None:
    truth = yaml.safe_load((BLUEBIRDS / "bluebirds_gt.yaml").read_text())
    said = yaml.safe_load((BLUEBIRDS / "bluebirds_labels.yaml").read_text())
    votes = count_votes(
        Rating(str(item), str(who), str(bird)) for who, seen in said.items() for item, bird in seen.items()
    )
    right = np.array([votes.classes.index(str(truth[int(item)])) for item in votes.items])
    assert (votes.tally.argmax(axis=1) == right).mean() == pytest.approx(0.7593, abs=5e-5)
    assert (fit(votes, smoothing=smoothing).posterior.argmax(axis=1) == right).mean() >= 0.8889 - 5e-5


def test_error_rates_are_recovered() -> None:
    ratings, truth = made_up(1, items=3000)
    votes = count_votes(ratings)
    found = fit(votes)
    fraud = votes.classes.index("fraud")
    assert found.class_shares[fraud] == pytest.approx(truth.mean(), abs=0.03)
    assert found.confusion[:, fraud, fraud] == pytest.approx(0.8, abs=0.06)
    assert found.confusion[:, 1 - fraud, fraud] == pytest.approx(0.1, abs=0.03)


def test_every_row_of_a_confusion_matrix_and_every_posterior_sums_to_one() -> None:
    found = fit(count_votes(anaesthetists()))
    assert found.confusion.sum(axis=2) == pytest.approx(1.0)
    assert found.posterior.sum(axis=1) == pytest.approx(1.0)
    assert found.prior.sum(axis=1) == pytest.approx(1.0)


def test_five_hundred_votes_on_one_item_do_not_underflow() -> None:
    ratings = [Rating(f"i{i}", f"r{j}", "ab"[(i + (j % 7 == 0)) % 2]) for i in range(20) for j in range(500)]
    found = fit(count_votes(ratings))
    assert np.isfinite(found.log_likelihood) and np.isfinite(found.posterior).all()


def test_golden_items_keep_their_class_and_anchor_upside_down_reviewers() -> None:
    ratings, truth = made_up(2)
    flipped = [Rating(r.item, r.reviewer, "ok" if r.verdict == "fraud" else "fraud") for r in ratings]
    golden = {f"i{i}": "fraud" if truth[i] else "ok" for i in range(150)}
    votes = count_votes(flipped, golden=golden)
    found = fit(votes)
    assert (found.posterior.argmax(axis=1) == votes.classes.index("fraud"))[:150].tolist() == truth[
        :150
    ].tolist()
    blind = fit(count_votes(flipped)).posterior.argmax(axis=1)[150:]
    hit = (found.posterior.argmax(axis=1)[150:] == (votes.classes.index("ok") ^ truth[150:])).mean()
    assert hit > 0.9 > 0.2 > (blind == (votes.classes.index("ok") ^ truth[150:])).mean()
    assert ends(votes) == (True, "Error rates are anchored by golden items of every class.")


def test_a_reviewer_with_few_cases_has_the_matrix_of_everybody() -> None:
    ratings, _ = made_up(3)
    newcomer = [Rating(f"i{i}", "newcomer", "fraud") for i in range(3)]
    votes = count_votes([*ratings, *newcomer])
    found = fit(votes)
    place = votes.reviewers.index("newcomer")
    assert found.few_cases.tolist() == [who == "newcomer" for who in votes.reviewers]
    assert found.confusion[place] == pytest.approx(found.shared)


def test_each_group_has_a_class_prior_of_its_own() -> None:
    rare, truth_rare = made_up(4, share=0.05)
    common, truth_common = made_up(5, share=0.6)
    moved = [Rating(f"c{r.item}", r.reviewer, r.verdict) for r in common]
    lanes = {r.item: "rare" for r in rare} | {r.item: "common" for r in moved}
    votes = count_votes([*rare, *moved], groups=lanes)
    found = fit(votes)
    fraud = votes.classes.index("fraud")
    shares = dict(zip(votes.groups, found.prior[:, fraud], strict=True))
    assert shares["rare"] == pytest.approx(truth_rare.mean(), abs=0.06)
    assert shares["common"] == pytest.approx(truth_common.mean(), abs=0.06)


def test_two_reviewers_an_item_do_not_identify_anything() -> None:
    ratings, _ = made_up(6, reviewers=2)
    assert ends(count_votes(ratings)) == (
        False,
        "Not identified: 0 items have three reviewers or more, 30 are needed (or 10 golden items of every class).",
    )


def test_coin_tossers_are_found_out() -> None:
    rng = np.random.default_rng(7)
    ratings = [Rating(str(i), str(j), "ab"[int(rng.random() < 0.3)]) for i in range(300) for j in range(3)]
    assert "no more than chance can make" in ends(count_votes(ratings))[1]


def test_one_class_only_is_not_identified() -> None:
    ratings = [Rating(str(i), str(j), "ok") for i in range(50) for j in range(3)]
    assert not ends(count_votes(ratings))[0]


def test_nothing_to_pool_is_refused() -> None:
    with pytest.raises(InputError, match="there are no verdicts to pool"):
        count_votes([])
