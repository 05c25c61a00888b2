"""What can a reader read on a page?"""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def seen(app: AppTest) -> str:
    """Everything a reader can read on the page, in one text."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "error", "warning", "info", "success")
    texts = [str(element.value) for kind in kinds for element in app.get(kind)]
    texts += [f"{metric.label}: {metric.value}" for metric in app.metric]
    texts += [str(frame.value.to_string()) for frame in app.dataframe]
    texts += [code.value for code in app.code]
    return "\n".join(texts)
