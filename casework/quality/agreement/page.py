"""How does the consistency report read on one page, printable, with nothing to load from anywhere?"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from casework.quality.agreement.page_deeper import DEEPER
from casework.quality.agreement.page_pieces import chance, figure, share, table

STYLE = """
:root{color-scheme:light}
body{font:16px/1.5 system-ui,sans-serif;color:#1b1b1b;background:#fff;max-width:62rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.7rem;margin:0 0 .3rem}h2{font-size:1.2rem;margin:2.2rem 0 .4rem;break-after:avoid}
p{max-width:46rem}.lead{font-size:1.1rem}.faint{color:#5a5a5a;font-size:.9rem}
.wide{overflow-x:auto}table{border-collapse:collapse;margin:.6rem 0;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .8rem .3rem 0;text-align:left;vertical-align:top;border-bottom:1px solid #ddd}
td.n,th.n{text-align:right}.fixed{white-space:nowrap}tr{break-inside:avoid}svg{display:block}
@media print{body{margin:0;max-width:none;font-size:11pt}}
"""
NAMES = {
    "raw": ("Raw agreement", "Share of pairs of reviewers who said the same."),
    "positive_specific": ("Positive agreement", "When one says fraud, how often another does too."),
    "negative_specific": ("Negative agreement", "The same for verdicts other than fraud."),
    "alpha": (
        "Krippendorff's alpha",
        "Agreement beyond one common pool of verdicts; 0 is chance, 1 is full.",
    ),
    "ac1": (
        "Gwet's AC1",
        "Agreement beyond chance where chance means hard cases; class shares from paired items.",
    ),
    "ac1_all_items": ("Gwet's AC1, all items", "The same with class shares from all items (Gwet 2014)."),
}
RATES = (("recall", "Recall"), ("precision", "Precision"), ("false_positive_rate", "False positive rate"))


def page(report: Mapping[str, Any]) -> str:
    """A whole HTML document; every text from the log is escaped."""
    title = f"Reviewer consistency: {report['source']}"
    parts = [part(report) for part in PARTS]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>\n"
        f"<h1>{escape(title)}</h1>\n" + "\n".join(part for part in parts if part) + "\n</body></html>\n"
    )


def _headline(report: Mapping[str, Any]) -> str:
    within = report["headline"] == "within_arm"
    shown = report["within_arm"] if within else report
    counts = (
        f"{report['n_ratings']} verdicts by {report['n_reviewers']} reviewers on {report['n_all_items']} items; "
        f"“{report['positive']}” counts as fraud."
    )
    scope = "Only people who saw an item in the same display arm are compared." if within else ""
    parts = [
        f'<p class="faint">{escape(counts)} {scope}</p>',
        f'<p class="lead">{escape(shown["sentence"])}</p>',
        _coefficients(shown),
    ]
    if within:
        parts += [
            "<h2>Across arms</h2><p>All pairs of reviewers of an item, whatever was on their screens. Differences in "
            f"display are part of the disagreement here. {escape(report['sentence'])}</p>",
            _coefficients(report),
        ]
    return "\n".join(parts)


def _coefficients(shown: Mapping[str, Any]) -> str:
    rows = [
        (f"<b>{name}</b><br><span class=faint>{escape(words)}</span>", *figure(shown[key]))
        for key, (name, words) in NAMES.items()
        if key in shown
    ]
    caption = f"{shown['n_items']} items with two reviewers or more, {shown['n_pairs']} pairs."
    return table(("Measure", "Value", "95 % interval", ""), rows) + f'<p class="faint">{caption}</p>'


def _arms(report: Mapping[str, Any]) -> str:
    if not report.get("by_arm"):
        return ""
    rows = [
        (
            escape(arm),
            str(one["n_ratings"]),
            str(one["n_items"]),
            *figure(one["alpha"])[:2],
            *figure(one["ac1"])[:2],
        )
        for arm, one in report["by_arm"].items()
    ]
    head = ("Arm", "Verdicts", "Items with two", "Alpha", "95 % interval", "AC1", "95 % interval")
    return "<h2>By display arm</h2>" + table(head, rows)


def _pairs(report: Mapping[str, Any]) -> str:
    rows = [
        (
            escape(" and ".join(pair["reviewers"])),
            str(pair["n_items"]),
            f"{pair['raw']:.3f}",
            *figure(pair["cohen_kappa"]),
        )
        for pair in report["by_pair"][:60]
    ]
    left = len(report["by_pair"]) - len(rows)
    more = f'<p class="faint">{left} more pairs are in the JSON report.</p>' if left else ""
    head = ("Reviewers", "Items of both", "Raw", "Cohen's kappa", "95 % interval", "")
    return "<h2>By pair of reviewers</h2>" + table(head, rows) + more if rows else ""


def _truth(report: Mapping[str, Any]) -> str:
    found = report.get("against_truth")
    if not found:
        return ""
    rows = [("<b>all</b>", *_rates(found["all"]))]
    rows += [(f"reviewer {escape(name)}", *_rates(one)) for name, one in found["by_reviewer"].items()]
    rows += [(f"arm {escape(name)}", *_rates(one)) for name, one in found["by_arm"].items()]
    head = ("", "Verdicts", "Frauds", *(words for _, words in RATES))
    words = (
        "<p>Where the truth is known. Under each figure its 95 % Wilson interval and the number of cases. "
        "People met different cases, so this is no ranking.</p>"
    )
    return "<h2>Against the truth</h2>" + words + table(head, rows)


def _rates(one: Mapping[str, Any]) -> tuple[str, ...]:
    return str(one["n"]), str(one["frauds"]), *(share(one[key]) for key, _ in RATES)


def _effects(report: Mapping[str, Any]) -> str:
    if not report.get("arm_effects"):
        return ""
    rows = [
        (
            escape(one["arm"]),
            one["measure"].replace("_", " "),
            share(one["without"]),
            share(one["with"]),
            "-" if one["difference"] is None else f"{one['difference']:+.3f}",
            "-" if one["low"] is None else f"{one['low']:+.3f} to {one['high']:+.3f}",
            chance(one["p"]),
            chance(one["p_adjusted"]),
        )
        for one in report["arm_effects"]
    ]
    base = escape(report["arm_effects"][0]["baseline"])
    head = ("Arm", "Measure", "Baseline", "This arm", "Difference", "95 % interval", "p", "p, all arms")
    words = (
        f"<p>Each arm against “{base}”. Fisher's exact test; the last column allows for the number of arms "
        "(Holm).</p>"
    )
    return "<h2>What the display does</h2>" + words + table(head, rows)


def _bias(report: Mapping[str, Any]) -> str:
    found = report.get("automation_bias")
    if not found:
        return ""
    rows = [
        (escape(arm), share(one["model_right"]), share(one["model_wrong"]))
        for arm, one in found["by_arm"].items()
    ]
    words = (
        f"<p>How often verdicts follow the model (fraud from {found['threshold']:g}). Following it when it is "
        "wrong is automation bias.</p>"
    )
    return "<h2>Automation bias</h2>" + words + table(("Arm", "Model right", "Model wrong"), rows)


def _calibration(report: Mapping[str, Any]) -> str:
    if not report.get("calibration"):
        return ""
    rows = [
        (escape(one["confidence"]), str(one["n"]), f"{one['share']:.1%}", *figure(one["right"]))
        for one in report["calibration"]
    ]
    return "<h2>Is stated confidence earned?</h2>" + table(
        ("Stated", "Verdicts", "Share", "Right", "95 % interval", ""), rows
    )


def _seconds(report: Mapping[str, Any]) -> str:
    if not report.get("seconds"):
        return ""
    rows = [
        (
            escape(arm),
            str(one["n"]),
            "-" if one["value"] is None else f"{one['value']:.0f}",
            "-" if one["low"] is None else f"{one['low']:.0f} to {one['high']:.0f}",
        )
        for arm, one in report["seconds"].items()
    ]
    return "<h2>Seconds a verdict</h2>" + table(("Arm", "Verdicts", "Median", "95 % interval"), rows)


def _votes(report: Mapping[str, Any]) -> str:
    if not report.get("votes_for_fraud"):
        return ""
    rows = [
        (f"{one['said_fraud']} of {one['reviewers']}", str(one["fraud"]["n"]), *figure(one["fraud"]))
        for one in report["votes_for_fraud"]
    ]
    return "<h2>Fraud by number of votes for it</h2>" + table(
        ("Votes", "Items", "Fraud", "95 % interval", ""), rows
    )


def _notes(report: Mapping[str, Any]) -> str:
    notes = [
        "Intervals of coefficients come from a bootstrap over items (bias-corrected and accelerated). None is shown "
        "where it would not cover what it promises.",
        "Alpha and AC1 differ when one verdict is much rarer than the other: people agree easily on the many plain "
        "cases, which AC1 credits and alpha puts down to chance. Never compare alpha between queues with different "
        "shares of fraud.",
    ]
    if report["repeats"]:
        notes.append(
            f"{report['repeats']} further verdicts by somebody on an item they had judged before do not count "
            f"({report['repeats_changed']} of them said something else)."
        )
    if report["unused_columns"]:
        notes.append(f"Columns that were not read: {', '.join(report['unused_columns'])}.")
    return "<h2>Notes</h2><ul>" + "".join(f"<li>{escape(note)}</li>" for note in notes) + "</ul>"


PARTS = (_headline, _arms, _pairs, _truth, _effects, _bias, _calibration, _seconds, _votes, *DEEPER, _notes)
