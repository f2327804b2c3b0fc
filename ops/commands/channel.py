"""`lockstep channel list|pause|resume`."""

import asyncio
import getpass
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ops.commands.common import DATA, FINDINGS, ConfigOption, DataOption, JsonOption, clock, console, print_json, run, table

if TYPE_CHECKING:
    from ops.installation import Installation

app = typer.Typer(help="The channels' gates: look, shut, open.", no_args_is_help=True)

STATES = {"open": "open 正常", "paused": "paused 已暂停", "half_open": "half_open 试恢复"}
SHUT = {"pause": {"paused"}, "resume": {"open"}}
CONFIRM_SECONDS = 10.0
WhyOption = Annotated[str | None, typer.Option("--why", help="The reason, for the history and the alert")]
ChannelArgument = Annotated[str, typer.Argument(metavar="CHANNEL")]


@app.command(name="list")
def list_channels(config: ConfigOption = None, data: DataOption = DATA, as_json: JsonOption = False) -> None:
    """Show every channel with its gate and its counts."""
    from ops import sql
    from ops.installation import find

    place = find(config, data)

    async def read() -> list[sql.Row]:
        async with sql.connected(place.need_dsn()) as connection:
            return await sql.channels(connection, place.channels if place.model else ())

    found = run(read())
    if as_json:
        print_json({"channels": found})
        return
    rows = [
        (row["channel"], STATES.get(row["state"], row["state"]), row.get("reason"), row.get("why"), clock(row.get("since")), row.get("by"),
         row["orders"], row["held"], row["conflicts_today"], row["open_conflicts"])
        for row in found
    ]  # fmt: skip
    columns = ("channel", "gate", "reason", "why", "since", "by", "#orders", "#held", "#conflicts today", "#open conflicts")
    console().print(table(None, *columns, rows=rows))


@app.command()
def pause(
    channel: ChannelArgument, why: WhyOption = None, config: ConfigOption = None, data: DataOption = DATA, as_json: JsonOption = False
) -> None:
    """Shut a channel's gate: nothing of it is released; everything else goes on."""
    _command(config, data, channel, "pause", why, as_json)


@app.command()
def resume(
    channel: ChannelArgument, why: WhyOption = None, config: ConfigOption = None, data: DataOption = DATA, as_json: JsonOption = False
) -> None:
    """Open a channel's gate: what was held is released, each once, in order of payment."""
    _command(config, data, channel, "resume", why, as_json)


def _command(config: Path | None, data: Path, channel: str, kind: str, why: str | None, as_json: bool) -> None:
    """Send a command and wait a moment for the gate to move. Exit status 1 when it is sent but not seen to have worked."""
    from ops.installation import find

    place = find(config, data)
    place.need_channel(channel)
    state = run(_send_and_wait(place, channel, kind, why))
    if as_json:
        print_json({"channel": channel, "command": kind, "state": state, "confirmed": state in SHUT[kind]})
    elif state in SHUT[kind]:
        print(f"{channel} is {STATES[state]}")
    else:
        print(f"the command is with Kafka, but {channel} is still {state}: does the stream role run? Look with `lockstep channel list`")
    if state not in SHUT[kind]:
        raise typer.Exit(FINDINGS)


async def _send_and_wait(place: "Installation", channel: str, kind: str, why: str | None) -> str:
    from ops import channels, sql

    producer = await channels.started(place.need_kafka())
    try:
        await channels.command(producer, channel, kind, by=_who(), why=why)
    finally:
        await producer.stop()
    deadline = time.monotonic() + CONFIRM_SECONDS
    async with sql.connected(place.need_dsn()) as connection:
        while True:
            row = await connection.fetchrow(sql.CHANNEL_STATE, channel)
            state = str(row["state"]) if row else "open"
            if state in SHUT[kind] or time.monotonic() > deadline:
                return state
            await asyncio.sleep(0.1)


def _who() -> str:
    """Who commands, for the history."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "command line"
