"""Does deciding the past again pass over no payment that triage would have stopped, whatever was switched then?"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import numpy as np

from engine.control import Applied, ListEntry, Snooze, Widening
from engine.costs import CapacityState
from engine.decision import Outcome, RuleResult, RuleState
from engine.what_if.redecide import Past, decide_row, redecide
from tests.engine.triage.test_triage import POLICY

START = datetime(2026, 3, 2, tzinfo=UTC)
NEVER = datetime(2030, 1, 1, tzinfo=UTC)
ASKING = RuleResult("ring", 1, RuleState.HIT, Outcome.DECLINE, reason="a ring", effect="floor")
CONTROLS = (
    Applied(capped_rules=("ring",), model_capped=True),
    Applied(paused_rules=("ring",)),
    Applied(snoozes=(Snooze("s", "card", "c", "ring", NEVER),)),
    Applied(entries=(ListEntry("e", "card", "c", "review", "seen before", NEVER),)),
    Applied(entries=(ListEntry("e", "card", "c", "block", "stolen", NEVER),)),
    Applied(widenings=(Widening("w", "default", 0.2, 5, "the mix moved", NEVER),)),
)


def past(rows: int, draw: random.Random) -> Past:
    return Past(
        decided_at=[START + timedelta(minutes=5 * n) for n in range(rows)],
        probability=[draw.choice((0.0001, 0.02, 0.05, 0.2, 0.7)) for _ in range(rows)],
        amount_minor=[draw.choice((900, 5_000, 40_000)) for _ in range(rows)],
        novelty=[0.0] * rows,
        audit=[1.0] * rows,
        explore=[1.0] * rows,
        killed=[False] * rows,
        start=CapacityState(),
        controls={n: draw.choice(CONTROLS) for n in range(rows) if draw.random() < 0.8},
    )


def test_no_payment_is_passed_over_that_a_control_would_stop() -> None:
    draw = random.Random(11)
    held = past(400, draw)
    asking = {n: (ASKING,) for n in range(400) if draw.random() < 0.1}
    found = redecide(held, asking, POLICY)
    one_by_one = [decide_row(held, n, asking.get(n, ()), POLICY, found.loads[n]).outcome for n in range(400)]
    assert np.array_equal(found.outcome, np.array(one_by_one))
    assert {*one_by_one} == {*Outcome}
