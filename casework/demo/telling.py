"""How is a finished demo told to the person at the terminal?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def lines(summary: Mapping[str, Any]) -> list[str]:
    """The summary in a dozen readable lines."""
    counts, quality, people = summary["counts"], summary["model_quality"], summary["reviewers"]
    latency = summary["decision_latency_ms"]
    by_outcome = ", ".join(f"{n:,} {name}" for name, n in summary["outcomes"].items())
    by_reason = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in summary["cases_by_reason"].items())
    found = [
        f"Built in {summary['built_in_seconds']} s in {summary['workspace']}",
        f"Payments   {counts['transactions']:,}, of which {counts['decisions']:,} decided live: {by_outcome}",
        f"Cases      {counts['cases']} ({by_reason})",
        f"People     {counts['verdicts']} verdicts; recall {people['recall']}, precision {people['precision']} "
        "by the simulator's truth",
        f"Agreement  {summary['agreement_n']} random second reviews: alpha {_interval(summary['agreement']['alpha'])}, "
        f"AC1 {_interval(summary['agreement']['ac1'])}",
        f"Scores     average precision {_interval(quality.get('average_precision'))}, "
        f"AUC {_interval(quality.get('auc'))}, {quality['frauds']} frauds in {quality['n']:,} live decisions",
    ]
    found += [f"Retrain    {run['challenger_id']}: {run['sentence']}" for run in summary["retrains"]]
    if latency["n"]:
        found.append(
            f"Latency    p50 {latency['p50']} ms, p95 {latency['p95']} ms, p99 {latency['p99']} ms "
            f"({latency['what']}, n = {latency['n']})"
        )
    longest = sorted(summary["stages"], key=lambda row: -row["seconds"])[:4]
    found.append("Time       " + ", ".join(f"{row['stage']} {row['seconds']:.0f} s" for row in longest))
    users = ", ".join(summary["sign_in"]["users"])
    return [
        *found,
        f"Open       {summary['open_tasks']} tasks wait for you",
        f"Sign in    password {summary['sign_in']['password']}; as {users}",
    ]


def _interval(figure: Mapping[str, Any] | None) -> str:
    """0.72 [0.63, 0.79], or how much of it is known."""
    if not figure or figure["value"] is None:
        return "not known"
    if figure["low"] is None:
        return f"{figure['value']:.2f} (too few for an interval)"
    return f"{figure['value']:.2f} [{figure['low']:.2f}, {figure['high']:.2f}]"
