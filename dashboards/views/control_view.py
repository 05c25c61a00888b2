"""What had people, or the breaker, switched when this was decided?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.pieces import frame, words

Json = dict[str, Any]
ARMS = {
    "candidate": "by the candidate of a rollout",
    "live": "beside a rollout, by what decides for the others",
}
FAIL_SAFE = {
    "model_failed": "The model failed on this payment, so the fail-safe answer stood.",
    "model_missing": "The champion's files were missing or altered, so no model ran and the fail-safe answer stood.",
    "no_model": "No model ran, so the fail-safe answer stood.",
}


def lines(context: Json) -> list[str]:
    """One sentence for each thing that bore on the decision; none for most."""
    controls = context.get("controls") or {}
    found = (
        [f"It belongs to the policy's segment **{context['segment']}**."] if context.get("segment") else []
    )
    if context.get("killed"):
        found.append("The kill switch was on.")
    elif context.get("fail_safe") in FAIL_SAFE:
        found.append(FAIL_SAFE[context["fail_safe"]])
    if context.get("policy_set_id"):
        found.append(f"The breaker had paused the policy; that of `{context['policy_set_id']}` applied.")
    for name, what in (("paused_rules", "paused"), ("capped_rules", "capped at review")):
        if rules := controls.get(name):
            found.append(f"The breaker had {what}: {words.listed(rules)}.")
    if controls.get("model_capped"):
        found.append("The breaker had capped the model at review.")
    for snooze in controls.get("snoozes") or []:
        rule, until = snooze["rule_id"] or "every rule that asks", frame.when(snooze["expires"])
        found.append(f"Snoozed for {snooze['entity']} {words.plain(snooze['value'])}: {rule}, until {until}.")
    for entry in controls.get("entries") or []:
        found.append(
            f"{words.capital(entry['entity'])} {words.plain(entry['value'])} was listed ({entry['effect']}): "
            f"{words.plain(entry['reason'])}."
        )
    if rollout := context.get("rollout"):
        found.append(f"Decided {ARMS.get(rollout['arm'], rollout['arm'])}{_drawn(rollout)}.")
    for outcome in (context.get("shadows") or {}).values():
        found.append(f"A shadow would have answered {words.sign_and_word(outcome, words.OUTCOMES)}.")
    return found


def _drawn(rollout: Json) -> str:
    """The draw that put the payment into its arm; decisions of earlier versions do not hold it."""
    if "draw" not in rollout:
        return ""
    drawn, share = words.number(rollout["draw"], 3), words.number(rollout["share"], 3)
    return f" (drawn by {words.plain(rollout['entity'])}: {drawn}; below {share} the candidate decides)"


def show(decision: Json) -> None:
    """The sentences, under the record."""
    if said := lines(decision.get("context") or {}):
        st.caption("  \n".join(said))


def standing(rule: Json) -> str:
    """A badge for a rule that was not obeyed: in shadow, or paused."""
    status = rule.get("status", "live")
    return "" if status == "live" else f" {words.badge(status, words.STATUSES)}"
