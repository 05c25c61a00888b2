"""Which model decides, which wanted to, and why was it promoted or refused?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards import frame, model_view, signin, words

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
        if models:
            _one(models)
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
        facts += [(label, f"**{model_view.estimate(found)}**") for label, found in _metrics(champion)]
        frame.facts(facts, columns=len(facts))


def _metrics(model: Json) -> list[tuple[str, Json]]:
    """The known figures of a model, each as an estimate; one without an interval has its value only."""
    found = []
    for name, label in METRICS.items():
        value = (model.get("metrics") or {}).get(name)
        if value is not None:
            found.append((label, value if isinstance(value, dict) else {"value": value}))
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
        | {label: model_view.estimate(found) for label, found in _metrics(model)}
        for model in others
    ]
    frame.table(rows, height="content")


def _one(models: list[Json]) -> None:
    """One model in full: the one asked for, else what waits for a sign-off, else what decides."""
    ranks = ("challenger", "champion", "retired", "refused")
    known = {model["model_id"]: model for model in sorted(models, key=lambda m: ranks.index(m["status"]))}
    names, asked = list(known), st.query_params.get("model", "")
    st.subheader("One model in full", anchor=False)
    picked = st.selectbox(
        "Model",
        names,
        index=names.index(asked) if asked in known else 0,
        format_func=lambda name: f"{words.sign_and_word(known[name]['status'], words.STATUSES)}  {name}",
        label_visibility="collapsed",
        width=420,
    )
    st.query_params["model"] = picked
    model = signin.client().model(picked)
    model_view.draw(model)
    if model["status"] in ("challenger", "retired") and frame.role() in OWNERS:
        _sign_off(model)


def _sign_off(model: Json) -> None:
    """Let a model decide, by someone who has the evidence above before them."""
    st.markdown("##### Sign-off")
    with st.form("sign_off_form", border=True):
        told = "Bring it back" if model["status"] == "retired" else "Let it decide"
        reason = st.text_input(
            "Reason: what did you see in the comparison and the flips?", key="sign_off_reason", max_chars=2000
        )
        if not st.form_submit_button(told, icon=":material/approval:", key="sign_off"):
            return
    if len(reason.strip()) < 3:
        st.warning("Write a reason; it goes into the record with your name.")
        return
    with frame.attempt():
        signin.client().sign_off(model["model_id"], reason.strip())
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


def _gates(answers: list[Json]) -> None:
    if answers:
        with st.expander(f"{sum(bool(g['passed']) for g in answers)} of {len(answers)} gates passed"):
            model_view.gates(answers)


def _ask() -> None:
    with st.popover("Ask for a retrain", icon=":material/model_training:"):
        reason = st.text_input("Reason", key="retrain_reason", max_chars=2000)
        if st.button("Train a challenger", key="retrain", disabled=len(reason.strip()) < 3):
            with frame.attempt(), st.spinner("Training in a child process at low priority", show_time=True):
                signin.client().retrain(reason.strip())
                st.rerun()


show()
