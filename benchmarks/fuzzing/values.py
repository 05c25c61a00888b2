"""Which value does a fuzzed request put where the OpenAPI document asks for one?

A value is drawn as the schema describes it, from what answers have shown under the same name before (so that ids are
ids of something), or as one of the values that programs trip over.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping
from typing import Any

JSON = Any
_KEPT = 40
ODD_TEXT = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\u202e",
    "é😀" * 20,
    "../../../etc/passwd",
    "..%2f..%2fetc",
    "' OR 1=1 --",
    '"; DROP TABLE events; --',
    "%s%n{0}${7*7}",
    "=HYPERLINK(1)",
    "<script>alert(1)</script>",
    "x" * 130,
    "x" * 5_000,
    "NaN",
    "None",
    "-1",
    "1e400",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "1969-12-31T23:59:59Z",
    "2026-02-30T00:00:00Z",
    "2026-01-01",
    "2026-01-01T00:00:00",
)
ODD_TIMES = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-14:00",
    "1677-09-21T00:12:43Z",
    "2262-04-11T23:47:17Z",
    "1970-01-01T00:00:00Z",
    "2026-06-01T12:00:00.123456+05:45",
)
ODD_NUMBERS = (
    0,
    -1,
    1,
    2**31,
    2**53,
    2**63 - 1,
    2**63,
    2**64,
    -(2**63) - 1,
    10**30,
    1e308,
    -0.0,
    5e-324,
    0.5,
)
ODD_THINGS: tuple[JSON, ...] = (None, True, [], {}, [[]], [None], {"": None}, {"a": {"b": []}}, "x", 7, -1.5)


class Seen:
    """The strings and numbers that answers gave, by the name they were given under."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._by_name: dict[str, deque[JSON]] = {}
        self._kept = kept

    def add(self, name: str, value: JSON) -> None:
        """Remember one value; a text too long for an id is not worth it."""
        if isinstance(value, str | int) and not isinstance(value, bool) and 0 < len(str(value)) <= 128:
            kept = self._by_name.setdefault(name, deque(maxlen=self._kept))
            if value not in kept:
                kept.append(value)

    def read(self, answer: JSON, name: str = "") -> None:
        """Remember what an answer holds, at every depth."""
        if isinstance(answer, Mapping):
            for key, value in answer.items():
                self.read(value, str(key))
                self.add("a key", str(key))
        elif isinstance(answer, list):
            for value in answer[:20]:
                self.read(value, name)
        else:
            self.add(name, answer)

    def of(self, *names: str) -> list[JSON]:
        """What was seen under any of these names."""
        return [value for name in names for value in self._by_name.get(name, ())]


ENTITIES = ("customer", "card", "merchant", "device")
# A parameter's other names in answers; plurals are tried anyway.
ALSO = {
    "other": ("case_id",),
    "ids": ("case_id", "transaction_id"),
    "verdicts": ("verdict_id",),
    "reviewer": ("user", "user_id"),
    "people": ("user", "user_id"),
    "assignee": ("user", "user_id"),
    "rule": ("rule_id",),
    "subject": ("case_id", "task_id", "transaction_id", "proposal_id"),
    "path": ("name", "path"),
    "part": ("name", "part"),
    "back_to": ("set_id",),
    "replaces": ("proposal_id",),
    "follows": ("pilot_id",),
    "before": ("model_id", "seq"),
    "after": ("model_id", "seq"),
    "act_id": ("act_id", "id"),
    "applied_from": ("verdict_id", "task_id"),
    "value": ("value", "entity_id", "customer"),
    "cursor": ("cursor", "next_cursor", "next"),
}


