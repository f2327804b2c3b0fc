"""`lockstep bench engine|pipeline|connectors|soak`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ops.commands.common import FINDINGS, JsonOption, console, print_json, run, table

if TYPE_CHECKING:
    from ops.bench.engine.run import Result

app = typer.Typer(help="How fast it is, measured on this machine.", no_args_is_help=True)


@app.command()
def engine(
    records: Annotated[int, typer.Option("--records", min=10_000, help="How many records are counted")] = 600_000,
    peers: Annotated[bool, typer.Option("--peers/--no-peers", help="Run the peers that are at hand too")] = True,
    as_json: JsonOption = False,
) -> None:
    """Count per key, one output, one changelog record: the engine beside stock Faust, Quix Streams and Kafka Streams."""
    results = run(_engine(records, peers))
    if as_json:
        print_json(
            {
                "results": [
                    {
                        "name": each.name,
                        "records_per_second": round(each.records_per_second),
                        "ratio": round(each.ratio, 2),
                        "note": each.note,
                    }
                    for each in results
                ]
            }
        )
    else:
        rows = [
            (each.name, f"{each.records_per_second:,.0f}" if each.ratio else "—", f"{each.ratio:.1f} ×" if each.ratio else "", each.note)
            for each in results
        ]
        console().print(table(None, "program", "#records/s", "#engine is faster by", "note", rows=rows))
    if not results[0].records_per_second:
        raise typer.Exit(FINDINGS)


async def _engine(records: int, peers: bool) -> "list[Result]":
    """Measure on a Kafka of our own, which is removed afterwards."""
    import tempfile

    from ops.bench.engine.run import run as measure
    from ops.embedded import EmbeddedKafka

    with tempfile.TemporaryDirectory(prefix="lockstep-bench-") as folder:
        async with EmbeddedKafka(Path(folder)) as kafka:
            return await measure(kafka.bootstrap, records=records, peers=peers)


@app.command()
def pipeline(
    orders: Annotated[int, typer.Option("--orders", min=100, help="Orders of the backlog, about six facts each")] = 40_000,
    seconds: Annotated[float, typer.Option("--seconds", min=0, help="Of the latency's measurement at 200 facts a second; 0: none")] = 20,
    restore: Annotated[int, typer.Option("--restore", min=0, help="Measure instead how so many orders are restored")] = 0,
    workers: Annotated[int, typer.Option("--workers", min=1, max=4, help="Processes of the stream role")] = 2,
    profile: Annotated[
        Path | None, typer.Option("--profile", metavar="DIR", help="Write samples of where the roles spend their time")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure raw events in Kafka → rows in PostgreSQL, and where the time goes."""
    from ops.bench.pipeline.main import Options, main

    raise typer.Exit(main(Options(orders=orders, seconds=seconds, restore=restore, workers=workers, profile=profile), as_json=as_json))


@app.command()
def connectors(
    server: Annotated[bool, typer.Option("--server/--no-server", help="Measure the webhook server too, on a Kafka of its own")] = True,
    as_json: JsonOption = False,
) -> None:
    """Measure what an event of every connector costs, and the webhook server beside a bare handler: status 1 if too slow."""
    from ops.bench.connectors.main import main

    raise typer.Exit(main(server=server, as_json=as_json))


@app.command()
def soak(
    minutes: Annotated[float, typer.Option("--minutes", min=0.2, help="How long the flood lasts")] = 20,
    workers: Annotated[int, typer.Option("--workers", min=1, max=4, help="Processes of the stream role")] = 2,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where samples, verdict, plot and logs go")] = Path("soak-results"),
    as_json: JsonOption = False,
) -> None:
    """Flood the pipeline for minutes at its full rate, and see whether anything grows: status 1 if so."""
    from ops.bench.soak.main import main
    from ops.bench.soak.run import Options

    raise typer.Exit(main(Options(minutes=minutes, workers=workers, out=out), as_json=as_json))
