"""What is one request to the made-up API, and how is it refused?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


class Refused(Exception):
    """An answer that is a problem."""

    def __init__(self, status: int, title: str, detail: str = "", hint: str = "") -> None:
        self.status = status
        self.body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "hint": hint}


@dataclass
class Asked:
    """One request: who, which parts of the path, query and body."""

    user: str
    parts: tuple[str, ...]
    query: dict[str, str]
    body: Json
