"""Do the words on paper match the words in the code?"""

from __future__ import annotations

import re
from pathlib import Path

from engine.decision import Outcome, RuleState

ROOT = Path(__file__).resolve().parents[2]
WORDS = """transaction entity feature window velocity rule typology probability margin outcome verdict disposition case
task lane queue reviewer claim escalate adjudication agreement golden label maturity audit exploration policy backtest
shadow champion challenger drift PSI precision recall""".split() + [
    "rule result",
    "second review",
    "alert rate",
    "value detection rate",
]


def glossary() -> dict[str, str]:
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", (ROOT / "docs" / "glossary.md").read_text(), re.M)
    return {word.strip(): meaning.strip() for word, meaning in rows if word != "word"}


def test_every_word_of_the_field_is_in_the_glossary_once() -> None:
    assert set(WORDS) <= set(glossary())


def test_the_glossary_names_every_outcome_and_rule_result() -> None:
    assert all(o.word in glossary()["outcome"] for o in Outcome)
    assert all(s.value in glossary()["rule result"] for s in RuleState)
