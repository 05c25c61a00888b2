"""Which of the learning benchmarks to run, for how many seeds: python -m benchmarks.learning [NAME ...] [--seeds N].

What each seed found is kept in a folder, so that a run that was cut goes on where it stopped.
"""

from __future__ import annotations

import argparse
import tempfile
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from benchmarks.handbook import DEFAULT
from benchmarks.learning import budget, newcomer, noisy, scarce, twelve
from benchmarks.learning.seeds import Found, each
from benchmarks.learning.worlds import Story, World, world

BENCHMARKS: dict[str, ModuleType] = {
    module.NAME: module for module in (budget, scarce, newcomer, noisy, twelve)
}
BOUNDED = 2


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument(
        "--seeds", type=int, default=BOUNDED, help="how many (default: 2, to see that it runs)"
    )
    parser.add_argument(
        "--first-seed", type=int, default=100, help="seeds below 100 served to choose policies"
    )
    parser.add_argument("--all", action="store_true", help="also the arms that are there for comparison only")
    parser.add_argument("--data", type=Path, default=DEFAULT, help="the Handbook's transactions (Parquet)")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(tempfile.gettempdir()) / "secondlook-learning",
        help="what is kept",
    )
    given = parser.parse_args(arguments)
    unknown = [name for name in given.names if name not in BENCHMARKS]
    if unknown or given.seeds < 1:
        parser.error(
            f"there is no learning benchmark {unknown[0]!r}" if unknown else "--seeds must be 1 or more"
        )
    if not given.data.is_file():
        print(f"The Handbook's transactions are not at {given.data}; give the path with --data.")
        return 0 if given.data == DEFAULT else 2
    for name in given.names or BENCHMARKS:
        _run(BENCHMARKS[name], given)
    return 0


def _run(module: ModuleType, given: argparse.Namespace) -> None:
    print(f"\n### {module.NAME}: {(module.__doc__ or '').splitlines()[0]}", flush=True)
    seeds = range(given.first_seed, given.first_seed + given.seeds)

    @lru_cache(maxsize=1)
    def told(story: Story) -> World:
        return world(story, given.data, given.folder)

    def one(seed: int, arm: str) -> Found:
        return dict(module.run(told(module.story(seed)), seed, arm))

    arms = tuple(module.ARMS) if given.all else module.MAIN
    module.report(each(given.folder / f"{module.NAME}.json", seeds, arms, one), seeds)


if __name__ == "__main__":
    raise SystemExit(main())
