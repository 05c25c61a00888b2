"""What did the engine answer for one transaction, and what made it answer so?"""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from dashboards import role_pages
from dashboards.access import signin
from dashboards.pieces import charts, frame, waterfall, words
from dashboards.pieces.drawing import show_chart
from dashboards.pieces.palette import palette
from dashboards.views import control_view

Json = dict[str, Any]
AUDITORS = ("auditor", "risk_manager", "admin")
CASE_OPENERS = ("analyst", "team_lead", "risk_manager")


def draw(decision: Json) -> None:
    """The whole stored decision."""
    _answer(decision)
    with st.container(key="stacked_decision"):
        left, right = st.columns([1.65, 1], gap="medium")
    with left:
        _explanation(decision)
        _payment(decision)
        _features(decision)
    with right:
        _rules(decision)
        _record(decision)
        _actions(decision)


def _answer(decision: Json) -> None:
    outcome, score, why = st.columns([0.9, 1.3, 1.3], gap="medium", border=True)
    with outcome:
        amount = words.money(decision.get("amount_minor"), decision["currency"])
        frame.figure("Amount", amount, frame.when(decision["occurred_at"]))
        st.markdown(words.badge(decision["outcome"], words.OUTCOMES))
        if decision.get("explored"):
            st.caption(
                "Exploration: a would-be decline was released on purpose, to learn what becomes of it."
            )
    with score:
        frame.figure("Probability of fraud", words.percent(decision.get("probability")))
        _strip(decision)
    with why:
        triage = decision.get("triage") or {}
        reason = triage.get("reason")
        st.markdown(f"**{words.title_of(reason, words.REASONS) if reason else 'Decided without a person'}**")
        if triage.get("sentence"):
            st.caption(words.plain(triage["sentence"]))
        _costs(triage, decision["currency"])


def _strip(decision: Json) -> None:
    probability, thresholds = decision.get("probability"), decision.get("thresholds") or {}
    if probability is None:
        st.caption(words.NO_MODEL)
    elif {"review_at", "decline_at"} <= thresholds.keys():
        told = f"Probability {words.percent(probability)}"
        show_chart(charts.threshold_strip, probability, thresholds, palette(), told=told, key="strip")


def _costs(triage: Json, currency: str) -> None:
    named = {"approve": "cost_approve", "decline": "cost_decline", "review": "cost_review"}
    if not any(triage.get(key) for key in named.values()):
        return
    told = [
        f"{name} {words.money(triage[key], currency)}"
        for name, key in named.items()
        if triage.get(key) is not None
    ]
    st.caption("Expected cost: " + " · ".join(told))


def _explanation(decision: Json) -> None:
    told = decision.get("explanation")
    if not told:
        frame.empty(
            "No explanation is stored", "Explanations are stored for every decision that is not an approval."
        )
        return
    chart = {
        "base": told["base"],
        "margin": decision["margin"],
        "probability": decision["probability"],
        "bars": _bars(decision),
    }
    st.markdown("##### How the score came about")
    given = (chart, _titled(decision), palette())
    show_chart(waterfall.picture, *given, told=waterfall.told(chart), key="waterfall")


def _bars(decision: Json) -> list[Json]:
    """The contributions in the words and units of the set that decided."""
    pushes = decision["explanation"]["contributions"]
    return [
        {"phrase": given["phrase"], "value_text": given["text"], "contribution": pushes[given["name"]]}
        for given in decision["inputs"]
        if given["name"] in pushes
    ]


def recorded(given: Json) -> str:
    """A feature's stored value under its name, in full, because this is the record."""
    return f"{given['name']} = {json.dumps(given['value'])}"


def _titled(decision: Json) -> list[Json]:
    return [{**rule, "title": _title(rule)} for rule in decision.get("rules") or []]


def _title(rule: Json) -> str:
    return words.capital(str(rule["id"]).replace("_", " "))


def _features(decision: Json) -> None:
    inputs = decision["inputs"]
    with st.expander(f"Inputs as they were known then ({len(inputs)})"):
        rows = [
            {"Input": words.capital(given["phrase"]), "Value": given["text"], "Recorded as": recorded(given)}
            for given in inputs
        ]
        frame.table(rows, height=320)


