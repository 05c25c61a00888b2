"""Can an analyst tell a golden case or a re-serve from any other review, from anything that the API answers?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from casework.cases.dossiers import Guideline
from casework.deciding.intake import guideline_of
from casework.http.access import now, permission_of
from casework.http.api import ROUTERS
from casework.people.permissions import ALLOWED, Role
from casework.people.signin import add_user
from casework.review.measuring import rounds
from tests.http.institution import PASSWORD, START, Institution, large_payment, make_workspace, served

AGO = timedelta(days=35, hours=1)
SHOWN_AGAIN = ("golden", "re_serve")
WHO = {"golden": "analyst-3", "re_serve": "analyst-1"}
# Answers that may differ once a payment is to be judged again: what waits, and lists that leave the payment out.
MAY_DIFFER = (
    "/v1/queue",
    "/v1/summary",
    "/v1/me/work",
    "/v1/decisions",
    "/v1/cases",
    "/v1/decisions/{transaction_id}",
    "/v1/cases/{case_id}",
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Institution]:
    root: Path = tmp_path_factory.mktemp("blind") / "bank"
    with served(make_workspace(root)) as running:
        with running.app.ledger.writing() as w:
            add_user(w, "analyst-3", "analyst", PASSWORD, by="admin-1", at=START)
        yield running


@pytest.fixture(scope="module")
def old(house: Institution) -> dict[str, Any]:
    """A payment that analyst-1 and analyst-2 differed on, settled as fraud, reported as fraud, and five weeks old."""
    made = (START + timedelta(minutes=30) - AGO).isoformat()
    case = house.decide(large_payment(1, transaction_id="old-1", occurred_at=made))
    for user, value in (("analyst-1", "legitimate"), ("analyst-2", "confirmed_fraud")):
        give(house, user, take(house, user), value)
    give(house, "team-lead-1", take(house, "team-lead-1"), "confirmed_fraud")
    seq = house.app.ledger.seq_of("old-1")
    with house.app.ledger.writing() as w:
        told = {"is_fraud": True, "known_at": now(), "reported_seq": seq, "source": "chargeback"}
        w.insert("outcomes", [{**told, "transaction_seq": seq, "reason_code": "10.4", "recorded_at": now()}])
        for table, column in (("decisions", "decided_at"), ("tasks", "created_at"), ("verdicts", "given_at")):
            moved = AGO // timedelta(microseconds=1)
            w.execute(f"UPDATE {table} SET {column} = {column} - to_microseconds({moved})", [])
        age_dossiers(w)
    return case


def age_dossiers(w: Any) -> None:
    """Make what was shown of the payments as old as their decisions."""
    import orjson

    from casework.review.measuring import fresh

    for row in w.read("SELECT dossier_id, content FROM dossiers"):
        stored = orjson.loads(row["content"])
        kept = Guideline(stored["guideline"]["version"], stored["guideline"]["text"])
        shown = fresh.dossier(stored, -AGO, kept)
        shown["transaction"]["occurred_at"] = stored["transaction"]["occurred_at"]  # is old already
        w.execute(
            "UPDATE dossiers SET content = ? WHERE dossier_id = ?", [orjson.dumps(shown), row["dossier_id"]]
        )


def draw_again(house: Institution, kind: str) -> str:
    """Open tasks of this kind, the other kind left out; the id of the one for WHO."""
    settings = house.app.live.settings
    design = settings.policy.design
    design = replace(design, re_serve=replace(design.re_serve, share=1.0 if kind == "re_serve" else 0.0))
    design = replace(design, golden=replace(design.golden, pool=2 if kind == "golden" else 0))
    policy = replace(settings.policy, design=design)
    with house.app.ledger.writing() as w:
        if kind == "re_serve":
            w.execute("UPDATE golden_cases SET retired_at = ? WHERE retired_at IS NULL", [now()])
    rounds.draw(house.app.ledger, policy, guideline_of(settings.files), house.app.key, now())
    with house.app.ledger.writing() as w:
        # The same arm as the ordinary task that it is compared with.
        w.execute("UPDATE tasks SET arm = 'score_shown' WHERE status = 'open'", [])
        found = w.read(
            "SELECT task_id FROM tasks WHERE kind = ? AND status = 'open' AND assignee = ?", [kind, WHO[kind]]
        )
    assert len(found) == 1
    return str(found[0]["task_id"])


def take(house: Institution, user: str) -> dict[str, Any]:
    answer = house.ask(user, "POST", "/v1/tasks/next")
    assert answer.status_code == 200, answer.text
    return answer.json()


def give(house: Institution, user: str, task: dict[str, Any], value: str) -> dict[str, Any]:
    body = {"value": value, "version": task["version"]}
    answer = house.ask(user, "POST", f"/v1/tasks/{task['task_id']}/verdict", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["verdict"]


def readable() -> list[str]:
    """Every address that an analyst may read."""
    routes = [
        r for part in ROUTERS for r in part.router.routes if isinstance(r, APIRoute) and "GET" in r.methods
    ]
    return sorted("/v1" + route.path for route in routes if Role.ANALYST in ALLOWED[permission_of(route)])


def read_all(house: Institution, user: str, ids: dict[str, str]) -> dict[str, tuple[int, str]]:
    """Status and text of every address, with these ids in the places of its names; what a clock moves is blanked."""
    found = {}
    with house.client(user) as client:
        for path in readable():
            filled = re.sub(r"\{(\w+)(:\w+)?\}", lambda name: ids.get(name.group(1), "none"), path)
            answer = client.get(filled)
            found[path] = (answer.status_code, re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z?", "T", answer.text))
    return found


@pytest.mark.parametrize("kind", SHOWN_AGAIN)
def test_no_address_tells_that_a_payment_will_be_shown_again(
    house: Institution, old: dict[str, Any], kind: str
) -> None:
    ids = {"transaction_id": "old-1", "case_id": old["case_id"], "user": WHO[kind]}
    people = ("analyst-1", "analyst-2", "analyst-3")
    before = {user: read_all(house, user, ids) for user in people}
    task_id = draw_again(house, kind)
    after = {user: read_all(house, user, {**ids, "task_id": task_id}) for user in people}
    for user in people:
        changed = [path for path in readable() if before[user][path] != after[user][path]]
        assert set(changed) - {"/v1/tasks/{task_id}"} <= set(MAY_DIFFER), (user, changed)
        assert all(task_id not in text for path, (_, text) in after[user].items() if "{task_id}" not in path)
        assert after[user]["/v1/tasks/{task_id}"][0] == 404
        assert 'set_aside":[]' in after[user]["/v1/queue"][1].replace(" ", "")
    for path in ("/v1/decisions/{transaction_id}", "/v1/cases/{case_id}"):
        assert after[WHO[kind]][path][0] == 404
    # Everybody counts the same, so that what one takes cannot be told from the numbers.
    for path in ("/v1/queue", "/v1/summary"):
        assert len({after[user][path] for user in people}) == 1
    finish(house)


def finish(house: Institution) -> None:
    """As if nothing had been shown again."""
    with house.app.ledger.writing() as w:
        w.execute(
            "DELETE FROM tasks WHERE status IN ('open', 'claimed') OR kind IN ('golden', 're_serve')", []
        )
        w.execute("DELETE FROM verdicts WHERE task_kind IN ('golden', 're_serve')", [])
        for table in ("golden_cases", "skips", "revisions"):
            w.execute(f"DELETE FROM {table}", [])
    house.app.__dict__.pop("desk", None)


Step = Callable[[Institution, str, str, dict[str, Any]], Any]


def answered(path: str, method: str = "POST", **body: Any) -> Step:
    def step(house: Institution, user: str, task_id: str, seen: dict[str, Any]) -> Any:
        filled = path.format(task_id=task_id, verdict_id=seen.get("verdict_id", ""))
        said: dict[str, Any] = {
            "ids": [task_id],
            "seen": seen.get("version"),
            "soon": (now() + timedelta(hours=1)).isoformat(),
        }
        told = {name: said.get(str(value), value) for name, value in body.items()}
        answer = house.ask(user, method, filled, **({"json": told} if told or method == "POST" else {}))
        if answer.content and "version" in answer.json():
            seen["version"] = answer.json()["version"]
        if answer.content and isinstance(answer.json(), dict):
            seen["verdict_id"] = (
                answer.json().get("verdict", {}).get("verdict_id", seen.get("verdict_id", ""))
            )
        return answer.status_code, shape(answer.json() if answer.content else None)

    return step


def shape(value: Any) -> Any:
    """The build of an answer: its keys, and every word that is not an id, a number, a moment or the payment's own."""
    if isinstance(value, dict):
        inner = {
            name: each for name, each in value.items() if name not in ("transaction", "features", "history")
        }
        return {name: shape(each) for name, each in sorted(inner.items())} | {
            name: sorted(value[name]) for name in ("transaction",) if isinstance(value.get(name), dict)
        }
    if isinstance(value, list):
        return [shape(each) for each in value[:3]]
    if isinstance(value, str):
        return re.sub(r"\w+_[0-9a-f]{16}|\d[\d:.TZ+\-]*", "#", value)
    return type(value).__name__


