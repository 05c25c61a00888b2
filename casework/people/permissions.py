"""Who may do what? One table of roles and permissions, and the one place that checks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from data.errors import PermissionDenied


class Role(StrEnum):
    """What a person, or a system that posts transactions, is here to do."""

    ANALYST = "analyst"
    TEAM_LEAD = "team_lead"
    RISK_MANAGER = "risk_manager"
    AUDITOR = "auditor"
    ADMIN = "admin"
    INTEGRATOR = "integrator"


class Permission(StrEnum):
    """One thing that can be allowed. Every HTTP endpoint names exactly one, or is public and says so."""

    SIGNED_IN = "be signed in"
    UNSENT_KEEP = "keep what one typed and has not sent"
    DECISIONS_REQUEST = "request decisions"
    DECISIONS_READ = "read decisions"
    TRANSACTIONS_IMPORT = "import transactions"
    IMPORTS_READ = "read imports"
    OUTCOMES_REPORT = "report outcomes"
    QUEUE_READ = "read the queue"
    TASKS_WORK = "work on review tasks"
    TASKS_LIST = "list review tasks"
    CASES_READ = "read cases"
    CASES_OPEN = "open a case by hand"
    CASES_DISPOSE = "record what happens to a payment"
    CASES_ARRANGE = "merge, split and link cases"
    TASKS_MOVE = "move tasks between queues and people"
    NOTES_WRITE = "write notes and attach files"
    TEAM_READ = "read backlog, forecast and inbox"
    FLAGS_ANSWER = "answer flags in one's inbox"
    REVIEWERS_PLACE = "say who serves which queue"
    REVIEWERS_TRAIN = "put reviewers in training and sign that they are qualified"
    REVIEW_DESIGN_READ = "read what a review design costs and tells, and golden cases"
    GOLDEN_CHOOSE = "nominate and retire golden cases"
    WEBHOOKS_MANAGE = "manage webhooks"
    WEBHOOKS_READ = "read webhook deliveries"
    DISPOSITIONS_READ = "read dispositions"
    SCORECARDS_READ = "read other people's scorecards"
    QUALITY_READ = "read consistency, summary and subgroup figures"
    SETTINGS_READ = "read rules and policy"
    SETTINGS_PREVIEW = "read what rules, policy and changes to them do"
    SETTINGS_PROPOSE = "propose changes of rules and policy"
    SETTINGS_APPROVE = "approve rules and policy"
    SAFETY_READ = "read what safety has switched, snoozed, listed and tried"
    SAFETY_STOP = "turn the kill switch on, stop a trial, acknowledge an alarm"
    SAFETY_START = "turn the kill switch off, let what the breaker paused go on"
    CONTROLS_SET = "snooze a rule, put somebody on a list"
    LISTS_PROPOSE = "propose somebody for a list"
    TRIALS_RUN = "try other settings on live traffic"
    MODELS_READ = "read models and retrains"
    MODELS_RETRAIN = "ask for a retrain"
    LABELS_MANAGE = "void verdicts and run labelling campaigns"
    JOBS_READ = "read jobs"
    JOBS_RUN = "run jobs"
    METRICS_READ = "read the server's metrics"
    AUDIT_READ = "read the audit record"
    BACKUPS_MAKE = "make backups"
    PERSONAL_ERASE = "erase personal data"
    USERS_MANAGE = "manage users"
    USERS_READ = "read who has a sign-in and which keys there are"


_P, _R = Permission, Role
_PEOPLE = frozenset({_R.ANALYST, _R.TEAM_LEAD, _R.RISK_MANAGER, _R.AUDITOR, _R.ADMIN})
_OVERSIGHT = _PEOPLE - {_R.ANALYST}
_LEADS = frozenset({_R.TEAM_LEAD, _R.RISK_MANAGER})
_SYSTEMS = frozenset({_R.INTEGRATOR, _R.ADMIN})
_REVIEWERS = frozenset({_R.ANALYST, _R.TEAM_LEAD})
_OWNERS = frozenset({_R.RISK_MANAGER, _R.ADMIN})

ALLOWED: Mapping[Permission, frozenset[Role]] = {
    _P.SIGNED_IN: frozenset(Role),
    _P.UNSENT_KEEP: _PEOPLE - {_R.AUDITOR},  # an auditor writes nothing
    _P.DECISIONS_REQUEST: _SYSTEMS,
    _P.DECISIONS_READ: frozenset(Role),
    _P.TRANSACTIONS_IMPORT: _SYSTEMS,
    _P.IMPORTS_READ: _SYSTEMS | {_R.RISK_MANAGER, _R.AUDITOR},
    _P.OUTCOMES_REPORT: _SYSTEMS,
    _P.QUEUE_READ: _PEOPLE,
    _P.TASKS_WORK: _REVIEWERS,
    _P.TASKS_LIST: _PEOPLE,
    _P.CASES_READ: _PEOPLE,
    _P.CASES_OPEN: _REVIEWERS | _LEADS,
    _P.CASES_DISPOSE: _LEADS,
    _P.CASES_ARRANGE: frozenset({_R.TEAM_LEAD}),
    _P.TASKS_MOVE: frozenset({_R.TEAM_LEAD}),
    _P.NOTES_WRITE: _REVIEWERS | _LEADS,
    _P.TEAM_READ: _OVERSIGHT,
    _P.FLAGS_ANSWER: _LEADS | {_R.ADMIN},
    _P.REVIEWERS_PLACE: frozenset({_R.TEAM_LEAD, _R.ADMIN}),
    _P.REVIEWERS_TRAIN: frozenset({_R.TEAM_LEAD}),
    _P.REVIEW_DESIGN_READ: _OVERSIGHT,  # golden cases are listed: not for those who may be given one
    _P.GOLDEN_CHOOSE: frozenset({_R.TEAM_LEAD}),
    _P.WEBHOOKS_MANAGE: frozenset({_R.ADMIN}),
    _P.WEBHOOKS_READ: frozenset({_R.ADMIN, _R.INTEGRATOR, _R.AUDITOR}),
    _P.DISPOSITIONS_READ: _OVERSIGHT | {_R.INTEGRATOR},
    _P.SCORECARDS_READ: frozenset({_R.TEAM_LEAD}),  # after the person concerned; each look is recorded
    _P.QUALITY_READ: _PEOPLE,
    _P.SETTINGS_READ: _PEOPLE,
    _P.SETTINGS_PREVIEW: _OWNERS | {_R.AUDITOR},  # single payments are listed: not for those who review them
    _P.SETTINGS_PROPOSE: _OWNERS | {_R.TEAM_LEAD},  # guidelines and lists are a team lead's
    _P.SETTINGS_APPROVE: _OWNERS,
    _P.SAFETY_READ: _OVERSIGHT,  # an entry tells how a case ended: not for those who may judge it again
    _P.SAFETY_STOP: _OWNERS | {_R.TEAM_LEAD},
    _P.SAFETY_START: _OWNERS,
    _P.CONTROLS_SET: _OWNERS | {_R.TEAM_LEAD},
    _P.LISTS_PROPOSE: _OWNERS | _REVIEWERS,
    _P.TRIALS_RUN: _OWNERS,
    _P.MODELS_READ: _OVERSIGHT,
    _P.MODELS_RETRAIN: _OWNERS,
    _P.LABELS_MANAGE: frozenset({_R.TEAM_LEAD}),
    _P.JOBS_READ: _OVERSIGHT,
    _P.JOBS_RUN: _OWNERS,
    _P.METRICS_READ: _OWNERS | {_R.AUDITOR, _R.INTEGRATOR},
    _P.AUDIT_READ: frozenset({_R.AUDITOR, _R.RISK_MANAGER, _R.ADMIN}),
    _P.BACKUPS_MAKE: frozenset({_R.ADMIN}),
    _P.PERSONAL_ERASE: frozenset({_R.ADMIN}),
    _P.USERS_MANAGE: frozenset({_R.ADMIN}),
    _P.USERS_READ: frozenset({_R.ADMIN, _R.AUDITOR}),
}


@dataclass(frozen=True, slots=True)
class Person:
    """Who is asking: a signed-in user, and the role the ledger gives them.

    Through an API key (`key_id`), only `scope` is left of what the role may; None leaves all of it. `local` is true of
    nobody but a command on the server's own machine: the token that is let in tells it, never a name.
    """

    user_id: str
    role: Role
    scope: frozenset[Permission] | None = None
    key_id: str = ""
    local: bool = False

    def may(self, permission: Permission) -> bool:
        return self.role in ALLOWED[permission] and (self.scope is None or permission in self.scope)


def require(person: Person, permission: Permission) -> None:
    """Raise PermissionDenied unless the person's role has the permission."""
    if person.may(permission):
        return
    if person.role in ALLOWED[permission]:
        raise PermissionDenied(
            f"this key may not {permission}",
            where=person.key_id,
            allowed=", ".join(sorted(person.scope or ())),
            hint="Ask an admin for a key with another scope.",
        )
    raise PermissionDenied(
        f"the role {person.role} may not {permission}",
        allowed=", ".join(sorted(ALLOWED[permission])),
        hint="Ask someone with one of these roles, or ask an admin for another role.",
    )
