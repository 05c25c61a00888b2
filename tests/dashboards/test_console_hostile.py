"""Is a merchant's name, however it is written, never markup, script or link on a page?"""

from __future__ import annotations

import re
from typing import Any

import pytest
from conftest import Opened
from fake_api import FakeApi
from streamlit.testing.v1 import AppTest

HOSTILE = (
    "<img src=x onerror=alert(1)>![p](https://x.example/p)[c](javascript:alert(1))<script>alert(2)</script> "
)
NAME = re.compile(r"^(merchant|customer|device|card)_\w+$")
TEXTS = ("title", "header", "subheader", "markdown", "caption", "error", "warning", "info", "success")
RAW = re.compile(r"(?<!\\)<(img|script)|(?<!\\)\[[pc](?<!\\)\]|(?<!\\)\]\(javascript", re.IGNORECASE)
PAGES = [
    ("analyst-1", "queue", {}),
    ("analyst-1", "review", {"task": "k_0001"}),
    ("analyst-1", "decisions", {"transaction": "t_90001"}),
    ("team-lead-1", "cases", {"case": "case_0002"}),
    ("team-lead-1", "lists", {}),
    ("auditor-1", "audit", {}),
]


def poisoned(value: Any) -> Any:
    """The same answer with every entity's name turned against its reader."""
    if isinstance(value, dict):
        return {name: poisoned(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [poisoned(inner) for inner in value]
    return HOSTILE + value if isinstance(value, str) and NAME.match(value) else value


def shown(app: AppTest) -> list[str]:
    """Everything that a browser would read as Markdown or HTML."""
    texts = [str(element.value) for kind in TEXTS for element in app.get(kind)]
    texts += [str(button.label) for button in app.button]
    return texts + [html.proto.body for html in app.get("html") if "secondlookPauses" not in html.proto.body]


@pytest.mark.parametrize(("user", "page", "query"), PAGES, ids=[f"{u} {p}" for u, p, _ in PAGES])
def test_names_are_text_on_every_page(
    opened: Opened, api: FakeApi, monkeypatch: pytest.MonkeyPatch, user: str, page: str, query: dict[str, str]
) -> None:
    plain = api.answer

    def answer(*asked: Any) -> tuple[int, Any]:
        status, body = plain(*asked)
        return status, poisoned(body)

    monkeypatch.setattr(api, "answer", answer)
    app = opened(user, page, **query)
    assert not app.exception
    texts = shown(app)
    assert not [text for text in texts if RAW.search(text)]
    assert not [m for m in app.markdown if m.proto.allow_html and "onerror" in m.value]


def test_the_poison_reaches_the_review_page(
    opened: Opened, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = api.answer
    monkeypatch.setattr(api, "answer", lambda *asked: (plain(*asked)[0], poisoned(plain(*asked)[1])))
    assert "onerror" in "".join(shown(opened("analyst-1", "review", task="k_0001")))
