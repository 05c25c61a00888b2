"""How do slices, second looks, displays, disputes and pace read in the printable report?"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from casework.quality.agreement.page_pieces import chance, figure, share, table
from casework.quality.agreement.skew_picture import picture

Report = Mapping[str, Any]
_SLICE = ("", "Items with two", "Positive", "Raw", "Positive agreement", "Alpha", "AC1")
_EFFECTS = {
    "said_fraud": "Said fraud",
    "follows_model": "Follows the model",
    "false_positive_rate": "False positive rate",
    "recall": "Recall",
    "seconds": "Seconds (ratio)",
    "follows_right_model": "Follows the model where it is right",
    "follows_wrong_model": "Follows the model where it is wrong",
}
_AGAINST = {"each_other": "each other", "model": "the model", "outcome": "the outcome"}


def _skew(report: Report) -> str:
    found = report.get("skew")
    if not found:
        return ""
    whose = "people as good as these" if found["measured"] else "people as good as analysts usually are"
    words = (
        f"Computed for two independent {whose} (recall {found['recall']:.0%}, false positive rate "
        f"{found['false_positive_rate']:.0%}). Only the share of fraud changes along the lines."
    )
    return f"<h2>{escape(found['sentence'])}</h2><p>{escape(words)}</p>{picture(found)}"


def _slices(report: Report) -> str:
    parts = []
    for name, found in (report.get("by") or {}).items():
        rows = [
            (
                escape(row["value"]),
                str(row["n_items"]),
                str(row["positive_ratings"]),
                *(_cell(row[key]) for key in ("raw", "positive_specific", "alpha", "ac1")),
            )
            for row in found["groups"]
        ]
        left = found["without_overlap"]
        more = f'<p class="faint">{left} further values have no item with two reviewers.</p>' if left else ""
        empty = "" if rows else "<p>No value has an item with two reviewers.</p>"
        body = table(_SLICE, rows) if rows else empty
        parts.append(f"<h2>By {escape(name.replace('_', ' '))}</h2>{body}{more}")
    return "".join(parts)


def _cell(measure: Mapping[str, Any]) -> str:
    value, told, _ = figure(measure)
    return f"{value}<br><span class=faint>{told}</span>"


def _fixed_mix(report: Report) -> str:
    found = report.get("fixed_mix")
    if not found:
        return ""
    rows = [
        (
            escape(week["week"]),
            str(week["n_items"]),
            f"{week['positive_share']:.1%}",
            *(_cell(week[how][key]) for key in ("alpha", "ac1") for how in ("observed", "fixed_mix")),
        )
        for week in found["weeks"]
    ]
    head = ("Week", "Items", "Said fraud", "Alpha", "Alpha, fixed mix", "AC1", "AC1, fixed mix")
    words = (
        "<p>Each week's items are weighted such that every band of the score has the share it has over all weeks: what "
        "is left of a trend is people, not cases.</p>"
    )
    return "<h2>Trend at a fixed mix of cases</h2>" + words + table(head, rows)


def _second_looks(report: Report) -> str:
    found = report.get("second_looks")
    if not found:
        return ""
    rows = [
        (f"<b>{escape(name)}</b>", str(one["n_looks"]), share(one["same"]), *figure(one["cohen_kappa"])[:2])
        for name, one in {"all": found, **found.get("by_reviewer", {})}.items()
    ]
    words = "<p>The same person on the same item again. Agreement between people can hardly be better than this.</p>"
    head = ("", "Second looks", "Said the same", "Cohen's kappa", "95 % interval")
    return "<h2>Does a person say the same twice?</h2>" + words + table(head, rows)


def _display(report: Report) -> str:
    found = report.get("display")
    if not found:
        return ""
    rows = [
        (
            escape(one["contrast"]),
            _EFFECTS[one["measure"]],
            _value(one, "without"),
            _value(one, "with"),
            "-" if one["difference"] is None else f"{one['difference']:+.3f}".replace("+", _plus(one)),
            "insufficient data" if one["low"] is None else f"{one['low']:.3f} to {one['high']:.3f}",
            "-" if one["p"] is None else chance(one["p"]),
            "-" if one.get("p_adjusted") is None else chance(one["p_adjusted"]),
        )
        for one in found["effects"]
    ]
    whom = (
        "reviewers and items"
        if found["reviewers_resampled"]
        else "items (too few reviewers to draw them too)"
    )
    words = (
        f"<p>{escape(found['sentence'])}</p><p>Intervals: bootstrap over {whom}. Tests: permutation of what was shown; "
        "the last column allows for all tests of this table (Holm).</p>"
    )
    head = ("Effect of", "On", "Without", "With", "Difference", "95 % interval", "p", "p, all")
    body = table(head, rows) if rows else ""
    return "<h2>What score and explanation change</h2>" + words + body + _revealed(found["after_reveal"])


def _plus(one: Mapping[str, Any]) -> str:
    return "" if one.get("difference_is") == "ratio" else "+"


def _value(one: Mapping[str, Any], side: str) -> str:
    value = one[side]["value"]
    told = "-" if value is None else f"{value:.0f} s" if one["measure"] == "seconds" else f"{value:.1%}"
    return f"{told}<br><span class=faint>n {one[side]['n']}</span>"


def _revealed(found: Mapping[str, Any]) -> str:
    if not found["n"]:
        return ""
    rows = [
        ("Changed the verdict", share(found["changed"])),
        ("Gave in to the model where it was right", share(found["gave_in_model_right"])),
        ("Gave in to the model where it was wrong", share(found["gave_in_model_wrong"])),
    ]
    test = "" if found["p"] is None else f" (McNemar's exact test: p {chance(found['p'])})"
    words = f"<p>{found['mended']} changes mended a verdict, {found['spoiled']} spoiled one{test}.</p>"
    return "<h2>After the score was revealed</h2>" + table(("", "Share"), rows) + words


def _disputes(report: Report) -> str:
    found = report.get("disputes")
    if not found:
        return ""
    parts = ["<h2>Where people differ</h2>"]
    if model := found.get("with_the_model"):
        rows = [
            ("Both fraud", str(model["both_fraud"])),
            ("Only the person", str(model["only_person"])),
            ("Only the model", str(model["only_model"])),
            ("Neither", str(model["neither"])),
            ("The same", share(model["same"])),
            ("Person right when they differ", share(model["person_right_when_they_differ"])),
        ]
        parts.append(f"<p>Against the model (fraud from {model['threshold']:g}):</p>" + table(("", ""), rows))
    for name, tree in found["trees"].items():
        parts.append(f"<p><b>From {_AGAINST[name]}.</b> {escape(tree['sentence'])}</p>")
        if tree["state"] == "enough":
            leaves = [
                (escape(one["words"]), share(one["disputed"]), escape(", ".join(one["examples"])))
                for one in tree["groups"]
            ]
            parts.append(table(("Cases where", "In dispute", "Examples"), leaves))
    return "".join(parts)


def _pace(report: Report) -> str:
    found = report.get("pace")
    if not found:
        return ""
    people = [
        (
            escape(one["reviewer"]),
            str(one["seconds"]["n"]),
            _ratio(one["seconds"]),
            escape(one["runs"]["sentence"]),
        )
        for one in found["by_reviewer"]
    ]
    places = [
        (
            f"{row['from']} to {row['to']}" if row["to"] else f"from {row['from']}",
            _ratio(row["seconds"]),
            share(row["said_fraud"]),
            share(row["recall"]),
            share(row["false_positive_rate"]),
        )
        for row in found["by_position"]
    ]
    words = (
        f"<p>{escape(found['sentence'])} Seconds are a ratio to what others take for the same kinds of case (1.20: a "
        "fifth longer). In the order of names; no ranking.</p>"
    )
    return (
        "<h2>Pace</h2>"
        + words
        + table(("Verdict of the shift", "Seconds", "Said fraud", "Recall", "False positive rate"), places)
        + table(("Reviewer", "Verdicts", "Seconds", "Runs of identical verdicts"), people)
    )


def _ratio(found: Mapping[str, Any]) -> str:
    if found["ratio"] is None:
        return "-"
    between = "" if found["low"] is None else f"{found['low']:.2f} to {found['high']:.2f}, "
    return f"{found['ratio']:.2f}<br><span class=faint>{between}n {found['n']}</span>"


DEEPER = (_slices, _fixed_mix, _second_looks, _display, _disputes, _pace, _skew)
