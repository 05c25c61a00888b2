"""Which decisions get a case or an audit task, and what will the reviewer see?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from casework.cases import cases, joining
from casework.cases.dossiers import Background, Guideline, build_dossier
from casework.cases.earlier import Earlier
from casework.cases.open_cases import OpenCases, Young
from casework.live import Live
from casework.review.tasks import Task
from data.canonical import sha256_hex
from data.incoming.mapping import Mapping as Columns
from data.writer import Writer
from engine.decision import Decision, Outcome
from engine.policy import Policy
from engine.rules.rule_set import RuleSet


def wanted(decision: Decision) -> bool:
    """Whether a person is to look at this decision."""
    return decision.outcome is Outcome.REVIEW or decision.draws.audited


class Intake:
    """Opens what decisions call for, inside the write that holds them."""

    def __init__(self, columns: Columns, key: bytes) -> None:
        self._columns, self._key = columns, key
        self.open_cases = OpenCases()

    def open(self, w: Writer, live: Live, made: Sequence[Decision], at: datetime) -> dict[int, str]:
        """Cases and audit tasks for these fresh decisions; case ids by the transactions' seq."""
        live.past.add(d.transaction for d in made)
        chosen = [decision for decision in made if wanted(decision)]
        if not chosen:
            return {}
        opened: dict[int, str] = {}
        for decision in chosen:
            seq = decision.transaction.seq
            earlier = live.past.before(decision.transaction, at)
            dossier = build_dossier(decision, self.background(live, earlier))
            review = self._open(w, decision, dossier, live.settings.policy, at)
            if isinstance(review, cases.Case):
                opened[seq] = review.case_id
        return opened

    def _open(
        self, w: Writer, decision: Decision, dossier: Mapping[str, Any], policy: Policy, at: datetime
    ) -> cases.Case | Task | None:
        """Join the open case of its entity, or open what the decision calls for. Audits never join."""
        if decision.outcome is Outcome.REVIEW:
            joined = self.open_cases.fitting(decision, policy, at)
            if joined is not None:
                return joining.join(w, joined, decision, dossier, policy, self._key, at)
        remember = partial(self._opened, decision, policy)
        return cases.open_review(w, decision, dossier, policy, self._key, at, remember)

    def _opened(self, decision: Decision, policy: Policy, case: cases.Case, opened: list[Task]) -> None:
        if policy.work.joining:
            entity = policy.work.joining.entity
            value = decision.transaction.entities.get(entity) or ""
            self.open_cases.opened(entity, value, Young(case, 1, opened))

    def by_hand(
        self, w: Writer, live: Live, decision: Decision, person: str, reason: str, at: datetime
    ) -> cases.Case:
        """A case that somebody asked for. ConflictError if there is one already, InputError without a reason."""
        dossier = build_dossier(decision, self.background(live, live.past.before_old(decision, at)))
        policy = live.settings.policy
        return cases.open_case(w, decision, dossier, policy, self._key, at, opened_by=person, reason=reason)

    def background(self, live: Live, earlier: Earlier) -> Background:
        """What a dossier needs beside the decision."""
        return Background(
            features=live.settings.features.features,
            rules=about_rules(live.settings.rules),
            earlier=earlier,
            guideline=guideline_of(live.settings.files),
            currency=self._columns.base_currency,
            protected=live.settings.policy.protected_attribute,
        )


def about_rules(rules: RuleSet) -> dict[str, dict[str, str]]:
    """What a reviewer reads beside a rule that hit."""
    return {
        rule.id: {"title": rule.title, "runbook": rule.runbook, "false_positives": rule.false_positives}
        for rule in rules
    }


def guideline_of(files: Mapping[str, bytes]) -> Guideline:
    """The approved guidelines; their version is the start of their hash."""
    content = files.get("guidelines.md", b"")
    return Guideline(sha256_hex(content)[:12], content.decode("utf-8", "replace")) if content else Guideline()
