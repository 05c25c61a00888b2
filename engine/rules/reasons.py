"""How is a rule's reason rendered with the values it saw?"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from data.errors import did_you_mean
from engine.decision import FeatureValue
from engine.rules.grammar import GrammarError
from engine.units import text as in_words

PLACE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence with places such as {customer_txn_count_1d}, and each place's unit."""

    template: str
    units: Mapping[str, str]
    currency: str

    def render(self, row: Mapping[str, FeatureValue]) -> str:
        """The sentence with its values in words: money in major units, seconds as '3 h', shares as '12 %'."""
        return PLACE.sub(lambda m: in_words(row.get(m[1]), self.units[m[1]], self.currency), self.template)


def parse_reason(template: str, usable: Mapping[str, str], currency: str) -> Reason:
    """`usable` maps each feature the reason may name to its unit. GrammarError for any other place or stray brace."""
    places = PLACE.findall(template)
    for place in places:
        if place not in usable:
            what = f"the reason names '{place}', which the rule does not read"
            raise GrammarError(what, did_you_mean(place, usable) or _listed(usable))
    if re.search(r"[{}]", PLACE.sub("", template)):
        raise GrammarError("the reason has a brace without its partner")
    return Reason(template, {place: usable[place] for place in places}, currency)


def _listed(names: Collection[str]) -> str:
    return "It may name " + ", ".join(names) + "."
