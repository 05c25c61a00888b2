"""What is the pooled label of each item in a verdict log, how sure is it, and by which way of pooling?"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from casework.quality.agreement.reading import VerdictLog, read_verdicts
from casework.quality.consensus.conviction import MIN_KNOWN, confidence_ranks, learn, pooled
from casework.quality.consensus.dawid_skene import PUBLISHED, Fit, Smoothing, fit
from casework.quality.consensus.identification import identification
from casework.quality.consensus.votes import Reals, Votes, count_votes, shares_of_votes
from data.errors import InputError

METHODS = ("auto", "dawid-skene", "majority", "confidence", "published")
DAWID_SKENE, MAJORITY, CONFIDENCE, WITHOUT_SMOOTHING = METHODS[1:]


@dataclass(frozen=True, slots=True)
class Pooling:
    """Posterior per item (items by classes), the way it was found, and a sentence about it."""

    method: str
    posterior: Reals
    sentence: str
    identified: bool | None = None
    fit: Fit | None = None


def consensus_of_file(
    path: Path,
    *,
    golden: Path | None = None,
    confidence: str = "",
    seconds: str = "",
    group: str = "",
    method: str = "auto",
    repeats: bool = False,
    seed: int = 0,
) -> dict[str, Any]:
    """Pooled label and posterior of every item of a long-form CSV, as JSON-ready values.

    `golden` is a CSV with the columns item and truth. `confidence`, `seconds` and `group` name columns.
    `method` "auto" takes stated confidence where it is given and enough golden items are known, else
    Dawid-Skene where it is identified, else the majority. Raises InputError on anything that cannot be used.
    """
    if method not in METHODS:
        raise InputError(f"there is no way of pooling '{method}'", allowed=", ".join(METHODS))
    log = read_verdicts(path, named=[name for name in (confidence, seconds, group) if name])
    known = read_golden(golden) if golden else {}
    groups = {row["item"]: row[group] for row in reversed(log.rows)} if group else {}
    votes = count_votes(log.ratings, golden=known, groups=groups, repeats=repeats)
    told = _told(log, path, confidence, seconds, repeats)
    found = pool(votes, told, method=method, seed=seed)
    return {
        **_as_json(votes, found),
        "source": Path(path).name,
        "golden_unused": len(set(known) - set(votes.items)),
    }


def read_golden(path: Path) -> dict[str, str]:
    """Known classes by item from a CSV with the columns item and truth."""
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except (FileNotFoundError, UnicodeDecodeError, IsADirectoryError):
        raise InputError("there is no such CSV file", where=str(path), hint="Check the path.") from None
    except csv.Error as problem:
        raise InputError(f"this file cannot be read as CSV ({problem})", where=str(path)) from None
    found: dict[str, str] = {}
    for number, row in enumerate(rows, start=2):
        item, truth = (str(row.get(name) or "").strip() for name in ("item", "truth"))
        if not item or not truth:
            raise InputError("'item' or 'truth' is missing", where=f"{path}:{number}", allowed="item,truth")
        if found.setdefault(item, truth) != truth:
            raise InputError(
                f"item '{item}' has two truths", where=f"{path}:{number}", allowed="one per item"
            )
    return found


def pool(votes: Votes, told: Reals | None = None, *, method: str = "auto", seed: int = 0) -> Pooling:
    """Pool votes; `told` is votes by features (confidence, log seconds), None where nothing was stated."""
    lacking = _lacks_known(votes)
    if method == CONFIDENCE and (told is None or lacking):
        raise InputError(
            lacking or "no column of stated confidence was named", hint="Give --confidence and --golden."
        )
    if told is not None and not lacking and method in ("auto", CONFIDENCE):
        return _by_confidence(votes, told)
    if method == MAJORITY:
        return Pooling(MAJORITY, shares_of_votes(votes), "Shares of votes, by wish.")
    rule = PUBLISHED if method == WITHOUT_SMOOTHING else Smoothing()
    fitted = fit(votes, smoothing=rule)
    about = identification(votes, fitted, rule, seed=seed)
    aside = f" Stated confidence is not used: {lacking}." if told is not None else ""
    if about.identified or method in (DAWID_SKENE, WITHOUT_SMOOTHING):
        return Pooling(DAWID_SKENE, fitted.posterior, about.sentence + aside, about.identified, fitted)
    fallen = f"{about.sentence} Labels are majority votes and posteriors shares of votes.{aside}"
    return Pooling(MAJORITY, shares_of_votes(votes), fallen, False, fitted)


def _lacks_known(votes: Votes) -> str:
    """Why there are too few golden items to learn from; '' when there are enough."""
    of_class = np.bincount(votes.golden[votes.known], minlength=len(votes.classes))
    rarest = int(of_class.argmin())
    if of_class[rarest] >= MIN_KNOWN and len(of_class) > 1:
        return ""
    return f"{of_class[rarest]} golden items are '{votes.classes[rarest]}', {MIN_KNOWN} of every class needed"


def _by_confidence(votes: Votes, told: Reals) -> Pooling:
    posterior = pooled(votes, told, learn(votes, told, votes.known))
    posterior[votes.known] = np.eye(len(votes.classes))[votes.golden[votes.known]]
    words = f"Weights of verdict, stated confidence and reviewer are learned from {votes.known.sum()} golden items."
    return Pooling(CONFIDENCE, posterior, words, True)


def _told(log: VerdictLog, path: Path, confidence: str, seconds: str, repeats: bool) -> Reals | None:
    """What was stated with each vote that counts, in the order of the votes."""
    if not confidence and not seconds:
        return None
    seen: set[tuple[str, str]] = set()
    rows = []
    for row in log.rows:
        spot = (row["item"], row["reviewer"])
        if repeats or spot not in seen:
            rows.append(row)
        seen.add(spot)
    columns = []
    if confidence:
        columns.append(
            confidence_ranks([row[confidence] for row in rows], where=f"{path}, column {confidence}")
        )
    if seconds:
        columns.append(
            np.log(np.maximum(positive_numbers([row[seconds] for row in rows], path, seconds), 1.0))
        )
    return np.stack(columns, axis=1)


def positive_numbers(words: list[str], path: Path, column: str) -> Reals:
    """A column of numbers of 0 or more; empty fields are missing (NaN). Raises InputError naming the value."""
    found = np.full(len(words), np.nan)
    for place, word in enumerate(words):
        if not word:
            continue
        try:
            found[place] = float(word)
        except ValueError:
            found[place] = -1.0
        if not (np.isfinite(found[place]) and found[place] >= 0):
            raise InputError(f"'{word}' is no number of 0 or more", where=f"{path}, column {column}")
    return found


def _as_json(votes: Votes, found: Pooling) -> dict[str, Any]:
    return {
        "method": found.method,
        "identified": found.identified,
        "sentence": found.sentence,
        "classes": list(votes.classes),
        "n_items": len(votes.items),
        "n_reviewers": len(votes.reviewers),
        "n_votes": len(votes.item),
        "n_golden": int(votes.known.sum()),
        "repeats_left_out": votes.left_out,
        "class_shares": _named(votes, found.posterior.mean(axis=0)),
        "items": _items(votes, found),
        "reviewers": _reviewers(votes, found),
        "groups": _groups(votes, found),
    }


def _named(votes: Votes, values: Reals) -> Mapping[str, float]:
    return dict(zip(votes.classes, map(float, values), strict=True))


def _items(votes: Votes, found: Pooling) -> list[dict[str, Any]]:
    overall = found.posterior.mean(axis=0)
    people = votes.reviewers_per_item
    rows = []
    for place, item in enumerate(votes.items):
        posterior = found.posterior[place]
        best = np.flatnonzero(posterior >= posterior.max() - 1e-9)
        # A tie goes to the class that is more common over all items: the better guess when votes say nothing.
        label = int(best[np.argmax(overall[best])])
        rows.append(
            {
                "item": item,
                "label": votes.classes[label],
                "posterior": float(posterior[label]),
                "tie": len(best) > 1,
                "basis": "golden" if votes.known[place] else found.method,
                "n_reviewers": int(people[place]),
                "posteriors": _named(votes, posterior),
            }
        )
    return rows


def _reviewers(votes: Votes, found: Pooling) -> list[dict[str, Any]]:
    if found.fit is None:
        return []
    return [
        {
            "reviewer": who,
            "n_votes": int(votes.cases[place]),
            "shared_matrix": bool(found.fit.few_cases[place]),
            "confusion": {
                true: dict(zip(votes.answers, map(float, row), strict=True))
                for true, row in zip(votes.classes, found.fit.confusion[place], strict=True)
            },
        }
        for place, who in enumerate(votes.reviewers)
    ]


def _groups(votes: Votes, found: Pooling) -> dict[str, Mapping[str, float]]:
    if found.fit is None or len(votes.groups) < 2:
        return {}
    return {name: _named(votes, found.fit.prior[place]) for place, name in enumerate(votes.groups)}
