"""With which features, policy, lists and rules does a new institution start, given nothing but its mapping?"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from importlib.resources import files
from string import Template

from data.incoming.mapping import Mapping
from data.money import decimals
from engine.templates.feature_file import features_yaml
from engine.templates.rule_files import lists_yaml, rule_files

__all__ = ["scaffold"]

_AMOUNTS = re.compile(
    r"\b(good_declined|review|assumed_amount|money_at_risk_from|max_amount|max_amount_per_day|four_eyes_amount|high_amount)"
    r": (\d+)( *)"
)

_USUAL_MATURITY_DAYS = 60
_ASSUMED_PAYMENT, _ASSUMED_OTHER = "50", "500"
_QUESTIONS = {"payment": "did the rightful customer want this payment?"}
_OTHER_QUESTION = "is the person behind this {called} who they say they are, and do they mean it honestly?"


def scaffold(mapping: Mapping) -> dict[str, bytes]:
    """The files of a first set by their path within the rules folder.

    Features over every entity of the mapping (velocity, habits, sharing, and known frauds where the mapping has a
    label), a policy in the mapping's currency with costs to be adjusted, an example list per entity, and a few
    general rules with their tests.
    """
    made = {"features.yaml": features_yaml(mapping), "lists.yaml": lists_yaml(mapping), **rule_files(mapping)}
    words = {
        "currency": mapping.base_currency,
        "maturity": f"{_maturity_days(mapping)}d",
        "called": mapping.called,
        "assumed": _ASSUMED_PAYMENT if mapping.called == "payment" else _ASSUMED_OTHER,
        "question": _QUESTIONS.get(mapping.called, _OTHER_QUESTION).format(called=mapping.called),
    }
    for name in ("policy.yaml", "guidelines.md"):
        made[name] = Template(_own(name)).substitute(words)
    made["policy.yaml"] = _in_minor_units(made["policy.yaml"], mapping.base_currency)
    return {path: text.encode() for path, text in sorted(made.items())}


def _in_minor_units(policy: str, currency: str) -> str:
    """The policy with as many minor units of the currency as its amounts, written for two decimals, have: 30 becomes
    3000 in JPY, which has none, and 3 in KWD, which has three. It is the better guess where no rate is known."""
    digits = decimals(currency)

    def scaled(found: re.Match[str]) -> str:
        key, amount, space = found.groups()
        told = format((Decimal(amount) * 100 / 10**digits).normalize(), "f")
        width = max(len(amount) + len(space), len(told) + 1) if space else 0  # comments stay below each other
        return f"{key}: {told:<{width}}"

    return policy if digits == 2 else _AMOUNTS.sub(scaled, policy)


def _maturity_days(mapping: Mapping) -> int:
    """Silence cannot mature before the labels of the files themselves are known."""
    known_after = mapping.label.known_after if mapping.label else None
    return max(_USUAL_MATURITY_DAYS, -(-known_after // timedelta(days=1)) if known_after else 0)


def _own(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
