"""What becomes of the body of a request for decisions: who asks, what is asked, and the answer in bytes?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from casework.app import App
from casework.deciding.decider import Answer
from casework.http import json_bodies, payments, problems
from casework.http.access import body_bound, now, token_in
from casework.http.plain import reader
from casework.people.permissions import Permission, require
from data.errors import SecondLookError
from data.transactions import Transaction

log = logging.getLogger("secondlook.http")
Tell = Callable[[bytes | Response], None]
_ONE = TypeAdapter(payments.TransactionForm)
_MANY = TypeAdapter(payments.BatchForm)


class Clerk:
    """Takes requests for decisions, in the event loop's thread, and tells the answer when it is on disk."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._plain = reader(app.mapping)

    def longest(self, authorization: bytes) -> int:
        """How many bytes a body from whom this header belongs to may have."""
        return body_bound(self._app, "", authorization.decode("latin-1")).most

    def take(self, batch: bool, authorization: bytes, body: bytes, tell: Tell) -> None:
        """`tell` is called once, with a decision's JSON or a problem, now or later."""
        try:
            token = token_in(authorization.decode("latin-1"))
            require(self._app.signin.person(token, now()), Permission.DECISIONS_REQUEST)
            self._take(batch, json_bodies.parsed(body), tell, token)
        except (SecondLookError, ValidationError, orjson.JSONDecodeError) as error:
            tell(_problem(error))
        except Exception:
            # As the API's own last handler does: logged whole, while the sender gets a 500 without its insides.
            log.exception("unexpected error in a request for decisions")
            tell(problems.surprise())

    def _take(self, batch: bool, body: Any, tell: Tell, token: str) -> None:
        if not batch:
            one = self._plain(body, now()) or payments.transaction_of(self._app, _ONE.validate_python(body))
            self._app.loop.take([one], partial(self._tell_one, tell, perf_counter()))
            return
        read = [self._read(each) for each in _MANY.validate_python(body).transactions]
        self._app.signin.count_more(token, len(read) - 1, now())
        usable = [each for each in read if isinstance(each, Transaction)]
        if usable:
            self._app.loop.take(usable, partial(self._tell_many, tell, read, perf_counter()))
        else:
            self._tell_many(tell, read, perf_counter(), [])

    def _read(self, sent: Any) -> Transaction | SecondLookError:
        return self._plain(sent, now()) or payments.read(self._app, sent)

    def _tell_one(self, tell: Tell, since: float, answers: list[Answer] | Exception) -> None:
        answer = answers if isinstance(answers, Exception) else answers[0]
        tell(answer if isinstance(answer, bytes) else _problem(answer))
        self._app.measures.answered("one", since)

    def _tell_many(
        self, tell: Tell, read: Sequence[Any], since: float, answers: list[Answer] | Exception
    ) -> None:
        tell(_problem(answers) if isinstance(answers, Exception) else payments.together(read, answers))
        self._app.measures.answered("batch", since)


def _problem(error: Exception) -> Response:
    if isinstance(error, SecondLookError):
        return problems.of_error(error)
    if isinstance(error, orjson.JSONDecodeError):
        return problems.of_json(error)
    if isinstance(error, ValidationError):
        return problems.of_validation(list(error.errors()))
    return problems.surprise()
