"""How fast and how good is it here? Runs every benchmark, one after another: python -m benchmarks [NAME ...]."""

from __future__ import annotations

import runpy
import sys

BENCHMARKS = (
    "simulator",
    "analysts",
    "features",
    "rules",
    "rule_rates",
    "growth",
    "start",
    "batch_scoring",
    "consensus",
    "standings",
    "coverage",
    "gate_equal",
    "selective_labels",
    "tuner",
    "console",
    "sealing",
    "checkpoints",
    "serving",
    "serving_parts",
    "reviewers",
    "handbook",
    "learning",
)


def main(names: list[str]) -> int:
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        print(f"there is no benchmark {unknown[0]!r} (there are: {', '.join(BENCHMARKS)})", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        print(f"\n## {name}\n", flush=True)
        sys.argv = [f"benchmarks.{name}"]
        try:
            runpy.run_module(f"benchmarks.{name}", run_name="__main__")
        except SystemExit as ended:
            if ended.code:
                return int(ended.code) if isinstance(ended.code, int) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
