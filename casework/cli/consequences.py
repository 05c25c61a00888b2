"""How are the consequences of rules and thresholds told on a terminal?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from casework.cli.output import table
from data.canonical import rfc3339
from data.errors import InputError
from engine.units import minor_digits, money

JSON = Mapping[str, Any]


def moment(text: str) -> str | None:
    """A date or RFC 3339 moment from the command line as HTTP wants it; a date means its first instant in UTC."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        at = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError) as problem:
        allowed = "2026-11-21 or 2026-11-21T09:00:00Z"
        raise InputError(f"{text!r} is no moment", where="--since or --until", allowed=allowed) from problem
    return rfc3339(at)


def preview_lines(found: JSON) -> list[str]:
    """An effect diff: what was compared, alerts, outcomes, work, flips, and what is not known."""
    period = f"{found['since'][:10]} to {found['until'][:10]}"
    changed = ", ".join(found["changed"]) or "no file"
    lines = [f"{found['decisions']:,} decisions, {period}; changed: {changed}.", ""]
    currency = found["currency"]
    lines += [*table([_group(name, g, currency) for name, g in found["alerts"].items()], _GROUP), ""]
    lines += table(
        list(_outcomes(found["outcomes"], currency)),
        ("outcome", "before", "after", "amount before", "amount after"),
    )
    lines += ["", *(_work(word, found["cases"][word]) for word in ("before", "after"))]
    if found["rules"]:
        columns = ("id", "status_after", "hits_before", "hits_after", "gained", "lost")
        lines += ["", *table(found["rules"], columns)]
    lines += [
        "",
        f"{found['flipped']:,} payments flip, {found['flipped_by_capacity']:,} of them by capacity only.",
    ]
    lines += [_flip(flip, currency) for flip in found["flips"]]
    if found["next_offset"]:
        lines.append(f"  ... go on with --offset {found['next_offset']}")
    told = [f"{name}: {g['told']}" for name, g in found["alerts"].items() if g["count"]]
    alarms = [f"! {alarm['sentence']}" for alarm in found["alarms"]]
    known = [found["maturity"]["sentence"], *told, *found["not_known"]]
    return [*alarms, *([""] if alarms else []), *lines, "", *known]


_GROUP = (
    "alerts", "count", "amount", "known", "fraud among known (naive)", "estimated fraud", "confirmed by reviewers",
)  # fmt: skip


def _group(name: str, group: JSON, currency: str) -> dict[str, Any]:
    return {
        "alerts": name,
        "count": group["count"],
        "amount": _money(group["amount_minor"], currency),
        "known": group["known"],
        "fraud among known (naive)": share(group["fraud_share"]),
        "estimated fraud": estimated(group),
        "confirmed by reviewers": share(group["share_confirmed"]),
    }


def _outcomes(sides: JSON, currency: str) -> Iterator[dict[str, Any]]:
    for word, before in sides["before"].items():
        after = sides["after"][word]
        yield {
            "outcome": word,
            "before": before["count"],
            "after": after["count"],
            "amount before": _money(before["amount_minor"], currency),
            "amount after": _money(after["amount_minor"], currency),
        }


def _work(word: str, work: JSON) -> str:
    return (
        f"{word}: {work['a_day']:.1f} cases a day (busiest {work['busiest_day']}, capacity {work['capacity']}, reached "
        f"on {work['days_at_capacity']} of {work['days']} days), {work['analyst_hours_a_day']:.2f} analyst hours a day."
    )


def _flip(flip: JSON, currency: str) -> str:
    side = flip["before" if flip["after"]["outcome"] == "approve" else "after"]
    reasons = "; ".join(side["reasons"]) or side["sentence"]
    amount = _money(flip["amount_minor"] or 0, currency)
    return (
        f"  {flip['transaction_id']} {amount}: {flip['before']['outcome']} -> {flip['after']['outcome']} "
        f"({flip['known']}): {reasons}"
    )


_REPORT = ("rule", "status", "hits", "fraud among known (naive)", "estimated fraud", "confirmed by reviewers")


