"""`lockstep bench engine|pipeline`."""

import typer

from ops.commands.common import JsonOption

app = typer.Typer(help="How fast it is, measured on this machine.", no_args_is_help=True)


@app.command()
def engine(as_json: JsonOption = False) -> None:
    """Measure the engine beside stock Faust, Quix Streams and, where Java is at hand, Kafka Streams."""
    from ops.bench.engine.main import main

    raise typer.Exit(main(as_json=as_json))


@app.command()
def pipeline(as_json: JsonOption = False) -> None:
    """Measure raw events in Kafka → rows in PostgreSQL, and where the time goes."""
    from ops.bench.pipeline.main import main

    raise typer.Exit(main(as_json=as_json))
