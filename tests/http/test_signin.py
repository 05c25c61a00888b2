"""Do passwords, tokens and waiting times behave when somebody is wrong, slow or gone?"""

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from casework.people import keys, signin
from casework.people.guessing import CHECKED_AT_ONCE, FREE_FAILURES, Attempts, CheckingBusy, TooManyAttempts
from casework.people.names import RESERVED
from casework.people.permissions import ALLOWED, Permission, Person, Role, require
from casework.people.signin import TOKEN_LIFE, NotSignedIn, SignIn, add_user
from data.errors import ConflictError, InputError, NotFoundError, PermissionDenied
from data.ledger import Ledger, Writer
from tests.conftest import FULL_COST
from tests.ledgers import new_ledger

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
PASSWORD = "correct horse"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with new_ledger(tmp_path / "secondlook.duckdb", None, NOW) as made:
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


def test_guesses_at_the_same_time_are_as_few_as_guesses_one_by_one(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signin, "COST", FULL_COST)  # so long that all of them would be under way at once
    door = SignIn(ledger)

    def guess(_: int) -> type[Exception]:
        with pytest.raises((NotSignedIn, TooManyAttempts)) as refusal:
            door.sign_in("nobody-1", "wrong", NOW)
        return refusal.type

    with ThreadPoolExecutor(12) as together:
        said = list(together.map(guess, range(12)))
    assert said.count(NotSignedIn) == FREE_FAILURES


def test_more_passwords_at_once_than_can_wait_are_asked_to_come_back() -> None:
    attempts = Attempts(most_waiting=0)
    with ExitStack() as under_way:
        for number in range(CHECKED_AT_ONCE):
            under_way.enter_context(attempts.checking(f"user-{number}", NOW))
        with pytest.raises(CheckingBusy) as refusal, attempts.checking("late", NOW):
            pytest.fail("it was checked all the same")
    assert refusal.value.wait_seconds == 1
    with attempts.checking("late", NOW):
        attempts.right("late")


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


def test_a_password_that_was_right_before_its_user_was_disabled_opens_nothing(ledger: Ledger) -> None:
    """Checking a password takes a while, in which an admin may take the sign-in away."""
    door = SignIn(ledger)
    door.disable("analyst-1", by="admin", at=NOW)
    for through in ("password", "identity provider"):
        with pytest.raises(NotSignedIn):
            door.open(Person("analyst-1", Role.ANALYST), NOW, through)
    assert not ledger.read("SELECT * FROM tokens")


class _Meanwhile:
    """A ledger beside whose first write something else is begun once it is in the file."""

    def __init__(self, ledger: Ledger, begun: Callable[[], None]) -> None:
        self.read, self._ledger = ledger.read, ledger
        self._threads = [threading.Thread(target=begun)]
        self.ended = self._threads[0].join

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        with self._ledger.writing() as w:
            yield w
        if self._threads:
            thread = self._threads.pop()
            thread.start()
            thread.join(0.2)


@pytest.mark.parametrize("what", ["session", "key"])
def test_whoever_is_disabled_while_a_token_is_made_is_out_all_the_same(ledger: Ledger, what: str) -> None:
    with ledger.writing() as w:
        add_user(w, "shop", "integrator", PASSWORD, by="admin", at=NOW)
    beside = _Meanwhile(ledger, lambda: door.disable("shop", by="admin", at=NOW))
    door = SignIn(beside)  # type: ignore[arg-type]
    if what == "session":
        token = door.open(Person("shop", Role.INTEGRATOR), NOW).token
    else:
        wanted = keys.Wanted("shop", "one", ["read"], 1, timedelta(days=1), "to read")
        token = door.add_key(wanted, by="admin", at=NOW).secret
    beside.ended()
    with pytest.raises(NotSignedIn):
        door.person(token, NOW)


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
