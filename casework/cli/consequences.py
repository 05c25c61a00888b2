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


def share(wilson: JSON) -> str:
    """A share with its interval, or that there is nothing to share."""
    if wilson["value"] is None:
        return "unknown"
    return f"{wilson['value']:.0%} [{wilson['low']:.0%}, {wilson['high']:.0%}] of {wilson['n']:,}"


def _money(minor: float) -> str:
    """Hundredths as people write them; the currency stands once, in the policy."""
    return f"{minor / 100:,.2f}"
