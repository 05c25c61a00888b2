"""How is what went wrong told to people who are not on this machine?"""

from __future__ import annotations

import re

from data.errors import SecondLookError

# The folders of an absolute path, in quotes or bare, but not of an address or of one of our endpoints.
_FOLDERS = re.compile(
    r"""(?<=["'])/(?!v1/)[^"'\n]*/(?=[^"'/\n]*["'])|(?<![\w.:/<-])/(?!v1/)(?:[^/\s"'():,;]+/)+"""
)


def without_folders(text: str) -> str:
    """The same text in which files of this machine are named without their folders."""
    return _FOLDERS.sub("", text)


def detail_of(error: SecondLookError) -> str:
    """What, where and what was allowed, as a sentence. A file of this machine is named without its folders."""
    where = error.where.rpartition("/")[2] if error.where.startswith("/") else error.where
    what = without_folders(error.what)
    detail = f"{where}: {what}" if where else what
    return f"{detail} (allowed: {error.allowed})." if error.allowed else f"{detail}."


def in_words(error: Exception) -> str:
    """The text of any error, for the record: with the advice where it is one of ours, and without folders."""
    if isinstance(error, SecondLookError):
        return f"{detail_of(error)} {error.hint}".strip()
    return without_folders(str(error))