def report_lines(found: JSON) -> list[str]:
    """The rule report: one line a rule."""
    columns = (*_REPORT, "caught", "only here", "its known fraud", "repeat hits", "last 7 days", "snoozed")
    rows = [
        {
            "rule": rule["id"],
            "status": rule["status"],
            "hits": rule["hits"],
            "fraud among known (naive)": share(rule["fraud_share"]),
            "estimated fraud": estimated(rule),
            "confirmed by reviewers": share(rule["share_confirmed"]),
            "caught": _money(rule["value_caught_minor"], found["currency"]),
            "only here": rule["only_here"]["count"],
            "its known fraud": _money(rule["only_here"]["fraud_amount_minor"], found["currency"]),
            "repeat hits": "-" if rule["repeats"] is None else f"{rule['repeats']['share']:.0%}",
            "last 7 days": _rate(rule["rate"]),
            "snoozed": sum(snooze["silenced"] for snooze in rule["snoozes"]),
        }
        for rule in sorted(found["rules"], key=lambda rule: -rule["hits"])
    ]
    period = f"{found['decisions']:,} decisions, {found['since'][:10]} to {found['until'][:10]}"
    total = _money(found["known_fraud_amount_minor"], found["currency"])
    alarms = [f"! {alarm['sentence']}" for alarm in found["alarms"]]
    return [
        f"{period}; known fraud among them {total}.",
        found["maturity"]["sentence"],
        *alarms,
        "",
        *table(rows, columns),
        "",
        f"Only here: neither the model nor another live rule would have stopped it. Repeat hits: by {found['entity']}.",
        found["alarm_method"],
    ]


def _rate(rate: JSON) -> str:
    word = f" {rate['change']}!" if rate["change"] else ""
    return f"{rate['hits']} ({rate['expected']:.1f} expected){word}"


def review_lines(found: JSON) -> list[str]:
    """A rule-set review: what each rule decided, what speaks against it, and what pruning would change."""
    rows = [
        {
            "rule": row["id"],
            "status": row["status"],
            "hits": row["hits"],
            "decides": row["decides"]["count"],
            "finding": row["finding"] or "-",
            "why": row["sentence"],
        }
        for row in sorted(found["rules"], key=lambda row: (not row["finding"], -row["hits"]))
    ]
    period = f"{found['decisions']:,} decisions, {found['since'][:10]} to {found['until'][:10]}"
    lines = [f"{period}.", "", *table(rows, ("rule", "status", "hits", "decides", "finding", "why")), ""]
    pruning = found["pruning"]
    lines += [f"{kept['id']} stays: {kept['why']}" for kept in pruning["kept"]]
    if not pruning["retire"]:
        return [*lines, "Nothing to prune."]
    effect = pruning["effect"]
    before, after = effect["cases"]["before"], effect["cases"]["after"]
    return [
        *lines,
        f"Proposal: retire {', '.join(pruning['retire'])}. {effect['flipped']:,} payments would flip; cases a day "
        f"{before['a_day']:.1f} -> {after['a_day']:.1f}.",
    ]


_WEEK = (
    "week of",
    "decisions",
    "matured",
    "approved",
    "reviewed",
    "declined",
    "known fraud caught",
    "by amount",
)


def backtest_lines(found: JSON) -> list[str]:
    """A set over a past period: totals, weeks, and what stands out. Decided then -> under the candidate."""
    period = f"{found['decisions']:,} decisions, {found['since'][:10]} to {found['until'][:10]}"
    alarms = [f"! {alarm['sentence']}" for alarm in found["alarms"]]
    rows = [_week(str(week["week"]), week["decisions"], week["matured"], week) for week in found["weeks"]]
    sides = {name: {**found["totals"][name], **_counts(found["totals"][name])} for name in found["totals"]}
    total = _week("all", found["decisions"], found["maturity"]["share"], sides)
    return [
        f"{period}: decided then -> under {found['set_id']}.",
        *alarms,
        "",
        *table([*rows, total], _WEEK),
        "",
        found["maturity"]["sentence"],
        found["caveat"],
    ]


def _counts(side: JSON) -> dict[str, int]:
    return {word: side[word]["count"] for word in ("approve", "review", "decline")}


