"""Which rules make sense for any institution, and what do their files say?"""

from __future__ import annotations

from data.incoming.mapping import Mapping
from engine.templates.feature_file import LONGEST_NAME

_LONGEST_ENTITY = 40
_MOST_CATEGORIES = 3
_EXAMPLE = "example_that_matches_nobody"
_FIRST = "history:\n  - {version: 1, at: 2026-01-01, change: Made from the mapping}\n"


def rule_files(mapping: Mapping) -> dict[str, str]:
    """Rule files by path; every number in them is pinned by a test.

    Where nothing can be counted over an entity, what is left is everyone's usual amount, and the categories.
    """
    made: dict[str, str] = {}
    for entity in mapping.entities:
        if len(entity) > _LONGEST_ENTITY:
            continue
        made.update(_rule(f"{entity}_velocity", _velocity(entity, mapping.called)))
        made.update(_rule(f"{entity}_on_block_list", _blocked(entity, _example(entity, mapping))))
        if mapping.amount:
            made.update(_rule(f"{entity}_amount_above_habit", _above_habit(entity, mapping.called)))
        if mapping.label is not None:
            made.update(_rule(f"{entity}_with_known_frauds", _known_frauds(entity, mapping.called)))
    if not mapping.entities:
        if mapping.amount and mapping.occurred_at.unit not in ("days", "months"):
            made.update(_rule("amount_far_above_usual", _far_above_usual(mapping.called)))
        for name in _listed(mapping):
            made.update(_rule(f"{name}_on_block_list", _blocked(name, _EXAMPLE)))
    return made


def _listed(mapping: Mapping) -> list[str]:
    """What block lists are about: the entities, or the first few categories where there are none."""
    if mapping.entities:
        return list(mapping.entities)
    kinds = mapping.attributes.items()
    return [name for name, a in kinds if a.type == "category" and len(name) <= _LONGEST_ENTITY][
        :_MOST_CATEGORIES
    ]


def lists_yaml(mapping: Mapping) -> str:
    """A block list per entity, or per category where there are none, with an entry that matches nobody."""
    text = "# Values that rules look up with IN_LIST(feature, 'list').\n"
    if mapping.pseudonymous:
        named = ", ".join(sorted(mapping.pseudonymous))
        text += f"# Of {named} these are pseudonyms: secondlook mapping pseudonym ENTITY VALUE says which.\n"
    text += "version: 1\nlists:"
    listed = _listed(mapping)
    text += "\n" if listed else " {}\n"
    for entity in listed:
        text += (
            f"  blocked_{entity}:\n    description: Nothing is accepted from these.\n    entries:\n"
            f'      - {{value: {_example(entity, mapping)}, reason: "shows how an entry is written", added_by: init}}\n'
        )
    return text


def _example(entity: str, mapping: Mapping) -> str:
    """A value that is nobody's, in the form in which payments have it."""
    return f"{entity}_{'0' * 32}" if entity in mapping.pseudonymous else _EXAMPLE


def _rule(rule_id: str, body: str) -> dict[str, str]:
    if len(rule_id) > LONGEST_NAME:
        return {}
    return {f"catalogue/{rule_id}.yaml": f"id: {rule_id}\nversion: 1\n{body}"}


def _spoken(entity: str) -> str:
    return entity.replace("_", " ")


def _velocity(entity: str, called: str) -> str:
    count = f"{entity}_txn_count_1h"
    return f"""\
title: Many {called}s of one {_spoken(entity)} within an hour
status: shadow
typology: velocity
severity: medium
owner: risk-manager
description: >-
  In shadow until you know how busy your {_spoken(entity)}s are: raise the number until few honest ones reach it.
when: {count} >= 10
on_missing: no_hit
then:
  floor: review
  reason: "{{{count}}} {{{count}:{called}|{called}s}} of this {_spoken(entity)} within an hour"
false_positives: >-
  Whatever is busy by nature, such as a terminal at a station.
runbook: >-
  Compare with the same hour on other days. The same pace every day is a habit; a new pace is a reason to look on.
{_FIRST}tests:
  - {{name: the eleventh {called} of the hour, given: {{{count}: 10}}, expect: hit}}
  - {{name: the tenth {called} of the hour, given: {{{count}: 9}}, expect: no_hit}}
"""


