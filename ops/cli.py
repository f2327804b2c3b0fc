"""`lockstep`: the command line. Exit status 0 good, 1 findings, 2 usage or configuration (or a server that is away)."""

import os
import sys
from typing import NoReturn

import typer

from ops.commands import (
    audit,
    backfill,
    bench,
    channel,
    check,
    dead,
    demo,
    doctor,
    mapping,
    offsets,
    order,
    poll,
    roles,
    schemas,
    simulate,
    topics,
    up,
)

app = typer.Typer(
    help="Keeps every order of a merchant in step across sales channels, ERP, WMS and couriers, and says at once where it is not.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (up, roles, poll, backfill, check, audit, demo, simulate, doctor):
    module.register(app)
for name, group in (
    ("topics", topics.app),
    ("schemas", schemas.app),
    ("channel", channel.app),
    ("order", order.order_app),
    ("parcel", order.parcel_app),
    ("audit", audit.app),
    ("dead", dead.app),
    ("offsets", offsets.app),
    ("mapping", mapping.app),
    ("bench", bench.app),
):
    app.add_typer(group, name=name)


def main() -> NoReturn:
    """Run a command; an error that a person can mend is said in a line, with status 2."""
    try:
        app()
    except BrokenPipeError:
        # Whoever read our output (head, less) has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:  # sorted out: what is nobody's to mend but ours goes on
        from ops.commands.errors import said

        lines = said(error)
        if lines is None:
            raise
        for line in lines:
            print(line, file=sys.stderr)
    sys.exit(2)