def _week(name: str, decisions: int, matured: float, sides: JSON) -> dict[str, Any]:
    then, now = sides["decided"], sides["candidate"]
    rates = [side["value_detection_rate"] for side in (then, now)]
    return {
        "week of": name,
        "decisions": decisions,
        "matured": f"{matured:.0%}",
        "approved": f"{then['approve']} -> {now['approve']}",
        "reviewed": f"{then['review']} -> {now['review']}",
        "declined": f"{then['decline']} -> {now['decline']}",
        "known fraud caught": f"{share(then['caught'])} -> {share(now['caught'])}",
        "by amount": " -> ".join("unknown" if rate is None else f"{rate:.0%}" for rate in rates),
    }


def tuner_lines(found: JSON) -> list[str]:
    """The tuner: its finding, the settings side by side, then by segment."""
    rows = [
        _setting(name.replace("_", " "), found[name], found["currency"])
        for name in ("current", "decided", "asked", "best", "best_within_capacity", "cheapest_by_amount")
        if found[name]
    ]
    period = f"{found['decisions']:,} decisions, {found['since'][:10]} to {found['until'][:10]}"
    lines = [
        found["finding"],
        f"{period}; {found['without_probability']:,} more without a probability. Capacity {found['capacity']} a day.",
        *_elsewhere(found["elsewhere"]),
        "",
        *table(rows, _SETTING),
        "",
        found["calibration"]["sentence"],
        found["intervals"],
    ]
    for segment in found.get("segments", []):
        both = [
            _setting(name, segment[key], found["currency"])
            for name, key in (("current", "current"), ("asked or best", "asked"))
        ]
        lines += ["", f"{segment['value']}: {segment['decisions']:,} decisions", *table(both, _SETTING)]
    if found["proposal"]["yaml"]:
        lines += ["", "In policy.yaml:", *(f"  {line}" for line in found["proposal"]["yaml"].splitlines())]
    return lines


_CUTS = (
    "setting",
    "review at",
    "decline at",
    "approved a day",
    "cases a day",
    "hours a day",
    "over capacity",
)
_SETTING = (*_CUTS, "expected loss", "good declined", "saves")


def _elsewhere(found: JSON) -> list[str]:
    if not found["payments"]:
        return []
    named = ", ".join(f"{n:,} of {name}" for name, n in found["payments"].items())
    cases = f"{found['cases_a_day']:.1f} cases a day of the capacity"
    return [f"Left out, decided by other settings: {named}; they take {cases}."]


def _setting(name: str, found: JSON, currency: str) -> dict[str, Any]:
    whole = 10 ** minor_digits(currency)
    return {
        "setting": name,
        "review at": found["review_at"],
        "decline at": found["decline_at"],
        "approved a day": _between(found["approved_a_day"], 0),
        "cases a day": _between(found["cases_a_day"], 1),
        "hours a day": _between(found["analyst_hours_a_day"], 2),
        "over capacity": f"{found['days_over_capacity']} of {found['days']} days",
        "expected loss": _between({k: v / whole for k, v in found["expected_loss"].items()}, 0),
        "good declined": _between(found["good_declined"], 0),
        "saves": _between({k: v / whole for k, v in found["saves"].items()}, 0),
    }


def _between(estimate: JSON, places: int) -> str:
    return f"{estimate['value']:,.{places}f} [{estimate['low']:,.{places}f}, {estimate['high']:,.{places}f}]"


def share(wilson: JSON) -> str:
    """A share with its interval, or that there is nothing to share."""
    if wilson["value"] is None:
        return "unknown"
    return f"{wilson['value']:.0%} [{wilson['low']:.0%}, {wilson['high']:.0%}] of {wilson['n']:,}"


def estimated(group: JSON) -> str:
    """The estimated fraud share of a group, with its interval and how many it stands for."""
    found = group["estimate"]["fraud_share"]
    if found is None:
        return "unknown"
    n = group["estimate"]["represents"]
    return f"{found['value']:.1%} [{found['low']:.1%}, {found['high']:.1%}] of {n:,}"


def _money(minor: float, currency: str) -> str:
    """Major units as people write them; the currency stands once, in the policy."""
    return money(minor, currency).removesuffix(currency).strip()
