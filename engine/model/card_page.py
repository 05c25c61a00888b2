"""How does a model card read as one page that needs no other file?"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;color:#1c2430;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;margin:.5rem 0}td,th{padding:.25rem .8rem;border-bottom:1px solid #d8dde4;"
    "text-align:left}td.number{text-align:right;font-variant-numeric:tabular-nums}img{max-width:100%}h2{margin-top:2rem}"
)
SHOWN_TRIALS = 10
CAPTIONS = {
    "beeswarm.png": "How each feature moved the margin (SHAP, log-odds), one point a payment",
    "dependence.png": "How the features that matter most move the margin with their value",
    "calibration.png": "Predicted probability against the share of fraud found, with 95 % intervals",
}


GROUPS = (
    "Of judged payments whose truth is known, at the model's own thresholds; Wilson intervals. Who was declined before "
    "has no outcome, unless released on purpose, so these shares are naive: estimates for all payments, with declined "
    "ones weighed in, are in the weekly digest once the model decides."
)


def render(card: Mapping[str, Any], drawn: Mapping[str, bytes], phrases: Mapping[str, str]) -> str:
    """The card as HTML; every text in it is escaped, pictures are held within the page."""
    sections = [
        f"<h1>Model card: {escape(card['model_id'])}</h1>",
        f"<p>{escape(card['purpose'])}</p><p>Made at {escape(card['created_at'])}.</p>",
        _section("What it learned from", _labels(card["labels"])),
        _section("How well it finds fraud", _performance(card["performance"])),
        _section("How it stood when it was judged", _standing(card["standing"])),
        _section("Calibration", _picture("calibration.png", drawn) + _curve(card["performance"])),
        _section("What it looks at", _importance(card, phrases) + _picture("beeswarm.png", drawn)),
        _section("How values matter", _picture("dependence.png", drawn)),
        _section("Groups", _subgroups(card["subgroups"])),
        _section("Limits", "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in card["limits"]) + "</ul>"),
        _section("How it was made", _made(card) + _search(card["search"])),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>Model card {escape(card['model_id'])}</title><style>{STYLE}</style></head>"
        f"<body>{''.join(sections)}</body></html>"
    )


def _section(title: str, body: str) -> str:
    return f"<h2>{escape(title)}</h2>{body}"


def _labels(labels: Mapping[str, Any]) -> str:
    rows = [
        (part, f"{d['rows']:,}", f"{d['frauds']:,}", f"{d['weight']:,.1f}", d["from"][:10], d["to"][:10])
        for part, d in labels.items()
    ]
    return _table(("part", "rows", "frauds", "weight", "from", "to"), rows)


def _performance(found: Mapping[str, Any]) -> str:
    rows: list[tuple[str, str]] = [
        ("AUC", _interval(found["auc"])),
        ("average precision", _interval(found["average_precision"])),
        ("frauds among the rows", f"{found['frauds']:,} of {found['rows']:,}"),
        *_at_capacity(found.get("at_capacity")),
    ]
    return f"<p>Measured on {escape(found['measured_on'])}; 95 % intervals.</p>" + _table(
        ("measure", "value"), rows
    )


def _standing(found: Mapping[str, Any]) -> str:
    """Each gate with its sentence, and every generation on payments that none of them learned from."""
    if not found:
        return "<p>It was not judged beside another model.</p>"
    rows = [("passed" if g["passed"] else "FAILED", g["name"], g["sentence"]) for g in found["gates"]]
    told = _table(("answer", "gate", "why"), rows) + _naive(found)
    held = found.get("holdout")
    if not held:
        return told
    by = f"of all {held['by']} values" if held["by"] else "of payments"
    said = (
        f"<p>On the frozen hold-out ({held['share']:.0%} {escape(by)}, never learned from): "
        f"{held['rows']:,} payments with {held['frauds']:,} frauds; oldest generation first.</p>"
    )
    generations = [(g["model_id"], _interval(g["average_precision"])) for g in held["generations"]]
    return told + said + _table(("model", "average precision"), generations)


def _naive(found: Mapping[str, Any]) -> str:
    """The figure from labels that no score has coloured beside the naive one, and why they differ."""
    naive = found.get("naive")
    if not naive:
        return ""
    careful = found.get("average_precision")
    said = f"{_interval(careful)} on labels that no score on a screen has coloured; " if careful else ""
    return (
        f"<p>Average precision of the judged period: {said}naively, on all {naive['rows']:,} labels that are believed, "
        f"{naive['challenger']:.3f}. Verdicts given with the champion's score on the screen speak for the champion, "
        "and the first figure leaves them out.</p>"
    )


def _at_capacity(found: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    if not found:
        return []
    reviews = f"at {found['reviews_per_day']:,} reviews a day"
    return [
        (f"share of reviews that are fraud (precision) {reviews}", _interval(found["precision"])),
        (f"share of frauds found (recall) {reviews}", _interval(found["recall"])),
        (f"share of fraudulent money found {reviews}", _interval(found["value_detection_rate"])),
    ]


def _curve(found: Mapping[str, Any]) -> str:
    """The curve in numbers, and the line through it: slope 1 and intercept 0 are perfect."""
    skill = found["brier_skill"]
    line = [
        (
            "Brier score (and share saved against always saying the fraud share)",
            f"{found['brier']:.5f} ({'-' if skill is None else f'{skill:.3f}'})",
        ),
        ("log-loss", f"{found['log_loss']:.5f}"),
        ("calibration slope (1: as confident as it should be)", _interval(found["calibration_slope"])),
        ("calibration intercept (0 with slope 1)", _interval(found["calibration_intercept"])),
        ("level (above 0: more fraud came than was said)", _interval(found["calibration_level"])),
    ]
    rows = [
        (
            f"{b['rows']:,}",
            f"{b['frauds']:,}",
            f"{b['predicted']:.5f}",
            f"{b['observed']:.5f} [{b['low']:.5f}, {b['high']:.5f}]",
        )
        for b in found["calibration_curve"]
    ]
    bins = "<p>Bins that each expect the same number of frauds; Wilson intervals.</p>"
    return (
        _table(("measure", "value"), line) + bins + _table(("rows", "frauds", "predicted", "observed"), rows)
    )


def _importance(card: Mapping[str, Any], phrases: Mapping[str, str]) -> str:
    rows = [(phrases.get(n, n), n, f"{value:.3f}") for n, value in card["importance"].items()]
    said = (
        f"<p>Mean size of each feature's effect on the margin over {card['importance_rows']:,} payments.</p>"
    )
    return said + _table(("feature", "name", "mean |SHAP|"), rows)


def _subgroups(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return "<p>No protected attribute was given, so no figures by group exist.</p>"
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return f"<p>{GROUPS}</p>" + _table(columns, [[_text(row.get(c)) for c in columns] for row in rows])


def _made(card: Mapping[str, Any]) -> str:
    rows = [(name, _text(value)) for name, value in {**card["params"], "seed": card["seed"]}.items()]
    libraries = ", ".join(f"{name} {number}" for name, number in card["libraries"].items())
    code = f"<p>Code {escape(card['code_version'])}.</p>" if card["code_version"] else ""
    return _table(("setting", "value"), rows) + f"<p>{escape(libraries)}</p>" + code


def _search(found: Mapping[str, Any]) -> str:
    """The settings that were tried, best first, by what they reached on later folds."""
    if not found:
        return "<p>Settings were given, not searched for.</p>"
    said = (
        f"<p>{len(found['trials'])} settings were tried ({escape(found['method'])}; {escape(found['library'])}). "
        "The best of many flatters itself: the figures above are of later rows that the search did not see.</p>"
    )
    means = [sum(t["average_precision"]) / len(t["average_precision"]) for t in found["trials"]]
    order = sorted(range(len(means)), key=lambda i: (-means[i], i))[:SHOWN_TRIALS]
    names = sorted(
        {
            n
            for t in found["trials"]
            for n, v in t["settings"].items()
            if v != found["trials"][0]["settings"][n]
        }
    )
    rows = [
        (
            _trial_name(i, found["chosen"]),
            f"{means[i]:.4f}",
            *(_text(found["trials"][i]["settings"][n]) for n in names),
        )
        for i in order
    ]
    return said + _table(("trial", "average precision", *names), rows)


def _trial_name(number: int, chosen: int) -> str:
    return f"{number}{' (as given)' if not number else ''}{' (chosen)' if number == chosen else ''}"


def _picture(name: str, drawn: Mapping[str, bytes]) -> str:
    caption = escape(CAPTIONS[name])
    return (
        f'<figure><img alt="{caption}" src="data:image/png;base64,{base64.b64encode(drawn[name]).decode()}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _table(columns: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(c)}</th>" for c in columns)
    body = "".join("<tr>" + "".join(_cell(v) for v in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: str) -> str:
    number = value[:1].isdigit() or value[:2].lstrip("-")[:1].isdigit()
    return f'<td class="number">{escape(value)}</td>' if number else f"<td>{escape(value)}</td>"


def _interval(stored: Mapping[str, float | None]) -> str:
    if stored["value"] is None:
        return "too few frauds to say"
    if stored["low"] is None or stored["high"] is None:
        return f"{stored['value']:.3f}"
    return f"{stored['value']:.3f} [{stored['low']:.3f}, {stored['high']:.3f}]"


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
