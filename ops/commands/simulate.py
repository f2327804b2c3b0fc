"""`lockstep simulate`: with `--faults`, `--seeds` or `--count` the decision core under faults; else a day for a running installation."""

import re
from pathlib import Path
from typing import Annotated

import typer

from ops.commands.common import DATA, FINDINGS, ConfigOption, DataOption, JsonOption
from ops.usage import UsageError

DAY = 7  # the seed of the demo's day


def simulate(
    seed: Annotated[
        int | None, typer.Option("--seed", help="With --faults: the run to repeat. Else the day is made from it [default: 7]")
    ] = None,
    faults: Annotated[
        bool | None,
        typer.Option(
            "--faults/--no-faults",
            help="--faults: run the decision core here, under faults, against an oracle. --no-faults: a day without the demo's",
        ),
    ] = None,
    seeds: Annotated[str | None, typer.Option("--seeds", metavar="A..B", help="Run these seeds under faults, on all cores")] = None,
    count: Annotated[int | None, typer.Option("--count", min=1, help="Run so many seeds under faults, from --seed on")] = None,
    processes: Annotated[int | None, typer.Option("--processes", min=1, help="Of --seeds and --count [default: one a core]")] = None,
    orders: Annotated[int, typer.Option("--orders", min=1, help="Of the day: about so many orders")] = 2000,
    rate: Annotated[float, typer.Option("--rate", min=0, help="Of the day: facts a second; 0: as fast as it goes")] = 0,
    ready_file: Annotated[
        Path | None, typer.Option("--ready-file", metavar="FILE", help="Of the day: where to send to [default: that of --data]")
    ] = None,
    config: ConfigOption = None,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Simulate: many crashes in one process, or a merchant's day pushed at an installation that runs.

    `simulate --seed N --faults` plays one seed of the decision core under crashes, rebalances, clock jumps, delays and
    repeats, and judges it; a failing one is shrunk. `--seeds A..B` and `--count N` play many.
    Exit status 0 when all is as the oracle says, else 1.
    Without these options it pushes a day, signed, in the platforms' own formats, with the demo's faults: for trials only.
    """
    if seeds is None and count is None and faults is not True:
        _day(orders, rate, DAY if seed is None else seed, faults is None, ready_file, config, data, as_json)
    from ops.simulation import command

    if faults is False:
        raise UsageError("--no-faults belongs to the day; leave it out with --seeds and --count")
    if seeds is None and count is None:
        if seed is None:
            raise UsageError("name the run to repeat: simulate --seed N --faults")
        raise typer.Exit(FINDINGS if command.one(seed, as_json=as_json) else 0)
    raise typer.Exit(FINDINGS if command.many(_range(seeds, seed or 0, count), processes, as_json=as_json) else 0)


def _range(seeds: str | None, first: int, count: int | None) -> range:
    if seeds is None:
        return range(first, first + (count or 1))
    found = re.fullmatch(r"(\d+)\.\.(\d+)", seeds)
    if not found or int(found[2]) < int(found[1]):
        raise UsageError(f"--seeds is {seeds!r}; it must be like 0..499, both of them included")
    return range(int(found[1]), int(found[2]) + 1)


def _day(
    orders: int, rate: float, seed: int, faults: bool, ready_file: Path | None, config: Path | None, data: Path, as_json: bool
) -> None:
    """Push the day, and leave with its status."""
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
    """Add the command."""
    app.command()(simulate)
