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

PLACE = re.compile(r"\{([^{}:]*)(?::[^{}]*)?\}")
"""A place, and in its group the feature that it names."""
_PARTS = re.compile(r"\{([^{}]*)\}")
_CHOICE = re.compile(r"[^{}:|]+\|[^{}:|]+\Z")


@dataclass(frozen=True)
class Reason:
    """A sentence with places such as {card_count_1d} or {card_count_1d:card|cards}, and each place's unit.

    The second kind gives the word that fits the number: the first for one, else the second.
    """

    template: str
    units: Mapping[str, str]
    currency: str

    def render(self, row: Mapping[str, FeatureValue]) -> str:
        """The sentence with its values in words: money in major units, seconds as '3 h', shares as '12 %'."""
        told = [self._pieces[0]]
        for name, unit, choice, following in self._places:
            value = row.get(name)
            told.append(_fitting(value, choice) if choice else in_words(value, unit, self.currency))
            told.append(following)
        return "".join(told)

    @cached_property
    def _pieces(self) -> list[str]:
        """The template cut at its places: text, name, text, name, ..., text."""
        return _PARTS.split(self.template)

    @cached_property
    def _places(self) -> list[tuple[str, str, str, str]]:
        """Each place's name, unit and choice of words ('' for a value), and the text that follows it."""
        places = [part.partition(":") for part in self._pieces[1::2]]
        return [
            (name, self.units[name], choice, text)
            for (name, _, choice), text in zip(places, self._pieces[2::2], strict=True)
        ]


def parse_reason(template: str, usable: Mapping[str, str], currency: str) -> Reason:
    """`usable` maps each feature the reason may name to its unit. GrammarError for any other place or stray brace."""
    places = PLACE.findall(template)
    for part in _PARTS.findall(template):
        _, colon, choice = part.partition(":")
        if colon and not _CHOICE.match(choice):
            raise GrammarError(f"'{{{part}}}' gives no two words to choose from", "Write {count:card|cards}.")
    for place in places:
        if place not in usable:
            what = f"the reason names '{place}', which the rule does not read"
            raise GrammarError(what, did_you_mean(place, usable) or _listed(usable))
    if re.search(r"[{}]", PLACE.sub("", template)):
        raise GrammarError("the reason has a brace without its partner")
    return Reason(template, {place: usable[place] for place in places}, currency)


def _fitting(value: FeatureValue, choice: str) -> str:
    one, _, many = choice.partition("|")
    return one if value == 1 else many


def _listed(names: Collection[str]) -> str:
    return "It may name " + ", ".join(names) + "."
