"""Do passwords, tokens and waiting times behave when somebody is wrong, slow or gone?"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from casework.people import signin
from casework.people.names import RESERVED
from casework.people.permissions import ALLOWED, Permission, Person, Role, require
from casework.people.signin import FREE_FAILURES, TOKEN_LIFE, NotSignedIn, SignIn, TooManyAttempts, add_user
from data.errors import ConflictError, InputError, NotFoundError, PermissionDenied
from data.ledger import Ledger
from tests.conftest import FULL_COST

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
PASSWORD = "correct horse"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.create(tmp_path / "secondlook.duckdb", at=NOW) as made:
        with made.writing() as w:
            add_user(w, "analyst-1", "analyst", PASSWORD, by="admin", at=NOW)
        yield made


def test_the_right_password_opens_a_session_that_names_the_person(ledger: Ledger) -> None:
    door = SignIn(ledger)
    session = door.sign_in("analyst-1", PASSWORD, NOW)
    assert session.expires_at == NOW + TOKEN_LIFE
    assert door.person(session.token, NOW) == Person("analyst-1", Role.ANALYST)


def test_neither_password_nor_token_is_written_anywhere(ledger: Ledger) -> None:
    session = SignIn(ledger).sign_in("analyst-1", PASSWORD, NOW)
    everything = [ledger.read(f"SELECT * FROM {table}") for table in ("users", "tokens", "events")]
    assert PASSWORD not in str(everything)
    assert session.token not in str(everything)
    assert ledger.read("SELECT password_hash FROM users")[0]["password_hash"].startswith("$argon2id$")


def test_a_stolen_hash_is_costly_to_guess_at(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signin, "COST", FULL_COST)  # the other tests hash at the least cost
    with ledger.writing() as w:
        add_user(w, "analyst-2", "analyst", PASSWORD, by="admin", at=NOW)
    kept = ledger.read("SELECT password_hash FROM users WHERE user_id = 'analyst-2'")[0]["password_hash"]
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert SignIn(ledger).sign_in("analyst-2", PASSWORD, NOW).person.user_id == "analyst-2"


def test_a_session_survives_a_restart_of_the_server(ledger: Ledger) -> None:
    session = SignIn(ledger).sign_in("analyst-1", PASSWORD, NOW)
    assert SignIn(ledger).person(session.token, NOW).user_id == "analyst-1"


def test_a_token_ends_with_its_time_and_with_signing_out(ledger: Ledger) -> None:
    door = SignIn(ledger)
    session = door.sign_in("analyst-1", PASSWORD, NOW)
    with pytest.raises(NotSignedIn, match="expired"):
        door.person(session.token, NOW + TOKEN_LIFE)
    door.sign_out(session.token, NOW)
    with pytest.raises(NotSignedIn, match="not valid"):
        door.person(session.token, NOW)
    with pytest.raises(NotSignedIn):
        SignIn(ledger).person(session.token, NOW)


@pytest.mark.parametrize("token", ["", "x", "analyst-1", "\u00e9"])
def test_a_made_up_token_is_nobodys(ledger: Ledger, token: str) -> None:
    with pytest.raises(NotSignedIn):
        SignIn(ledger).person(token, NOW)


def test_an_unknown_user_is_refused_in_the_same_words_as_a_wrong_password(ledger: Ledger) -> None:
    door = SignIn(ledger)
    said = []
    for user in ("analyst-1", "nobody"):
        with pytest.raises(NotSignedIn) as refusal:
            door.sign_in(user, "wrong", NOW)
        said.append(str(refusal.value))
    assert said[0] == said[1]


def test_guessing_makes_even_the_right_password_wait(ledger: Ledger) -> None:
    door = SignIn(ledger)
    for _ in range(FREE_FAILURES):
        with pytest.raises(NotSignedIn):
            door.sign_in("analyst-1", "wrong", NOW)
    with pytest.raises(TooManyAttempts) as refusal:
        door.sign_in("analyst-1", PASSWORD, NOW)
    later = NOW + timedelta(seconds=refusal.value.wait_seconds)
    assert door.sign_in("analyst-1", PASSWORD, later).person.user_id == "analyst-1"


def test_each_further_wrong_guess_waits_longer(ledger: Ledger) -> None:
    door, at, waits = SignIn(ledger), NOW, []
    for _ in range(FREE_FAILURES):
        with pytest.raises(NotSignedIn):
            door.sign_in("analyst-1", "wrong", at)
    for _ in range(3):
        with pytest.raises(TooManyAttempts) as refusal:
            door.sign_in("analyst-1", "wrong", at)
        waits.append(refusal.value.wait_seconds)
        at += timedelta(seconds=refusal.value.wait_seconds)
        with pytest.raises(NotSignedIn):
            door.sign_in("analyst-1", "wrong", at)
    assert waits == [1, 2, 4]


def test_a_disabled_user_is_out_at_once_and_stays_out(ledger: Ledger) -> None:
    door = SignIn(ledger)
    session = door.sign_in("analyst-1", PASSWORD, NOW)
    door.disable("analyst-1", by="admin", at=NOW)
    with pytest.raises(NotSignedIn):
        door.person(session.token, NOW)
    with pytest.raises(NotSignedIn):
        door.sign_in("analyst-1", PASSWORD, NOW)
    with pytest.raises(NotFoundError):
        door.disable("analyst-1", by="admin", at=NOW)


@pytest.mark.parametrize(
    ("user", "role", "password"),
    [
        ("Analyst 2", "analyst", PASSWORD),
        ("", "analyst", PASSWORD),
        ("a" * 65, "analyst", PASSWORD),
        ("analyst-2", "king", PASSWORD),
        ("analyst-2", "analyst", "short"),
        ("analyst-2", "analyst", "x" * 201),
    ],
)
def test_a_bad_name_role_or_password_makes_no_user(
    ledger: Ledger, user: str, role: str, password: str
) -> None:
    with pytest.raises(InputError) as refusal, ledger.writing() as w:
        add_user(w, user, role, password, by="admin", at=NOW)
    assert password not in str(refusal.value) or password == "short"
    assert len(ledger.read("SELECT * FROM users")) == 1


def test_a_name_is_given_once(ledger: Ledger) -> None:
    with pytest.raises(ConflictError), ledger.writing() as w:
        add_user(w, "analyst-1", "auditor", PASSWORD, by="admin", at=NOW)


@pytest.mark.parametrize("name", ["local-admin", "engine", "policy", "scheduler", "system"])
def test_nobody_gets_a_name_that_the_program_signs_with(ledger: Ledger, name: str) -> None:
    with pytest.raises(InputError, match="any name but"), ledger.writing() as w:
        add_user(w, name, "admin", PASSWORD, by="admin", at=NOW)
    assert len(ledger.read("SELECT * FROM users")) == 1


def test_every_word_that_signs_for_the_program_is_reserved() -> None:
    root = Path(signin.__file__).parents[2]
    signed = re.compile(r"""(?:EventDraft\(\s*|\b(?:actor|by)(?:: str)? ?= ?)"([a-z-]+)\"""")
    files = [path for room in ("casework", "data") for path in (root / room).rglob("*.py")]
    found = {word for path in files if "demo" not in path.parts for word in signed.findall(path.read_text())}
    assert found >= {"engine", "policy", "gates", "scheduler", "breaker", "outbox", "ledger", "system"}
    assert found <= RESERVED


