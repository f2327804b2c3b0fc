"""`lockstep demo`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from ops.commands.common import ConfigOption


def demo(
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Data folder [default: lockstep-data/demo]")] = None,
    orders: Annotated[int, typer.Option("--orders", min=100, help="How many orders the day has")] = 2000,
    seed: Annotated[int, typer.Option("--seed", help="The day is made from it")] = 7,
    stay: Annotated[bool, typer.Option("--stay", help="Keep everything running afterwards (also DEMO_STAY=1)")] = False,
    config: ConfigOption = None,
) -> None:
    """Play a merchant's day with known faults against everything, and print planted beside found.

    Exit status 0 when all was found. It brings its own configuration; --config is not used.
    """
    from ops.simulator import demo as play

    stay = stay or os.environ.get("DEMO_STAY", "") not in {"", "0"}
    raise typer.Exit(play.main(play.Options(data=data or play.DATA, orders=orders, seed=seed, stay=stay)))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)
