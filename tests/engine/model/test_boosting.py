"""Is the model's library loaded without what nothing here uses of it?"""

import subprocess
import sys

LOADED = """
import sys
import engine.model.registry
print([name for name in ("sklearn", "pandas") if name in sys.modules])
import sklearn
"""


def test_loading_a_model_brings_neither_scikit_learn_nor_pandas_and_hides_neither() -> None:
    told = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
