"""Do the commands end as promised: 0 clean, 1 findings, 2 misuse, and errors in one sentence?"""

import json
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from casework.cli import main as program
from casework.workspace import Workspace
from tests.data.test_faults import no_file_may_grow_beyond
from tests.http.institution import RULES, make_workspace
from tests.ledgers import new_workspace

MAPPING = """version: 1
institution: shop
base_currency: EUR
time_zone: UTC
transaction: {id: id, occurred_at: at, amount: amount, currency: {constant: EUR}}
entities: {customer: customer, card: card}
attributes:
  country: {column: country, type: category}
label: {column: fraud, known_after: 7d}
"""
ROWS = "id,at,amount,customer,card,country,fraud\n" + "".join(
    f"t{n},2026-01-{1 + n // 24:02d}T{n % 24:02d}:00:00Z,{10 + n}.50,c{n % 7},k{n % 9},NO,{int(n % 50 == 0)}\n"
    for n in range(400)
)


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str | Path
) -> tuple[int, str, str]:
    """One command in this process: exit code, standard output, standard error."""
    monkeypatch.setattr("sys.argv", ["secondlook", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        program.main()
    said = capsys.readouterr()
    return int(end.value.code or 0), said.out, said.err


class Shell:
    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys, self._monkeypatch = capsys, monkeypatch

    def __call__(self, *words: str | Path) -> tuple[int, str, str]:
        return run(self._capsys, self._monkeypatch, *words)


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(capsys, monkeypatch)


@pytest.fixture
def shop(shell: Shell, tmp_path: Path) -> Path:
    """A workspace made from nothing but a mapping, with a file of history in it."""
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    (tmp_path / "rows.csv").write_text(ROWS)

    def make(first: Path) -> None:
        assert shell("init", first, "--mapping", tmp_path / "mapping.yaml")[0] == 0
        assert shell("import", tmp_path / "rows.csv", "--workspace", first)[0] == 0

    new_workspace(tmp_path / "shop", "shop", make)
    return tmp_path / "shop"


def commands() -> list[tuple[str, object]]:
    found = []

    def walk(group: TyperGroup, prefix: str) -> None:
        for name, command in sorted(group.commands.items()):
            if isinstance(command, TyperGroup):
                walk(command, f"{prefix}{name} ")
            else:
                found.append((prefix + name, command))

    root = get_command(program.cli)
    assert isinstance(root, TyperGroup)
    walk(root, "")
    return found


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_every_command_takes_json_and_workspace_and_shows_an_example(name: str) -> None:
    command = dict(commands())[name]
    options = {option for parameter in command.params for option in parameter.opts}  # type: ignore[attr-defined]
    assert "--json" in options
    assert "--workspace" in options or name == "init"
    assert f"Example: secondlook {name}" in (command.help or "")  # type: ignore[attr-defined]


def test_the_fixed_commands_are_all_there() -> None:
    fixed = {"demo", "init", "import", "train", "score", "backtest", "serve", "replay", "consistency"}
    fixed |= {f"rules {name}" for name in ("check", "test", "diff", "lock", "promote")}
    assert fixed | {"audit verify", "audit export"} <= {name for name, _ in commands()}


def test_a_mapping_is_enough_to_decide_a_file(shell: Shell, shop: Path, tmp_path: Path) -> None:
    later = ROWS.replace("2026-01-", "2026-02-").replace("\nt", "\nu")
    (tmp_path / "later.csv").write_text(later)
    code, out, _ = shell("score", tmp_path / "later.csv", "--workspace", shop, "--json")
    scored = json.loads(out)
    assert (code, len(scored["rows"]), scored["unreadable"]) == (0, 400, 0)
    assert set(scored["outcomes"]) <= {"approve", "review", "decline"}
    code, out, _ = shell("replay", "u5", "--workspace", shop)
    assert (code, "bit for bit" in out) == (0, True)
    assert shell("audit", "verify", "--workspace", shop)[0] == 0


def test_the_same_file_twice_is_clean_and_quarantined_rows_are_findings(
    shell: Shell, shop: Path, tmp_path: Path
) -> None:
    code, out, _ = shell("import", tmp_path / "rows.csv", "--workspace", shop, "--json")
    assert (code, json.loads(out)["imports"][0]["duplicate"]) == (0, 400)
    (tmp_path / "bad.csv").write_text(ROWS.splitlines()[0] + "\nx1,not a time,1.00,c1,k1,NO,0\n")
    code, out, _ = shell("import", tmp_path / "bad.csv", "--workspace", shop)
    assert (code, "1 quarantined" in out) == (1, True)
    (tmp_path / "old.csv").write_text(ROWS.splitlines()[0] + "\nx2,2018-01-01T00:00:00Z,1.00,c1,k1,NO,\n")
    code, out, _ = shell("import", tmp_path / "old.csv", "--workspace", shop)
    assert (code, "warning: 1 of these are more than 395 days" in out) == (0, True)


def test_a_changed_file_is_proposed_by_one_and_approved_by_another(
    shell: Shell, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDLOOK_PASSWORD", "correct horse battery")
    for user in ("risk-1", "risk-2"):
        assert (
            shell("users", "add", user, "--role", "risk_manager", "--reason", "joins", "--workspace", shop)[0]
            == 0
        )
    assert shell("rules", "diff", "--workspace", shop)[0] == 0
    policy = shop / "rules" / "policy.yaml"
    policy.write_text(policy.read_text() + "\n# looked at today\n")
    code, out, _ = shell("rules", "diff", "--workspace", shop)
    assert (code, "+# looked at today" in out) == (1, True)

    code, _, err = shell("rules", "propose", "--reason", "a remark", "--workspace", shop)
    assert (code, "--user NAME" in err) == (2, True)
    code, out, _ = shell("rules", "propose", "--reason", "a remark", "-u", "risk-1", "-w", shop, "--json")
    made = json.loads(out)
    assert (code, made["author"], made["problems"]) == (0, "risk-1", [])
    seen = ("p_0001", "--content", made["content_sha256"][:12], "--reason", "seen", "-w", shop)
    code, _, err = shell("rules", "approve", *seen, "--user", "risk-1")
    assert (code, "nobody approves a change of their own" in err) == (2, True)
    code, _, err = shell("rules", "approve", "p_0001", "--content", "0" * 12, *seen[3:], "--user", "risk-2")
    assert (code, "is not the content of p_0001" in err) == (2, True)
    code, out, _ = shell("rules", "approve", *seen, "--user", "risk-2")
    assert (code, out.startswith("policy.yaml: in force as set_")) == (0, True)
    assert shell("rules", "diff", "--workspace", shop)[0] == 0
    assert "approved" in shell("rules", "proposals", "--workspace", shop)[1]


def test_a_locked_rule_is_written_down_with_its_version(shell: Shell, shop: Path) -> None:
    assert shell("rules", "lock", "--workspace", shop)[0] == 0
    code, out, _ = shell("rules", "diff", "--workspace", shop)
    assert (code, "rules.lock.json" in out) == (1, True)


def test_every_inline_test_has_a_line_and_the_last_one_counts_them(shell: Shell, shop: Path) -> None:
    code, out, _ = shell("rules", "test", "--workspace", shop)
    lines = out.splitlines()
    tests = [line for line in lines if line.startswith("ok   ")]
    assert code == 0
    assert lines[-1].endswith(f"{len(tests)} tests, 0 failed, 0 unpinned.")
    rule = shop / "rules" / "catalogue" / "customer_with_known_frauds.yaml"
    first = next(line for line in rule.read_text().splitlines() if "expect: no_hit" in line)
    rule.write_text(rule.read_text().replace(first + "\n", ""))
    code, out, _ = shell("rules", "test", "--workspace", shop)
    assert (
        code,
        any(line.startswith("UNPINNED customer_with_known_frauds: ") for line in out.splitlines()),
    ) == (1, True)


def test_an_unknown_feature_in_a_rule_is_named_with_its_place(shell: Shell, shop: Path) -> None:
    rule = shop / "rules" / "catalogue" / "customer_with_known_frauds.yaml"
    rule.write_text(rule.read_text().replace("customer_fraud_count", "customer_fruad_count"))
    code, out, _ = shell("rules", "check", "--workspace", shop)
    (line,) = [line for line in out.splitlines() if line.endswith("[unknown_feature]")]
    assert (code, line.startswith(f"{rule}:"), "Did you mean 'customer_fraud_count" in line) == (
        1,
        True,
        True,
    )


def test_a_file_for_which_the_disk_has_no_room_is_refused_in_a_sentence_and_no_part_of_it_is_left(
    shell: Shell, tmp_path: Path
) -> None:
    with no_file_may_grow_beyond(100):
        code, _, err = shell("mapping", "show", "handbook", "--out", tmp_path / "mapping.yaml")
    assert (code, err.count("\n")) == (2, 1)
    assert "the disk does not take what is written (File too large). Make room" in err
    assert list(tmp_path.iterdir()) == []


def test_a_backtest_gives_its_figures(shell: Shell, shop: Path) -> None:
    days = ("--train-from", "2026-01-01", "--train-to", "2026-01-09")
    later = ("--test-from", "2026-01-10", "--test-to", "2026-01-17")
    code, out, err = shell("backtest", *days, *later, "--delay-days", "0", "--workspace", shop, "--json")
    assert code == 0, err
    assert {"auc", "average_precision", "card_precision_at_100"} <= json.loads(out).keys()
    assert (
        shell("backtest", *days, "--test-from", "2025-01-01", "--test-to", "2025-01-02", "-w", shop)[0] == 2
    )


def test_any_verdict_log_gets_its_agreement_report(shell: Shell, tmp_path: Path) -> None:
    log = tmp_path / "verdicts.csv"
    log.write_text(
        "item,reviewer,verdict\n"
        + "".join(f"i{n},r{r},{'fraud' if (n + r) % 3 else 'ok'}\n" for n in range(30) for r in (1, 2))
    )
    code, out, _ = shell("consistency", log, "--json")
    assert (code, json.loads(out)["n_ratings"]) == (0, 60)
    code, out, _ = shell("consistency", log)
    assert "alpha" in out


def test_a_user_can_be_added_and_is_told_a_password_once(shell: Shell, shop: Path) -> None:
    code, out, _ = shell(
        "users", "add", "analyst-1", "--role", "analyst", "--reason", "joins", "--workspace", shop, "--json"
    )
    assert (code, len(json.loads(out)["password"]) >= 10) == (0, True)
    code, out, _ = shell("users", "list", "--workspace", shop)
    assert "analyst-1" in out


MISUSE = {
    "no such command": ["dance"],
    "no such option": ["train", "--fast"],
    "no workspace": ["train", "--workspace", "{tmp}/nowhere"],
    "no file": ["import", "{tmp}/nothing.csv", "--workspace", "{tmp}/bank"],
    "no mapping": ["init", "{tmp}/new", "--mapping", "{tmp}/nothing.yaml"],
    "a mapping with duplicate keys": ["init", "{tmp}/new", "--mapping", "{tmp}/twice.yaml"],
    "a mapping with an unknown key": ["init", "{tmp}/new", "--mapping", "{tmp}/unknown.yaml"],
    "a directory that is not empty": ["init", "{tmp}/bank", "--mapping", "{rules}/mapping.yaml"],
    "a short password": [
        "init",
        "{tmp}/new",
        "--mapping",
        "{rules}/mapping.yaml",
        "--admin-password",
        "short",
    ],
    "no such transaction": ["replay", "never-seen", "--workspace", "{tmp}/bank"],
    "a role that does not exist": [
        "users",
        "add",
        "a-1",
        "--role",
        "king",
        "--reason",
        "x",
        "--workspace",
        "{tmp}/bank",
    ],
    "a log that is none": ["consistency", "{tmp}/twice.yaml"],
    "a file of another kind": ["import", "{tmp}/twice.yaml", "--workspace", "{tmp}/bank"],
    "a port that is none": ["serve", "--workspace", "{tmp}/bank", "--port", "99999", "--no-console"],
}


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("misuse")
    make_workspace(folder / "bank")
    (folder / "twice.yaml").write_text(MAPPING + "version: 1\n")
    (folder / "unknown.yaml").write_text(MAPPING + "colour: red\n")
    return folder


@pytest.mark.parametrize("words", MISUSE.values(), ids=MISUSE.keys())
def test_misuse_exits_2_says_why_and_changes_nothing(shell: Shell, bank: Path, words: list[str]) -> None:
    before = Workspace(bank / "bank").ledger_file.stat().st_size
    code, _, err = shell(*(word.format(tmp=bank, rules=RULES) for word in words))
    assert code == 2, err
    assert err.strip()
    assert "Traceback" not in err
    assert not (bank / "new").exists()
    assert Workspace(bank / "bank").ledger_file.stat().st_size == before
