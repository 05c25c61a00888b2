"""Which changes wait for the visitor's approval in the demo institution?"""

from __future__ import annotations

from datetime import datetime

from casework.app import App
from casework.settings import evidence, proposals, steps
from casework.settings.proposals import Asked
from casework.settings.rule_text import with_step

AUTHOR = "risk-manager-2"
"""The visitor signs in as risk-manager-1, and nobody approves a change of their own."""
_STEP, _EDIT = "small_digital_trial", "card_testing_burst"


def leave_open(app: App, at: datetime) -> list[str]:
    """Propose a higher limit of one rule, and that another goes live if it has shown enough; the proposals' ids."""
    made = [_higher_limit(app, at)]
    settings = app.settings()
    rule = settings.rules.rule(_STEP)
    if evidence.shadow_evidence(app, rule, settings.policy, at)["enough"]:
        reason = "Found in shadow what the model passes; two or three more cases a day"
        files = steps.step(app, _STEP, "live", reason=reason, override_reason="", at=at)
        made.append(
            proposals.propose(
                app, files, Asked(AUTHOR, reason, f"console: step of {_STEP}"), at=at
            ).proposal_id
        )
    return made


def _higher_limit(app: App, at: datetime) -> str:
    settings = app.settings()
    path, reason = f"catalogue/{_EDIT}.yaml", "Testers moved from 14.99 to 19.99 this week"
    text = settings.files[path].decode().replace("1500", "2000").replace("1501", "2001")
    version, status = settings.rules.rule(_EDIT).version + 1, settings.rules.rule(_EDIT).status
    changed = with_step(
        text.encode(),
        path,
        version=version,
        status=status,
        change=f"Limit from 15 to 20: {reason}",
        on=at.date(),
    )
    return proposals.propose(app, {path: changed}, Asked(AUTHOR, reason, "console: texts"), at=at).proposal_id
