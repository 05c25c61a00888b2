"""How do slices of agreement, its trend, people's steadiness and the effect of the screen look?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, lines_chart, words
from dashboards.pieces.drawing import show_chart
from dashboards.pieces.palette import palette

Json = dict[str, Any]
FACTS = {
    "week": "Week",
    "queue": "Queue",
    "reason": "Reason for review",
    "rule": "Rule",
    "guideline": "Guideline version",
    "arm": "Display arm",
}
MEASURES = {
    "raw": "Raw agreement",
    "positive_specific": "Agreement on fraud",
    "alpha": "Krippendorff's alpha",
    "ac1": "Gwet's AC1",
}
SHARES = ("raw", "positive_specific")
KNOWN = {"reason": words.REASONS, "arm": words.ARMS}
CONTRASTS = {
    "score": "with the score",
    "explanation": "with the explanation",
    "screen": "with everything shown",
}
EFFECTS = {
    "said_fraud": "Share called fraud",
    "false_positive_rate": "False positive rate",
    "recall": "Recall",
    "seconds": "Seconds a verdict",
    "follows_model": "Follows the model",
    "follows_right_model": "Follows the model where it is right",
    "follows_wrong_model": "Follows the model where it is wrong",
}


def told(measure: Json, *, as_share: bool = False) -> str:
    """A value with its interval; where there is too little for one, the value marked as a first look."""
    written = words.percent if as_share else words.number
    value, low, high = (measure.get(part) for part in ("value", "low", "high"))
    if value is None:
        return words.ABSENT
    if low is None or high is None:
        return f"{written(value)}  (insufficient data)"
    return f"{written(value)}  ({written(low)} to {written(high)})"


def share(found: Json) -> str:
    """A share with its interval and the number of cases."""
    if found.get("value") is None:
        return words.ABSENT
    between = (
        ""
        if found.get("low") is None
        else f"{words.percent(found['low'])} to {words.percent(found['high'])}, "
    )
    return f"{words.percent(found['value'])}  ({between}n {words.count(found['n'])})"


def slices() -> None:
    """Agreement by one fact at a time."""
    fact = frame.choice("By", "by", FACTS, default="week")
    found = signin.client().agreement.slices(fact)
    if not found["groups"]:
        frame.empty(
            f"No payment with a known {FACTS[fact].lower()} has been judged by two people yet.",
            "Only blind second reviews drawn at random, in the same display arm, are counted.",
        )
        return
    rows = [
        {
            FACTS[fact]: words.title_of(row["value"], KNOWN.get(fact, {})) if fact in KNOWN else row["value"],
            "Payments": row["n_items"],
            "Verdicts of fraud": row["positive_ratings"],
        }
        | {label: told(row[name], as_share=name in SHARES) for name, label in MEASURES.items()}
        for row in found["groups"]
    ]
    frame.table(rows, height="content")
    notes = [
        "Alpha falls where fraud is rare though nobody changed: do not compare it between rows of different mix."
    ]
    if found["without_overlap"]:
        notes.append(
            f"{words.plural(found['without_overlap'], 'further value')} had no payment judged twice."
        )
    st.caption(" ".join(notes))


def trend() -> None:
    """Agreement by week at a fixed mix, self-consistency, and what skew alone does."""
    found = signin.client().agreement.trend()
    st.subheader("By week, at a fixed mix of cases", anchor=False)
    if found["weeks"]:
        rows = [
            {
                "Week": week["week"],
                "Payments": week["n_items"],
                "Said fraud": words.percent(week["positive_share"]),
                "Alpha": told(week["observed"]["alpha"]),
                "Alpha, fixed mix": told(week["fixed_mix"]["alpha"]),
                "AC1": told(week["observed"]["ac1"]),
                "AC1, fixed mix": told(week["fixed_mix"]["ac1"]),
            }
            for week in found["weeks"]
        ]
        frame.table(rows, height="content")
        st.caption(
            "Each week's payments are weighted so that every band of the score has the share it has over all weeks: "
            "what is left of a trend is people, not cases."
        )
    else:
        st.caption("No payment with a score has been judged by two people yet.")
    _second_looks(signin.client().agreement.second_looks())
    _skew(found["skew"])


def _second_looks(found: Json) -> None:
    st.subheader("Does a person say the same twice?", anchor=False)
    if not found["n_looks"]:
        st.caption(
            "No payment has come back to its reviewer yet. A share of tasks does, blind, after a while."
        )
        return
    days = found["median_days_between"]
    after = "" if days is None else f", {words.count(days)} days later in the median"
    st.markdown(
        f"On {words.plural(found['n_looks'], 'payment')} that came back to the same person{after}, the same verdict "
        f"was given in **{share(found['same'])}**; Cohen's kappa {told(found['cohen_kappa'])}."
    )
    st.caption("Agreement between people can hardly be better than this.")


def _skew(found: Json) -> None:
    st.subheader(words.plain(found["sentence"]), anchor=False)
    spoken = {
        "raw": "Raw agreement",
        "ac1": "AC1",
        "positive_specific": "Agreement on fraud",
        "alpha": "Alpha",
    }
    rows = [
        {"x": point["fraud"], "y": point[name], "line": label}
        for point in found["points"]
        for name, label in spoken.items()
    ]
    given = (rows, palette(), "share of fraud among the cases")
    show_chart(lines_chart.over_share, *given, told=found["sentence"], key="skew")
    whose = "our people, as measured" if found["measured"] else "people as the policy assumes them"
    st.caption(
        f"Computed for two independent reviewers as good as {whose}: recall {words.percent(found['recall'])}, false "
        f"positive rate {words.percent(found['false_positive_rate'])}. Only the share of fraud changes."
    )


def display() -> None:
    """Automation bias."""
    found = signin.client().agreement.display()
    st.markdown(f"##### {words.plain(found['sentence'])}")
    if found["adherence"]:
        st.subheader("How often verdicts follow the model", anchor=False)
        rows = [
            {
                "Display arm": words.title_of(arm, words.ARMS),
                "Model right": share(one["model_right"]),
                "Model wrong": share(one["model_wrong"]),
            }
            for arm, one in found["adherence"].items()
        ]
        frame.table(rows, height="content")
    if found["threshold"] is not None:
        st.caption(
            f"The model says fraud from {words.percent(found['threshold'])}: as many alarms as people raised. "
            "Whether it is right is known of golden cases and of audited payments whose time to be disputed is over."
        )
    _effects(found)
    _revealed(found["after_reveal"])


def _effects(found: Json) -> None:
    if not found["effects"]:
        st.caption("Comparisons come once verdicts have been given in two display arms.")
        return
    st.subheader("What the display changes", anchor=False)
    rows = [
        {
            "": EFFECTS[one["measure"]],
            "Effect": CONTRASTS[one["contrast"]],
            "Without": _side(one, "without"),
            "With": _side(one, "with"),
            "Change": _change(one),
            "p (all tests)": words.ABSENT if one.get("p_adjusted") is None else f"{one['p_adjusted']:.2g}",
        }
        for one in found["effects"]
    ]
    frame.table(rows, height="content")
    drawn = (
        "payments and reviewers" if found["reviewers_resampled"] else "payments; it speaks of these reviewers"
    )
    st.caption(
        f"Intervals: bootstrap over {drawn}. Tests: permutation of what was shown, adjusted for their number."
    )


def _side(one: Json, side: str) -> str:
    value = one[side]["value"]
    if value is None:
        return words.ABSENT
    written = f"{value:.0f} s" if one["measure"] == "seconds" else words.percent(value)
    return f"{written}  (n {words.count(one[side]['n'])})"


def _change(one: Json) -> str:
    if one["difference"] is None or one["low"] is None:
        return "insufficient data"
    if one["measure"] == "seconds":
        return f"{words.number(one['difference'])} times  ({words.interval(one['low'], one['high'])})"
    points = [f"{100 * one[key]:+.1f}".replace("-", words.MINUS) for key in ("difference", "low", "high")]
    return f"{points[0]} points  ({points[1]} to {points[2]})"


def _revealed(found: Json) -> None:
    st.subheader("After the score is revealed", anchor=False)
    if not found["n"]:
        st.caption("Nobody who decided first has looked at the score and answered again yet.")
        return
    frame.facts(
        [
            ("Changed the verdict", share(found["changed"])),
            ("Mended, spoiled", f"{found['mended']}, {found['spoiled']}"),
            ("Gave in where the model was right", share(found["gave_in_model_right"])),
            ("Gave in where the model was wrong", share(found["gave_in_model_wrong"])),
        ]
    )
