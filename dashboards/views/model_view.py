"""What should a person have seen of a model before letting it decide?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.calls.client import ApiError
from dashboards.pieces import charts, frame, words
from dashboards.pieces.drawing import show_chart
from dashboards.pieces.palette import palette
from dashboards.views import rates_view

Json = dict[str, Any]
MOST_FEATURES = 10
BEESWARM = (
    "Each point is a payment: to the right the feature pushed towards fraud; red is a high value, blue a low, "
    "grey is not known or has no order."
)


def draw(model: Json) -> None:
    """How it stands against the champion, its gates, the payments both would decide differently, and its card."""
    record = model.get("record") or {}
    _comparison(record)
    with st.container(key="stacked_model"):
        left, right = st.columns([1, 1.25], gap="medium")
    with left:
        st.markdown("##### Gates")
        gates(model.get("gates") or [])
    with right:
        _flips(record)
    _card(model["model_id"])


def gates(answers: list[Json]) -> None:
    """Each gate's answer with its sentence."""
    for gate in answers:
        sign = ":green-badge[✓ passed]" if gate["passed"] else ":red-badge[✕ failed]"
        sentence = words.plain(words.capital(gate.get("sentence", "")))
        st.markdown(f"{sign} **{words.capital(gate['name'].replace('_', ' '))}**  \n:gray[{sentence}]")
    if not answers:
        st.caption("No gate was asked.")


def estimate(found: Json | None, digits: int = 3) -> str:
    """`0.528 (0.386 to 0.670)`."""
    if not found or found.get("value") is None:
        return words.ABSENT
    span = words.interval(found.get("low"), found.get("high"), digits)
    return words.number(found["value"], digits) + (f" ({span})" if span else "")


def _comparison(record: Json) -> None:
    compared = record.get("comparison")
    if not compared:
        frame.empty("There was no champion to compare it with.", "The gates held it against chance.")
        return
    rows = [
        {"name": name, **compared[f"{who}_average_precision"]}
        for who, name in (("champion", "Champion then"), ("challenger", "This model"))
    ]
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        st.markdown(f"##### {_found(compared['average_precision_difference'])}")
        told = "; ".join(f"{row['name']} {estimate(row)}" for row in rows)
        show_chart(charts.intervals, rows, palette(), told=told, key="average_precision")
        st.caption(f"{told}. Difference {estimate(compared['average_precision_difference'])}.")
    with right:
        _cost(compared)
    st.caption(
        f"Judged on {words.count(compared['rows'])} payments with {words.count(compared['frauds'])} frauds "
        "that neither model learned from, each at its own thresholds from the same policy. 95 % bootstrap intervals."
    )
    rates_view.ranking(record.get("naive_average_precision"))


def _found(difference: Json) -> str:
    """What the comparison says, as the chart's title."""
    low, high = difference.get("low"), difference.get("high")
    if low is None or high is None:
        return "Average precision on the same payments"
    if low > 0:
        return "This model ranks fraud better on the same payments"
    if high < 0:
        return "This model ranks fraud worse on the same payments"
    return "No clear difference in average precision on the same payments"


def _cost(compared: Json) -> None:
    currency = frame.base_currency()
    saved = compared["cost_saved"]
    low, high = (words.percent(saved[end]) for end in ("low", "high"))
    st.markdown("##### Expected cost")
    frame.figure(
        "Share of the champion's cost saved", words.percent(saved["value"]), f"95 %: {low} to {high}"
    )
    st.caption(
        f"{words.money(compared['champion_cost_minor'], currency)} with the champion, "
        f"{words.money(compared['challenger_cost_minor'], currency)} with this model"
    )


def _flips(record: Json) -> None:
    flips, total = record.get("flips") or [], (record.get("comparison") or {}).get("flips", 0)
    st.markdown("##### Decided differently")
    if not flips:
        st.caption("There are no payments on which the two would differ.")
        return
    rows = [
        {
            "Payment": f"decisions?id={flip['transaction_id']}",
            "Amount": words.money(flip.get("amount_minor"), frame.base_currency()),
            "Champion": words.percent(flip["champion"]),
            "This model": words.percent(flip["challenger"]),
            "Engine then": words.sign_and_word(flip.get("outcome"), words.OUTCOMES),
            "Turned out": "✕ Fraud" if flip["fraud"] else "✓ Not fraud",
        }
        for flip in flips
    ]
    right = st.column_config.TextColumn(alignment="right")
    link = st.column_config.LinkColumn(display_text=r"id=(.*)$")
    columns = {"Payment": link, "Amount": right, "Champion": right, "This model": right}
    frame.table(rows, column_config=columns, height=250)
    st.caption(
        f"The {len(flips)} largest changes of probability among {words.plural(total, 'payment')} "
        "whose outcome would change. A link opens the decision; payments of imported history have none."
    )


def _card(model_id: str) -> None:
    """Key facts and the beeswarm of the model card."""
    client = signin.client()
    st.markdown("##### Model card")
    try:
        card = client.model_card(model_id)
        beeswarm = client.model_file(model_id, "beeswarm.png")
    except ApiError as error:
        if error.status == signin.SIGNED_OUT:
            raise
        frame.show_error(error)
        return
    left, right = st.columns([1, 1.25], gap="medium")
    with left:
        st.caption(words.plain(card["purpose"]))
        _facts(card)
        st.caption("  \n".join(words.plain(line) for line in card["limits"]))
    with right:
        with st.container(key="drawn_beeswarm"):
            st.image(
                beeswarm, width="stretch", alt="SHAP values of a sample of payments, by feature: a beeswarm"
            )
        st.caption(BEESWARM)
        with st.expander("How the values of the strongest features matter"):
            dependence = client.model_file(model_id, "dependence.png")
            with st.container(key="drawn_dependence"):
                st.image(
                    dependence, width="stretch", alt="SHAP values of the strongest features by their value"
                )
            st.caption("Each point is a payment: its value across, how far that moved the margin upwards.")
    page = client.model_file(model_id, "card.html")
    st.download_button(
        "The whole card as a page", page, f"{model_id}.html", "text/html", icon=":material/download:"
    )


def _facts(card: Json) -> None:
    learned, performance = card["labels"]["all"], card["performance"]
    period = f"{learned['from'][:10]} to {learned['to'][:10]}"
    frame.facts(
        [
            (
                "Learned from",
                f"{words.count(learned['rows'])} labels, {words.count(learned['frauds'])} frauds",
            ),
            ("Payments of", period),
            ("AUC", estimate(performance["auc"])),
            ("Average precision", estimate(performance["average_precision"])),
            ("Brier score", words.number(performance["brier"], 4)),
            ("Trees", words.count(card["params"]["rounds"])),
        ]
    )
    st.caption(f"Measured on {words.plain(performance['measured_on'])}.")
