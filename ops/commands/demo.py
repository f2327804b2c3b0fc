"""`lockstep demo` and `lockstep simulate`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from ops.commands.common import DATA, ConfigOption, DataOption, JsonOption
from ops.usage import UsageError


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


def simulate(
    orders: Annotated[int, typer.Option("--orders", min=1, help="About so many orders")] = 2000,
    rate: Annotated[float, typer.Option("--rate", min=0, help="Facts a second; 0: as fast as it goes")] = 0,
    seed: Annotated[int, typer.Option("--seed", help="The day is made from it")] = 7,
    faults: Annotated[bool, typer.Option("--faults/--no-faults", help="With the demo's faults: channels will pause")] = True,
    ready_file: Annotated[
        Path | None, typer.Option("--ready-file", metavar="FILE", help="Where to send to [default: that of --data]")
    ] = None,
    config: ConfigOption = None,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Push a merchant's day at an installation that runs, signed, in the platforms' own formats. For trials only."""
    from ops.data import Data
    from ops.installation import config_file, no_config
    from ops.simulator import simulate as play
    from ops.simulator.accounts import NobodySpeaks
    from ops.simulator.player import NotTaken

    place = Data(data)
    file = config_file(config, place)
    if not file.exists():
        raise UsageError(no_config(file))
    options = play.Options(file, ready_file or place.ready_file, orders, seed, rate, faults)
    try:
        status = play.main(options, as_json=as_json)
    except (play.NothingRuns, NobodySpeaks, NotTaken) as error:
        raise UsageError(str(error)) from error
    raise typer.Exit(status)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(demo)
    app.command()(simulate)
