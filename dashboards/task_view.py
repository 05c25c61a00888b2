"""What does the analyst see of one task? Everything on the page comes from the task's stored dossier."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from dashboards import charts, frame, task_tools, waterfall, words
from dashboards.palette import palette

Json = dict[str, Any]


def draw(page: Json) -> None:
    """The whole task, most needed first."""
    _question(page)
    task_tools.escalation_notes(page)
    task_tools.joined(page)
    _key_facts(page)
    if page.get("previous_verdicts"):
        _previous_verdicts(page["previous_verdicts"])
    left, right = st.columns([1.65, 1], gap="medium")
    with left:
        _explanation(page)
        _missing_inputs(page)
        _spending(page)
        if is_blind(page):
            _inputs(page.get("features") or [])
    with right:
        _beside(page)


def without_attribute(page: Json, name: str) -> Json:
    """The page without an attribute that no reviewer should judge by, in the payment and in its history."""

    def stripped(payment: Json) -> Json:
        kept = {k: v for k, v in (payment.get("attributes") or {}).items() if k != name}
        return {**payment, "attributes": kept}

    history = [stripped(payment) for payment in page.get("history") or []]
    return {**page, "transaction": stripped(page["transaction"]), "history": history}


def _question(page: Json) -> None:
    left, right = st.columns([3.2, 1], vertical_alignment="center")
    with left, st.container(key="question", gap=None):
        st.header(page.get("question") or "Is this payment fraud?", anchor=False)
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        frame.person()
    why = page.get("why") or {}
    reason = words.title_of(why.get("reason", ""), words.REASONS) if why.get("reason") else ""
    lane = words.title_of(page.get("lane_shown", ""), words.LANES)
    marks = [f":blue-badge[{lane}]", *([":violet-badge[Decide first]"] if is_blind(page) else [])]
    if page.get("kind_shown") == "adjudication":
        marks = [":violet-badge[⚖ Adjudication]"]
    sentence = words.plain(why.get("sentence") or reason)
    st.markdown(f"{' '.join(marks)} **Why it is here**: {sentence}")


def is_blind(page: Json) -> bool:
    """Whether the reviewer decides before seeing what the engine thinks; once answered, it is shown."""
    return (
        page.get("arm") == "blind_first" and page.get("probability") is None and page.get("status") != "done"
    )


def _key_facts(page: Json) -> None:
    transaction = page["transaction"]
    amount, score, who = st.columns([1.2, 1.3, 1.0], gap="medium", border=True)
    with amount:
        finding = words.capital(
            charts.spending_finding(page.get("history") or [], transaction["amount_minor"] or 0)
        )
        amount_text = words.money(transaction["amount_minor"], transaction["currency"])
        frame.figure("Amount", amount_text, finding + ".", frame.when(transaction["occurred_at"]))
    with score, st.container(gap="xxsmall"):
        _score(page)
    with who:
        pairs = [
            (name.replace("_", " "), f"**{words.plain(str(value))}**")
            for name, value in transaction["entities"].items()
            if value
        ]
        st.markdown("  \n".join(f":gray[{name}] {value}" for name, value in pairs))
        st.caption(words.plain(_attributes(transaction)))


def _attributes(transaction: Json) -> str:
    attributes = transaction.get("attributes") or {}
    return " · ".join(str(v) for v in list(attributes.values())[:4] if v not in (None, ""))


def _score(page: Json) -> None:
    probability, thresholds = page.get("probability"), page.get("thresholds")
    if is_blind(page):
        st.markdown(f":material/visibility_off: {words.BLIND}")
        return
    if probability is None:
        frame.figure("Probability of fraud", words.ABSENT, words.NO_MODEL)
        return
    frame.figure("Probability of fraud", words.percent(probability))
    if thresholds and {"review_at", "decline_at"} <= thresholds.keys():
        told = (
            f"Probability {words.percent(probability)}; review from {words.percent(thresholds['review_at'])}, "
            f"decline from {words.percent(thresholds['decline_at'])}."
        )
        st.altair_chart(
            charts.threshold_strip(probability, thresholds, palette()), theme=None, alt=told, key="strip"
        )
        st.caption(what_decided(probability, thresholds, page.get("rules") or []))


def what_decided(probability: float, thresholds: Json, rules: list[Json]) -> str:
    """Whether score or rules made the engine ask, and what would have changed that."""
    strictness = list(words.OUTCOMES)
    by_score = (
        "decline"
        if probability >= thresholds["decline_at"]
        else "review"
        if probability >= thresholds["review_at"]
        else "approve"
    )
    floors = [r["floor"] for r in rules if r.get("state") == "hit" and r.get("floor") in strictness]
    by_rules = max(floors, key=strictness.index, default="approve")
    if strictness.index(by_rules) > strictness.index(by_score):
        return f"The score alone would {by_score}; a rule asks for {by_rules}."
    also = ", and so does a rule" if by_rules == by_score != "approve" else ""
    return f"The score alone asks for {by_score}{also}."


def _explanation(page: Json) -> None:
    explanation = page.get("explanation")
    if not explanation:
        if not is_blind(page):
            frame.empty(
                "No explanation", "There is one when a model gave the score; here the rules decided alone."
            )
        return
    towards, against = waterfall.finding(explanation)
    sides = [
        f"**{name}**: {words.plain(said)}"
        for name, said in (("Most for fraud", towards), ("Most against", against))
        if said
    ]
    st.markdown("  \n".join(sides))
    chart = waterfall.picture(explanation, page.get("rules") or [], palette())
    st.altair_chart(chart, theme=None, alt=waterfall.told(explanation), key="waterfall")


def _missing_inputs(page: Json) -> None:
    missing = [f["phrase"] for f in page.get("features") or [] if f.get("value") is None]
    if missing:
        st.caption(f":material/help: Not known for this payment: {words.plain(words.listed(missing))}.")


def _spending(page: Json) -> None:
    history, transaction = page.get("history") or [], page["transaction"]
    if not history:
        frame.empty(
            "No earlier payments",
            "This is the first payment seen here, so there is nothing to compare it with.",
        )
        return
    finding = charts.spending_finding(history, transaction["amount_minor"] or 0)
    st.markdown(f"##### This amount is {finding}")
    st.caption("● earlier payment · ✚ known fraud · ◆ this payment · dashed: median")
    st.altair_chart(charts.spending(history, transaction, palette()), theme=None, alt=finding, key="spending")


def _beside(page: Json) -> None:
    """What one may want next to the picture; the rules that spoke come first, unless the review is blind."""
    rules = [rule for rule in page.get("rules") or [] if rule.get("state") != "no_hit"]
    parts: dict[str, Callable[[], None]] = {
        f"Rules ({len(rules)})": lambda: _rules(rules),
        "Guideline": lambda: _guideline(page.get("guideline") or {}),
        "History": lambda: _history(page),
        "Payment": lambda: _payment(page["transaction"]),
        "Inputs": lambda: _inputs(page.get("features") or []),
    }
    if is_blind(page):
        parts = {name: parts[name] for name in ("Guideline", "History", "Payment")}
    for tab, draw_part in zip(st.tabs(list(parts)), parts.values(), strict=True):
        with tab:
            draw_part()


def _rules(rules: list[Json]) -> None:
    if not rules:
        st.caption("No rule was hit.")
    for rule in rules:
        with st.container(border=True, gap="xsmall"):
            floor = rule.get("floor") if rule["state"] == "hit" else None
            asks = f" asks for {words.badge(floor, words.OUTCOMES)}" if floor else ""
            title = words.plain(rule.get("title") or rule["id"])
            st.markdown(f"{words.badge(rule['state'], words.RULE_STATES)} **{title}**{asks}")
            if rule.get("reason"):
                st.markdown(words.plain(rule["reason"]))
            for label, key in (("Look at", "runbook"), ("Often innocent", "false_positives")):
                if rule.get(key):
                    st.caption(f"**{label}**: {words.plain(str(rule[key]))}")


def _guideline(guideline: Json) -> None:
    if not guideline.get("text"):
        st.caption("There is no guideline yet.")
        return
    st.markdown(guideline["text"])
    st.caption(f"Guideline {words.plain(guideline.get('version', ''))}")


def _history(page: Json) -> None:
    history, currency = page.get("history") or [], page["transaction"]["currency"]
    if not history:
        st.caption("No earlier payments.")
        return
    now = page["transaction"]["entities"]
    rows = []
    for row in sorted(history, key=lambda row: row["occurred_at"], reverse=True):
        then, attributes = row.get("entities") or {}, row.get("attributes") or {}
        line = {
            "When": frame.when(row["occurred_at"]),
            "Amount": words.money(row.get("amount_minor"), currency),
        }
        if any(past.get("known_fraud") for past in history):
            line["Known fraud"] = "✕ yes" if row.get("known_fraud") else ""
        line |= {
            words.capital(k): "same" if v == now.get(k) else str(v or words.ABSENT) for k, v in then.items()
        }
        line |= {words.capital(k.replace("_", " ")): str(v or words.ABSENT) for k, v in attributes.items()}
        rows.append(line)
    frame.table(rows, height=300, column_config={"Amount": st.column_config.TextColumn(alignment="right")})


def _payment(transaction: Json) -> None:
    pairs = [
        ("transaction", transaction["transaction_id"]),
        ("time", frame.when(transaction["occurred_at"], seconds=True)),
    ]
    for part in ("entities", "attributes", "personal_masked"):
        pairs += [
            (k.replace("_", " "), str(v))
            for k, v in (transaction.get(part) or {}).items()
            if v not in (None, "")
        ]
    st.markdown(
        "\n".join(
            f"| :gray[{k}] | {words.plain(v)} |" + ("\n|---|---|" if i == 0 else "")
            for i, (k, v) in enumerate(pairs)
        )
    )
    if transaction.get("personal_masked"):
        st.caption("Personal fields are masked.")


def _inputs(features: list[Json]) -> None:
    rows = [{"Input": f["phrase"], "Value": f.get("text") or "not known"} for f in features]
    if rows:
        frame.table(rows, height=300)
    else:
        st.caption("Inputs are shown once you have answered.")


def _previous_verdicts(verdicts: list[Json]) -> None:
    told = "The reviewers differ" if len(verdicts) > 1 else "The reviewer could not tell"
    st.markdown(f"##### {told}; your verdict settles it")
    for column, verdict in zip(st.columns(len(verdicts), border=True), verdicts, strict=True):
        with column:
            st.markdown(
                f"**{words.plain(verdict['reviewer'])}** {words.badge(verdict['value'], words.VERDICTS)}"
            )
            arm = words.title_of(verdict.get("arm", ""), words.ARMS)
            sure = words.title_of(verdict.get("confidence", ""), words.CONFIDENCES).lower()
            st.caption(f"confidence {sure} · {words.number(verdict.get('seconds'), 0)} s · {arm}")
            if verdict.get("note"):
                st.markdown(f"“{words.plain(verdict['note'])}”")
