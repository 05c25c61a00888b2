"""How is a workspace tried without leaving a trace in the record of the one it was copied from?"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from data.integrity.keyring import VARIABLE, Keyring


def copied(source: Path, root: Path, *left_out: str) -> None:
    """Make `root` a copy of the workspace `source` without files like `left_out`. This process and its children find
    their keys beside it from now on.

    A served copy notes the heads of its own chain beside its key. Noted beside the key of `source`, they would make
    `audit verify` find there that the chain of `source` had been cut.
    """
    shutil.copytree(source, root, ignore=shutil.ignore_patterns("server.*", "*.lock", *left_out))
    keys = root.with_name(f"{root.name}-keys")
    shutil.copytree(Keyring.default().folder, keys)
    os.environ[VARIABLE] = str(keys)
