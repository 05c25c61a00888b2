"""Which characters around a value say nothing, whichever way it came in?"""

from __future__ import annotations

BLANKS = (
    "\u0020\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)
"""Unicode's separators of category Zs: those that DuckDB's `trim` takes off the cells of a file."""


def trimmed(text: str) -> str:
    """The text without blanks around it, as a file's cells are read."""
    return text.strip(BLANKS)
