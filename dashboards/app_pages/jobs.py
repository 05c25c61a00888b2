"""What runs by itself, when did it last run, and what came of it?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import streamlit as st

from dashboards.access import signin
from dashboards.pieces import frame, words

Json = dict[str, Any]
OWNERS = ("risk_manager", "admin")


def show() -> None:
    frame.head("Jobs", "What the server does by itself, on the policy's schedule.")
    jobs = frame.items(signin.client().jobs(), "jobs")
    if not jobs:
        frame.empty("No job is scheduled.", "Jobs come from the policy; the server starts them.")
    for job in sorted(jobs, key=_needs_nobody):
        _job(job)


def _needs_nobody(job: Json) -> bool:
    """What runs, failed or was paused comes before what goes by itself."""
    return not (job.get("running") or job.get("paused") or job.get("last_result") == "failed")


def _job(job: Json) -> None:
    with st.container(key=f"job_{job['name']}", gap=None):
        left, last, schedule, action = st.columns([2, 1.7, 1, 1.5], vertical_alignment="center")
        with left:
            what = words.plain(job.get("what") or "")
            name = words.plain(words.capital(job["name"].replace("_", " ")))
            st.markdown(f"**{name}**  \n:gray[:small[{what}]]" if what else f"**{name}**")
        with last:
            _last(job)
        with schedule:
            every = words.span(timedelta(seconds=float(job.get("every_seconds") or 0)))
            coming = (
                ":red-badge[‖ Paused]"
                if job.get("paused")
                else f"next {words.due(job.get('next_run_at'), frame.now())}"
                if job.get("next_run_at")
                else "not scheduled"
            )
            st.markdown(f"{coming}  \n:gray[:small[every {every}]]")
        if frame.role() in OWNERS:
            with action, st.container(horizontal=True, horizontal_alignment="right", gap="xsmall"):
                _run(job)
                _pause(job)
        if job.get("paused"):
            by = f"by {words.plain(job['paused_by'])} {words.ago(job['paused_at'], frame.now())}"
            st.caption(f"Paused {by}: {words.plain(job['paused_reason'])}")


def _pause(job: Json) -> None:
    """Keep it from running by itself, or let it again; either needs a reason."""
    told = "Resume" if job.get("paused") else "Pause"
    with st.popover(told, icon=":material/play_circle:" if job.get("paused") else ":material/pause:"):
        reason = st.text_input("Reason", key=f"pause_reason_{job['name']}", max_chars=2000)
        if st.button(f"{told} it", key=f"pause_{job['name']}", disabled=len(reason.strip()) < 3):
            with frame.attempt():
                calls = signin.client().learning
                act = calls.resume_job if job.get("paused") else calls.pause_job
                act(job["name"], reason.strip())
                st.rerun()


def _last(job: Json) -> None:
    if job.get("running"):
        st.markdown(words.badge("running", words.STATUSES))
    elif not job.get("last_started_at"):
        st.caption("has not run yet")
    else:
        st.markdown(
            f"{words.badge(job.get('last_result'), words.STATUSES)} {words.ago(job['last_started_at'], frame.now())}"
        )
        st.caption(words.plain(str(job.get("last_detail") or "")))


def _run(job: Json) -> None:
    if st.button(
        "Run now", icon=":material/play_arrow:", key=f"run_{job['name']}", disabled=bool(job.get("running"))
    ):
        with frame.attempt(), st.spinner("Running", show_time=True):
            signin.client().run_job(job["name"])
            st.rerun()


show()
