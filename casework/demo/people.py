"""Who works at the demo institution, and how well?"""

from __future__ import annotations

from datetime import datetime

from casework.people import keys, signin
from casework.people.permissions import Role
from casework.workspace import Admin
from data.simulator.analysts import SimulatedAnalyst
from data.writer import Writer

PASSWORD = "second-look"
"""Everybody's password in the demo, which listens on this machine only. No other workspace has a default."""

ADMIN = Admin("admin-1", PASSWORD)
PEOPLE = {
    "analyst-1": Role.ANALYST,
    "analyst-2": Role.ANALYST,
    "analyst-3": Role.ANALYST,
    "analyst-4": Role.ANALYST,
    "analyst-5": Role.ANALYST,
    "team-lead-1": Role.TEAM_LEAD,
    "risk-manager-1": Role.RISK_MANAGER,
    "risk-manager-2": Role.RISK_MANAGER,
    "auditor-1": Role.AUDITOR,
    "integrator-1": Role.INTEGRATOR,
}
# analyst-1 is the visitor's: he or she has worked before, and is away for the last days (see build).
VISITOR = "analyst-1"
# Begins in the last days and is in training (see drawing).
NEWCOMER = "analyst-5"
_PROFILES = {
    "analyst-1": "real",
    "analyst-2": "real",
    "analyst-3": "real",
    "analyst-4": "better",
    "analyst-5": "real",
    "team-lead-1": "better",
}


def add_people(w: Writer, at: datetime) -> None:
    """Everybody but the newcomer."""
    for user_id, role in PEOPLE.items():
        if user_id == NEWCOMER:
            continue
        signin.add_user(w, user_id, role.value, PASSWORD, by=ADMIN.user_id, at=at)
    # Nobody learns its secret: it shows what a key looks like, and is not one to try.
    wanted = keys.Wanted(
        "integrator-1",
        "card authorisation",
        ("decide", "read"),
        2000,
        keys.LONGEST_LIFE,
        "the bank's card system",
    )
    keys.add(w, wanted, by=ADMIN.user_id, at=at)


def simulated(seed: int) -> dict[str, SimulatedAnalyst]:
    """The simulated reviewers by user id, the team lead last."""
    return {user: SimulatedAnalyst.named(user, profile, seed) for user, profile in _PROFILES.items()}
