"""`lockstep poll`: the role that asks platforms for what they do not push."""

import typer

from ops.commands.common import DATA, ConfigOption, DataOption
from ops.commands.roles import HealthOption, HostOption, InstanceOption


def poll(
    config: ConfigOption = None,
    data: DataOption = DATA,
    host: HostOption = None,
    port: HealthOption = None,
    instance: InstanceOption = None,
) -> None:
    """Ask platforms for what they do not push: lists of shops with `pull:` → raw topics. Several may run, they share the shops."""
    from ops.roles.poll import poll as run
    from ops.roles.start import Start

    run(Start(config, data, host, port, instance))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(poll)
