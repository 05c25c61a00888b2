"""What does the command line say of slices, second looks, displays, disputes and pace?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_AGAINST = {"each_other": "each other", "model": "the model", "outcome": "the outcome"}


def deeper_lines(report: Mapping[str, Any]) -> list[str]:
    """One line a figure, for the parts that the log had the columns for."""
    return [
        *_slices(report.get("by") or {}),
        *_second_looks(report.get("second_looks")),
        *_display(report.get("display")),
        *_disputes(report["disputes"]),
        *_pace(report.get("pace")),
    ]


def _slices(by: Mapping[str, Any]) -> list[str]:
    lines = []
    for name, found in by.items():
        lines.append(f"By {name.replace('_', ' ')}:")
        lines += [
            f"  {row['value']}: {row['n_items']} items, {row['positive_ratings']} positive ratings, "
            f"raw {_measure(row['raw'])}, alpha {_measure(row['alpha'])}, AC1 {_measure(row['ac1'])}"
            for row in found["groups"]
        ]
        if not found["groups"]:
            lines.append("  no value has an item with two reviewers")
    return lines


def _measure(one: Mapping[str, Any]) -> str:
    if one["value"] is None:
        return "undefined"
    return f"{one['value']:.3f}" + ("" if one["low"] is None else f" [{one['low']:.3f}, {one['high']:.3f}]")


def _second_looks(found: Mapping[str, Any] | None) -> list[str]:
    if not found:
        return []
    same = found["same"]
    return [
        f"The same person on the same item again, {found['n_looks']} times: the same verdict in {same['value']:.3f} "
        f"[{same['low']:.3f}, {same['high']:.3f}], kappa {_measure(found['cohen_kappa'])}"
    ]


def _display(found: Mapping[str, Any] | None) -> list[str]:
    if not found:
        return []
    lines = ["The display: " + found["sentence"]]
    for one in found["effects"]:
        if one["low"] is not None:
            change = f"{one['difference']:.3f} [{one['low']:.3f}, {one['high']:.3f}]"
            what = "ratio of seconds" if one["measure"] == "seconds" else one["measure"].replace("_", " ")
            lines.append(
                f"  {one['contrast']}, {what}: {change}, p {one['p']:.2g} (all {one['p_adjusted']:.2g})"
            )
    if found["after_reveal"]["n"]:
        told = found["after_reveal"]
        lines.append(
            f"  after the reveal: {told['changed']['value']:.1%} of {told['n']} changed, "
            f"{told['mended']} for the better, {told['spoiled']} for the worse"
        )
    return lines


def _disputes(found: Mapping[str, Any]) -> list[str]:
    told = {"enough", "no pattern"}
    return [
        f"Differences from {_AGAINST[name]}: {tree['sentence']}"
        for name, tree in found["trees"].items()
        if tree["state"] in told
    ]


def _pace(found: Mapping[str, Any] | None) -> list[str]:
    return ["Pace: " + found["sentence"]] if found else []
