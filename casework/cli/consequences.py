"""How are the consequences of rules and thresholds told on a terminal?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from casework.cli.output import table
from data.canonical import rfc3339
from data.errors import InputError

JSON = Mapping[str, Any]
_MOST_FLIPS = 10


def moment(text: str) -> str | None:
    """A date or RFC 3339 moment from the command line as HTTP wants it; a date means its first instant in UTC."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as problem:
        allowed = "2026-11-21 or 2026-11-21T09:00:00Z"
        raise InputError(f"{text!r} is no moment", where="--since or --until", allowed=allowed) from problem
    return rfc3339(found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC))


def preview_lines(found: JSON) -> list[str]:
    """An effect diff: what was compared, alerts, outcomes, work, flips, and what is not known."""
    period = f"{found['since'][:10]} to {found['until'][:10]}"
    changed = ", ".join(found["changed"]) or "no file"
    lines = [f"{found['decisions']:,} decisions, {period}; changed: {changed}.", ""]
    lines += [*table([_group(name, g) for name, g in found["alerts"].items()], _GROUP), ""]
    lines += table(
        list(_outcomes(found["outcomes"])), ("outcome", "before", "after", "amount before", "amount after")
    )
    lines += ["", *(_work(word, found["cases"][word]) for word in ("before", "after"))]
    if found["rules"]:
        columns = ("id", "status_after", "hits_before", "hits_after", "gained", "lost")
        lines += ["", *table(found["rules"], columns)]
    lines += [
        "",
        f"{found['flipped']:,} payments flip, {found['flipped_by_capacity']:,} of them by capacity only.",
    ]
    lines += [_flip(flip) for flip in found["flips"][:_MOST_FLIPS]]
    return [*lines, "", *found["not_known"]]


_GROUP = ("alerts", "count", "amount", "known", "fraud among known", "confirmed by reviewers")


def _group(name: str, group: JSON) -> dict[str, Any]:
    return {
        "alerts": name,
        "count": group["count"],
        "amount": _money(group["amount_minor"]),
        "known": group["known"],
        "fraud among known": share(group["fraud_share"]),
        "confirmed by reviewers": share(group["share_confirmed"]),
    }


def _outcomes(sides: JSON) -> Iterator[dict[str, Any]]:
    for word, before in sides["before"].items():
        after = sides["after"][word]
        yield {
            "outcome": word,
            "before": before["count"],
            "after": after["count"],
            "amount before": _money(before["amount_minor"]),
            "amount after": _money(after["amount_minor"]),
        }


def _work(word: str, work: JSON) -> str:
    return (
        f"{word}: {work['a_day']:.1f} cases a day (busiest {work['busiest_day']}, capacity {work['capacity']}, reached "
        f"on {work['days_at_capacity']} of {work['days']} days), {work['analyst_hours_a_day']:.2f} analyst hours a day."
    )


def _flip(flip: JSON) -> str:
    reasons = "; ".join(flip["after"]["reasons"] or flip["before"]["reasons"])
    amount = _money(flip["amount_minor"] or 0)
    return (
        f"  {flip['transaction_id']} {amount}: {flip['before']['outcome']} -> {flip['after']['outcome']} "
        f"({flip['known']}): {reasons}"
    )


_REPORT = ("rule", "status", "hits", "fraud among known", "confirmed by reviewers")


def report_lines(found: JSON) -> list[str]:
    """The rule report: one line a rule."""
    columns = (*_REPORT, "caught", "alone", "beyond model", "fraud beyond model")
    rows = [
        {
            "rule": rule["id"],
            "status": rule["status"],
            "hits": rule["hits"],
            "fraud among known": share(rule["fraud_share"]),
            "confirmed by reviewers": share(rule["share_confirmed"]),
            "caught": _money(rule["value_caught_minor"]),
            "alone": rule["alone"],
            "beyond model": rule["beyond_model"]["count"],
            "fraud beyond model": share(rule["beyond_model"]["fraud_share"]),
        }
        for rule in sorted(found["rules"], key=lambda rule: -rule["hits"])
    ]
    period = f"{found['decisions']:,} decisions, {found['since'][:10]} to {found['until'][:10]}"
    total = _money(found["known_fraud_amount_minor"])
    return [f"{period}; known fraud among them {total}.", "", *table(rows, columns)]


def tuner_lines(found: JSON) -> list[str]:
    """The tuner: its finding, the settings side by side, then by segment."""
    rows = [
        _setting(name.replace("_", " "), found[name])
        for name in ("current", "decided", "asked", "best", "best_within_capacity", "cheapest_by_amount")
        if found[name]
    ]
    period = f"{found['decisions']:,} decisions, {found['since'][:10]} to {found['until'][:10]}"
    lines = [
        found["finding"],
        f"{period}; {found['without_probability']:,} more without a probability. Capacity {found['capacity']} a day.",
        "",
        *table(rows, _SETTING),
        "",
        found["calibration"]["sentence"],
        found["intervals"],
    ]
    for segment in found.get("segments", []):
        both = [_setting("current", segment["current"]), _setting("asked or best", segment["asked"])]
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


def _setting(name: str, found: JSON) -> dict[str, Any]:
    return {
        "setting": name,
        "review at": found["review_at"],
        "decline at": found["decline_at"],
        "approved a day": _between(found["approved_a_day"], 0),
        "cases a day": _between(found["cases_a_day"], 1),
        "hours a day": _between(found["analyst_hours_a_day"], 2),
        "over capacity": f"{found['days_over_capacity']} of {found['days']} days",
        "expected loss": _between({k: v / 100 for k, v in found["expected_loss"].items()}, 0),
        "good declined": _between(found["good_declined"], 0),
        "saves": _between({k: v / 100 for k, v in found["saves"].items()}, 0),
    }


def _between(estimate: JSON, places: int) -> str:
    return f"{estimate['value']:,.{places}f} [{estimate['low']:,.{places}f}, {estimate['high']:,.{places}f}]"


def share(wilson: JSON) -> str:
    """A share with its interval, or that there is nothing to share."""
    if wilson["value"] is None:
        return "unknown"
    return f"{wilson['value']:.0%} [{wilson['low']:.0%}, {wilson['high']:.0%}] of {wilson['n']:,}"


def _money(minor: float) -> str:
    """Hundredths as people write them; the currency stands once, in the policy."""
    return f"{minor / 100:,.2f}"
