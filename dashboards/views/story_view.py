"""How is one decision's whole story told, from what went in to what was learned from it?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words
from dashboards.views import decision_view, evidence_view

Json = dict[str, Any]
USES = {
    "taught": "learned from it",
    "judged": "was judged by it, and did not learn from it",
    "exam": "was examined on it: a golden case, never taught",
    "held_out": "did not learn from it: it is held out for ever",
}
SOURCES = {
    "outcome": "a reported outcome",
    "golden": "the golden set",
    "adjudicated": "an adjudication",
    "consensus": "people who agree",
    "single_verdict": "one verdict",
    "blind_first": "a verdict given before the score was seen",
    "matured_silence": "silence: nobody disputed it",
}
STEPS = {
    "task.claimed": "took the task",
    "task.released": "gave it back",
    "task.lock_expired": "the claim ran out",
    "dossier.extended": "opened",
    "personal.unmasked": "read the masked field",
    "verdict.revised": "thought again",
}
PARTS = {
    "links": "linked entities",
    "what_if": "what would have changed the outcome",
    "similar": "similar cases",
    "behind_rules": "payments behind the rules",
}


def draw(transaction_id: str) -> None:
    """The dossier of one decision, its parts in the order in which things happened."""
    told = signin.client().record.story(transaction_id)
    decision = told["decision"]
    _head(told)
    tabs = st.tabs(["Decision", "Rules and set", "Model", "Reviews", "What became of it", "Take away"])
    with tabs[0]:
        decision_view.draw(decision)
    with tabs[1]:
        _set(told["set"])
        _rules(told["rules"])
    with tabs[2]:
        _model(told["model"])
    with tabs[3]:
        _reviews(told["reviews"])
    with tabs[4]:
        _afterwards(told)
    with tabs[5]:
        evidence_view.pack_of([transaction_id], key="story")


def _head(told: Json) -> None:
    """The story in four facts."""
    decision, label = told["decision"], told["label"]["label"]
    said = [each for review in told["reviews"] for each in review["verdicts"] if not each["undone_at"]]
    verdicts = words.listed(
        dict.fromkeys(words.sign_and_word(each["value"], words.VERDICTS) for each in said)
    )
    ended = told["dispositions"][-1]["value"] if told["dispositions"] else ""
    believed = "nothing yet" if label is None else "✕ Fraud" if label["value"] else "✓ Not fraud"
    because = "" if label is None else f", on the word of {SOURCES.get(label['source'], label['source'])}"
    with st.container(border=True, key="story_head"):
        frame.facts(
            [
                ("The engine answered", words.badge(decision["outcome"], words.OUTCOMES)),
                (f"People said ({words.plural(len(said), 'verdict')})", verdicts or "nobody was asked"),
                ("The payment was", words.badge(ended, words.DISPOSITIONS) if ended else "left as answered"),
                ("Believed now", f"{believed}{because}"),
            ],
            columns=4,
        )


def _set(told: Json) -> None:
    approval, proposal = told["approval"], told["proposal"]
    if approval is None:
        st.warning("This set was tried and never approved as a whole: the decision was part of a trial.")
        return
    pairs = [
        ("Approved set", f"`{told['set_id']}`"),
        ("Approved by", words.plain(approval["approved_by"])),
        ("When", frame.when(approval["approved_at"])),
        ("Reason", words.plain(approval["reason"] or words.ABSENT)),
    ]
    if proposal:
        pairs += [
            ("Proposed by", words.plain(proposal["author"])),
            ("Proposal", f"`{proposal['proposal_id']}`"),
        ]
    with st.container(border=True):
        frame.facts(pairs, columns=4)


def _rules(rules: Sequence[Json]) -> None:
    hit = sum(rule["state"] == "hit" for rule in rules)
    st.markdown(
        f"##### {words.plural(hit, 'rule')} of {len(rules)} hit; each with the text that was in force"
    )
    order = sorted(rules, key=lambda rule: (rule["state"] == "no_hit", rule["id"]))
    frame.table(
        [
            {
                "Answer": words.sign_and_word(rule["state"], words.RULE_STATES),
                "Rule": rule.get("title") or rule["id"],
                "Version": rule["version"],
                "Proposed by": rule.get("proposed_by") or words.ABSENT,
                "Approved by": rule.get("approved_by") or words.ABSENT,
                "In force since": frame.when(rule.get("approved_at")),
                "Text (SHA-256)": str(rule.get("sha256", ""))[:12],
                "Why it hit": words.capital(str(rule.get("reason") or words.ABSENT)),
            }
            for rule in order
        ],
        height=430,
        column_config={"Why it hit": st.column_config.TextColumn(width="large")},
    )


def _model(model: Json | None) -> None:
    if model is None:
        frame.empty("No model answered", "The rules decided alone, or the model is not on record here.")
        return
    taught, measured = model["taught"], model["measured"]
    if not model["intact"]:
        st.error("The model's file is not the one on record. Ask whoever runs the server for a backup.")
    precision = measured.get("average_precision") or {}
    between = words.interval(precision.get("low"), precision.get("high"), 3)
    with st.container(border=True):
        frame.facts(
            [
                ("Model", f"`{model['model_id']}` {words.badge(model['status'], words.STATUSES)}"),
                ("Asked for by", words.plain(model["requested_by"])),
                ("Let decide by", words.plain(model["approved_by"] or words.ABSENT)),
                ("Since", frame.when(model["approved_at"])),
                (
                    "Taught",
                    f"{words.count(taught.get('rows'))} payments, {words.count(taught.get('frauds'))} frauds",
                ),
                ("Payments of", f"{str(taught.get('from', ''))[:10]} to {str(taught.get('to', ''))[:10]}"),
                ("Average precision", f"{words.number(precision.get('value'), 3)} ({between})"),
                ("Snapshot", f"`{taught.get('snapshot_id')}`"),
                ("Labels as of", frame.when(taught.get("as_of"))),
                ("Code", f"`{taught.get('code_version') or 'not on record'}`"),
                ("Flips opened by", _openers(model["flips_opened"])),
                ("File", "as on record" if model["intact"] else "**altered**"),
            ],
            columns=4,
        )
        if model["approval"]:
            st.caption(words.plain(words.capital(model["approval"])))
    st.markdown("##### On whose word it was taught")
    sources = sorted(taught["by_source"].items(), key=lambda item: -item[1]["labels"])
    frame.table(
        [
            {
                "Labels come from": words.capital(SOURCES.get(name, name)),
                "Labels": found["labels"],
                "Frauds among them": found["frauds"],
            }
            for name, found in sources
        ]
    )
    st.caption("All labels of the snapshot: those of the latest weeks judge the model and do not teach it.")


def _openers(seen: Sequence[Json]) -> str:
    return words.listed(f"{words.plain(row['seen_by'])} ({row['flips']})" for row in seen) or "nobody"


def _reviews(reviews: Sequence[Json]) -> None:
    if not reviews:
        frame.empty(
            "Nobody looked at it", "No task was opened: the engine decided alone and no audit drew it."
        )
    for review in reviews:
        with st.container(border=True):
            _review(review)


def _review(review: Json) -> None:
    kind = words.title_of(review["kind"], {"primary": "First review", "second": "Second review"})
    drawn = "" if review["probability"] >= 1 else f" · drawn with {words.percent(review['probability'])}"
    st.markdown(
        f"**{kind}** · lane {words.title_of(review['lane'], words.LANES).lower()} · "
        f"{words.title_of(review['arm'], words.ARMS).lower()}{drawn}"
    )
    left, right = st.columns([1, 1.15], gap="medium")
    with left:
        for verdict in review["verdicts"]:
            _verdict(verdict)
        if not review["verdicts"]:
            st.caption(f"No verdict: {words.title_of(review['status'], {}).lower()}.")
        for step in review["steps"]:
            what = PARTS.get(step.get("part", ""), "") or str(step.get("field", ""))
            why = f": {step['reason']}" if step.get("reason") else ""
            told = f"{step['by']} {STEPS.get(step['kind'], step['kind'])} {what}{why}".strip()
            st.caption(f"{frame.when(step['at'], seconds=True)} · {words.plain(told)}")
    with right:
        _shown(review)


def _verdict(verdict: Json) -> None:
    confidence = words.title_of(verdict["confidence"], words.CONFIDENCES).lower()
    took = "" if verdict["seconds"] is None else f" after {verdict['seconds']:.0f} s"  # None: forgotten
    st.markdown(
        f"{words.badge(verdict['value'], words.VERDICTS)} by **{words.plain(verdict['reviewer'])}**"
        f"{took}, confidence {confidence or 'not given'}"
    )
    reason = words.title_of(verdict["reason_code"], words.REASON_CODES) if verdict["reason_code"] else ""
    note = f"“{verdict['note']}”" if verdict["note"] else ""
    undone = "taken back" if verdict["undone_at"] else ""
    void = (
        f"declared void by {verdict['voided_by']}: {verdict['void_reason']}" if verdict["voided_at"] else ""
    )
    told = " · ".join(part for part in (reason, note, undone, void) if part)
    if told:
        st.caption(words.plain(told))


def _shown(review: Json) -> None:
    """What was on the screen before the answer, and the hash under which it is kept."""
    shown = review["shown"]
    score = "hidden" if shown["probability"] is None else words.percent(shown["probability"])
    rules = words.listed(rule.replace("_", " ") for rule in shown["rules"]) or "none"
    opened = words.listed(PARTS.get(part["part"], part["part"]) for part in review["parts"]) or "nothing more"
    st.markdown("On the screen before the answer")
    st.caption(
        f"Score {score} · explanation {'shown' if shown['explanation'] else 'not shown'} · "
        f"rules: {words.plain(rules)} · "
        f"{words.plural(shown['history'], 'earlier payment')} · guideline `{shown['guideline_version']}` · "
        f"masked: {words.plain(words.listed(shown['masked']) or 'nothing')} · opened: {opened}"
    )
    st.caption(f"Kept as `{review['dossier_id']}`, SHA-256 `{review['dossier_sha256'][:16]}…`")
    if st.button(
        "Show what was on the screen", key=f"display_{review['task_id']}", icon=":material/visibility:"
    ):
        with frame.attempt():
            st.json(signin.client().record.display(review["task_id"]), expanded=1)


def _afterwards(told: Json) -> None:
    rows = _story_rows(told)
    st.markdown("##### What happened to the payment")
    if rows:
        frame.table(rows)
    else:
        frame.empty(
            "Nothing was reported since",
            "Outcomes arrive from `POST /v1/outcomes`; silence matures with time.",
        )
    _label(told["label"])
    _learned(told["learned_by"])


def _story_rows(told: Json) -> list[Json]:
    steps = [
        (step["at"], f"Payment {step['value'].replace('_', ' ')}", step["actor"], step["reason"])
        for step in told["dispositions"]
    ]
    steps += [
        (
            outcome["known_at"],
            "Reported as fraud" if outcome["is_fraud"] else "Reported as not fraud",
            outcome["source"],
            outcome["reason_code"].replace("_", " "),
        )
        for outcome in told["outcomes"]
    ]
    return [
        {"When": frame.when(at), "What": what, "Who": who, "Why": why or words.ABSENT}
        for at, what, who, why in sorted(steps)
    ]


def _label(label: Json) -> None:
    claims = label["claims"]
    if not claims:
        frame.empty(
            "Nobody has said anything about it that training believes", "A verdict or an outcome would."
        )
        return
    counts = label["label"]
    st.markdown(
        f"##### Training believes: {'fraud' if counts['value'] else 'not fraud'}, on the strongest of "
        f"{words.plural(len(claims), 'claim')}"
        if counts
        else "##### No claim counts yet"
    )
    frame.table(
        [
            {
                "Says": "✕ Fraud" if claim["value"] else "✓ Not fraud",
                "On the word of": words.capital(SOURCES.get(claim["source"], claim["source"])),
                "Weight": f"{claim['weight']:.2f}",
                "Counts since": frame.when(claim["known_at"]) if claim["counts"] else "still maturing",
                "How the weight came about": claim["derivation"],
            }
            for claim in claims
        ],
        column_config={"Weight": st.column_config.TextColumn(alignment="right")},
    )


def _learned(found: Sequence[Json]) -> None:
    taught = sum(row["use"] == "taught" for row in found)
    st.markdown(
        f"##### {words.plural(taught, 'model')} learned from it"
        if taught
        else "##### No model has learned from it"
    )
    if not found:
        st.caption("No retrain has taken a snapshot since its label began to count.")
        return
    for row in found:
        value = "fraud" if row["value"] else "not fraud"
        st.markdown(
            f"`{row['model_id']}` {words.badge(row['status'], words.STATUSES)} {USES[row['use']]}, as {value} "
            f"(labels as of {frame.when(row['as_of'])})"
        )
