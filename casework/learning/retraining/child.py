"""How does training run beside serving without being noticed? One process, low priority, reading only its run folder.

Started as `python -m casework.learning.retraining.child RUN_FOLDER`; reads run.json there, leaves the model in models/,
says how far it is in progress.json, and leaves result.json last.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from casework.failures import in_words
from casework.learning.labels import snapshot
from casework.learning.registry import cards
from casework.learning.retraining import limits, progress, training
from casework.learning.retraining.inputs import Inputs
from casework.learning.retraining.limits import Limits
from data.errors import SecondLookError
from engine.measuring.intervals import Interval
from engine.model import registry
from engine.model.scoring import Model

RUN, RESULT, MODELS = "run.json", "result.json", "models"
NICENESS = 19
"""What it is started with: it runs when nobody else wants to."""


def main(folder: Path) -> int:
    """Train, judge, write the result; 0 also when the answer is "cannot be trained", since that is an answer."""
    try:
        result = _run(folder)
    except SecondLookError as error:
        result = {"error": in_words(error)}
    except MemoryError:
        traceback.print_exc()
        result = {"error": "training needed more memory than is allowed (retrain.max_memory_mb)"}
    except Exception as error:  # noqa: BLE001 - the parent must hear of every failure, with where it happened
        traceback.print_exc()
        result = {"error": f"training failed: {type(error).__name__}: {in_words(error)}"}
    part = folder / (RESULT + ".part")
    part.write_text(json.dumps(result))
    part.replace(folder / RESULT)
    return 0


def _run(folder: Path) -> dict[str, Any]:
    order = json.loads((folder / RUN).read_text())
    limits.hold(Limits(order["seconds"], order["memory_mb"]))
    known, made = Path(order["models"]), folder / MODELS
    agreement = order["agreement"]
    before = snapshot.load(Path(order["before"])) if order["before"] else None
    inputs = Inputs(
        snapshot=snapshot.load(Path(order["snapshot"])),
        champion=registry.load(known / order["champion"]) if order["champion"] else None,
        models=made,
        agreement=Interval(**agreement) if agreement else None,
        agreement_items=order["agreement_items"],
        go_on=_until(time.monotonic() + order["search_seconds"]) if order["search_seconds"] else None,
        tell=progress.teller(folder),
        lineage=_lineage(known, order["lineage"]),
        labels_before=before.labels if before else None,
        golden_before=before.golden if before else None,
    )
    trained = training.run(inputs, at=datetime.fromisoformat(order["at"]).astimezone(UTC))
    model_id = trained.model.model_id
    return {
        "model_id": model_id,
        "manifest_sha256": registry.manifest_digest(made / model_id),
        "passed": trained.passed,
        "gates": [gate.as_dict() for gate in trained.gates],
        "record": dict(trained.record),
        "metrics": dict(trained.model.manifest["metrics"]),
        "card_files": cards.digests(made / model_id),
    }


def _lineage(folder: Path, ids: list[str]) -> tuple[Model, ...]:
    """The champions in a row, oldest first; one whose folder is gone is left out, and so is all before it."""
    found: list[Model] = []
    for model_id in reversed(ids):
        if not (folder / model_id / registry.MANIFEST).is_file():
            break
        found.insert(0, registry.load(folder / model_id))
    return tuple(found)


def _until(deadline: float) -> Callable[[int], bool]:
    return lambda trials: time.monotonic() < deadline


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
