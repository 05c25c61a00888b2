"""How is a whole workspace made with any number of payments in its ledger?

python -m benchmarks.workspaces WORKSPACE PAYMENTS
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.institutions import END, RULES, history_file
from casework import workspace
from casework.app import App
from casework.demo.people import ADMIN
from data import approved
from data.incoming import ingest


def make_workspace(root: Path, transactions: int) -> None:
    """A workspace with the demo's rules, features and policy, and that many imported payments (no model, no
    decisions)."""
    made = workspace.create(root, RULES / "mapping.yaml", approved.read_folder(RULES), ADMIN, at=END)
    app = App.open(workspace.Workspace(made.root), lambda: END)
    try:
        with tempfile.TemporaryDirectory(prefix="history-") as folder:
            path = history_file(Path(folder), transactions)
            ingest.import_file(app.ledger, app.mapping, path, at=END, actor=ADMIN.user_id)
        app.ledger.checkpoint()
    finally:
        app.close()


if __name__ == "__main__":
    make_workspace(Path(sys.argv[1]), int(sys.argv[2]))
