"""What becomes of a challenger once the gates have answered, and how does its folder come among the models?"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from casework.learning.gates import gates
from casework.learning.registry import models
from casework.learning.retraining.runs import PROMOTED, REFUSED, WAITING, Ending, Request
from casework.safety import alarms
from data.storage.durable import force_all, force_names, make_folder
from data.writer import Writer
from engine.policy import Policy

OSCILLATION, LABELS_TURNED, VERDICTS_TURNED = "oscillation", "labels_turned", "verdicts_turned"


@dataclass(frozen=True, slots=True)
class Asked:
    """The run that is to be concluded, under which policy, and when."""

    run_id: str
    request: Request
    policy: Policy
    at: datetime


def take_over(made: Path, kept: Path, found: Mapping[str, Any]) -> None:
    """Move a trained model's folder to where models are kept, whole: it is written, forced to disk, then renamed, and
    its name is on disk before anything refers to it.

    A crash at any point leaves either no such folder or a complete one, which nothing refers to yet.
    """
    model_id = found["model_id"]
    source, target = made / model_id, kept / model_id
    if target.exists():
        return  # the same model was trained before; its first folder is the one on record
    force_all(source)
    make_folder(kept)
    source.replace(target)
    force_names(kept)
    shutil.rmtree(made, ignore_errors=True)


def conclude(w: Writer, asked: Asked, found: Mapping[str, Any]) -> Ending:
    """Register the challenger and promote it, refuse it or have it wait, in the caller's one write.

    Where generations go back and forth the gates do not promote by themselves, whatever the policy says.
    """
    by, at, model_id = asked.request.by, asked.at, found["model_id"]
    sentence = gates.verdict_sentence([gates.Gate(**g) for g in found["gates"]])
    _raise_alarms(w, found, at)
    if model_id == models.champion_id(w):
        return Ending(REFUSED, "Refused: the same model as the champion came out, bit for bit.", found)
    known = models.standing(w, model_id)
    if known is not None and known["status"] != models.CHALLENGER:
        return Ending(REFUSED, _known_sentence(known), found)
    models.register(w, found, requested_by=by, at=at, run_id=asked.run_id)
    if not found["passed"]:
        models.refuse(w, model_id, by="gates", reason=sentence, at=at)
        return Ending(REFUSED, sentence, found)
    first = not models.champion_id(w)
    back_and_forth = found["record"].get("oscillation")
    if back_and_forth and back_and_forth["alarm"] and not first:
        return Ending(WAITING, f"{sentence} But it waits for a person. {back_and_forth['sentence']}", found)
    if asked.policy.retrain.promote == "automatic" or first:
        models.promote(w, model_id, by="gates", reason=sentence, at=at)
        return Ending(PROMOTED, sentence, found)
    return Ending(WAITING, sentence, found)


def _known_sentence(known: Mapping[str, Any]) -> str:
    if known["rolled_back"]:
        return "Refused: the same model came out that people have rolled back, bit for bit."
    return f"Refused: the same model came out as once before, bit for bit; it was {known['status']}."


def _raise_alarms(w: Writer, found: Mapping[str, Any], at: datetime) -> None:
    """Generations that go back and forth, and labels or people's verdicts that look turned over, want a person."""
    for kind in (OSCILLATION, LABELS_TURNED, VERDICTS_TURNED):
        told = found["record"].get(kind)
        if told and told["alarm"]:
            alarms.raise_alarm(w, kind, "model", told["sentence"], at, actor="gates")
