"""Is anything answered ever lost, or anything half there, when the process dies at the worst moment?"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from casework.app import App
from casework.deciding import decisions
from data import chain
from tests.http.institution import add_people, large_payment, make_workspace, payment
from tests.journeys.running import serving


def test_kill_9_right_after_an_answer_loses_nothing(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "bank")
    people(workspace)
    answered: list[dict[str, Any]] = []
    with serving(workspace) as running:
        client = running.client("integrator-1")

        def post(number: int) -> None:
            body = large_payment(number) if number % 7 == 0 else payment(number)
            try:
                answer = client.post("/v1/decisions", json=body)
            except httpx.TransportError:
                return  # the server died before this one was answered; nothing was promised
            if answer.status_code == 200:
                answered.append(answer.json())
            if len(answered) == 60:
                running.kill()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(post, range(1, 200)))
    assert 60 <= len(answered) < 199

    app = App.open(workspace)
    try:
        for decision in answered:
            rows = app.ledger.read(
                "SELECT seq FROM transactions WHERE transaction_id = ?", [decision["transaction_id"]]
            )
            assert rows == [{"seq": decision["seq"]}]
            assert decisions.stored(app.ledger, decision["seq"]) == decision
        assert_nothing_is_half_there(app)
    finally:
        app.close()


def test_after_a_kill_the_server_starts_again_and_knows_what_it_answered(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "bank")
    people(workspace)
    with serving(workspace) as running:
        first = running.client("integrator-1").post("/v1/decisions", json=large_payment(1)).json()
        running.kill()
    with serving(workspace) as running:
        client = running.client("integrator-1")
        assert client.post("/v1/decisions", json=large_payment(1)).json() == first
        following = client.post("/v1/decisions", json=payment(6)).json()
        assert following["features"]["customer_txn_count_1d"] == 1


def people(workspace: Any) -> None:
    app = App.open(workspace)
    try:
        add_people(app)
    finally:
        app.close()


def assert_nothing_is_half_there(app: App) -> None:
    """Every transaction has its decision, every review its case and task, and the chain holds."""
    count = "SELECT count(*) AS n FROM {}"
    transactions, decided = (app.ledger.read(count.format(t))[0]["n"] for t in ("transactions", "decisions"))
    assert transactions == decided
    reviews = app.ledger.read(
        "SELECT transaction_seq AS seq FROM decisions WHERE outcome = 'review' ORDER BY seq"
    )
    cases = app.ledger.read("SELECT transaction_seq AS seq FROM case_transactions ORDER BY seq")
    tasks = app.ledger.read(
        "SELECT DISTINCT transaction_seq AS seq FROM tasks WHERE kind = 'primary' ORDER BY seq"
    )
    assert reviews == cases == tasks
    assert chain.verify(app.ledger).ok
