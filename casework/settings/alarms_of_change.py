"""What about a change should nobody approve without noticing?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

JSON = dict[str, Any]
MANY_TIMES = 2.0  # cases a day, or declines, against those of the present set
LEAST_MORE = 10  # payments by which they must differ as well, so that small periods raise no alarm
SHARE_OF_ALL = 0.05  # of all payments, flipping at once
QUIET = 1 / 3  # a rule's hits, against those it has now


def alarms(preview: Mapping[str, Any]) -> list[JSON]:
    """What stands out in a preview, worst first: `kind`, and a `sentence` with the figures. These are thresholds for
    the eye, not tests of chance: both sides are decided from the same payments, so every difference is the change's."""
    found = [*_work(preview), *_declines(preview), *_size(preview)]
    for rule in preview["rules"]:
        found += _rule(rule)
    return found


def _work(preview: Mapping[str, Any]) -> list[JSON]:
    before, after = preview["cases"]["before"], preview["cases"]["after"]
    if after["days_at_capacity"] > before["days_at_capacity"]:
        sentence = (
            f"On {after['days_at_capacity']} of {after['days']} days the {after['capacity']} reviews people can do "
            f"would be used up; now on {before['days_at_capacity']}. What comes beyond that is decided without them."
        )
        return [{"kind": "capacity", "sentence": sentence}]
    if _much_more(after["total"], before["total"]):
        sentence = f"Cases a day go from {before['a_day']:.1f} to {after['a_day']:.1f}."
        return [{"kind": "cases", "sentence": sentence}]
    return []


def _declines(preview: Mapping[str, Any]) -> list[JSON]:
    before, after = (preview["outcomes"][side]["decline"]["count"] for side in ("before", "after"))
    if not _much_more(after, before):
        return []
    return [{"kind": "declines", "sentence": f"Declined payments go from {before:,} to {after:,}."}]


def _size(preview: Mapping[str, Any]) -> list[JSON]:
    flipped, total = preview["flipped"], preview["decisions"]
    if flipped < max(LEAST_MORE, SHARE_OF_ALL * total):
        return []
    sentence = f"{flipped:,} of {total:,} payments ({flipped / total:.0%}) would be answered otherwise."
    return [{"kind": "size", "sentence": sentence}]


def _rule(rule: Mapping[str, Any]) -> list[JSON]:
    before, after = rule["hits_before"], rule["hits_after"]
    told = f"{rule['id']} would hit {after:,} payments instead of {before:,}"
    if _much_more(after, before) and rule["status_before"]:
        times = f", {after / before:,.0f} times as many" if before else ""
        return [{"kind": "rule", "sentence": f"{told}{times}."}]
    if before - after >= LEAST_MORE and after <= before * QUIET and rule["status_after"] == "live":
        return [{"kind": "rule", "sentence": f"{told}."}]
    return []


def _much_more(after: float, before: float) -> bool:
    return after - before >= LEAST_MORE and after >= MANY_TIMES * before
