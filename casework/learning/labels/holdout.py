"""Which payments does no generation ever learn from, so that all of them can be measured on the same?

The draw is a keyed hash of an entity's value (or of the payment's id), so nobody can choose who is held out, and it is
the same in every run: raising the share keeps those who were in.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from data.errors import ConfigError
from data.ledger import Ledger
from engine.draws import draw
from engine.policy import Policy, Retrain

FILE = "holdout.parquet"


def split(ledger: Ledger, key: bytes, policy: Policy, labels: pa.Table) -> tuple[pa.Table, pa.Table]:
    """(labels to learn from and be judged on, labels held out); ConfigError if the policy names no known entity."""
    said = policy.retrain
    _check_entity(ledger, said)
    if not said.holdout or not labels.num_rows:
        return labels, labels.slice(0, 0)
    subjects = _subjects(ledger, said, labels)
    drawn = {subject: is_held_out(key, said, subject) for subject in set(subjects)}
    mask = pa.array([drawn[subject] for subject in subjects])
    return labels.filter(pa.array(~np.asarray(mask))), labels.filter(mask)


def is_held_out(key: bytes, said: Retrain, subject: str) -> bool:
    """Whether the entity's value, or the payment with this id, is held out."""
    return draw(key, f"holdout:{said.holdout_by}", subject) < said.holdout


def _check_entity(ledger: Ledger, said: Retrain) -> None:
    known = [field.name for field in ledger.fields if field.role == "entity"]
    if said.holdout_by and said.holdout_by not in known:
        raise ConfigError(
            f"'holdout_by' is '{said.holdout_by}'", where="policy.yaml: retrain", allowed=", ".join(known)
        )


def _subjects(ledger: Ledger, said: Retrain, labels: pa.Table) -> list[str]:
    """What is drawn for each label, in their order; a payment without that entity stands for itself."""
    column = f'coalesce(t."{said.holdout_by}", t.transaction_id)' if said.holdout_by else "t.transaction_id"
    found = ledger.read_arrow(
        f"SELECT {column} AS subject FROM labelled l JOIN transactions t ON t.seq = l.seq ORDER BY l.place",
        labelled=pa.table({"seq": labels["seq"], "place": pa.array(range(labels.num_rows))}),
    )
    return [str(value) for value in found["subject"].to_pylist()]
