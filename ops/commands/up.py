"""`lockstep up`."""

from pathlib import Path
from typing import Annotated

import typer

from ops.commands.common import DATA, ConfigOption, DataOption, run
from ops.usage import DEFAULT_CONFIG, UsageError


def up(
    config: ConfigOption = None,
    data: DataOption = DATA,
    ready_file: Annotated[Path | None, typer.Option("--ready-file", metavar="FILE", help="Write a second ready file here")] = None,
) -> None:
    """Run everything on this machine; servers are embedded unless configured. SIGTERM ends it."""
    import logging

    from ops.data import Data
    from ops.installation import need_config
    from ops.supervisor import Refused
    from ops.supervisor import up as run_all

    settings = need_config(config or DEFAULT_CONFIG, data)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tells of every try while a server starts
    try:
        run(run_all(settings, Data(data), (ready_file,) if ready_file else ()))
    except Refused as error:
        raise UsageError(str(error)) from error


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(up)
