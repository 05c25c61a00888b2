"""Which mappings are ready, for data sets that many people start with?"""

from __future__ import annotations

from importlib import resources

from data.errors import MappingError, did_you_mean

SUFFIX = ".yaml"


def names() -> list[str]:
    """The names of the ready mappings."""
    found = (file.name for file in resources.files(__name__).iterdir())
    return sorted(name.removesuffix(SUFFIX) for name in found if name.endswith(SUFFIX))


def text(name: str) -> str:
    """The text of a ready mapping. MappingError for a name that is none."""
    known = names()
    if name not in known:
        raise MappingError(
            f"there is no ready mapping '{name}'", allowed=", ".join(known), hint=did_you_mean(name, known)
        )
    return resources.files(__name__).joinpath(name + SUFFIX).read_text(encoding="utf-8")


def about(name: str) -> str:
    """The first sentence of a ready mapping's opening comment."""
    words: list[str] = []
    for line in text(name).splitlines():
        if not line.startswith("#"):
            break
        words += line.removeprefix("#").split()
    first, *rest = " ".join(words).split(": ", 1)
    return first.split(". ")[0] if rest else " ".join(words).split(". ")[0]
