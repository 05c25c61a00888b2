"""What should somebody know about a model before they rely on it, or sign it off?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from data.canonical import canonical_json
from data.errors import InputError
from engine.model.card_page import render
from engine.model.card_pictures import calibration_picture, importance, pictures
from engine.model.scoring import Model

MOST_ROWS = 1000
JSON_FILE, PAGE_FILE = "card.json", "card.html"
PURPOSE = (
    "Ranks payments by the probability of fraud, so that rules and policy can approve, decline or ask a person. "
    "It was not made to judge people, and its probability alone should not decide about anyone."
)
LIMITS = (
    "Labels are evidence, not truth: outcomes come late, some never come, and verdicts of reviewers are often wrong.",
    "Payments that were declined have no outcome, so the model knows less about what is always declined.",
    "Figures hold for the period they were measured in; drift is reported against the rows the model learned from.",
)


def card(
    model: Model,
    sample: pa.Table,
    *,
    subgroups: Sequence[Mapping[str, Any]] = (),
    standing: Mapping[str, Any] | None = None,
    purpose: str = PURPOSE,
) -> dict[str, Any]:
    """The card as JSON-ready data. `sample` holds feature rows (at most 1,000 are used, evenly spaced);
    `subgroups` is a table of rates by a protected attribute, one mapping a row, shown as given; `standing` is how it
    fared when it was judged: gates (name, passed, sentence) and figures on the hold-out."""
    if not model.manifest:
        raise InputError("only a saved model can have a card", where=model.model_id, hint="Save it first")
    matrix = _spread(model, sample)
    manifest = model.manifest
    return {
        "model_id": model.model_id,
        "created_at": manifest["created_at"],
        "purpose": purpose,
        "limits": list(LIMITS),
        "labels": manifest["labels"],
        "snapshot": manifest["snapshot"],
        "performance": manifest["metrics"],
        "calibrator": manifest["scoring"]["calibrator"],
        "importance": importance(model.explain_matrix(matrix)),
        "importance_rows": len(matrix),
        "subgroups": [dict(row) for row in subgroups],
        "standing": dict(standing or {}),
        "code_version": manifest["notes"].get("code_version", ""),
        "params": manifest["params"],
        "search": manifest.get("search", {}),
        "seed": manifest["seed"],
        "libraries": manifest["libraries"],
    }


def write_card(
    folder: Path,
    model: Model,
    sample: pa.Table,
    *,
    subgroups: Sequence[Mapping[str, Any]] = (),
    standing: Mapping[str, Any] | None = None,
    phrases: Mapping[str, str] | None = None,
    purpose: str = PURPOSE,
) -> dict[str, Any]:
    """Write card.json, card.html (which needs no other file) and its pictures into `folder`; returns the card.

    `phrases` maps a feature to its words for people. Takes a few seconds, mostly to import the drawing libraries.
    """
    described = card(model, sample, subgroups=subgroups, standing=standing, purpose=purpose)
    words = dict(phrases or {})
    matrix = _spread(model, sample)
    drawn = pictures(model.explain_matrix(matrix), matrix, model.encoders, words)
    drawn["calibration.png"] = calibration_picture(described["performance"]["calibration_curve"])
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in drawn.items():
        (folder / name).write_bytes(content)
    (folder / JSON_FILE).write_bytes(canonical_json(described))
    (folder / PAGE_FILE).write_text(render(described, drawn, words), encoding="utf-8")
    return described


def _spread(model: Model, sample: pa.Table) -> np.ndarray:
    """At most 1,000 rows of the sample, evenly spaced and so the same each time, as the model reads them."""
    if not sample.num_rows:
        raise InputError("a card needs rows to explain", where="sample", allowed="at least one row")
    rows = np.unique(np.linspace(0, sample.num_rows - 1, min(MOST_ROWS, sample.num_rows)).astype(np.int64))
    return model.encoders.matrix(sample.take(pa.array(rows)))
