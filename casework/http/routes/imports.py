"""How do files of history and later outcomes come in?"""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Annotated

from fastapi import APIRouter, Request, UploadFile
from pydantic import Field
from starlette.responses import Response

from casework.app import App
from casework.deciding import import_reports, importing, outcomes
from casework.http.access import allowed, now, the_app
from casework.http.answers import json_answer
from casework.http.bodies import Body, Identifier, Moment, ShortText
from casework.people.permissions import Permission, Person
from casework.spreadsheet import safe
from data.blanks import trimmed
from data.errors import InputError
from data.incoming.source_file import ALLOWED, importable
from data.storage.unfinished import working_folder

router = APIRouter(tags=["imports and outcomes"])
LARGEST_REPORT = 10_000
_LONGEST_NAME = 200


class OutcomeForm(Body):
    transaction_id: Identifier
    is_fraud: bool | None = None  # may be left out where the mapping's fraud codes say what a reason means
    known_at: Moment
    reason_code: ShortText = ""


class OutcomesForm(Body):
    outcomes: Annotated[list[OutcomeForm], Field(min_length=1, max_length=LARGEST_REPORT)]


@router.post("/imports", status_code=201)
def import_file(
    file: UploadFile, request: Request, person: Person = allowed(Permission.TRANSACTIONS_IMPORT)
) -> Response:
    """Import a CSV or Parquet file in the words of the mapping. The same file twice changes nothing."""
    app = the_app(request)
    with _received(app, file) as (path, name):
        report = importing.import_file(app, path, name, actor=person.user_id, at=now())
    return json_answer(report, 201)


@router.post("/outcome-imports", status_code=201)
def import_outcomes(
    file: UploadFile, request: Request, person: Person = allowed(Permission.OUTCOMES_REPORT)
) -> Response:
    """Import a CSV or Parquet file of outcomes, as the mapping's `outcomes` part says.

    Every line is accepted, a duplicate, of another reason, or quarantined. The same file twice changes nothing.
    """
    app = the_app(request)
    with _received(app, file) as (path, name):
        report = importing.import_outcomes(app, path, name, actor=person.user_id, at=now())
    return json_answer(report, 201)


@contextmanager
def _received(app: App, file: UploadFile) -> Iterator[tuple[Path, str]]:
    """An uploaded file on disk for the length of the block, and the name its owner gave it."""
    name = PurePosixPath((file.filename or "upload").replace("\\", "/")).name[-_LONGEST_NAME:]
    if not importable(name):
        raise InputError("this kind of file cannot be imported", where=name, allowed=ALLOWED)
    with working_folder(app.workspace.ledger_file) as folder:
        path = Path(folder) / _on_disk(name)
        with path.open("wb") as out:
            shutil.copyfileobj(file.file, out)
        yield path, name


def _on_disk(name: str) -> str:
    """What the file is called meanwhile: its end says of which kind it is, and file systems count bytes."""
    return re.sub(r"[^\w.-]", "_", name).encode()[-_LONGEST_NAME:].decode(errors="ignore")


@router.get("/imports")
def imports(request: Request, person: Person = allowed(Permission.IMPORTS_READ)) -> Response:
    """The latest 500 imports, newest first: the file, who brought it and when, and what became of its lines."""
    return json_answer({"imports": import_reports.listed(the_app(request).ledger)})


@router.get("/imports/{import_id}")
def one_import(
    import_id: str, request: Request, person: Person = allowed(Permission.IMPORTS_READ)
) -> Response:
    """One import with what its owner should know (`warnings`), why lines were quarantined, and the first of them."""
    return json_answer(import_reports.one(the_app(request).ledger, import_id))


@router.get("/imports/{import_id}/quarantine.csv")
def quarantine(
    import_id: str, request: Request, person: Person = allowed(Permission.IMPORTS_READ)
) -> Response:
    """The lines of an import that were kept apart (at most 100,000) as CSV: line, field and reason, no cells."""
    rows = import_reports.quarantined(the_app(request).ledger, import_id)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("line", "field", "reason"))
    writer.writerows((row["line"], safe(row["field"]), safe(row["reason"])) for row in rows)
    headers = {"content-disposition": 'attachment; filename="quarantine.csv"'}
    return Response(text.getvalue(), headers=headers, media_type="text/csv")


@router.post("/outcomes", status_code=201)
def report_outcomes(
    form: OutcomesForm, request: Request, person: Person = allowed(Permission.OUTCOMES_REPORT)
) -> Response:
    """Report what became of transactions (chargebacks and their reversals); all are recorded, or none.

    The same outcome twice (transaction, value, moment, reason) is recorded once; `duplicate` counts what was there.
    Where the mapping names fraud codes, only a report with one of them counts as fraud; `other_reason` says how many
    said nothing about fraud and were left out.
    """
    app = the_app(request)
    columns = app.mapping.outcomes
    told = []
    for o in form.outcomes:
        if o.is_fraud is None and not (columns and columns.fraud_codes and o.reason_code):
            raise InputError(
                "this outcome does not say whether it is fraud",
                where=o.transaction_id,
                allowed="is_fraud, or a reason_code that the mapping's fraud_codes explain",
                hint="Nothing was recorded.",
            )
        code = trimmed(o.reason_code)
        fraud = outcomes.meaning(columns, o.is_fraud, code)
        if fraud is not None:
            told.append(outcomes.Told(trimmed(o.transaction_id), fraud, o.known_at, code))
    none = {"recorded": 0, "frauds": 0, "duplicate": 0}
    done = outcomes.report(app, told, by=person.user_id, at=now()) if told else none
    return json_answer({**done, "other_reason": len(form.outcomes) - len(told)}, 201)
