"""Is nothing of ours listened to from beyond this machine, and is there no password that everybody knows?"""

from __future__ import annotations

import ast
from pathlib import Path

import typer

from casework.cli.main import cli
from casework.demo import people
from casework.serving import ports

ROOT = Path(__file__).parents[2]


def test_every_port_is_opened_on_the_loopback_address_only() -> None:
    with ports.listen(0, "--port") as bound:
        assert bound.getsockname()[0] == "127.0.0.1"


def test_no_command_takes_an_address_to_listen_on() -> None:
    """The demo least of all: its password is printed. Another machine is reached through a proxy with TLS."""
    for name in ("demo", "serve"):
        command = typer.main.get_group(cli).commands[name]
        assert not {"host", "address", "bind", "listen"} & {parameter.name for parameter in command.params}


def test_the_console_is_told_to_stay_on_this_machine_too() -> None:
    source = (ROOT / "casework" / "serving" / "server.py").read_text()
    assert '"--server.address", ports.HOST' in source
    assert "0.0.0.0" not in source and "::" not in source.replace("[::", "")


def test_the_demo_s_password_is_nobody_else_s() -> None:
    """Outside the demo there is none: `init` and `users add` make one up unless they are given one."""
    found = set()
    for path in (ROOT / "casework").rglob("*.py"):
        constants = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant))
        if any(node.value == people.PASSWORD for node in constants):
            found.add(path.relative_to(ROOT).as_posix())
    names = {
        "casework/learning/retraining/code_version.py",
        "casework/people/names.py",
    }  # of a package, of no user
    assert found - names == {"casework/demo/people.py"}
