"""`lockstep audit verify` and `lockstep accounting`."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.commands.common import DATA, FINDINGS, ConfigOption, DataOption, JsonOption, console, print_json, run, table
from ops.usage import UsageError

if TYPE_CHECKING:
    from ops.installation import Installation
    from ops.reports.audit import Verdict

app = typer.Typer(help="The audit chains.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `verify` a command of its own, though it is the only one."""


@app.command()
def verify(
    key: Annotated[str | None, typer.Argument(metavar="[KEY]", help="One order; all without it")] = None,
    day: Annotated[
        str | None, typer.Option("--day", metavar="DAY", help="YYYY-MM-DD in Shanghai: what that day's root vouches for")
    ] = None,
    root: Annotated[str | None, typer.Option("--root", metavar="HEX", help="A root that you kept, of --day or the last day")] = None,
    config: ConfigOption = None,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Prove the chains from the database, and against Kafka's copies where it is reached. Exit status 1 names what is broken."""
    from ops.installation import find

    verdict = run(_verify(find(config, data), key, _day(day), root))
    if key and not verdict.chains and not verdict.count:
        raise UsageError(f"no order {key} is known: neither a record nor a root names it")
    if as_json:
        print_json(_verdict(verdict))
    else:
        for each in verdict.broken:
            print(f"broken: {each}")
        if verdict.count > len(verdict.broken):
            print(f"… and {verdict.count - len(verdict.broken)} more")
        for note in verdict.notes:
            print(f"note: {note}")
        print(_summary(verdict))
    if verdict.count:
        raise typer.Exit(FINDINGS)


async def _verify(place: "Installation", key: str | None, day: date | None, held: str | None) -> "Verdict":
    """Verify with Kafka's copies if it answers; the database alone proves what it can."""
    from aiokafka.errors import KafkaError

    from ops.installation import SINK_GROUP
    from ops.reports import audit
    from ops.reports.copies import Copies

    note = "Kafka is not known here: nothing was compared with its copies"
    if kafka := place.kafka:
        try:
            async with Copies(kafka.security.client() | {"bootstrap_servers": kafka.servers}, SINK_GROUP) as copies:
                return await audit.verify(place.need_dsn(), key, day, copies=copies, held=held)
        except KafkaError as error:
            note = f"Kafka does not answer ({type(error).__name__}): nothing was compared with its copies"
    verdict = await audit.verify(place.need_dsn(), key, day, held=held)
    verdict.notes.append(note)
    return verdict


def _verdict(verdict: "Verdict") -> dict[str, Any]:
    broken = [{"order_key": each.order_key, "seq": each.seq, "day": each.day, "why": each.why} for each in verdict.broken]
    closed = verdict.closed
    return {
        "intact": not verdict.count, "records": verdict.records, "chains": verdict.chains, "unrooted": verdict.unrooted,
        "root": verdict.root, "closed": {"day": closed.day, "root": closed.root} if closed else None,
        "broken": broken, "broken_count": verdict.count, "notes": verdict.notes,
    }  # fmt: skip


def _summary(verdict: "Verdict") -> str:
    closed = verdict.closed
    last = f"root of {closed.day}: {closed.root}" if closed else "no day is closed yet"
    found = f"{verdict.count} broken" if verdict.count else "intact"
    return f"{verdict.records} records of {verdict.chains} orders, {found}; {verdict.unrooted} newer than the last root; {last}"


def _day(text: str | None) -> date | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date() if text else None  # noqa: DTZ007 - a date has no zone here
    except ValueError:
        raise UsageError(f"{text!r} is no day: write YYYY-MM-DD") from None


def accounting(config: ConfigOption = None, data: DataOption = DATA, as_json: JsonOption = False) -> None:
    """Check both identities: every raw event and every paid order is somewhere. Exit status 1 for a difference."""
    from ops.installation import SINK_GROUP, STREAM_GROUP, find
    from ops.reports.accounting import Place, take

    place = find(config, data)
    kafka = place.need_kafka()
    where = Place(kafka.servers, kafka.security.client(), place.channels, STREAM_GROUP, SINK_GROUP)
    accounts = run(take(place.need_dsn(), where))
    if as_json:
        print_json(accounts.as_json())
    else:
        facts = [
            (row.source, row.raw, row.observations, row.duplicates, _parts(row.dead), row.unread, row.difference) for row in accounts.facts
        ]
        orders = [
            (row.channel, row.paid, row.released, _parts(row.held), _parts(row.filtered), row.ended, row.difference)
            for row in accounts.orders
        ]
        output = console()
        columns = ("source", "#raw", "#observations", "#duplicates", "dead", "#unread", "#difference")
        output.print(table("Facts 事实:raw = observations + duplicates + dead + unread", *columns, rows=facts))
        output.print()
        columns = ("channel", "#paid", "#released", "held", "filtered", "#ended", "#difference")
        output.print(table("Orders 订单:paid = released + held + filtered + ended", *columns, rows=orders))
        if not accounts.settled:
            output.print("\nFacts were on their way while this was counted: ask again when it is quiet.")
    if not accounts.balanced:
        raise typer.Exit(FINDINGS)


def _parts(counts: object) -> str:
    items = dict(counts).items() if counts else ()  # type: ignore[call-overload]  # a mapping of names to counts
    return ", ".join(f"{name} {count}" for name, count in items) or "0"


def register(top: typer.Typer) -> None:
    """Add `accounting`."""
    top.command()(accounting)
