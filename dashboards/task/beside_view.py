"""What may a reviewer want beside the task, worked out when it is first looked at: links, similar cases, what if?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.calls.client import ApiError
from dashboards.pieces import frame, links_picture, words
from dashboards.pieces.drawing import show_chart
from dashboards.pieces.palette import palette

Json = dict[str, Any]
RIGHT = st.column_config.TextColumn(alignment="right")
_OTHER_WAY = {"approve": "To approve", "review": "To review", "decline": "To decline"}


def what_if(page: Json) -> None:
    """The smallest changes that would have given another answer, and how far they were looked for."""
    found = _part(page, "what_if")
    if found is None:
        return
    st.markdown("##### What would have changed the outcome")
    for each in found["found"]:
        changes = " **and** ".join(_change(change) for change in each["changes"])
        chance = each.get("probability")
        score = f" The probability would be {words.percent(chance)}." if chance is not None else ""
        st.markdown(f"{words.badge(each['outcome'], words.OUTCOMES)} if {changes}.{score}")
    st.caption(
        f"{words.plain(found['sentence'])} Each time the engine decided, rules and model both; missing inputs stayed "
        "missing. It says what the engine weighed, not what happened."
    )


def _change(change: Json) -> str:
    value, was = words.plain(change["value_text"]), words.plain(change["was_text"])
    return f"“{words.plain(change['phrase'])}” were **{value}** instead of {was}"


def links(page: Json) -> None:
    """Who and what hangs together with the payment: a picture, and the same in words."""
    found = _part(page, "links")
    if found is None:
        return
    others = sum(node["hop"] == 2 for node in found["nodes"])
    frauds = sum(bool(node.get("known_frauds")) for node in found["nodes"] if node["hop"] == 2)
    finding = f"{words.plural(others, 'other value')} shared a payment with what this one names"
    st.markdown(f"##### {finding}" + (f", {frauds} with known fraud" if frauds else ""))
    given = (found, page["transaction"]["currency"], palette())
    show_chart(links_picture.picture, *given, told=links_picture.told(found), key="links")
    more = [
        f"{m['count']} more of {m['kind'].replace('_', ' ')} with {m['of'].partition(':')[2]}"
        for m in found["more"]
    ]
    st.caption(
        words.plain(" ".join([found["limits"], *([f"Not drawn: {words.listed(more)}."] if more else [])]))
    )
    with st.expander("The same in words"):
        st.markdown("\n".join(f"- {words.plain(sentence)}" for sentence in found["sentences"]))


def similar(page: Json) -> None:
    """Settled payments that looked most like this one to the engine, with what people said of them."""
    found = _part(page, "similar")
    if found is None:
        return
    if not found["cases"]:
        frame.empty("No similar cases", words.capital(found["sentence"] or "None that you may see now."))
        return
    st.markdown(f"##### {words.plain(found['sentence']) or 'The most alike'}")
    currency = page["transaction"]["currency"]
    rows = [
        {
            "Verdict": _judged(case),
            "Alike": case["alike"],
            "Amount": words.money(case["amount_minor"], currency),
            "Paid": frame.when(case["occurred_at"]).rpartition(",")[0],
            "In common": words.listed(case["shared"]),
        }
        for case in found["cases"]
    ]
    alike = st.column_config.ProgressColumn(min_value=0.0, max_value=1.0, format="%.2f", width=90)
    frame.table(rows, height="content", column_config={"Amount": RIGHT, "Alike": alike})
    st.caption(
        "Alike to the engine: near in what pushed the score and in the rules that were hit, settled before this "
        "payment was decided. Verdicts are what colleagues said, not what is true."
    )


def _judged(case: Json) -> str:
    """The verdict, the typology that was named, and how many people had said so."""
    typology = words.title_of(case["typology"], words.TYPOLOGIES) if case["typology"] else ""
    many = f"{case['people']} people" if case["people"] > 1 else ""
    more = ", ".join(each for each in (typology, many) if each)
    return words.sign_and_word(case["verdict"], words.VERDICTS) + (f" ({more})" if more else "")


def behind_rule(page: Json, rule_id: str) -> None:
    """The payments that a rule's inputs counted."""
    found = _part(page, "behind_rules")
    if found is None:
        return
    inputs: list[Json] = next((rule["inputs"] for rule in found["rules"] if rule["id"] == rule_id), [])
    if not inputs:
        st.caption("It looks at this payment alone.")
    currency = page["transaction"]["currency"]
    for each in inputs:
        shown = len(each["payments"])
        many = f", the latest {shown} of {words.count(each['count'])}" if each["count"] > shown else ""
        st.markdown(f"**{words.capital(words.plain(each['phrase']))}: {words.plain(each['text'])}**{many}")
        if not shown:
            st.caption("There is no such payment.")
            continue
        frame.table(
            [_behind(row, currency, page["transaction"]["entities"]) for row in each["payments"]],
            height="content", column_config={"Amount": RIGHT},
        )  # fmt: skip


def _behind(row: Json, currency: str, now: Json) -> Json:
    entities = {
        words.capital(name): "same" if value == now.get(name) else str(value or words.ABSENT)
        for name, value in row["entities"].items()
    }
    return {
        "Paid": frame.when(row["occurred_at"]),
        "Amount": words.money(row["amount_minor"], currency),
        **entities,
    }


def _part(page: Json, name: str) -> Json | None:
    """A part of the task's page, asked for once; None where it is withheld or was never opened, which is said."""
    kept: dict[tuple[str, str, str], Json] = st.session_state.setdefault("parts", {})
    place = (page["task_id"], str(page.get("status")), name)
    if place not in kept:
        try:
            with st.spinner("Working it out …"):
                answer = signin.client().part(page["task_id"], name)
        except ApiError as error:
            if error.status == signin.SIGNED_OUT:
                raise
            frame.show_error(error)
            return None
        for old in [each for each in kept if each[0] != page["task_id"]]:
            del kept[old]
        kept[place] = answer
    if kept[place]["content"] is None:
        st.caption(words.plain(kept[place]["withheld"]))
    content: Json | None = kept[place]["content"]
    return content