def test_a_user_who_was_once_given_the_servers_own_name_is_not_taken_for_it(ledger: Ledger) -> None:
    """Such a user may stand in a record from before names were reserved."""
    with ledger.writing() as w:
        user = {"user_id": "local-admin", "role": "admin", "created_at": NOW, "password_hash": "x"}
        w.insert("users", [{**user, "disabled_at": None}])
    door, own = SignIn(ledger), Person("local-admin", Role.ADMIN)
    session = door.open(own, NOW)
    door.admit("the server's own", own, NOW + TOKEN_LIFE)
    assert not door.person(session.token, NOW).local
    door.disable("local-admin", by="admin", at=NOW)
    with pytest.raises(NotSignedIn):
        door.person(session.token, NOW)
    assert door.person("the server's own", NOW).local


def test_every_permission_is_in_the_table_and_somebody_has_it() -> None:
    assert set(ALLOWED) == set(Permission)
    assert all(ALLOWED.values())


def test_an_auditor_can_change_nothing() -> None:
    auditor = Person("auditor-1", Role.AUDITOR)
    may = {permission for permission in Permission if auditor.may(permission)}
    assert not [p for p in may if not p.startswith(("read", "list", "be signed in"))]


def test_a_refusal_says_which_roles_may() -> None:
    with pytest.raises(PermissionDenied) as refusal:
        require(Person("analyst-1", Role.ANALYST), Permission.USERS_MANAGE)
    assert str(refusal.value) == (
        "the role analyst may not manage users (allowed: admin). "
        "Ask someone with one of these roles, or ask an admin for another role."
    )
