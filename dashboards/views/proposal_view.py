"""What does an approver have to see of a change: text, checks, steps to live with their evidence, effect?"""

from __future__ import annotations

from html import escape
from typing import Any

import streamlit as st

from dashboards.calls.client import ApiError
from dashboards.pieces import frame, words
from dashboards.views import effect_view

Json = dict[str, Any]


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


def checks(found: Json, text: str = "") -> None:
    """Whether the change is sound: in one sentence if it is, else what is wrong, with its place."""
    problems = frame.items(found, "problems")
    tests, loose = frame.items(found, "tests"), frame.items(found, "unpinned")
    if not problems:
        st.success(
            "No errors, nothing unpinned." if not loose else "No errors.", icon=":material/check_circle:"
        )
    findings(problems, text)
    findings([f for f in frame.items(found, "findings") if f["severity"] == "warning"], text)
    unpinned(loose)
    if tests:
        test_list(tests)


def findings(rows: list[Json], text: str = "") -> None:
    """Objections with place, sentence and hint, the gravest first; with the line of `text`, if it is given."""
    for row in sorted(rows, key=lambda row: words.SEVERITY_ORDER.get(row.get("severity", ""), 9)):
        what, hint = (words.plain(str(row.get(part, ""))) for part in ("what", "hint"))
        told = f"**{words.capital(what)}.** {hint}  \n:gray[{words.plain(_place(str(row.get('where', '')), text))}]"
        if row.get("severity") == "error":
            st.error(told, icon=":material/error:")
        else:
            st.warning(told, icon=":material/warning:")


def _place(where: str, text: str) -> str:
    """`Line 29: - {name: ...` within a text, else file, line and column."""
    lines, parts = text.splitlines(), where.split(":")
    if len(parts) < 2 or not parts[1].isdecimal() or not 0 < int(parts[1]) <= len(lines):
        return where
    line = lines[int(parts[1]) - 1].strip()
    return f"Line {parts[1]}: {line if len(line) <= 70 else line[:67] + '...'}"


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
    if seen.get("naive"):
        estimated, naive, said = (
            effect_view.share(seen[name]) for name in ("estimate", "naive", "share_confirmed")
        )
        st.caption(
            f"Fraud among its hits: estimated {estimated}, naive {naive}, confirmed by reviewers {said}. "
            "Precision counts matured hits whose truth is known. Naive counts whatever "
            "is known, and frauds are known first; the estimate weighs each hit by its chance of being seen."
        )
    if seen["lacking"]:
        st.caption("Lacking: " + words.plain("; ".join(seen["lacking"])) + ".")


def effect(preview: Json, currency: str, proposal_id: str = "") -> None:
    """What the change would have done in the period: a finding, four figures, and the way to all of it."""
    st.subheader(effect_view.finding(preview), anchor=False)
    since, until = (frame.when(preview[end]) for end in ("since", "until"))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{since} to {until}, decided again.", width="content")
        if proposal_id:
            _whole_effect(proposal_id)
    effect_view.alarms(preview)
    figures(preview, currency)
    st.caption("  \n".join(words.plain(told) for told in preview.get("not_known", [])[:1]))


def figures(preview: Json, currency: str) -> None:
    """Whom it stops and lets go, and the work it makes."""
    columns = st.columns(4)
    for column, name, label in zip(columns, ("gained", "lost"), ("Stopped", "Let go"), strict=False):
        group = preview["alerts"][name]
        with column:
            notes = _group(group, currency)
            frame.figure(
                f"{label} by the change", words.count(group["count"]), *notes, help_text=group.get("told")
            )
    before, after = preview["cases"]["before"], preview["cases"]["after"]
    with columns[2]:
        capacity = f"now {words.number(before['a_day'], 1)}, capacity {words.count(after['capacity'])}"
        frame.figure("Cases a day", words.number(after["a_day"], 1), capacity)
    with columns[3]:
        now = f"now {words.number(before['analyst_hours_a_day'], 2)}"
        frame.figure("Analyst hours a day", words.number(after["analyst_hours_a_day"], 2), now)


def _whole_effect(proposal_id: str) -> None:
    if st.button(
        "All of it, payment by payment", type="tertiary", icon=":material/compare_arrows:", key="whole"
    ):
        st.switch_page("app_pages/effect.py", query_params={"proposal": proposal_id})


def _group(group: Json, currency: str) -> list[str]:
    """Amount, and what can honestly be said of the fraud in it."""
    if not group["count"]:
        return []
    amount = words.money(group["amount_minor"], currency, short=True)
    share = effect_view.share((group.get("estimate") or {}).get("fraud_share"))
    return [amount, f"fraud {share}"]


def refusal(error: ApiError) -> None:
    """Why the effect cannot be shown, calmly: the rest of the page stands without it."""
    st.caption(
        words.plain(f"The effect cannot be worked out: {error.detail or error.title} {error.hint}".strip())
    )
