"""`lockstep connect|stream|sink|board`: one role each."""

from typing import Annotated

import typer

from ops.commands.common import DATA, ConfigOption, DataOption

HostOption = Annotated[str | None, typer.Option("--host", help="Listen here, instead of what is configured (127.0.0.1)")]
PortOption = Annotated[int | None, typer.Option("--port", min=0, max=65535, help="Port of its HTTP server; 0: any free one")]
HealthOption = Annotated[
    int | None, typer.Option("--port", min=0, max=65535, help="Port of /healthz, /readyz and /metrics; none without it")
]
InstanceOption = Annotated[
    str | None, typer.Option("--instance", help="Name of this process in its group: unique, and the same after a restart")
]


def connect(
    config: ConfigOption = None, data: DataOption = DATA, host: HostOption = None, port: PortOption = None, instance: InstanceOption = None
) -> None:
    """Take pushes: POST /hooks/{source}/{shop} → raw topics."""
    from ops.roles import start

    start.connect(start.Start(config, data, host, port, instance))


def stream(
    config: ConfigOption = None,
    data: DataOption = DATA,
    host: HostOption = None,
    port: HealthOption = None,
    instance: InstanceOption = None,
) -> None:
    """Normalise and decide: orders, channels, parcels."""
    from ops.roles import start

    start.stream(start.Start(config, data, host, port, instance))


def sink(
    config: ConfigOption = None,
    data: DataOption = DATA,
    host: HostOption = None,
    port: HealthOption = None,
    instance: InstanceOption = None,
) -> None:
    """Write everything to PostgreSQL and send alerts."""
    from ops.roles import start

    start.sink(start.Start(config, data, host, port, instance))


def board(
    config: ConfigOption = None, data: DataOption = DATA, host: HostOption = None, port: PortOption = None, instance: InstanceOption = None
) -> None:
    """Show channels, orders and alerts, and take commands over HTTP."""
    from ops.roles import start

    start.board(start.Start(config, data, host, port, instance))


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for role in (connect, stream, sink, board):
        app.command()(role)
