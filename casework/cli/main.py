"""What does `secondlook` do, and how does it end?"""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from casework.cli import (
    api_keys,
    audit,
    consensus,
    consistency,
    keeping,
    labels,
    learning,
    mappings,
    models,
    people_figures,
    rescoring,
    review_design,
    rules,
    safety,
    serving,
    users,
    watching,
    workspaces,
)
from casework.cli.output import Exit
from data.errors import DiskError, SecondLookError
from data.storage.disk import takes_nothing

cli = typer.Typer(
    name="secondlook",
    help="A fraud decision engine that knows when to ask a person.\n\nStart with: secondlook demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
serving.add_to(cli)
workspaces.add_to(cli)
learning.add_to(cli)
rescoring.add_to(cli)
review_design.add_to(cli)
people_figures.add_to(cli)
audit.add_to(cli)
keeping.add_to(cli)
consistency.add_to(cli)
consensus.add_to(cli)
cli.add_typer(labels.cli, name="labels")
cli.add_typer(mappings.cli, name="mapping")
cli.add_typer(rules.cli, name="rules")
cli.add_typer(safety.cli, name="safety")
cli.add_typer(models.cli, name="models")
cli.add_typer(models.jobs, name="jobs")
cli.add_typer(audit.cli, name="audit")
cli.add_typer(users.cli, name="users")
cli.add_typer(api_keys.cli, name="keys")
cli.add_typer(watching.cli, name="watch")


def main() -> None:
    """Run one command. Our own errors, and a disk that is full or read-only, become one line on standard error and exit
    code 2."""
    try:
        cli()
    except SecondLookError as error:
        _refused(error)
    except OSError as error:
        if not takes_nothing(error):
            raise
        place = str(error.filename2 or error.filename or "")
        what = f"the disk does not take what is written ({error.strerror})"
        _refused(DiskError(what, where=place, hint="Make room, or the disk writable, and try again."))
    except KeyboardInterrupt:
        sys.exit(130)


def _refused(error: SecondLookError) -> NoReturn:
    print(f"secondlook: {error}", file=sys.stderr)
    sys.exit(Exit.MISUSE)
