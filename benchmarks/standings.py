"""Are reviewers who answer at random, or always dismiss, found out within 300 reviews, and does their word lose weight?

    python -m benchmarks.standings [--seeds 20]

Ten simulated analysts at one queue: six of the kind fitted to real ones, two better ones, one who always dismisses, and
one odd one, whose kind is varied. Lanes, second reviews, audits and golden cases come in the shares of
rules/policy.yaml; of audited payments half are old enough for their truth to be known. Looked at after every 50 reviews
of each person, with the signals and the level of casework.quality.scorecards.signals. Everybody's verdicts then go
through Dawid-Skene with golden cases and known outcomes, and the last column is the weight that a single verdict of
such a person has in labels, next to that of the eight.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from casework.quality.agreement.table import Rating
from casework.quality.consensus.of_ledger import HARDLY_RIGHT
from casework.quality.consensus.worth import CLASSES, Measures, measure
from casework.quality.scorecards.reviews import GOLDEN, OUTCOME, Review
from casework.quality.scorecards.signals import standings
from data.simulator.analysts import PROFILES, AnalystProfile, SimulatedAnalyst

LOOKS = (50, 100, 150, 200, 250, 300)
REVIEWS = LOOKS[-1]
CAP = 0.4
"""The policy's weight of a single verdict, which caps what is derived."""
HONEST = ("real",) * 6 + ("better",) * 2
DISMISSER = "always_dismiss"
KINDS: Mapping[str, AnalystProfile] = {
    "random, half of all called fraud": PROFILES["random"],
    "random, as many as colleagues": replace(PROFILES["random"], false_positive_rate=0.25),
    "lazy (follows the score, quickly)": PROFILES["lazy"],
    "corrupt (clears 7 of 10 frauds)": PROFILES["corrupt"],
}
# Lane, its share of the work, its share of fraud.
LANES = (
    ("money_at_risk", 0.56, 0.35),
    ("uncertain", 0.29, 0.15),
    ("audit", 0.10, 0.01),
    ("golden", 0.05, 0.5),
)
SMALL = (4, 5)
SECOND, BLIND, POOL = 0.25, 0.3, 60


@dataclass
class Seen:
    """What was found about one kind of person over all seeds."""

    at: Counter[int] = field(default_factory=Counter)
    first: list[int] = field(default_factory=list)
    signals: Counter[str] = field(default_factory=Counter)
    weights: list[float] = field(default_factory=list)
    people: int = 0


def work(people: Mapping[str, AnalystProfile], seed: int, reviews: int = REVIEWS) -> list[Review]:
    """Everybody's first `reviews` reviews, in order."""
    rng = np.random.default_rng(seed)
    analysts = {who: SimulatedAnalyst(who, profile, seed) for who, profile in people.items()}
    left = dict.fromkeys(people, reviews)
    given: list[Review] = []
    number = 0
    while any(left.values()):
        number += 1
        lane, fraud, item = _case(rng, number)
        free = sorted((who for who in left if left[who]), key=lambda who: (-left[who], rng.random()))
        chosen = free[:1]
        if lane in ("money_at_risk", "uncertain") and rng.random() < SECOND and len(free) > 1:
            chosen = [free[0], free[int(rng.integers(1, len(free)))]]
        arm = "blind_first" if lane == "audit" or rng.random() < BLIND else "score_shown"
        cue = float(rng.beta(3, 3) if fraud else rng.beta(2, 5)) if arm == "score_shown" else None
        known = GOLDEN if lane == "golden" else OUTCOME if lane == "audit" and rng.random() < 0.5 else ""
        for turn, who in enumerate(chosen):
            said = analysts[who].judge(item, fraud=fraud, cue=cue, occasion=number)
            left[who] -= 1
            given.append(
                Review(
                    who, item, said.value, "second" if turn else lane, arm, said.seconds, 0,
                    fraud if known else None, known, len(chosen) > 1, len(given),
                )
            )  # fmt: skip
    return given


def _case(rng: np.random.Generator, number: int) -> tuple[str, bool, str]:
    """A case's lane, whether it is fraud, and its name; golden cases come again from a pool."""
    upto = np.cumsum([share for _, share, _ in LANES])
    lane, _, fraud = LANES[int(np.searchsorted(upto, rng.random() * upto[-1], side="right"))]
    if lane == "golden":
        place = int(rng.integers(POOL))
        return lane, place % 2 == 0, f"golden-{place}"
    return lane, bool(rng.random() < fraud), f"case-{number}"


