"""In which words and unit is a feature shown when its author gave none?"""

from __future__ import annotations

from engine.features.feature_set import EVERYONE

_UNITS = {
    "count": "count",
    "distinct": "count",
    "fraud_count": "count",
    "frauds_learned": "count",
    "fraud_share": "share",
    "seconds_since_last": "seconds",
    "seconds_since_first": "seconds",
    "local_night": "flag",
    "local_weekend": "flag",
    "local_hour": "number",
    "derived": "ratio",
}
_KIND_UNITS = {"category": "category", "flag": "flag"}
_MEASURES = {
    "count": "payments",
    "sum": "total {of}",
    "mean": "average {of}",
    "max": "largest {of}",
    "std": "spread of {of}",
    "distinct": "different {of}s",
    "seconds_since_last": "time since the last payment",
    "seconds_since_first": "time since the first payment",
    "fraud_count": "known frauds",
    "fraud_share": "share of known frauds",
    "frauds_learned": "frauds that became known",
    "value": "{of} of this payment",
    "local_night": "at night, local time",
    "local_weekend": "on a weekend, local time",
    "local_hour": "hour of the day, local time",
    "attribute": "{of} of this payment",
}
_SPANS = ((86_400_000_000, "day"), (3_600_000_000, "hour"), (60_000_000, "minute"), (1_000_000, "second"))


def default_unit(measure: str, of: str, kind: str) -> str:
    """Money for measures of the amount, else what the measure or the attribute's kind implies."""
    if measure in _UNITS:
        return _UNITS[measure]
    return "money" if of == "amount" else _KIND_UNITS.get(kind, "number")


def default_phrase(measure: str, of: str, entity: tuple[str, ...], window_us: int, text: str = "") -> str:
    """For example "average amount of this customer, last 7 days"."""
    if measure == "derived":
        return text.replace("_", " ")
    phrase = _MEASURES[measure].format(of=_spoken(of))
    if not entity:
        return phrase
    whose = "everyone" if entity == (EVERYONE,) else f"this {' and '.join(_spoken(e) for e in entity)}"
    return f"{phrase} of {whose}, last {span(window_us)}"


def span(window_us: int) -> str:
    """A window in words: "day", "7 days", "12 hours"."""
    for size, word in _SPANS:
        if window_us >= size and window_us % size == 0:
            number = window_us // size
            return word if number == 1 else f"{number} {word}s"
    return f"{window_us} microseconds"


def _spoken(name: str) -> str:
    return name.replace("_", " ")
