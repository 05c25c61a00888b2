"""What does an approver have to see of a change: text, checks, steps to live with their evidence, effect?"""

from __future__ import annotations

from html import escape
from typing import Any

import streamlit as st

from dashboards import frame, words
from dashboards.client import ApiError

Json = dict[str, Any]
_FLIPS = 10


def diff(lines: list[str]) -> None:
    """A unified diff, added lines in green and removed ones in red, each also told by its sign."""
    rows = [_line(line) for line in lines if not line.startswith(("--- ", "+++ "))]
    st.html(f'<div class="sl-diff" role="region" aria-label="Text diff">{"".join(rows)}</div>')


def _line(line: str) -> str:
    kind = {"+": "added", "-": "removed", "@": "place"}.get(line[:1], "same")
    text = "⋯" if kind == "place" else line
    return f'<div class="sl-{kind}">{escape(text) or " "}</div>'


def files(found: Json) -> None:
    """Every file that changes, with its diff."""
    for file in frame.items(found, "files"):
        st.markdown(f"**{words.plain(file['path'])}** :gray[{file['change']}]")
        diff(file.get("diff") or [])


def checks(found: Json) -> None:
    """Whether the change is sound: in one sentence if it is, else what is wrong, with its place."""
    problems = frame.items(found, "problems")
    tests, loose = frame.items(found, "tests"), frame.items(found, "unpinned")
    if not problems:
        st.success(
            "No errors, nothing unpinned." if not loose else "No errors.", icon=":material/check_circle:"
        )
    findings(problems)
    findings([f for f in frame.items(found, "findings") if f["severity"] == "warning"])
    unpinned(loose)
    if tests:
        test_list(tests)


def findings(rows: list[Json]) -> None:
    """Objections with place, sentence and hint, the gravest first."""
    for row in sorted(rows, key=lambda row: words.SEVERITY_ORDER.get(row.get("severity", ""), 9)):
        where, what, hint = (words.plain(str(row.get(part, ""))) for part in ("where", "what", "hint"))
        text = f"**{what[:1].upper() + what[1:]}.** {hint}  \n:gray[{where}]"
        if row.get("severity") == "error":
            st.error(text, icon=":material/error:")
        elif row.get("severity") == "warning":
            st.warning(text, icon=":material/warning:")
        else:
            st.caption(f"{words.capital(what)}. {where}")


def unpinned(rows: list[Json]) -> None:
    """The numbers and conditions that no inline test defends."""
    if rows:
        lines = "\n".join(f"- {words.plain(row['rule'])}: {words.plain(row['change'])}" for row in rows)
        st.warning(f"**No test would notice if**\n{lines}", icon=":material/push_pin:")


def test_list(tests: list[Json]) -> None:
    """Every inline test with how it came out, folded away while all pass."""
    failed = [test for test in tests if not test["passed"]]
    label = (
        f"{len(failed)} of {len(tests)} tests fail" if failed else f"{words.plural(len(tests), 'test')} pass"
    )
    with st.expander(label, expanded=bool(failed)):
        for test in tests:
            told = "" if test["passed"] else f": expected {test['expected']}, was {test['actual']}"
            sign = ":green[✓]" if test["passed"] else ":red[✕]"
            st.markdown(f"{sign} {words.plain(test['name'] + told)}")


def steps(found: Json) -> None:
    """Rules that change their status, and what speaks for those that go live."""
    for step in frame.items(found, "steps"):
        was = words.badge(step["from"], words.STATUSES) if step["from"] else "new"
        st.markdown(f"**{words.plain(step['title'])}** {was} → {words.badge(step['to'], words.STATUSES)}")
        if step.get("evidence"):
            evidence(step["evidence"])
    if rules := found.get("without_evidence"):
        why = found.get("override_reason")
        told = f"**Exception:** {words.plain(words.listed(rules))} would go live without the evidence from shadow."
        st.warning(f"{told} {words.plain(why)}" if why else told, icon=":material/priority_high:")


