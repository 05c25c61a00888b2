"""What do the gates, and whoever signs off, hear of a challenger?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from casework.learning.gates import generations, judging, label_turns
from casework.learning.gates.gates import Evidence, Golden
from casework.learning.gates.held_against import Against, held_against
from casework.learning.gates.judging import Compared, Judged
from casework.learning.retraining import tables
from casework.learning.retraining.code_version import code_version
from casework.learning.retraining.inputs import Inputs
from casework.learning.retraining.tables import Tables
from engine.measuring.intervals import Interval, ranking_intervals
from engine.measuring.metrics import average_precision
from engine.model.dataset import TrainingData
from engine.model.scoring import Model

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Found:
    """The judged rows, both models on them, what contradicts the champion, and all of it as the gates read it."""

    judged: Judged
    compared: Compared
    against: Against
    evidence: Evidence


def found(inputs: Inputs, model: Model, known: Tables, learned: TrainingData) -> Found:
    """Hold the challenger against the champion on what neither learned from."""
    policy = inputs.snapshot.policy
    judged = tables.judged(inputs, known, policy)
    compared = judging.compared(inputs.champion, model, judged, policy, inputs.seed)
    against, rows = _against(inputs, known), judged.rows
    evidence = Evidence(
        training_labels=len(learned),
        training_frauds=learned.frauds,
        judged_rows=len(rows),
        judged_frauds=rows.frauds,
        difference=_differences(compared),
        agreement=inputs.agreement,
        agreement_items=inputs.agreement_items,
        golden=_golden(inputs, model, known),
        segments=compared.segments,
        champion_id=inputs.champion.model_id if inputs.champion else "",
        average_precision=_average_precision(judged, compared, inputs.seed),
        base_rate=float(np.average(rows.y, weights=rows.weight)) if len(rows) else 0.0,
        turned=against.weeks,
    )
    return Found(judged, compared, against, evidence)


def _differences(compared: Compared) -> dict[str, Interval]:
    both = compared.comparison
    if both is None:
        return {}
    return {
        "average_precision": both.average_precision_difference,
        "expected_cost_saved": both.cost_saved,
    }


def _golden(inputs: Inputs, model: Model, known: Tables) -> Golden | None:
    exam = tables.exam(inputs, known)
    if exam is None or inputs.champion is None:
        return None
    found = judging.golden(inputs.champion, model, exam, inputs.snapshot.policy) or Golden(0, 0, 0)
    return replace(found, learned=inputs.snapshot.golden.num_rows - len(exam.rows))


def _average_precision(judged: Judged, compared: Compared, seed: int) -> Interval | None:
    rows = judged.rows
    if not 0 < rows.frauds < len(rows):
        return None
    whole = judged.customer
    return ranking_intervals(rows.y, compared.probability, seed, weight=rows.weight, groups=whole)[1]


def _against(inputs: Inputs, known: Tables) -> Against:
    """Everything up to now that came after what the champion learned from, held against it: also what is too young to
    teach, so that a swap is heard of at the next run rather than when its labels have matured."""
    champion, taken = inputs.champion, inputs.snapshot
    learned_until = champion.manifest.get("notes", {}).get("train_until") if champion else None
    if champion is None or not learned_until:
        return Against()
    after, until = datetime.fromisoformat(learned_until), taken.as_of + _INSTANT
    rows = known.champion.filter(judging.between(known.champion, after, until))
    return held_against(champion, rows, taken.labels, taken.verdicts)


def record(inputs: Inputs, model: Model, known: Tables, found: Found) -> dict[str, Any]:
    """What a person signing off wants to see: the figures of both models, and a sample of their flips."""
    evidence, compared = found.evidence, found.compared
    ap = evidence.average_precision
    return {
        "snapshot": inputs.snapshot.name,
        "labels": inputs.snapshot.manifest["labels"],
        "training_labels": evidence.training_labels,
        "training_frauds": evidence.training_frauds,
        "judged_rows": evidence.judged_rows,
        "judged_frauds": evidence.judged_frauds,
        "average_precision": ap.to_json() if ap else None,
        "comparison": compared.comparison.to_json() if compared.comparison else None,
        "naive_average_precision": _naive(inputs, model, known),
        "flips": judging.flips(found.judged, compared),
        "code_version": code_version(),
    }


def _naive(inputs: Inputs, model: Model, known: Tables) -> dict[str, Any] | None:
    """Average precision of both on every label believed, beside the figures from labels that no score has coloured."""
    said = tables.believed(inputs, known)
    y, weight = said.rows.y, said.rows.weight
    if not 0 < said.rows.frauds < len(y):
        return None
    both = (("champion", inputs.champion, said.champion_rows), ("challenger", model, said.rows))
    found = {
        name: average_precision(y, judging.scores(each, rows)[0], weight)
        for name, each, rows in both
        if each is not None
    }
    return {"rows": len(y), "frauds": said.rows.frauds, **found}


def over_generations(inputs: Inputs, model: Model, known: Tables, found: Found) -> dict[str, Any]:
    """The hold-out's figures of each generation, and the alarms that look at several of them."""
    policy, panel, turned = inputs.snapshot.policy, tables.panel(inputs, known), found.against.weeks
    readable = set(known.features.column_names)
    lineage = [each for each in inputs.lineage if set(each.names) <= readable]
    changed = None
    if inputs.labels_before is not None:
        changed = label_turns.changed(inputs.labels_before, inputs.snapshot.labels)
    asked = panel if len(panel.rows) else found.judged
    return {
        "holdout": generations.measured(lineage, model, panel, policy, inputs.seed),
        "oscillation": generations.oscillation(lineage, model, asked, policy, turned=turned, changed=changed),
        "labels_turned": generations.labels_alarm(turned),
        "verdicts_turned": generations.people_alarm(found.against.some),
        "labels_changed": changed,
    }