def _far_above_usual(called: str) -> str:
    far, count = "everyone_amount_deviations_7d", "everyone_txn_count_7d"
    return f"""\
title: Far above what is usual here
status: live
typology: amount_against_habit
severity: medium
owner: risk-manager
description: >-
  Twenty deviations above the mean of everyone's week, asked only where the week says what is usual. Lower the number
  until a day brings no more of these than you can look at.
when:
  all:
    - {far} >= 20
    - {count} >= 200
on_missing: no_hit
then:
  floor: review
  reason: "This amount lies {{{far}}} deviations above the mean of {{{count}}} {{{count}:{called}|{called}s}}"
false_positives: >-
  The few large customers of a place with many small ones.
runbook: >-
  Is this a customer who always buys so much? If nobody knows the customer, the amount is the first thing to ask about.
{_FIRST}tests:
  - {{name: twenty deviations above, given: {{{far}: 20, {count}: 200}}, expect: hit}}
  - {{name: nineteen deviations above, given: {{{far}: 19, {count}: 200}}, expect: no_hit}}
  - {{name: too few {called}s to say what is usual, given: {{{far}: 90, {count}: 199}}, expect: no_hit}}
  - {{name: no amount, given: {{{count}: 200}}, expect: missing}}
"""


def _blocked(entity: str, example: str) -> str:
    return f"""\
title: Block list for {_spoken(entity)}
status: live
typology: known_bad
severity: critical
owner: risk-manager
description: >-
  Nothing is accepted from what is on the list blocked_{entity}. No allow lane overrides this.
when: IN_LIST({entity}, 'blocked_{entity}')
on_missing: no_hit
then:
  block: true
  reason: "This {_spoken(entity)} is on the block list"
false_positives: >-
  Entries that outlived their reason. Give each an expiry.
runbook: >-
  Check the entry's reason and age before you say no to a customer.
{_FIRST}tests:
  - {{name: on the list, given: {{{entity}: {example}}}, expect: hit}}
  - {{name: not on the list, given: {{{entity}: anything_else}}, expect: no_hit}}
"""


def _above_habit(entity: str, called: str) -> str:
    ratio, count = f"{entity}_amount_ratio_30d", f"{entity}_txn_count_30d"
    return f"""\
title: Far above the usual amount of the {_spoken(entity)}
status: live
typology: amount_against_habit
severity: medium
owner: risk-manager
description: >-
  Ten times the usual, asked only where there are enough {called}s for something to be usual.
when:
  all:
    - {ratio} >= 10
    - {count} >= 5
on_missing: no_hit
then:
  floor: review
  reason: "{{amount_minor}} is {{{ratio}}} the usual of this {_spoken(entity)}"
false_positives: >-
  Many small {called}s and one ordinary large one; yearly bills.
runbook: >-
  Look for an equally large {called} in the months before. If there is one, the ratio says little.
{_FIRST}tests:
  - {{name: ten times the usual, given: {{{ratio}: 10, {count}: 5}}, expect: hit}}
  - {{name: nine times the usual, given: {{{ratio}: 9, {count}: 5}}, expect: no_hit}}
  - {{name: too few {called}s to have a usual, given: {{{ratio}: 50, {count}: 4}}, expect: no_hit}}
  - {{name: the first {called}, given: {{{count}: 5}}, expect: missing}}
"""


def _known_frauds(entity: str, called: str) -> str:
    share, count = f"{entity}_fraud_share_7d", f"{entity}_fraud_count_30d"
    return f"""\
title: Known frauds of the {_spoken(entity)}
status: live
typology: known_fraud_nearby
severity: high
owner: risk-manager
description: >-
  Half of what is known of this {_spoken(entity)}'s last week was fraud, and it was not one unlucky {called}.
when:
  all:
    - {share} >= 0.5
    - {count} >= 2
on_missing: no_hit
then:
  floor: review
  reason: "{{{share}}} of the {called}s of this {_spoken(entity)} in a week were fraud, in 30 days {{{count}}}"
false_positives: >-
  Victims, who keep paying after their case was settled.
runbook: >-
  Is this the victim, or the place where it happens? A victim who has changed card or device since: dismiss.
{_FIRST}tests:
  - {{name: half of the week and two frauds, given: {{{share}: 0.5, {count}: 2}}, expect: hit}}
  - {{name: less than half, given: {{{share}: 0.4, {count}: 2}}, expect: no_hit}}
  - {{name: a single fraud, given: {{{share}: 1, {count}: 1}}, expect: no_hit}}
  - {{name: nothing known, given: {{{count}: 2}}, expect: missing}}
"""
