"""Which names can nobody take, because the record signs with them what no person did?"""

from __future__ import annotations

import re

from data.errors import InputError

RESERVED = frozenset(
    {
        "breaker",
        "engine",
        "gates",
        "ledger",
        "local-admin",
        "outbox",
        "policy",
        "rollout",
        "safety",
        "schedule",
        "scheduler",
        "score",
        "second-look",
        "secondlook",
        "server",
        "simulator",
        "system",
    }
)
"""The words by which the record says that the program itself acted, or a command on the server's own machine, and some
that would read as if it had."""
_FORM = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def check(user_id: str) -> None:
    """InputError for what is no user name, or one that would sign as the program."""
    if not _FORM.fullmatch(user_id):
        raise InputError(
            f"{user_id[:80]!r} is not a user name",
            where="user",
            allowed="lower-case letters, digits, dot, dash and underscore, at most 64",
        )
    if user_id in RESERVED:
        raise InputError(
            f"{user_id!r} stands for the program itself in the record",
            where="user",
            allowed=f"any name but {', '.join(sorted(RESERVED))}",
            hint="Choose a person's or a system's own name, such as analyst-1.",
        )