def evidence(seen: Json) -> None:
    """What a rule has shown in shadow, beside what the policy asks for."""
    needed, precision = seen["needed"], seen["precision"]
    days, hits, precise, work = st.columns(4)
    with days:
        frame.figure("Days in shadow", words.count(seen["days"]), f"at least {needed['shadow_days']}")
    with hits:
        frame.figure("Hits", words.count(seen["hits"]), f"at least {needed['hits']}")
    with precise:
        low, high = (words.percent(precision[end], 1) for end in ("low", "high"))
        between = f"{low} to {high}, {seen['known']} known" if precision["n"] else f"{seen['known']} known"
        frame.figure("Precision", words.percent(precision["value"], 1), between)
    with work:
        frame.figure(
            "More cases a day",
            words.number(seen["added_cases_a_day"], 1),
            f"on {words.number(seen['cases_a_day'], 1)} of {seen['capacity']}",
        )
    if seen["lacking"]:
        st.caption("Lacking: " + words.plain("; ".join(seen["lacking"])) + ".")


def effect(preview: Json, currency: str) -> None:
    """What the change would have done in the period: alerts, cases a day, flipped payments."""
    alerts, cases = preview["alerts"], preview["cases"]
    since, until = (words.when(preview[end], frame.zone()) for end in ("since", "until"))
    st.caption(f"{words.count(preview['decisions'])} decisions, {since} to {until}, decided again.")
    gained, lost, work, flipped = st.columns(4)
    with gained:
        frame.figure(
            "Alerts gained", words.count(alerts["gained"]["count"]), *_group(alerts["gained"], currency)
        )
    with lost:
        frame.figure("Alerts lost", words.count(alerts["lost"]["count"]), *_group(alerts["lost"], currency))
    with work:
        before, after = cases["before"], cases["after"]
        frame.figure(
            "Cases a day",
            words.number(after["a_day"], 1),
            f"now {words.number(before['a_day'], 1)}, capacity {words.count(after['capacity'])}",
        )
    with flipped:
        frame.figure("Payments that flip", words.count(preview["flipped"]), "outcome differs")
    for told in frame.items(preview, "alarms"):
        st.warning(words.plain(str(told.get("sentence", ""))), icon=":material/warning:")
    _flips(preview, currency)
    for told in preview.get("not_known", []):
        st.caption(words.plain(told))


def _group(group: Json, currency: str) -> list[str]:
    """Amount, and what can honestly be said of the fraud in it."""
    if not group["count"]:
        return []
    estimate = (group.get("estimate") or {}).get("fraud_share")
    amount = words.money(group["amount_minor"], currency, short=True)
    if not estimate or estimate["value"] is None:
        return [amount, "fraud share not known yet"]
    low, high = (words.percent(estimate[end], 0) for end in ("low", "high"))
    return [amount, f"fraud about {words.percent(estimate['value'], 0)} ({low} to {high})"]


def _flips(preview: Json, currency: str) -> None:
    rows = [
        {
            "Payment": flip["transaction_id"],
            "Amount": words.money(flip["amount_minor"], currency),
            "Now": words.sign_and_word(flip["before"]["outcome"], words.OUTCOMES),
            "Then": words.sign_and_word(flip["after"]["outcome"], words.OUTCOMES),
            "Known": words.capital(str(flip["known"])),
            "Why": (flip["after"]["reasons"] or [flip["after"]["sentence"]])[0],
        }
        for flip in frame.items(preview, "flips")[:_FLIPS]
    ]
    if rows:
        largest = words.plural(len(rows), "payment that flips", "payments that flip")
        more = preview["flipped"] - len(rows)
        with st.expander(f"{largest}, the largest of {words.count(preview['flipped'])}" if more else largest):
            frame.table(rows)


def refusal(error: ApiError) -> None:
    """Why the effect cannot be shown, calmly: the rest of the page stands without it."""
    st.caption(
        words.plain(f"The effect cannot be worked out: {error.detail or error.title} {error.hint}".strip())
    )
