"""How is a rule's reason rendered with the values it saw?"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from data.errors import did_you_mean
from engine.decision import FeatureValue
from engine.rules.grammar import GrammarError
from engine.units import text as in_words

PLACE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Reason:
    """A sentence with places such as {customer_txn_count_1d}, and each place's unit."""

    template: str
    units: Mapping[str, str]
    currency: str

    def render(self, row: Mapping[str, FeatureValue]) -> str:
        """The sentence with its values in words: money in major units, seconds as '3 h', shares as '12 %'."""
        told = [self._pieces[0]]
        for name, unit, following in self._places:
            told.append(in_words(row.get(name), unit, self.currency))
            told.append(following)
        return "".join(told)

    @cached_property
    def _pieces(self) -> list[str]:
        """The template cut at its places: text, name, text, name, ..., text."""
        return PLACE.split(self.template)

    @cached_property
    def _places(self) -> list[tuple[str, str, str]]:
        """Each place's name and unit, and the text that follows it."""
        names, following = self._pieces[1::2], self._pieces[2::2]
        return [(name, self.units[name], text) for name, text in zip(names, following, strict=True)]


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
