"""`lockstep offsets list|reset`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.commands.common import DATA, ConfigOption, DataOption, JsonOption, console, print_json, run, table
from ops.usage import UsageError

if TYPE_CHECKING:
    from ops.config import Kafka
    from ops.installation import Installation

app = typer.Typer(help="How far the stream and the sink have read; set one back.", no_args_is_help=True)
BEGINNING = "beginning"
RoleArgument = Annotated[str, typer.Argument(metavar="stream|sink", help="Whose group")]


@app.command(name="list")
def list_offsets(config: ConfigOption = None, data: DataOption = DATA, as_json: JsonOption = False) -> None:
    """Show for each group and topic how far it has read, and what waits."""
    from ops import offsets
    from ops.installation import find

    kafka = find(config, data).need_kafka()
    rows: list[dict[str, Any]] = []
    for role, group in offsets.GROUPS.items():
        for each in run(offsets.places(kafka, group)):
            waits = each.end - max(each.begin, each.committed)
            rows.append({"role": role, "topic": each.topic, "partition": each.partition, "committed": each.committed, "waits": waits})
    if as_json:
        print_json({"offsets": rows})
        return
    console().print(table(None, "role", "topic", "#partition", "#committed", "#waits", rows=[tuple(row.values()) for row in rows]))


@app.command()
def reset(
    role: RoleArgument,
    to: Annotated[str, typer.Option("--to", help="beginning, a time such as 2026-11-22T10:00+08:00, or an age such as 2h")] = BEGINNING,
    topic: Annotated[list[str] | None, typer.Option("--topic", help="Only this topic; may be repeated [default: all but alerts]")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be set back")] = False,
    config: ConfigOption = None,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Set a group back, never forward: what it reads again changes nothing that is there. End the role first.

    Alerts stay where they are unless their topic is named. An embedded Kafka that does not run is started for the moment.
    """
    from ops import offsets
    from ops.commands.dead import moment
    from ops.installation import find

    if role not in offsets.GROUPS:
        raise UsageError(f"{role!r} has no group: say stream or sink")
    when = None if to == BEGINNING else moment(to)
    at = None if when is None else int(when.timestamp() * 1000)

    async def work() -> list[offsets.Move]:
        async with _kafka(find(config, data)) as kafka:
            moves = await offsets.plan(kafka, offsets.GROUPS[role], at, topic or ())
            if moves and not dry_run:
                await offsets.move(kafka, offsets.GROUPS[role], moves)
            return moves

    moves = run(work())
    if as_json:
        print_json({"role": role, "done": not dry_run, "moves": [each.__dict__ for each in moves]})
        return
    if not moves:
        print(f"the {role} has read nothing that could be read again")
        return
    rows = [(each.topic, each.partition, each.before, each.after) for each in moves]
    console().print(table("Would be set back" if dry_run else "Set back", "topic", "#partition", "#from", "#to", rows=rows))


@asynccontextmanager
async def _kafka(place: "Installation") -> "AsyncIterator[Kafka]":
    """The installation's Kafka; the embedded one is started where `up` does not run."""
    from ops.config import Kafka
    from ops.embedded import EmbeddedKafka

    folder = place.data.root / "kafka"
    if place.kafka is not None or not folder.exists():
        yield place.need_kafka()
        return
    place.data.take()
    try:
        async with EmbeddedKafka(folder) as server:
            yield Kafka(server.bootstrap)
    finally:
        place.data.give_back()