def measured(given: Sequence[Review]) -> Measures:
    """Everybody's error rates, from verdicts, golden cases and known outcomes."""
    lanes: dict[str, str] = {}
    for each in given:
        lanes.setdefault(each.item, each.lane)
    truth = {each.item: each.fraud for each in given if each.fraud is not None}
    doubted = [who for who, standing in standings(given).items() if standing.flagged]
    return measure(
        [Rating(each.item, each.reviewer, each.value) for each in given], lanes, truth, doubted=doubted
    )


def mean_weight(measures: Measures, given: Sequence[Review], who: str) -> float:
    """Mean weight in labels of this person's verdicts, each taken as the only one on its payment."""
    weights = []
    for each in given:
        if each.reviewer == who and each.value in CLASSES:
            said, fraud = [(who, each.value)], each.value == CLASSES[0]
            chance = measures.posterior(said, each.lane)
            right, force = (chance, measures.force(said)) if fraud else (1 - chance, -measures.force(said))
            weights.append(min(CAP, max(0.0, force) * right) if right >= HARDLY_RIGHT else 0.0)
    return float(np.mean(weights))


def looked_at(given: Sequence[Review], looks: Sequence[int] = LOOKS) -> dict[str, dict[int, tuple[str, ...]]]:
    """For each person and look: the signals that flag."""
    found: dict[str, dict[int, tuple[str, ...]]] = {}
    for look in looks:
        upto = _first(given, look)
        for who, standing in standings(upto).items():
            found.setdefault(who, {})[look] = tuple(signal.name for signal in standing.flags)
    return found


def _first(given: Sequence[Review], most: int) -> list[Review]:
    so_far: Counter[str] = Counter()
    kept = []
    for each in given:
        so_far[each.reviewer] += 1
        if so_far[each.reviewer] <= most:
            kept.append(each)
    return kept


def run(kind: str, seeds: Sequence[int], looks: Sequence[int] = LOOKS) -> dict[str, Seen]:
    """What is found over seeds about the odd one of this kind, the one who always dismisses, and the eight."""
    people = {f"analyst-{n}": PROFILES[name] for n, name in enumerate(HONEST)}
    people |= {"analyst-8": PROFILES[DISMISSER], "analyst-9": KINDS[kind]}
    return over(people, {"analyst-8": "dismisser", "analyst-9": "odd"}, seeds, looks)


def over(
    people: Mapping[str, AnalystProfile],
    seats: Mapping[str, str],
    seeds: Sequence[int],
    looks: Sequence[int] = LOOKS,
) -> dict[str, Seen]:
    """What is found over seeds among these people, by seat; whoever has none in `seats` is honest."""
    found = {seat: Seen() for seat in (*seats.values(), "honest")}
    for seed in seeds:
        given = work(people, seed, looks[-1])
        flags, measures = looked_at(given, looks), measured(given)
        for who in people:
            seen = found[seats.get(who, "honest")]
            seen.people += 1
            at = [look for look in looks if flags[who][look]]
            seen.at.update(at)
            seen.signals.update(flags[who][looks[-1]])
            seen.first += at[:1]
            seen.weights.append(mean_weight(measures, given, who))
    return found


def row(words: str, seen: Seen, honest: Seen) -> str:
    shares = [f"{seen.at[look] / seen.people:.0%}" for look in (100, 200, 300)]
    ever = f"{len(seen.first) / seen.people:.0%}"
    named = ", ".join(f"{name} {count / seen.people:.0%}" for name, count in seen.signals.most_common(4))
    weight = f"{np.mean(seen.weights):.2f} ({np.mean(honest.weights):.2f})"
    return f"| {words} | {seen.people} | {' | '.join(shares)} | {ever} | {named or '-'} | {weight} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--seeds", type=int, default=20, help="how many institutions are simulated for each kind"
    )
    seeds = range(1, parser.parse_args().seeds + 1)
    print(
        "| who | people | flagged at 100 | at 200 | at 300 | at any look | signals at 300 | weight (of the eight) |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for number, kind in enumerate(KINDS):
        found = run(kind, seeds)
        if number == 0:
            print(row("always dismisses", found["dismisser"], found["honest"]))
            print(row("the eight honest ones", found["honest"], found["honest"]))
        print(row(kind, found["odd"], found["honest"]), flush=True)
    for size in SMALL:
        calm = over({f"analyst-{n}": PROFILES["real"] for n in range(size)}, {}, seeds)["honest"]
        print(row(f"{size} honest ones by themselves", calm, calm), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
