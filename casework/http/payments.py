"""What is a payment as it is sent for a decision, and what is the answer to one or to several?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import orjson
from pydantic import (
    AwareDatetime,
    Field,
    SkipValidation,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
)

from casework.app import App
from casework.deciding.decider import Answer
from casework.deciding.transactions import Sent, checked
from casework.failures import detail_of
from casework.http.access import now
from casework.http.bodies import Body, Identifier, ShortText
from casework.http.problems import INPUT_HINT, complaint
from data.errors import InputError, SecondLookError
from data.transactions import Transaction

LARGEST_REQUEST = 1000
_FURTHEST_AHEAD = timedelta(days=1)
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_AMOUNT = Decimal(10) ** 15
_LARGEST_NUMBER = 1e300

Name = Annotated[str, Field(max_length=64)]
Text = Annotated[str, Field(max_length=1024)]
Number = Annotated[StrictFloat, Field(ge=-_LARGEST_NUMBER, le=_LARGEST_NUMBER)]
Whole = Annotated[StrictInt, Field(ge=-(2**53), le=2**53)]
Attribute = StrictBool | Whole | Number | Annotated[StrictStr, Field(max_length=1024)] | None


class TransactionForm(Body):
    """One transaction in the words of the workspace's mapping (its entity, attribute and personal names)."""

    transaction_id: Identifier
    occurred_at: AwareDatetime
    amount: Annotated[Decimal, Field(gt=-_LARGEST_AMOUNT, lt=_LARGEST_AMOUNT, max_digits=20)] | None = None
    currency: Annotated[str, Field(max_length=8)] = ""
    entities: Annotated[dict[Name, ShortText | None], Field(default_factory=dict, max_length=64)]
    attributes: Annotated[dict[Name, Attribute], Field(default_factory=dict, max_length=256)]
    personal: Annotated[dict[Name, Text], Field(default_factory=dict, max_length=64)]


class BatchForm(Body):
    """Transactions are checked one by one, so that one that is wrong does not stop the others."""

    transactions: Annotated[
        list[SkipValidation[TransactionForm]], Field(min_length=1, max_length=LARGEST_REQUEST)
    ]


def transaction_of(app: App, form: TransactionForm) -> Transaction:
    """What was sent, in the ledger's terms. InputError naming what cannot be meant."""
    if form.occurred_at < _EARLIEST:
        raise InputError("this lies before 1970", where="occurred_at", hint="Is it a real date?")
    if form.occurred_at > now() + _FURTHEST_AHEAD:
        raise InputError(
            "this lies more than a day in the future",
            where="occurred_at",
            hint="Send the moment of the transaction in UTC, or with its offset.",
        )
    sent = Sent(
        form.transaction_id,
        form.occurred_at,
        form.amount,
        form.currency,
        form.entities,
        form.attributes,
        form.personal,
    )
    return checked(sent, app.mapping)


def read(app: App, sent: Any) -> Transaction | SecondLookError:
    """One transaction of a batch, or what is wrong with it."""
    try:
        return transaction_of(app, TransactionForm.model_validate(sent))
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        where, what = complaint(found[0])
        return InputError(what, where=where, hint=INPUT_HINT)
    except SecondLookError as error:
        return error


def together(sent: Sequence[Transaction | SecondLookError], answers: Sequence[Answer]) -> bytes:
    """The answer to a batch: for each that was sent its decision, or its problem; `answers` are for the usable."""
    following = iter(answers)
    told = [next(following) if isinstance(each, Transaction) else each for each in sent]
    return b'{"decisions":[%b]}' % b",".join([_or_problem(answer) for answer in told])


def _or_problem(answer: Answer) -> bytes:
    if isinstance(answer, bytes):
        return answer
    problem = {"title": "Not decided", "detail": detail_of(answer), "hint": answer.hint}
    return orjson.dumps({"problem": problem})
