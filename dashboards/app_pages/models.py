"""Which model decides, which wanted to, and why was it promoted or refused?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words
from dashboards.views import generation_view, model_view, rates_view, retrain_view, sign_off_view

Json = dict[str, Any]
OWNERS = ("risk_manager", "admin")
# Metric in the manifest -> label; others are left to the model card.
METRICS = {"average_precision": "Average precision", "auc": "AUC", "brier": "Brier score"}


def show() -> None:
    frame.head("Models", "A challenger decides nothing until it has passed every gate.")
    models: list[Json] = []
    with frame.attempt():
        found = signin.client().models()
        models = frame.items(found, "models")
        _champion(models, can_roll_back=bool(found.get("can_roll_back")))
        rates_view.decided(found.get("rates"), models)
        _table(models)
        generation_view.draw(models)
    with frame.attempt():
        runs = frame.items(signin.client().retrains(), "retrains")
        retrain_view.show(runs, may_ask=frame.role() in OWNERS)
    with frame.attempt():
        if models:
            _one(models)


def _champion(models: list[Json], *, can_roll_back: bool) -> None:
    champion = next((model for model in models if model["status"] == "champion"), None)
    if champion is None:
        frame.empty(
            "No model decides yet.",
            "The first comes from a retrain on matured labels; until then the rules decide alone.",
        )
        return
    with st.container(border=True, key="thirds_champion"):
        facts = [
            ("Deciding now", f"{words.badge('champion', words.STATUSES)} `{champion['model_id']}`"),
            ("Trained", frame.when(champion["created_at"])),
            ("Asked for by", words.plain(champion.get("requested_by") or words.ABSENT)),
        ]
        facts += [(label, f"**{model_view.estimate(found)}**") for label, found in _metrics(champion)]
        frame.facts(facts, columns=len(facts))
        if champion.get("approval"):
            st.caption(
                f"Let decide by {words.plain(champion['approved_by'])}: {words.plain(champion['approval'])}"
            )
        if frame.role() in OWNERS and can_roll_back:
            sign_off_view.roll_back()


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
        sign_off_view.flips(model)
        sign_off_view.sign_off(model)
        sign_off_view.trial(model, model.get("entities") or [])


show()
