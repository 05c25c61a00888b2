"""How are a week's figures said in words, and which of them ask somebody to act?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from casework.learning.retraining.runs import WAITING
from engine.units import percent

JSON = dict[str, Any]
RUNNING_WEEKS = 2
"""One week in forty lies above what was expected by chance; two in a row hardly ever."""
NOTABLE = 1.3
"""A count this many times the week before, or its inverse, is worth a sentence."""


def headline(digest: Mapping[str, Any]) -> str:
    """The week in one sentence."""
    count = len(digest["todo"])
    moved = digest["drift"] is not None and digest["drift"]["level"] == "alarm"
    drift = "what comes in has drifted" if moved else "what comes in is as before"
    todo = "nothing needs doing" if not count else f"{count} thing{'s' if count > 1 else ''} to do"
    return f"{digest['decisions']['now']['total']:,} decisions; {drift}; {todo}."


def changed(digest: Mapping[str, Any]) -> list[str]:
    """What is otherwise than the week before, a sentence each; one that says so where nothing is."""
    return list(_changes(digest)) or ["Nothing changed that is worth a sentence."]


def _changes(digest: Mapping[str, Any]) -> Iterator[str]:
    now, before = digest["decisions"]["now"], digest["decisions"]["before"]
    for name, words in (("total", "decisions"), ("review", "reviews"), ("decline", "declines")):
        if before[name] and not 1 / NOTABLE < now[name] / before[name] < NOTABLE:
            yield f"{now[name]:,} {words} instead of {before[name]:,} the week before."
    if digest["drift"] is not None and digest["drift"]["level"] != "stable":
        yield digest["drift"]["sentence"]
    for row in digest["widenings"]:
        yield f"Reviews are widened in segment {row['segment']} until {row['ends_at']:%d %B}: {row['reviews']} so far."
    for run in digest["retrains"]:
        yield f"A retrain ended: {run['result'].replace('_', ' ')}. {run['sentence']}"
    told = _expected_and_actual(digest)
    if told:
        yield told


def _expected_and_actual(digest: Mapping[str, Any]) -> str:
    """The latest week whose outcomes have matured: promised against found."""
    known = [w for w in digest["weeks"] if w["expected"] and w["actual"]["fraud_share"]]
    if not known:
        return ""
    week = known[-1]
    expected, actual = week["expected"]["fraud_share"], week["actual"]["fraud_share"]
    inside = actual["low"] <= expected <= actual["high"]
    verdict = (
        "as promised"
        if inside
        else ("more than promised" if actual["value"] > expected else "less than promised")
    )
    return (
        f"In the week from {week['since']:%d %B}, whose outcomes are in, {percent(actual['value'])} "
        f"[{percent(actual['low'])}, {percent(actual['high'])}] was fraud; the model expected {percent(expected)}: "
        f"{verdict}."
    )


def todo(digest: Mapping[str, Any]) -> list[JSON]:
    """What somebody should do, each with who, and the page on which it is done; the most urgent first."""
    return list(_todo(digest))


def _todo(digest: Mapping[str, Any]) -> Iterator[JSON]:
    open_alarms = digest["alarms"]
    if open_alarms:
        yield _item(
            f"{_counted(len(open_alarms), 'alarm is', 'alarms are')} open. See to each, and say what it was.",
            "risk manager",
            "safety",
        )
    if digest["tasks"]["overdue"]:
        yield _item(
            f"{digest['tasks']['overdue']:,} tasks are past their deadline. Move people or work.",
            "team lead",
            "team",
        )
    if digest["drift"] is None:
        yield _item("Nobody has looked for drift yet. Run the job 'drift'.", "risk manager", "jobs")
    elif digest["drift"]["level"] == "alarm":
        yield _item(
            "What comes in has drifted. Find out what changed outside; if it stays, retrain.",
            "risk manager",
            "models",
        )
    yield from _about_models(digest)
    yield from _about_people(digest)
    yield from _about_money(digest)


def _about_models(digest: Mapping[str, Any]) -> Iterator[JSON]:
    latest = next(iter(digest["retrains"]), None)
    if latest and latest["result"] == WAITING:
        yield _item(
            "A challenger waits for a sign-off. Look at its flips, and let it decide or turn it down.",
            "risk manager who did not ask for it",
            "models",
        )
    known = [w for w in digest["weeks"] if w["expected"] and w["actual"]["fraud_share"]][-RUNNING_WEEKS:]
    off = [w["actual"]["fraud_share"]["low"] > w["expected"]["fraud_share"] for w in known]
    if len(known) == RUNNING_WEEKS and all(off):
        yield _item(
            f"In the last {RUNNING_WEEKS} weeks whose outcomes are in there was more fraud than the model expected. "
            "Find out which kind it misses, and retrain.",
            "risk manager",
            "models",
        )


def _about_people(digest: Mapping[str, Any]) -> Iterator[JSON]:
    odd = digest["subgroups"]["sentence"]
    if "these differ" in odd:
        yield _item(
            f"{odd} Find out whether the difference has a reason that may count.", "risk manager", "watch"
        )
    alpha = digest["agreement"]["alpha"]
    if alpha.get("high") is not None and alpha["high"] < 0.4:
        yield _item(
            f"Reviewers agree little (alpha {alpha['value']:.2f}, at most {alpha['high']:.2f}). Go through cases they "
            "disagreed on, and sharpen the guideline.",
            "team lead",
            "consistency",
        )
    chance = next((row for row in digest["asked"] if row["purpose"] == "random"), None)
    if chance and chance["share"] is not None and chance["share"] < chance["share_in_policy"] / 2:
        yield _item(
            f"Only {percent(chance['share'])} of the reviews went to tasks drawn by chance, "
            f"{percent(chance['share_in_policy'])} were meant to: estimates lose their footing.",
            "team lead",
            "queue",
        )


def _about_money(digest: Mapping[str, Any]) -> Iterator[JSON]:
    for row in digest["rules"]:
        share = row["estimate"]
        if share is not None and row["payments"] >= 100 and share["high"] < 0.02:
            yield _item(
                f"The rule {row['name']} hit {row['payments']:,} payments, of which at most {percent(share['high'])} "
                "are fraud. Tighten or retire it.",
                "risk manager",
                "rule_report",
            )
    explored = digest["exploration"]
    if explored["caps"]["share"] == 0 and explored["declined"]:
        yield _item(
            "No would-be decline is ever released on purpose, so nobody can tell how many good customers are turned "
            "away. Propose a small share with caps.",
            "risk manager",
            "thresholds",
        )


def _item(sentence: str, who: str, page: str) -> JSON:
    return {"sentence": sentence, "who": who, "page": page}


def _counted(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"
