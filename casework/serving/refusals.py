"""What does a server tell a payment system that it cannot answer just now?"""

from __future__ import annotations

from data.errors import SecondLookError


class NotNow(SecondLookError):
    """A request that was not answered and should be sent again, with the same id, after `wait_seconds`.

    `why` is one word for the metrics; `fail_safe` is the policy's fail-safe outcome, '' where it is not known. Whoever
    must act before the retry acts on that outcome. A payment that was taken and waited too long may yet be decided.
    """

    why = "not_ready"

    def __init__(self, what: str, wait_seconds: int, fail_safe: str = "") -> None:
        self.wait_seconds, self.fail_safe = wait_seconds, fail_safe
        super().__init__(what, hint=f"Send it again, with the same id, in {wait_seconds} s or later.")


class Overloaded(NotNow):
    """More is waiting than can be answered in good time: HTTP 429."""

    why = "overload"


class Rebuilding(NotNow):
    """What decides is being built anew from the ledger: HTTP 503."""

    why = "rebuilding"


class Stopping(NotNow):
    """The server is ending, or has not begun: HTTP 503."""

    why = "stopping"


class NotRecorded(NotNow):
    """The disk does not take the decision, so that there is none: HTTP 503."""

    why = "not_recorded"
