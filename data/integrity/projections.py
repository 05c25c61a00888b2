"""Do the rows that repeat what an event says still say the same?

Each `Projection` names a table, the kind of event that makes its rows, what joins the two, and what every compared
column must be, as SQL over the event (`e`) and its payload (`j`). Columns that later events change are compared with
the last event that changed them. One query a table; decisions in stretches, so that memory stays bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from data.said import ERASED
from data.storage.rows import View
from data.storage.schema import Shapes

_STRETCH = 200_000
Problem = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Projection:
    """How rows of a table follow from events. `key` and `joins` are equal for a row and its event; `strays` says
    whether a row that no event of this kind speaks of is wrong; `thing` is what the sentence calls a row."""

    table: str
    kinds: tuple[str, ...]
    key: str
    joins: str
    columns: Mapping[str, str]
    thing: str
    strays: bool = True
    latest: bool = False
    stretches: bool = False


def _text(*names: str) -> dict[str, str]:
    return {name: f"j->>'{name}'" for name in names}


def _number(name: str, path: str = "") -> dict[str, str]:
    return {name: f"CAST(j->>'{path or name}' AS DOUBLE)"}


def _after_colon(column: str = "e.subject") -> str:
    return f"substr({column}, instr({column}, ':') + 1)"


def _words(*names: str) -> dict[str, str]:
    """What a person wrote: in clear in events of earlier versions, else beside the event unless it was erased."""
    beside = "SELECT min(p.value) FROM personal_values p WHERE p.owner = 'event:' || e.seq AND p.field"
    return {name: f"coalesce(j->>'{name}', ({beside} = '{name}'), '{ERASED}')" for name in names}


_DECISION = (
    _text("transaction_id", "outcome", "model_id", "set_id")
    | {"transaction_seq": "CAST(j->>'seq' AS BIGINT)", "decided_at": "CAST(j->>'decided_at' AS TIMESTAMP)"}
    | _number("probability")
    | _number("margin")
    | _number("audit_probability", "$.draws.audit_probability")
    | _number("explore_probability", "$.draws.explore_probability")
    | {"triage_reason": "j->>'$.triage.reason'", "explored": "CAST(j->>'explored' AS BOOLEAN)"}
)
_MOVES = """moves AS (
    SELECT seq, case_id, unnest(CAST(j->'transactions' AS BIGINT[])) AS transaction_seq FROM (
        SELECT e.seq, CAST(decode(e.payload) AS JSON) AS j,
               CASE e.kind WHEN 'case.merged' THEN substr(e.subject, 6) ELSE j->>'into' END AS case_id
        FROM events e WHERE e.kind IN ('case.merged', 'case.split')))"""
"""Which payments went to which case when cases were merged or split: what was said of them went along."""
_CASE_BY_NOW = (
    "CASE WHEN j->>'case_id' = '' THEN '' ELSE coalesce((SELECT arg_max(m.case_id, m.seq) FROM moves m"
    " WHERE m.transaction_seq = CAST(j->>'transaction_seq' AS BIGINT) AND m.seq > e.seq), j->>'case_id') END"
)
_VERDICT = (
    _text("task_id", "task_kind", "lane", "value", "confidence", "arm")
    | _words("typology", "reason_code")
    | _text("guideline_version")
    | {"transaction_seq": "CAST(j->>'transaction_seq' AS BIGINT)", "reviewer": "e.actor"}
    | {"given_at": "CAST(j->>'given_at' AS TIMESTAMP)", "case_id": _CASE_BY_NOW}
)
_ENDS = ("case.closed", "case.timed_out", "case.status_changed", "case.merged_away")

PROJECTIONS: tuple[Projection, ...] = (
    Projection(
        "decisions", ("transaction.decided",), "event_seq", "e.seq", _DECISION, "the decision of",
        stretches=True,
    ),
    Projection("verdicts", ("verdict.given",), "event_seq", "e.seq", _VERDICT, "the verdict"),
    Projection(
        "verdicts", ("verdict.undone",), "verdict_id", _after_colon(), {"undone_at": "e.recorded_at"},
        "the taking back of verdict", strays=False,
    ),
    Projection(
        "tasks", ("task.opened",), "task_id", _after_colon(),
        _text("dossier_id", "kind", "lane", "arm") | _number("probability")
        | {"transaction_seq": "CAST(j->>'transaction_seq' AS BIGINT)"},
        "the task", strays=False,
    ),
    Projection(
        "cases", ("case.opened",), "case_id", _after_colon(), _text("reason") | _words("reason_detail"),
        "the case",
        strays=False,
    ),
    Projection(
        "cases", _ENDS, "case_id", _after_colon(),
        {
            "verdict": "CASE e.kind WHEN 'case.closed' THEN j->>'verdict' ELSE '' END",
            "status": "CASE e.kind WHEN 'case.closed' THEN 'closed' WHEN 'case.timed_out' THEN 'timed_out'"
            " WHEN 'case.merged_away' THEN 'merged' ELSE j->>'status' END",
        },
        "the end of case", strays=False, latest=True,
    ),
    Projection(
        "cases", ("case.alert_joined",), "case_id", _after_colon(),
        {"raised": "coalesce(CAST(j->>'raised' AS DOUBLE), 0)"},  # before, each task was raised by an event of its own
        "what joined alerts raised case", strays=False, latest=True,
    ),
    Projection(
        "dispositions", ("disposition.recorded",), "disposition_seq", "CAST(j->>'disposition_seq' AS BIGINT)",
        _text("value", "case_id") | _words("reason") | {"actor": "e.actor", "transaction_id": _after_colon()},
        "the disposition",
    ),
    Projection(
        "approved_sets", ("set.approved",), "event_seq", "e.seq",
        _text("set_id", "reason", "files") | {"approved_by": "e.actor", "approved_at": "e.recorded_at"},
        "the approval of",
    ),
    Projection(
        "proposals", ("proposal.made",), "event_seq", "e.seq",
        _text("content_sha256", "base_set_id", "origin", "reason", "override_reason", "changes")
        | {"author": "e.actor"},
        "the proposal",
    ),
    Projection(
        "proposals", ("proposal.approved",), "proposal_id", _after_colon(),
        {"settled_by": "e.actor", "status": "'approved'"}, "the approval of proposal", strays=False,
    ),
    Projection(
        "kill_switch", ("kill_switch.turned_on", "kill_switch.turned_off"), "event_seq", "e.seq",
        {"is_on": "CAST(j->>'is_on' AS BOOLEAN)", "turned_by": "e.actor"}, "the kill switch at",
    ),
    Projection("users", ("user.created",), "user_id", "j->>'user'", _text("role"), "the user"),
    Projection(
        "users", ("user.disabled",), "user_id", "j->>'user'", {"disabled_at": "e.recorded_at"}, "the leaving of",
        strays=False, latest=True,
    ),
    Projection(
        "api_keys", ("api_key.added",), "key_id", _after_colon(),
        _text("user_id", "name", "scopes") | {"per_second": "CAST(j->>'per_second' AS BIGINT)"}
        | {"expires_at": "CAST(j->>'expires_at' AS TIMESTAMP)", "created_by": "e.actor"}, "the API key",
    ),
    Projection(
        "api_keys", ("api_key.revoked",), "key_id", _after_colon(),
        {"revoked_at": "e.recorded_at", "revoked_by": "e.actor"}, "the revoking of API key", strays=False, latest=True,
    ),
)  # fmt: skip

_LABELLED = (
    "SELECT min(e.seq) AS seq FROM events e, unnest(CAST(CAST(decode(e.payload) AS JSON)->'outcomes' AS JSON[])) u(o)"
    " ANTI JOIN outcomes t ON t.transaction_seq = CAST(o->>'transaction_seq' AS BIGINT)"
    " AND t.is_fraud = CAST(o->>'is_fraud' AS BOOLEAN) AND t.known_at = CAST(o->>'known_at' AS TIMESTAMP)"
    " AND t.reason_code = o->>'reason_code' WHERE e.kind = 'outcomes.reported'"
)
_COUNTED = (
    "SELECT (SELECT count(*) FROM outcomes) AS there,"
    " (SELECT coalesce(sum(json_array_length(CAST(decode(payload) AS JSON)->'outcomes')), 0) FROM events"
    " WHERE kind = 'outcomes.reported') + (SELECT coalesce(sum(CAST(CAST(decode(payload) AS JSON)->>'$.labels.count' AS"
    " BIGINT)), 0) FROM events WHERE kind = 'transactions.recorded') AS told"
)
_CONTENTS = {"artefacts": "path", "dossiers": "dossier_id", "dossier_parts": "dossier_id"}


def problems(view: View, shapes: Shapes) -> Iterator[Problem]:
    """Rows that do not follow from their events: (event's seq, sentence), the first one of each kind."""
    for projection in PROJECTIONS:
        if projection.table in shapes:
            yield from _differing(view, projection)
    for table, name in _CONTENTS.items():
        sql = f'SELECT min("{name}") AS name FROM "{table}" WHERE sha256(content) <> sha256'
        if (found := view.read(sql)[0]["name"]) is not None:
            yield _last(view), f"the content of {found} in {table} no longer has the hash it is kept under"
    yield from _outcomes(view)


def _differing(view: View, projection: Projection) -> Iterator[Problem]:
    last = _last(view)
    size = _STRETCH if projection.stretches else last + 1
    for first in range(1, last + 1, size):
        sql, parameters = _query(projection, first, first + size - 1)
        for row in view.read(sql, parameters):
            yield row["seq"] or last, _sentence(projection, row)
            return


def _query(projection: Projection, first: int, last: int) -> tuple[str, list[int]]:
    kinds = ", ".join(f"'{kind}'" for kind in projection.kinds)
    told = ", ".join(f"{sql} AS {name}" for name, sql in projection.columns.items())
    newest = (
        "QUALIFY row_number() OVER (PARTITION BY _key ORDER BY _seq DESC) = 1" if projection.latest else ""
    )
    part = "event_seq BETWEEN ? AND ?" if projection.stretches else "true"
    columns = ", ".join(projection.columns)
    differ = " OR ".join(f"r.{name} IS DISTINCT FROM t.{name}" for name in projection.columns)
    named = ", ".join(f"WHEN r.{name} IS DISTINCT FROM t.{name} THEN '{name}'" for name in projection.columns)
    side = "FULL" if projection.strays else "RIGHT"
    sql = (
        f"WITH {_MOVES}, t AS (SELECT e.seq AS _seq, {projection.joins} AS _key, {told} FROM"
        " (SELECT *, CAST(decode(payload) AS JSON) AS j FROM events) e"
        f" WHERE e.kind IN ({kinds}) AND e.seq BETWEEN ? AND ? {newest}),"
        f" r AS (SELECT {projection.key} AS _key, {columns}, count(*) OVER (PARTITION BY _key) AS _n"
        f' FROM "{projection.table}" WHERE {part})'
        " SELECT t._seq AS seq, coalesce(CAST(t._key AS VARCHAR), CAST(r._key AS VARCHAR)) AS key,"
        " t._key IS NULL AS stray, r._key IS NULL AS gone, r._n > 1 AS twice,"
        f" CASE {named.replace(', WHEN', ' WHEN')} END AS differs FROM r {side} JOIN t ON t._key = r._key"
        f" WHERE t._key IS NULL OR r._key IS NULL OR r._n > 1 OR {differ} ORDER BY t._seq LIMIT 1"
    )
    return sql, [first, last, first, last] if projection.stretches else [first, last]


def _sentence(projection: Projection, row: Mapping[str, object]) -> str:
    what = f"{projection.thing} {row['key']}"
    if row["stray"]:
        return f"{what} is in {projection.table}, but no event speaks of it"
    if row["gone"]:
        return f"{what} is missing from {projection.table}"
    if row["twice"]:
        return f"{what} is in {projection.table} more than once"
    return f"{what} differs from its event: {projection.table}.{row['differs']} was changed"


def _outcomes(view: View) -> Iterator[Problem]:
    if (seq := view.read(_LABELLED)[0]["seq"]) is not None:
        yield seq, f"an outcome that event {seq} reports is missing, or was changed"
    counted = view.read(_COUNTED)[0]
    if counted["there"] != counted["told"]:
        yield (
            _last(view),
            f"{counted['there']} outcomes are stored where the events speak of {counted['told']}",
        )


def _last(view: View) -> int:
    return int(view.read("SELECT coalesce(max(seq), 0) AS seq FROM events")[0]["seq"])
