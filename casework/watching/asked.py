"""How was people's time split between money at risk, uncertainty and chance, and what did each part find?"""

from __future__ import annotations

from typing import Any

from casework.quality.subgroups import wilson
from casework.review.lanes import RANDOM_LANES
from casework.watching.stretches import Stretch
from data.ledger import Ledger
from engine.policy import Policy

JSON = dict[str, Any]
PURPOSES = {
    "money_at_risk": "money at risk",
    "uncertain": "uncertainty",
    "random": "chance",
    "other": "other work",
}

# Of several verdicts on one payment in a lane the last is what was found; one that was undone or declared void is none.
# Seconds that are forgotten are left out.
_ASKED = """
WITH each AS (
    SELECT lane, transaction_seq, arg_max(value, (given_at, event_seq)) AS value, count(*) AS verdicts,
           sum(greatest(seconds - idle_seconds, 0)) FILTER (NOT isnan(seconds)) AS seconds
    FROM verdicts WHERE given_at >= $since AND given_at < $until AND undone_at IS NULL
      AND verdict_id NOT IN (SELECT verdict_id FROM voided_verdicts)
    GROUP BY ALL)
SELECT lane, CAST(sum(verdicts) AS BIGINT) AS verdicts, count(*) FILTER (value = 'confirmed_fraud') AS confirmed,
       count(*) FILTER (value <> 'inconclusive') AS judged, sum(seconds) AS seconds
FROM each GROUP BY lane
"""


def purpose_of(lane: str) -> str:
    if lane in RANDOM_LANES or lane == "campaign":
        return "random"
    return lane if lane in PURPOSES else "other"


def asked(ledger: Ledger, stretch: Stretch, policy: Policy) -> list[JSON]:
    """A row for each purpose: verdicts, their share of all, the share the policy gives it, hours, and the share of
    payments that reviewers confirmed (what people said, not a fraud rate)."""
    rows = ledger.read(_ASKED, {"since": stretch.since, "until": stretch.until})
    total = sum(row["verdicts"] for row in rows)
    found = []
    for purpose, words in PURPOSES.items():
        mine = [row for row in rows if purpose_of(row["lane"]) == purpose]
        given = sum(row["verdicts"] for row in mine)
        wanted = sum(share for lane, share in policy.lanes.items() if purpose_of(lane) == purpose)
        found.append(
            {
                "purpose": purpose,
                "words": words,
                "verdicts": given,
                "share": given / total if total else None,
                "share_in_policy": wanted,
                "hours": sum(float(row["seconds"] or 0) for row in mine) / 3600,
                "share_confirmed": wilson(sum(r["confirmed"] for r in mine), sum(r["judged"] for r in mine)),
            }
        )
    return [row for row in found if row["verdicts"] or row["share_in_policy"]]
