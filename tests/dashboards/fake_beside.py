"""What stands beside a task of the made-up institution, and what was typed there and not sent?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fake_asking import Asked, Refused
from fake_clock import stamp

if TYPE_CHECKING:
    from fake_api import FakeApi

Json = dict[str, Any]


def _node(name: str, hop: int, payments: int, **more: Any) -> Json:
    kind, _, value = name.partition(":")
    return {
        "id": name,
        "kind": kind,
        "value": value,
        "hop": hop,
        "payments": payments,
        "known_frauds": 0,
        **more,
    }


LINKS: Json = {
    "nodes": [
        {"id": "payment", "kind": "payment", "value": "t_90001", "hop": 0, "amount_minor": 81200},
        _node("customer:customer_0412", 1, 16, customers=0, hub=False),
        _node("device:device_2207", 1, 4, customers=4, hub=False),
        _node("merchant:merchant_014", 1, 900, customers=310, hub=True),
        _node("customer:customer_0977", 2, 3, known_frauds=1, amount_minor=9900),
    ],
    "edges": [
        {"from": "payment", "to": "customer:customer_0412", "payments": 16, "known_frauds": 0},
        {"from": "payment", "to": "device:device_2207", "payments": 4, "known_frauds": 1},
        {"from": "payment", "to": "merchant:merchant_014", "payments": 900, "known_frauds": 0},
        {"from": "device:device_2207", "to": "customer:customer_0977", "payments": 3, "known_frauds": 1},
    ],
    "more": [{"of": "device:device_2207", "kind": "card", "count": 2}],
    "sentences": [
        "Device device_2207: 4 payments in 90 days, also with customer customer_0977 (3, known fraud)."
    ],
    "limits": "Two steps from the payment, 90 days back, at most 5 of a kind for each of its own.",
}
WHAT_IF: Json = {
    "outcome": "review",
    "found": [
        {
            "outcome": "approve",
            "probability": 0.08,
            "changes": [
                {"phrase": "customers seen on this device in 7 days", "was_text": "4", "value_text": "2"},
                {"phrase": "amount of this payment", "was_text": "812.00 EUR", "value_text": "310.00 EUR"},
            ],
        }
    ],
    "inputs": ["amount of this payment"],
    "tried": 1285,
    "sentence": "No such change was found towards decline: 1,285 changed payments were decided.",
}
SIMILAR: Json = {
    "cases": [
        {
            "verdict": "confirmed_fraud", "alike": 0.61, "amount_minor": 70400, "occurred_at": stamp(days=30),
            "typology": "shared_devices", "people": 2, "shared": ["One device, many customers"],
        },
        {
            "verdict": "legitimate", "alike": 0.48, "amount_minor": 9900, "occurred_at": stamp(days=40),
            "typology": "", "people": 1, "shared": ["payments by this customer in 1 day"],
        },
    ],
    "compared": 400,
    "sentence": "1 of the 2 most alike were confirmed as fraud, out of 400 settled before.",
}  # fmt: skip
BEHIND: Json = {
    "rules": [
        {
            "id": "shared_device_burst",
            "inputs": [
                {
                    "name": "device_customer_distinct_7d",
                    "phrase": "customers seen on this device in 7 days",
                    "text": "4",
                    "count": 12,
                    "payments": [
                        {
                            "transaction_id": "t_7",
                            "occurred_at": stamp(days=1),
                            "amount_minor": 1990,
                            "entities": {"customer": "customer_0977", "device": "device_2207"},
                            "attributes": {},
                        }
                    ],
                }
            ],
        }
    ]
}
PARTS = {"links": LINKS, "what_if": WHAT_IF, "similar": SIMILAR, "behind_rules": BEHIND}
OPINIONS = ("what_if", "similar", "behind_rules")


def list_tasks(api: FakeApi, asked: Asked) -> Json:
    api.listed.append(asked.query)
    return {"tasks": [api.brief(t) for t in api.order]}


def part(api: FakeApi, asked: Asked) -> Json:
    task_id, name = asked.parts
    api.parts_asked.append((task_id, name))
    page = api.tasks[task_id]
    blind = page["arm"] == "blind_first" and name in OPINIONS
    shown = {"part": name, "shown_at": stamp(), "content": None if blind else PARTS[name]}
    return {**shown, "withheld": "Shown after your verdict." if blind else ""}


def unmask(api: FakeApi, asked: Asked) -> Json:
    api.unmasked.append((asked.parts[0], asked.body["field"], asked.body["reason"]))
    return {"field": asked.body["field"], "value": "Ada Example"}


def unsent(api: FakeApi, asked: Asked) -> Json:
    place = asked.query["place"]
    return {"place": place, "text": api.unsent.get((asked.user, place), "")}


def keep_unsent(api: FakeApi, asked: Asked) -> None:
    if len(asked.body["text"]) > 200_000:
        raise Refused(422, "Too long")
    api.unsent[asked.user, asked.body["place"]] = asked.body["text"]


ROUTES = [
    ("GET", "/tasks/([^/]+)/parts/([^/]+)", False, part),
    ("POST", "/tasks/([^/]+)/unmasked", False, unmask),
    ("GET", "/me/unsent", False, unsent),
    ("PUT", "/me/unsent", False, keep_unsent),
]
