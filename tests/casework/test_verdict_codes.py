"""Is what the console offers known as a code, so that only people's own words are kept apart from the record?"""

from __future__ import annotations

from casework.review import verdict_codes
from dashboards.pieces import words


def test_every_code_that_the_console_offers_is_known_and_no_other() -> None:
    assert frozenset(words.TYPOLOGIES) == verdict_codes.TYPOLOGIES
    assert frozenset(words.REASON_CODES) == verdict_codes.REASON_CODES


def test_only_what_is_no_code_is_somebodys_own_words() -> None:
    given = {"typology": "mule_account", "reason_code": "velocity"}
    assert verdict_codes.own_words(given, ()) == {"typology": "mule_account"}
    assert verdict_codes.own_words(given, ("mule_account",)) == {}
    assert verdict_codes.own_words({"typology": "", "reason_code": "Ada called"}, ()) == {
        "reason_code": "Ada called"
    }
