"""Which model decides, which wanted to, and why was it promoted or refused?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards import frame, signin, words

Json = dict[str, Any]
OWNERS = ("risk_manager", "admin")
# Metric in the manifest -> label; others are left to the model card.
METRICS = {"average_precision": "Average precision", "auc": "AUC", "brier": "Brier score"}


def show() -> None:
    frame.head("Models", "A challenger decides nothing until it has passed every gate.")
    with frame.attempt():
        models = frame.items(signin.client().models(), "models")
        _champion(models)
        _table(models)
    with frame.attempt():
        _retrains(frame.items(signin.client().retrains(), "retrains"))
    if frame.role() in OWNERS:
        _ask()


def _champion(models: list[Json]) -> None:
    champion = next((model for model in models if model["status"] == "champion"), None)
    if champion is None:
        frame.empty(
            "No model decides yet.",
            "The first comes from a retrain on matured labels; until then the rules decide alone.",
        )
        return
    with st.container(border=True):
        facts = [
            ("Deciding now", f"{words.badge('champion', words.STATUSES)} `{champion['model_id']}`"),
            ("Trained", frame.when(champion["created_at"])),
            ("Asked for by", words.plain(champion.get("requested_by") or words.ABSENT)),
        ]
        facts += [(label, f"**{words.number(value, 3)}**") for label, value in _metrics(champion)]
        frame.facts(facts, columns=len(facts))


def _metrics(model: Json) -> list[tuple[str, float]]:
    """The known figures of a model; an interval counts by its value."""
    found = []
    for name, label in METRICS.items():
        value = (model.get("metrics") or {}).get(name)
        value = value.get("value") if isinstance(value, dict) else value
        if isinstance(value, int | float):
            found.append((label, float(value)))
    return found


def _table(models: list[Json]) -> None:
    others = [model for model in models if model["status"] != "champion"]
    if not others:
        return
    st.subheader("Others", anchor=False)
    rows = [
        {
            "Status": words.sign_and_word(model["status"], words.STATUSES),
            "Model": model["model_id"],
            "Trained": frame.when(model["created_at"]),
            "Asked for by": model.get("requested_by"),
        }
        | {label: words.number(value, 3) for label, value in _metrics(model)}
        for model in others
    ]
    frame.table(rows, height="content")
    waiting = [model["model_id"] for model in others if model["status"] in ("challenger", "retired")]
    if waiting and frame.role() in OWNERS:
        _sign_off(waiting)


def _sign_off(waiting: list[str]) -> None:
    with st.popover("Sign one off", icon=":material/approval:"):
        model_id = st.selectbox("Model", waiting)
        reason = st.text_input("Reason", key="sign_off_reason", max_chars=2000)
        if st.button("Let it decide", key="sign_off", disabled=len(reason.strip()) < 3):
            with frame.attempt():
                signin.client().sign_off(model_id, reason.strip())
                st.rerun()


def _retrains(runs: list[Json]) -> None:
    st.subheader("Retrains", anchor=False)
    if not runs:
        frame.empty(
            "No retrain has run yet.",
            "The schedule in the policy starts one once there are enough new labels.",
        )
    for run in runs:
        with st.container(border=True, gap="xsmall"):
            st.markdown(
                f"{words.badge(run['result'], words.STATUSES)} {words.plain(run.get('sentence') or '')}"
            )
            by = words.plain(run.get("requested_by") or run.get("trigger", ""))
            challenger = run.get("challenger_id") or words.ABSENT
            st.caption(f"{frame.when(run['started_at'])} · asked for by {by} · challenger {challenger}")
            _gates(run.get("gates") or [])


def _gates(gates: list[Json]) -> None:
    if not gates:
        return
    with st.expander(f"{sum(bool(g['passed']) for g in gates)} of {len(gates)} gates passed"):
        for gate in gates:
            sign = ":green-badge[✓ passed]" if gate["passed"] else ":red-badge[✕ failed]"
            st.markdown(
                f"{sign} **{words.capital(gate['name'].replace('_', ' '))}** {words.plain(gate.get('sentence', ''))}"
            )


def _ask() -> None:
    with st.popover("Ask for a retrain", icon=":material/model_training:"):
        reason = st.text_input("Reason", key="retrain_reason", max_chars=2000)
        if st.button("Train a challenger", key="retrain", disabled=len(reason.strip()) < 3):
            with frame.attempt(), st.spinner("Training in a child process at low priority", show_time=True):
                signin.client().retrain(reason.strip())
                st.rerun()


show()