def _payment(decision: Json) -> None:
    """Who paid whom, and what was said about the payment."""
    named = {**decision["entities"], **decision["attributes"]}
    pairs = [
        (words.capital(name.replace("_", " ")), words.plain(str(value)))
        for name, value in named.items()
        if value not in (None, "")
    ]
    with st.container(border=True):
        frame.facts(pairs, columns=4)


def _rules(decision: Json) -> None:
    rules = decision.get("rules") or []
    hits = [rule for rule in rules if rule["state"] != "no_hit"]
    st.markdown(
        f"##### {words.plural(sum(r['state'] == 'hit' for r in rules), 'rule')} hit, {len(rules)} evaluated"
    )
    for rule in hits:
        with st.container(border=True, gap="xsmall"):
            st.markdown(
                f"{words.badge(rule['state'], words.RULE_STATES)} **{_title(rule)}** v{rule['version']}"
                f"{control_view.standing(rule)}"
            )
            if rule.get("reason"):
                st.caption(words.plain(words.capital(rule["reason"])))


def _record(decision: Json) -> None:
    draws = decision.get("draws") or {}
    pairs = [
        ("Transaction", f"`{decision['transaction_id']}`"),
        ("Decided", frame.when(decision["decided_at"], seconds=True)),
        ("Ledger order", words.count(decision.get("seq"))),
        ("Approved set", f"`{decision['set_id']}`"),
        ("Model", f"`{decision['model_id']}`" if decision.get("model_id") else "none"),
        ("Chance of audit", words.percent(draws.get("audit_probability"))),
    ]
    with st.container(border=True):
        frame.facts(pairs)
        control_view.show(decision)
    _case(decision.get("case_id"))


def _case(case_id: str | None) -> None:
    """The way to the case, for those who have the page of cases."""
    if not case_id:
        st.caption("There is no case on it.")
    elif "cases" in role_pages.names(frame.role()):
        st.page_link("app_pages/cases.py", label="Its case: verdicts and what became of the payment",
                     icon=":material/folder_open:", query_params={"id": case_id})  # fmt: skip
    else:
        st.caption(f"Case {case_id}")


def _actions(decision: Json) -> None:
    transaction_id = decision["transaction_id"]
    if frame.role() in AUDITORS:
        if st.query_params.get("section") != "decision":
            st.page_link("app_pages/audit.py", label="Its whole story", icon=":material/history_edu:",
                         query_params={"section": "decision", "id": transaction_id})  # fmt: skip
        _replay(transaction_id)
        _events(transaction_id)
    if frame.role() in CASE_OPENERS and not decision.get("case_id"):
        _open_case(transaction_id)


def _replay(transaction_id: str) -> None:
    if not st.button("Replay this decision", icon=":material/replay:", key="replay"):
        return
    with frame.attempt():
        told = signin.client().record.replay(transaction_id)
        differences = frame.items(told, "differences")
        if differences:
            st.warning(f"{words.plural(len(differences), 'value')} came out differently.")
            frame.table(
                [
                    {"What": d.get("what"), "Then": str(d.get("then")), "Now": str(d.get("now"))}
                    for d in differences
                ]
            )
        else:
            st.success(
                "Decided again from the record: the same answer, bit for bit.", icon=":material/verified:"
            )


def _events(transaction_id: str) -> None:
    with st.expander("Everything recorded about it", on_change="rerun", key="events_open") as opened:
        if not opened.open:
            return
        with frame.attempt():
            events = frame.items(
                signin.client().record.events({"subject": f"transaction:{transaction_id}"}), "events"
            )
            for event in events:
                at, who = frame.when(event["recorded_at"], seconds=True), words.plain(event["actor"])
                st.markdown(f"`{event['seq']}` **{words.plain(event['kind'])}** by {who}, {at}")
            if not events:
                st.caption("No event names this transaction.")


def _open_case(transaction_id: str) -> None:
    with st.popover("Open a case", icon=":material/create_new_folder:"):
        reason = st.text_input("Why should a person look?", key="case_reason", max_chars=500)
        if st.button("Open the case", key="open_case", disabled=not reason.strip()):
            with frame.attempt():
                opened = signin.client().open_case(transaction_id, reason.strip())
                st.success(f"Case {opened.get('case_id', '')} is open.")
