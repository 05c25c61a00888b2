"""Which steps may a rule take in its life, and which of them need evidence?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine.rules.conditions import written
from engine.rules.rule import Rule

NEW = ""
MOVES: Mapping[str, tuple[str, ...]] = {
    NEW: ("draft", "shadow"),
    "draft": ("shadow", "retired"),
    "shadow": ("live", "draft", "retired"),
    "live": ("shadow", "retired"),
    "retired": ("draft", "shadow"),
}
"""From each status the ones that may follow. Whatever else leads to `live` is an exception and must be called one."""


@dataclass(frozen=True, slots=True)
class Move:
    """A rule that changes its status: `before` is empty for a new rule, `after` for one that is gone."""

    rule: Rule
    before: str
    after: str

    @property
    def allowed(self) -> bool:
        """Whether this is a step of an ordinary life."""
        return self.after in MOVES[self.before]

    @property
    def to_live(self) -> bool:
        """Whether the rule begins to be obeyed, which needs evidence."""
        return self.after == "live"


def can_move_to(status: str) -> tuple[str, ...]:
    """The statuses that may follow; the first is the next one in an ordinary life. KeyError for an unknown one."""
    return MOVES[status]


def moves(before: Iterable[Rule], after: Iterable[Rule]) -> tuple[Move, ...]:
    """Every rule whose status differs between two sets, by id; rules that are gone are left to the linter."""
    was = {rule.id: rule.status for rule in before}
    return tuple(
        Move(rule, was.get(rule.id, NEW), rule.status)
        for rule in sorted(after, key=lambda rule: rule.id)
        if was.get(rule.id, NEW) != rule.status
    )


def same_question(one: Rule, other: Rule) -> bool:
    """Whether two versions of a rule hit the same transactions, so that what one found in shadow speaks for the
    other."""
    return written(one.when) == written(other.when) and one.then.expires == other.then.expires
