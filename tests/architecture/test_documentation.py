"""Do the words on paper match the words in the code?"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import typer
import yaml

from casework.cli.main import cli
from engine.decision import Outcome, RuleState

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
WORDS = (
    "transaction, entity, feature, window, velocity, rule, rule result, typology, probability, margin, outcome, "
    "verdict, disposition, case, task, lane, queue, reviewer, claim, escalate, second review, adjudication, "
    "agreement, golden, label, maturity, audit, exploration, policy, backtest, shadow, champion, challenger, "
    "drift, PSI, alert rate, precision, recall, value detection rate"
)


def glossary() -> dict[str, str]:
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", (ROOT / "docs" / "glossary.md").read_text(), re.M)
    return {word.strip(): meaning.strip() for word, meaning in rows if word != "word"}


def commands() -> set[str]:
    """Every command of the program, groups with their subcommands: "rules test"."""
    found = set()
    for name, command in typer.main.get_group(cli).commands.items():
        inner = getattr(command, "commands", {})
        found |= {f"{name} {each}" for each in inner} or {name}
    return found


def test_every_word_of_the_field_is_in_the_glossary() -> None:
    assert set(WORDS.split(", ")) <= set(glossary())


def test_the_glossary_names_every_outcome_and_rule_result() -> None:
    assert all(o.word in glossary()["outcome"] for o in Outcome)
    assert all(s.value in glossary()["rule result"] for s in RuleState)


def test_every_command_the_documentation_shows_exists() -> None:
    pages = [README, *((path).read_text() for path in (ROOT / "docs").glob("*.md"))]
    known = commands()
    groups = {name.split()[0] for name in known if " " in name}
    for page in pages:
        for words in re.findall(r"^\s*secondlook ([a-z-]+(?: [a-z]+)?)", page, re.M):
            first, *rest = words.split()
            name = f"{first} {rest[0]}" if first in groups and rest else first
            assert name in known, f"secondlook {words}"


def test_the_command_reference_is_what_the_program_says() -> None:
    made = subprocess.run(
        [sys.executable, "-c", "import runpy; print(runpy.run_path('docs/commands.py')['page'](), end='')"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout == (ROOT / "docs" / "commands.md").read_text(), "run `make docs`"


def test_every_policy_setting_is_in_the_reference() -> None:
    reference = (ROOT / "docs" / "policy.md").read_text()
    policy = yaml.safe_load((ROOT / "rules" / "policy.yaml").read_text())
    missing = sorted(name for name in policy if f"`{name}`" not in reference)
    assert not missing


def test_every_make_target_the_readme_shows_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"make ([a-z]+)", README)) <= targets | {"it"}


def test_the_readme_rule_is_one_of_the_demo_rules() -> None:
    shown = re.search(r"```yaml\n(.*?)```", README, re.S)
    assert shown
    rule = (ROOT / "rules" / "catalogue" / "new_device_foreign_merchant.yaml").read_text()
    for line in shown[1].splitlines():
        assert line in rule or line.strip().startswith("#"), line


def headings(page: Path) -> set[str]:
    """The anchors of a page's headings, as Git hosts make them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


def test_every_picture_page_and_heading_that_is_linked_exists() -> None:
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        for link in re.findall(r"\]\(([^):]+)\)", page.read_text()):
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            assert target.is_file(), f"{page.name}: {link}"
            assert not anchor or anchor in headings(target), f"{page.name}: {link}"