def same_moments(house: Institution, user: str, task_id: str, seen: dict[str, Any]) -> None:
    """What stands beside the task in the queue happened when its page says that it did."""
    page = house.ask(user, "GET", f"/v1/tasks/{task_id}").json()
    mine = house.ask(user, "GET", "/v1/queue").json()["mine"]
    told = [datetime.fromisoformat(line["occurred_at"]) for line in mine]
    assert told == [datetime.fromisoformat(page["transaction"]["occurred_at"])]


VERDICT = {"value": "legitimate", "confidence": "high"}
WAYS: dict[str, list[Step]] = {
    "answer, read and take back": [
        same_moments,
        answered("/v1/tasks/{task_id}", "GET"),
        answered("/v1/tasks/{task_id}/draft", "PUT", note="so far"),
        answered("/v1/tasks/{task_id}/verdict", **VERDICT, version="0.9"),
        answered("/v1/tasks/{task_id}/verdict", **VERDICT, version="seen"),
        answered("/v1/tasks/{task_id}", "GET"),
        answered("/v1/verdicts/{verdict_id}/revision", value="confirmed_fraud"),
        answered("/v1/verdicts/{verdict_id}/undo"),
        answered("/v1/tasks/{task_id}/verdict", value="confirmed_fraud", version="seen"),
        answered("/v1/tasks/{task_id}/claim"),
        answered("/v1/queue", "GET"),
    ],
    "give it back": [
        answered("/v1/tasks/{task_id}/release", reason="too hard"),
        answered("/v1/tasks/{task_id}/claim"),
        answered("/v1/tasks/{task_id}", "GET"),
        answered("/v1/bulk-verdicts", **VERDICT, task_ids="ids"),
        answered("/v1/queue", "GET"),
    ],
    "set it aside": [
        answered("/v1/tasks/{task_id}/snooze", until="2020-01-01T00:00:00Z", reason="later"),
        answered("/v1/tasks/{task_id}/snooze", until="soon", reason="later"),
        answered("/v1/queue", "GET"),
        answered("/v1/tasks/{task_id}/claim"),
    ],
    "hand it up": [
        answered("/v1/tasks/{task_id}/escalate", note="I know them"),
        answered("/v1/tasks/{task_id}", "GET"),
        answered("/v1/tasks/{task_id}/claim"),
        answered("/v1/queue", "GET"),
    ],
    "answer it with others": [
        answered("/v1/bulk-verdicts", **VERDICT, task_ids="ids"),
        answered("/v1/queue", "GET"),
    ],
}


