"""`lockstep audit verify` and `lockstep accounting`."""

from datetime import date, datetime
from typing import Annotated

import typer

from ops.commands.common import DATA, FINDINGS, ConfigOption, DataOption, JsonOption, console, print_json, run, table
from ops.usage import UsageError

app = typer.Typer(help="The audit chains.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `verify` a command of its own, though it is the only one."""


@app.command()
def verify(
    key: Annotated[str | None, typer.Argument(metavar="[KEY]", help="One order; all without it")] = None,
    day: Annotated[str | None, typer.Option("--day", metavar="DAY", help="YYYY-MM-DD in Shanghai: as recorded by its end")] = None,
    config: ConfigOption = None,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Prove the chains from the database alone. Exit status 1 names the first broken record of each."""
    from ops.installation import find
    from ops.reports import audit

    verdict = run(audit.verify(find(config, data).need_dsn(), key, _day(day)))
    if as_json:
        broken = [{"order_key": each.order_key, "seq": each.seq, "why": each.why} for each in verdict.broken]
        print_json({"intact": not broken, "records": verdict.records, "chains": verdict.chains, "root": verdict.root, "broken": broken})
    else:
        for each in verdict.broken:
            print(f"broken: {each.order_key}, record {each.seq}: {each.why}")
        print(f"{verdict.records} records of {verdict.chains} orders, {len(verdict.broken)} broken; Merkle root {verdict.root}")
    if verdict.broken:
        raise typer.Exit(FINDINGS)


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
