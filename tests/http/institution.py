"""A small institution for tests: the repository's own rules on an empty ledger, served over real HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from casework.app import App
from casework.http.api import create_api
from casework.http.lane import Lanes
from casework.people.permissions import Role
from casework.people.signin import add_user
from casework.serving import ports
from casework.workspace import Admin, Workspace, create, write_private
from data import approved
from tests.ledgers import new_workspace

RULES = Path(__file__).parents[2] / "rules"
KEY = "5eed" * 16
PASSWORD = "correct horse battery"
# A busy machine takes its time to build anew what decides; what happens to whoever waits too long has its own test.
PATIENCE_SECONDS = 60.0
START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=2)


def proposals() -> dict[str, bytes]:
    files = approved.read_folder(RULES)
    del files["mapping.yaml"]
    policy = files["policy.yaml"].decode().splitlines(keepends=True)
    # Every alert opens a case of its own, so that tests do not meet each other's; test_joining.py puts this back.
    files["policy.yaml"] = "".join(line for line in policy if not line.startswith("joining:")).encode()
    return files


def make_workspace(root: Path, files: dict[str, bytes] | None = None) -> Workspace:
    """A workspace of these files (the repository's own without any), with admin-1 in it."""
    shown = files or proposals()

    def make(first: Path) -> None:
        made = create(first, RULES / "mapping.yaml", shown, Admin("admin-1", PASSWORD), at=START)
        write_private(made.key_file, KEY)  # the same draws in every run

    new_workspace(root, repr(sorted(shown.items())), make)
    return Workspace(root)


def add_people(app: App) -> None:
    """One user a role, named by it (analyst-1, team-lead-1, ...), and a second analyst."""
    names = [f"{role.replace('_', '-')}-1" for role in Role if role is not Role.ADMIN]
    with app.ledger.writing() as w:
        for name in [*names, "analyst-2", "risk-manager-2"]:
            role = name.rsplit("-", 1)[0].replace("-", "_")
            add_user(w, name, role, PASSWORD, by="admin-1", at=START)


def payment(number: int, **changes: Any) -> dict[str, Any]:
    """A small everyday payment that nobody would look at, but for what `changes` says."""
    entities = {
        "customer": f"c{number % 5}",
        "card": f"k{number % 5}",
        "merchant": "m1",
        "device": f"d{number % 5}",
    }
    attributes = {
        "merchant_category": "groceries",
        "merchant_country": "DE",
        "country": "DE",
        "channel": "pos",
        "age_band": "30-39",
    }
    body = {
        "transaction_id": f"t{number}",
        "occurred_at": (START + timedelta(minutes=30 * number)).isoformat(),
        "amount": "12.50",
        "currency": "EUR",
        "entities": {**entities, **changes.pop("entities", {})},
        "attributes": {**attributes, **changes.pop("attributes", {})},
    }
    return {**body, **changes}


def large_payment(number: int, **changes: Any) -> dict[str, Any]:
    """A payment so large that policy always wants a person to look."""
    return payment(number, **{"amount": "4000.00", **changes})


@dataclass
class Institution:
    """A served workspace, and clients that are signed in."""

    app: App
    url: str
    _tokens: dict[str, str] = field(default_factory=dict)

    def client(self, user: str = "") -> httpx.Client:
        """A client for this user; nobody is signed in without a name."""
        headers = {"authorization": f"Bearer {self.token(user)}"} if user else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)

    def token(self, user: str) -> str:
        if user not in self._tokens:
            session = self.app.signin.sign_in(user, PASSWORD, datetime.now(UTC))
            self._tokens[user] = session.token
        return self._tokens[user]

    def ask(self, user: str, method: str, path: str, **more: Any) -> httpx.Response:
        with self.client(user) as client:
            return client.request(method, path, **more)

    def decide(self, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.ask("integrator-1", "POST", "/v1/decisions", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def propose(self, user: str, **form: Any) -> dict[str, Any]:
        """A proposal's page, as its author gets it."""
        answer = self.ask(user, "POST", "/v1/proposals", json={"reason": "a reason", **form})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def approval(self, made: dict[str, Any]) -> dict[str, Any]:
        """The body that approves a proposal as it was seen."""
        return {
            "proposal_id": made["proposal_id"],
            "content_sha256": made["content_sha256"],
            "reason": "seen",
        }

    def approve(self, user: str, made: dict[str, Any]) -> dict[str, Any]:
        answer = self.ask(user, "POST", "/v1/approvals", json=self.approval(made))
        assert answer.status_code == 201, answer.text
        return answer.json()


@contextmanager
def served(workspace: Workspace) -> Iterator[Institution]:
    """The workspace behind uvicorn on a free loopback port, in a thread."""
    app = App.open(workspace)
    app.loop._patience = PATIENCE_SECONDS
    add_people(app)
    bound = ports.listen(0, "--port")
    config = uvicorn.Config(create_api(app), http=Lanes(app), log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        yield Institution(app, f"http://{ports.HOST}:{bound.getsockname()[1]}")
    finally:
        server.should_exit = True
        thread.join()
        bound.close()
        app.close()