def hold(house: Institution, user: str, task_id: str) -> None:
    """As if take-next had reached for this task."""
    from casework.review import tasks

    with house.app.ledger.writing() as w:
        tasks.lock(w, tasks.find(w, task_id), user, house.app.live.settings.policy, now())
        w.execute(
            "UPDATE tasks SET created_at = ? WHERE task_id = ?", [now() - timedelta(minutes=1), task_id]
        )
    house.app.__dict__.pop("desk", None)


@pytest.mark.parametrize("kind", SHOWN_AGAIN)
def test_a_verdict_stands_once_its_author_has_read_what_became_of_the_payment(
    house: Institution, old: dict[str, Any], kind: str
) -> None:
    user, task_id = WHO[kind], draw_again(house, kind)
    hold(house, user, task_id)
    said = give(house, user, house.ask(user, "GET", f"/v1/tasks/{task_id}").json(), "legitimate")
    for path in ("/v1/decisions", "/v1/cases"):  # nothing is learned in passing
        listed = house.ask(user, "GET", path).text
        assert "old-1" not in listed and old["case_id"] not in listed
    assert house.ask(user, "GET", f"/v1/cases/{old['case_id']}").json()["verdict"] == "confirmed_fraud"
    assert house.ask(user, "POST", f"/v1/verdicts/{said['verdict_id']}/undo").status_code == 409
    finish(house)


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize("kind", SHOWN_AGAIN)
@pytest.mark.parametrize("way", WAYS)
def test_whatever_is_done_with_it_the_answers_are_those_of_any_other_review(
    house: Institution, kind: str, way: str, request: pytest.FixtureRequest
) -> None:
    user = WHO[kind]
    name = re.sub(r"\W", "-", request.node.callspec.id)
    house.decide({**large_payment(2), "transaction_id": f"new-{name}"})
    seq = house.app.ledger.seq_of(f"new-{name}")
    with house.app.ledger.writing() as w:
        w.execute("DELETE FROM tasks WHERE transaction_seq = ? AND kind <> 'primary'", [seq])
        w.execute("UPDATE tasks SET arm = 'score_shown' WHERE transaction_seq = ?", [seq])
        ordinary = w.read("SELECT task_id FROM tasks WHERE transaction_seq = ?", [seq])[0]["task_id"]
    told = []
    for task_id in (ordinary, None):
        held = task_id or draw_again(house, kind)
        with house.app.ledger.writing() as w:
            w.execute("DELETE FROM tasks WHERE status = 'open' AND task_id <> ?", [held])
        hold(house, user, held)
        seen: dict[str, Any] = {}
        told.append([step(house, user, held, seen) for step in WAYS[way]])
        finish(house)
    assert told[0] == told[1]
