"""Under which licences are the packages that come with Second Look? Writes docs/licences.md: python docs/licences.py"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PAGE = Path(__file__).with_suffix(".md")
HEAD = """# Licences

Made by `make docs` from what the packages in `constraints.txt` say of themselves. "Run time" is what an installation
brings; the others test, lint or compare, and come with the extras `dev` and `bench`. None that runs is under a licence
that reaches further than its own files (a test holds that). Those under MPL-2.0 are used unchanged.

| package | version | licence | needed |
|---|---|---|---|
"""
# What some packages do not say in their metadata, from the licence file of their source.
SAID_ELSEWHERE = {"zen-engine": "MIT", "axe-playwright-python": "MIT"}
REACHING = re.compile(r"\b(A?GPL|LGPL|GNU|SSPL|EUPL|CC-BY-SA|BUSL|Commons Clause)", re.IGNORECASE)
"""Licences that nothing at run time may have, unless another can be chosen instead."""


def plain(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned() -> dict[str, str]:
    """Every pinned package: name as written, version."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.split("==", 1) for line in lines if "==" in line and not line.startswith("#"))


def licence(name: str) -> str:
    """The licence a package names: its expression, else its classifiers, else the first line of its text."""
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return SAID_ELSEWHERE.get(plain(name), "")
    classified = [
        c.split("::")[-1].strip() for c in about.get_all("Classifier") or [] if c.startswith("License ::")
    ]
    text = (about.get("License") or "").split("\n")[0][:60]
    return (
        about.get("License-Expression")
        or "; ".join(c for c in classified if c != "OSI Approved")
        or text
        or SAID_ELSEWHERE.get(plain(name), "")
    )


def run_time() -> set[str]:
    """What an installation without extras brings, on this machine."""
    found: set[str] = set()
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    waiting = list(_wanted(ours))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _needs(name)
    return found


def _needs(name: str) -> Iterator[str]:
    try:
        yield from _wanted(metadata.requires(name) or [])
    except metadata.PackageNotFoundError:
        return


def _wanted(requirements: Iterable[str]) -> Iterator[str]:
    for text in requirements:
        wanted = Requirement(text)
        if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
            yield plain(wanted.name)


def rows() -> Iterator[tuple[str, str, str, str]]:
    """(package, version, licence, when it is needed), as in constraints.txt."""
    running = run_time()
    for name, version in pinned().items():
        yield name, version, licence(name), "run time" if plain(name) in running else "development"


def page() -> str:
    """The whole page."""
    return HEAD + "".join(
        f"| {n} | {v} | {said.replace('|', '/')} | {when} |\n" for n, v, said, when in rows()
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