class Values:
    """Draws values for schemas with one random source; `seen` makes ids real, `files` are real settings files."""

    def __init__(
        self,
        source: random.Random,
        schemas: Mapping[str, JSON],
        seen: Seen,
        own: Seen,
        files: Mapping[str, str],
    ):
        """`own` is what the person who asks has seen last: a task he or she holds, most likely."""
        self.source, self.seen, self.own = source, seen, own
        self._optional = source.choice((0.1, 0.5, 0.9))
        self._schemas, self._files = schemas, files

    def right(self, schema: Mapping[str, JSON], name: str = "") -> JSON:
        """A value as the schema describes it."""
        if "$ref" in schema:
            schema = self._schemas[schema["$ref"].rsplit("/", 1)[-1]]
        if "anyOf" in schema:
            return self.right(self.source.choice(schema["anyOf"]), name)
        if "enum" in schema:
            return self.source.choice(schema["enum"])
        draw = getattr(self, f"_{schema.get('type', 'any')}", self._any)
        return draw(schema, name)

    def wrong(self) -> JSON:
        """Something that programs trip over, of any type."""
        return self.source.choice((*ODD_TEXT, *ODD_TIMES, *ODD_NUMBERS, *ODD_THINGS))

    def known(self, name: str) -> JSON | None:
        """A value seen under this name in an answer, or None."""
        names = (name, name.removesuffix("s"), *ALSO.get(name, ()))
        found = self.own.of(*names)[-3:] if self.source.random() < 0.6 else []
        found = found or self.seen.of(*names)
        return self.source.choice(found) if found else None

    def odd_text(self) -> str:
        return self.source.choice(ODD_TEXT)

    def _string(self, schema: Mapping[str, JSON], name: str) -> str:
        if schema.get("format") == "date-time":
            return self._time()
        if name and self.source.random() < 0.8 and (found := self.known(name)) is not None:
            return str(found)
        least, most = schema.get("minLength", 0), schema.get("maxLength", 200)
        if "reason" in name or "note" in name:
            return "because of a test"[:most]
        length = self.source.choice((least, most, min(most, least + 7), min(most, least + 1)))
        return "".join(self.source.choice("abz09-_. é\n") for _ in range(min(length, 300)))

    def _time(self) -> str:
        if self.source.random() < 0.3:
            return self.source.choice(ODD_TIMES)
        day, month = self.source.randint(1, 28), self.source.randint(1, 12)
        return f"{self.source.choice((2025, 2026, 2027))}-{month:02}-{day:02}T{self.source.randint(0, 23):02}:00:00Z"

    def _integer(self, schema: Mapping[str, JSON], name: str) -> int:
        if self.source.random() < 0.4 and isinstance(found := self.known(name), int):
            return found
        low, high = int(schema.get("minimum", -(2**40))), int(schema.get("maximum", 2**40))
        return self.source.choice((low, high, max(low, min(high, 1)), max(low, min(high, 20))))

    def _number(self, schema: Mapping[str, JSON], _: str) -> float:
        low = schema.get("exclusiveMinimum", schema.get("minimum", -1e9))
        high = schema.get("exclusiveMaximum", schema.get("maximum", 1e9))
        return self.source.choice((low + (high - low) / 2, low + (high - low) / 1000, (low + high) / 3))

    def _boolean(self, _: Mapping[str, JSON], __: str) -> bool:
        return self.source.random() < 0.5

    def _null(self, _: Mapping[str, JSON], __: str) -> None:
        return None

    def _array(self, schema: Mapping[str, JSON], name: str) -> list[JSON]:
        least, most = schema.get("minItems", 0), schema.get("maxItems", 5)
        length = min(most, max(least, self.source.choice((0, 1, 1, 2, 3))))
        return [self.right(schema.get("items", {}), name) for _ in range(length)]

    def _object(self, schema: Mapping[str, JSON], name: str) -> dict[str, JSON]:
        if name == "files" and self.source.random() < 0.8:
            return self._some_files()
        if "occurred_at" in schema.get("properties", {}) and self.source.random() < 0.7:
            return _payment(self.source)
        needed = set(schema.get("required", ()))
        made = {
            key: self.right(inner, key)
            for key, inner in schema.get("properties", {}).items()
            if key in needed or self.source.random() < self._optional
        }
        more = schema.get("additionalProperties")
        if isinstance(more, Mapping):
            for _ in range(self.source.choice((0, 1, 3))):
                key = str(self.known("a key") or "a")[:60]
                made[key] = self.right(more, key)
        return made

    def _any(self, _: Mapping[str, JSON], __: str) -> JSON:
        return self.wrong()

    def _some_files(self) -> dict[str, JSON]:
        """One or two of the approved settings files with a small change, one left out, or one of a strange name."""
        made: dict[str, JSON] = {}
        for _ in range(self.source.choice((1, 1, 2))):
            path = self.source.choice(sorted(self._files))
            made[path] = self._changed(self._files[path])
        if self.source.random() < 0.1:
            made[self.source.choice((*ODD_TEXT[:8], "rules/../x.yaml", "catalogue/x.yaml"))] = "id: x\n"
        return made

    def _changed(self, text: str) -> str | None:
        how, at = self.source.random(), self.source.randrange(len(text) + 1)
        if how < 0.1:
            return None
        if how < 0.5:
            return _with_another_number(text, self.source)
        if how < 0.75:
            return (
                text[:at]
                + self.source.choice((*ODD_TEXT, "\n", ": ", "- ", "  ", "[", "{", "&a "))
                + text[at:]
            )
        lines = text.splitlines(keepends=True)
        if how < 0.9 and lines:
            del lines[self.source.randrange(len(lines))]
            return "".join(lines)
        return text[:at]


def _payment(source: random.Random) -> dict[str, JSON]:
    """A payment as the demo's mapping wants it, often large enough for a case."""
    name = source.randrange(8)
    return {
        "transaction_id": f"fuzz-{source.randrange(400)}",
        "occurred_at": f"2026-07-{source.randint(1, 28):02}T{source.randint(0, 23):02}:00:00Z",
        "amount": source.choice(("12.50", "4000.00", 950, "0", "-3")),
        "currency": source.choice(("EUR", "EUR", "EUR", "XXX")),
        "entities": {"customer": f"c{name}", "card": f"k{name}", "merchant": "m1", "device": f"d{name}"},
        "attributes": {
            "merchant_category": "groceries",
            "country": "DE",
            "channel": "pos",
            "age_band": "30-39",
        },
    }


def _with_another_number(text: str, source: random.Random) -> str:
    """One digit somewhere is another number."""
    places = [place for place, letter in enumerate(text) if letter.isdigit()]
    if not places:
        return text
    at = source.choice(places)
    return text[:at] + source.choice(("0", "9", "-1", "1e9", "0.5", "99999999999999999999")) + text[at + 1 :]
