"""What is a training run given?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from casework.learning.labels.snapshot import LabelledSnapshot
from casework.learning.retraining import progress
from engine.measuring.intervals import Interval
from engine.model.scoring import Model
from engine.model.search import GoOn


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a training run needs. `champion` is the model to beat, None for the first one; `lineage` the
    champions in a row, oldest first and the present one last; `models` the folder to save in. `labels_before` are
    those that the champion's snapshot held, `golden_before` its golden cases, of which the champion learned
    nothing. `go_on` says after each trial whether the search for settings may make another; None trains with the
    policy's settings. `tell` hears of each stage that begins."""

    snapshot: LabelledSnapshot
    champion: Model | None
    models: Path
    agreement: Interval | None
    agreement_items: int
    nthread: int = 1
    seed: int = 1
    go_on: GoOn | None = None
    tell: progress.Tell = progress.silent
    lineage: tuple[Model, ...] = ()
    labels_before: pa.Table | None = None
    golden_before: pa.Table | None = None
