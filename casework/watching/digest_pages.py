"""How does a digest read as Markdown, and as a page that can be printed or sent?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from engine.units import money

JSON = dict[str, Any]
ABSENT = "–"
Rows = Sequence[Sequence[str]]


def share(found: Mapping[str, Any] | None) -> str:
    """A share with its 95 % interval in percent; a dash where nothing is known."""
    if not found or found.get("value") is None:
        return ABSENT
    value, low, high = (f"{100 * found[name]:.1f}" for name in ("value", "low", "high"))
    return f"{value} % ({low} to {high})"


def tables(digest: Mapping[str, Any]) -> Iterator[tuple[str, str, Sequence[str], Rows]]:
    """Title, a sentence on how to read it, headings and rows of every table of a digest."""
    yield (
        "Expected and actual, by week",
        "Expected: what the model's probabilities promise. Actual: estimated from payments whose truth had a known "
        "chance of being seen; a week is told once nine tenths of it have matured. Naive: of the outcomes that happen "
        "to be known.",
        (
            "Week from",
            "Decisions",
            "Fraud expected",
            "Fraud actual",
            "Naive",
            "Recall expected",
            "Recall actual",
            "Recall naive",
        ),
        [_week(row) for row in digest["weeks"]],
    )
    yield from _precisions(digest)
    yield (
        "Where people and engine disagreed",
        "Of those whose truth is known, the share in which the person was right.",
        ("", "Payments", "Amount", "Truth known", "Person right"),
        [_override(row, digest["currency"]) for row in digest["overrides"]],
    )
    yield (
        f"By {digest['subgroups']['attribute'].replace('_', ' ')}"
        if digest["subgroups"]["attribute"]
        else "By group",
        digest["subgroups"]["sentence"],
        ("", "Decisions", "Declined", "Good customers stopped", "Naive"),
        [_group(row) for row in digest["subgroups"]["groups"]],
    )
    yield (
        "What people were asked",
        "Verdicts of the week by what they were for.",
        ("", "Verdicts", "Share", "Share in policy", "Confirmed"),
        [_asked(row) for row in digest["asked"]],
    )
    yield (
        "Labels",
        "Of several claims about a payment only the strongest source speaks.",
        ("Source", "Labels", "Frauds", "Outranked", "Maturing", "Weight"),
        [_label(row) for row in digest["labels"]["sources"]],
    )


def _precisions(digest: Mapping[str, Any]) -> Iterator[tuple[str, str, Sequence[str], Rows]]:
    yield (
        "By model",
        "Of its matured payments: how much of what it stopped is fraud (precision), and how much of the fraud it "
        "stopped (recall). Naive recall leaves out what was declined for good, whose truth never shows.",
        (
            "",
            "Payments",
            "Precision expected",
            "Precision actual",
            "Precision naive",
            "Recall expected",
            "Recall actual",
            "Recall naive",
        ),
        [_model(row) for row in digest.get("models") or []],
    )
    for title, rows in (("Precision by lane", digest["lanes"]), ("Precision by rule", digest["rules"])):
        yield (
            title,
            "Estimate: the share of fraud among all payments concerned. Naive: among known outcomes, too high, since "
            "frauds are reported early. Confirmed: what reviewers said, which is no fraud rate.",
            ("", "Payments", "Estimate", "Naive", "Confirmed by reviewers"),
            [
                (
                    r["name"],
                    f"{r['payments']:,}",
                    *map(share, (r["estimate"], r["naive"], r["share_confirmed"])),
                )
                for r in rows
            ],
        )


def _week(row: JSON) -> tuple[str, ...]:
    expected, actual = row["expected"] or {}, row["actual"]
    return (
        str(row["since"])[:10],
        f"{row['decisions']:,}",
        _plain(expected.get("fraud_share")),
        share(actual["fraud_share"]) if actual["fraud_share"] else "too young",
        share(actual["naive_fraud_share"]),
        _plain(expected.get("recall")),
        share(actual["recall"]),
        share(actual.get("naive_recall")),
    )


def _model(row: JSON) -> tuple[str, ...]:
    found, expected = row["precision"], row["expected"] or {}
    return (
        row["model_id"],
        f"{row['matured']:,}",
        _plain(expected.get("precision")),
        share(found["estimate"]),
        share(found["naive"]),
        _plain(expected.get("recall")),
        share(row["recall"]),
        share(row["naive_recall"]),
    )


def _plain(value: float | None) -> str:
    return ABSENT if value is None else f"{100 * value:.1f} %"


def _override(row: JSON, currency: str) -> tuple[str, ...]:
    amount = money(row["amount_minor"], currency)
    return (row["words"], f"{row['count']:,}", amount, f"{row['known']:,}", share(row["person_right"]))


def _group(row: JSON) -> tuple[str, ...]:
    wrong = row["false_positive"]
    return (row["value"], f"{row['n']:,}", share(row["decline"]), share(wrong), share(wrong["naive"]))


def _asked(row: JSON) -> tuple[str, ...]:
    policy = _plain(row["share_in_policy"])
    return (row["words"], f"{row['verdicts']:,}", _plain(row["share"]), policy, share(row["share_confirmed"]))


def _label(row: JSON) -> tuple[str, ...]:
    counts = (f"{row[name]:,}" for name in ("labels", "frauds", "outranked", "maturing"))
    return (row["source"].replace("_", " "), *counts, f"{row['weight']:.2f}")


def markdown(digest: Mapping[str, Any]) -> str:
    """The digest as Markdown."""
    lines = [f"# The week to {str(digest['until'])[:10]}", "", digest["headline"], "", "## What to do", ""]
    lines += [f"- {item['sentence']} ({item['who']})" for item in digest["todo"]] or ["Nothing."]
    lines += ["", "## What changed", "", *(f"- {sentence}" for sentence in digest["changed"])]
    lines += ["", "## Releases on purpose", "", digest["exploration"]["sentence"]]
    for title, told, heads, rows in tables(digest):
        if rows:
            lines += ["", f"## {title}", "", told, "", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
            lines += [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2733}"
    "table{border-collapse:collapse;margin:.5rem 0 1.5rem}td,th{padding:.25rem .75rem;border-bottom:1px solid #ccd3da;"
    "text-align:right}td:first-child,th:first-child{text-align:left}h2{margin-top:2rem}.told{color:#55606c}"
)


def html(digest: Mapping[str, Any]) -> str:
    """The digest as a page by itself, without scripts; every text of the institution's is escaped."""
    title = escape(f"The week to {str(digest['until'])[:10]}")
    todo = "".join(f"<li>{escape(i['sentence'])} <em>({escape(i['who'])})</em></li>" for i in digest["todo"])
    changed = "".join(f"<li>{escape(sentence)}</li>" for sentence in digest["changed"])
    parts = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
        f"<style>{_STYLE}</style></head>",
        f"<body><h1>{title}</h1><p><strong>{escape(digest['headline'])}</strong></p>",
        f"<h2>What to do</h2><ul>{todo or '<li>Nothing.</li>'}</ul><h2>What changed</h2><ul>{changed}</ul>",
        f"<h2>Releases on purpose</h2><p>{escape(digest['exploration']['sentence'])}</p>",
    ]
    parts += [_table(*each) for each in tables(digest) if each[3]]
    return "".join([*parts, "</body></html>"])


def _table(title: str, told: str, heads: Sequence[str], rows: Rows) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<h2>{escape(title)}</h2><p class="told">{escape(told)}</p><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )
