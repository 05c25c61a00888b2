"""Was anything altered, and do past decisions come out the same again?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words

Json = dict[str, Any]
_LOOK_EVERY = timedelta(seconds=1)


def chain() -> None:
    """Walk the whole chain, with how far it is."""
    st.markdown(
        "Recomputes every hash from the stored bytes, the digest of every imported chunk, the seals, and compares "
        "the rows that repeat an event with what it says."
    )
    with frame.attempt():
        told = signin.client().record.last_verification()
        if st.button(
            "Verify the whole chain",
            type="primary",
            shortcut="V",
            icon=":material/verified:",
            key="verify",
            disabled=told["running"],
        ):
            signin.client().record.begin_verification()
            st.session_state["walking"] = True
            st.rerun()
        if told["running"] or st.session_state.get("walking"):
            _progress()
        else:
            _report(told)


@frame.part(every=_LOOK_EVERY)
def _progress() -> None:
    """How far the walk is; the whole page once it has ended."""
    told = signin.client().record.last_verification()
    if not told["running"]:
        st.session_state.pop("walking", None)
        st.rerun(scope="app")
    total = max(told["total"], 1)
    done = min(told["checked"] / total, 1.0)
    what = (
        f"{words.count(told['checked'])} of {words.plural(total, 'event')} checked"
        if done < 1
        else "Checking tables"
    )
    st.progress(done, text=f"{what}. You may go on elsewhere; the walk goes on.")


def _report(told: Json) -> None:
    report = told.get("report")
    if told.get("problem"):
        st.error(f"The walk could not be finished. {words.plain(told['problem'])} Try again.")
    elif report is None:
        frame.empty(
            "Nobody has walked the chain since the server started",
            "Verify the whole chain, above. A job does so daily.",
        )
    elif report["ok"]:
        st.success(
            f"{words.plural(report['events'], 'event')} verified; nothing was altered.",
            icon=":material/verified:",
        )
    else:
        st.error(
            f"The chain breaks at event {report['first_bad_seq']}: {words.plain(str(report['problem']))}"
        )
        for problem in report["problems"][1:]:
            st.markdown(f"- {words.plain(problem)}")
    if report is not None:
        for warning in report["warnings"]:
            st.warning(f"{words.plain(warning)}.")
        _figures(told, report)


def _figures(told: Json, report: Json) -> None:
    with st.container(border=True):
        frame.facts(
            [
                (
                    "Finished",
                    f"{frame.when(told['finished_at'], seconds=True)}, for {words.plain(told['started_by'])}",
                ),
                ("Payments vouched for", words.count(report["transactions"])),
                ("Sealed from event", words.count(report["sealed_from"])),
                (
                    "Heads noted outside",
                    f"{report['anchors']}, the last at event {words.count(report['anchored_seq'])}",
                ),
            ],
            columns=4,
        )
        st.caption(f"Head of the chain `{report['last_hash']}`")


def replays() -> None:
    """Decide a sample of past decisions again."""
    st.markdown(
        "Decides again from what was stored (the same bit for bit), and works the features out anew from the payments "
        "before each. The draw follows from the seed, so somebody else can repeat it."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        count = st.number_input("Decisions to draw", 1, 100_000, 200, step=100, key="sample", width=180)
        seed = st.text_input("Seed", key="seed", placeholder="any word; drawn if empty", width=260)
        go = st.button("Replay a sample", type="primary", icon=":material/replay:", key="replay_sample")
    st.caption(
        f"Takes about {words.span(timedelta(seconds=max(1, int(count) // 100)))}. The counts go into the record."
    )
    with frame.attempt():
        if go:
            with st.spinner(f"Deciding {words.plural(int(count), 'payment')} again", show_time=True):
                st.session_state["replayed"] = signin.client().record.replay_sample(int(count), seed.strip())
        if told := st.session_state.get("replayed"):
            _replayed(told)
        _past(frame.items(signin.client().record.replays(), "replays"))


def _replayed(told: Json) -> None:
    if told.get("running"):
        st.info(
            f"{words.plural(told['total'], 'decision')} are decided again beside this page. What comes of it is "
            "added to the replays on record below."
        )
        return
    of = f"{words.count(told['replayed'])} of {words.count(told['decisions'])} decisions"
    if told["different"]:
        st.error(f"{words.count(told['different'])} of {of} came out differently. Seed `{told['seed']}`.")
        frame.table(
            [{"What differs": row["what"], "In decisions": row["count"]} for row in told["differences"]]
        )
        for example in told["examples"][:5]:
            st.page_link("app_pages/audit.py", label=f"Look at {example['transaction_id']}",
                         query_params={"section": "decision", "id": example["transaction_id"]})  # fmt: skip
    elif told["replayed"]:
        st.success(
            f"{of} decided again, from what was stored and from the ledger: all the same, bit for bit. "
            f"Seed `{told['seed']}`.",
            icon=":material/verified:",
        )
    if told["unread_count"]:
        st.warning(
            f"{words.plural(told['unread_count'], 'decision')} could not be read: the model or set is gone."
        )


def _past(rows: list[Json]) -> None:
    if not rows:
        frame.empty("No sample was replayed yet", "Replay one above; a job draws a hundred a day.")
        return
    st.markdown("##### Replays on record")
    frame.table(
        [
            {
                "When": frame.when(row["at"]),
                "Who": row["by"],
                "Replayed": row["replayed"],
                "The same": row["same"],
                "Different": row["different"],
                "Not readable": row["unread_count"],
                "Models": len(row["models"]),
                "Seed": row["seed"],
            }
            for row in rows
        ]
    )
