"""`lockstep dead list|show|replay`."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from ops.commands.common import DATA, FINDINGS, Columns, ConfigOption, DataOption, JsonOption, clock, console, listed, print_json, run
from ops.config.values import duration
from ops.usage import UsageError

app = typer.Typer(help="Dead letters: what could not be used, with the reason.", no_args_is_help=True)

SourceOption = Annotated[str | None, typer.Option("--source", help="Only of this source")]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="Only with this reason, such as unmapped_status")]
MOST = 10_000
SinceOption = Annotated[str | None, typer.Option("--since", help="Received at or after: 2026-11-22T10:00+08:00, or an age such as 2h")]
UntilOption = Annotated[str | None, typer.Option("--until", help="Received before; written as --since")]
COUNTS: Columns = {"source": "source", "reason": "reason", "result": "result", "#letters": "n", "newest": ("newest", clock)}
LETTERS: Columns = {
    "received": ("received_at", clock),
    "source": "source",
    "reason": "reason",
    "event": "event_id",
    "detail": "detail",
    "#replays": "replays",
    "#failed again": "failed_again",
    "result": "result",
}
WOULD: Columns = {"source": "source", "reason": "reason", "#letters": "n", "newest": ("newest", clock)}


@app.command(name="list")
def list_letters(
    source: SourceOption = None,
    reason: ReasonOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST, help="At most so many letters")] = 50,
    config: ConfigOption = None,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Show how many letters there are by source and reason, and the newest of them."""
    from ops import dead
    from ops.installation import find

    choice = dead.Choice(source, reason, limit=limit, since=moment(since), until=moment(until))
    counts, letters = run(dead.overview(find(config, data).need_dsn(), choice))
    if as_json:
        print_json({"counts": counts, "letters": letters})
        return
    output = console()
    output.print(listed("By source and reason", counts, COUNTS))
    output.print()
    output.print(listed("Newest", letters, LETTERS))


@app.command()
def show(
    event_id: Annotated[str, typer.Argument(metavar="EVENT")],
    config: ConfigOption = None,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Show letters whole, with what was sent. Exit status 1 when there is none."""
    from ops import dead
    from ops.installation import find

    letters = run(dead.letters(find(config, data).need_dsn(), event_id))
    if as_json:
        print_json({"letters": letters})
    for letter in () if as_json else letters:
        for name, value in letter.items():
            print(f"{name:>17}  {clock(value) if name.endswith('_at') else value}")
        print()
    if not letters:
        if not as_json:
            typer.echo(f"there is no dead letter of the event {event_id!r}", err=True)
        raise typer.Exit(FINDINGS)


@app.command()
def replay(
    events: Annotated[list[str] | None, typer.Argument(metavar="[EVENT]...")] = None,
    source: SourceOption = None,
    reason: ReasonOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST, help="At most so many letters")] = 100,
    times: Annotated[int, typer.Option("--times", min=1, help="Pass over letters that were replayed so often")] = 3,
    rate: Annotated[float, typer.Option("--rate", min=0.1, max=10_000, help="At most so many letters a second")] = 100,
    again: Annotated[bool, typer.Option("--again", help="Also letters whose replay went through, or is on its way")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be sent")] = False,
    config: ConfigOption = None,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Send letters through again, oldest first, after the table or the code was mended. Bounded, and counted on each letter.

    What was applied before changes nothing; what fails again is the same letter. Exit status 1 when some cannot be replayed.
    """
    from ops import dead
    from ops.installation import find

    if not events and source is None and reason is None and since is None and until is None:
        raise UsageError("say which letters: events, --source, --reason, --since or --until")
    place = find(config, data)
    choice = dead.Choice(source, reason, tuple(events or ()), limit, times, moment(since), moment(until), again, rate)
    if dry_run:
        would = run(dead.would(place.need_dsn(), choice))
        if as_json:
            print_json({"would": would, "letters": sum(row["n"] for row in would)})
        else:
            console().print(listed("Would be sent", would, WOULD))
        return
    done = run(dead.replay(place.need_kafka(), place.need_dsn(), choice))
    if as_json:
        print_json({"replayed": done.replayed, "gone": list(done.gone)})
    else:
        print(f"replayed {done.replayed} letters; lockstep dead list shows what became of them")
        for event in done.gone:
            print(f"{event}: its record is no longer in Kafka, and it is no raw event that could be made again")
    if done.gone:
        raise typer.Exit(FINDINGS)


def moment(said: str | None) -> datetime | None:
    """Read a time with an offset, or an age before now. Raises UsageError."""
    if said is None:
        return None
    try:
        found = datetime.fromisoformat(said)
    except ValueError:
        try:
            return datetime.now(UTC) - timedelta(milliseconds=duration(said))
        except (ValueError, OverflowError):
            raise UsageError(f"{said!r} is neither a time such as 2026-11-22T10:00+08:00 nor an age such as 2h") from None
    if found.tzinfo is None:
        raise UsageError(f"{said!r} has no offset such as +08:00")
    return found
