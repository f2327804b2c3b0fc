"""One function per role; each runs until SIGTERM or SIGINT."""

import asyncio
import logging
import os
import signal
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ops.config import Config, Kafka
from ops.data import Data
from ops.installation import SINK_GROUP, STREAM_GROUP, need_config
from ops.usage import UsageError

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@dataclass(frozen=True)
class Start:
    """What a role was started with on the command line; `instance` names this process in its group."""

    config: Path | None
    data: Path
    host: str | None = None
    port: int | None = None
    instance: str | None = None

    def settings(self) -> "Settings":
        """Load the configuration and find the servers. Raises UsageError and ConfigError."""
        config, ready = need_config(self.config, self.data), Data(self.data).ready()
        kafka = config.kafka or (Kafka(ready.kafka) if ready else None)
        dsn = config.postgres or (ready.postgres if ready else None)
        if kafka is None or dsn is None:
            missing = "Kafka (kafka.servers)" if kafka is None else "PostgreSQL (postgres.dsn)"
            raise UsageError(f"a role of its own needs configured servers, and {missing} is not: `lockstep up` brings embedded ones")
        return Settings(replace(config, kafka=kafka, postgres=dsn), kafka, dsn, self)


@dataclass(frozen=True)
class Settings:
    """A configuration whose servers are known."""

    config: Config
    kafka: Kafka
    dsn: str
    start: Start

    def state(self, role: str) -> Path:
        """Make a folder of this process alone."""
        name = self.start.instance or f"process-{os.getpid()}"
        folder = self.start.data.absolute() / "state" / f"{role}-{name}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def log_to_stderr() -> None:
    """Log as every role does: one line an event, to be kept by whoever started us."""
    logging.basicConfig(level=logging.INFO, format=FORMAT)
    for chatty in ("aiokafka", "faust", "mode"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def connect(start: Start) -> None:
    """Take pushes."""
    from connectors.server import ServerSettings, serve

    settings = start.settings()
    log_to_stderr()
    here = settings.config.connect
    server = ServerSettings(
        host=start.host or here.host,
        port=here.port if start.port is None else start.port,
        kafka=settings.kafka.servers,
        shops=settings.config.shops,
        kafka_settings=settings.kafka.security.client(),
    )
    until_signal(serve(server))


def stream(start: Start) -> None:
    """Normalise and decide."""
    from ops.roles.stream import engine

    settings = start.settings()
    log_to_stderr()
    engine(settings, STREAM_GROUP).run()


def sink(start: Start) -> None:
    """Write to PostgreSQL, send alerts."""
    from sinks.app import build
    from sinks.settings import SinkSettings

    settings = start.settings()
    log_to_stderr()
    engine = build(
        SinkSettings(
            kafka=settings.kafka.servers,
            dsn=settings.dsn,
            channels=settings.config.channels,
            group=SINK_GROUP,
            bots=settings.config.bots,
            sms=settings.config.sms,
            instance=start.instance,
            quiet=settings.config.policy.stall.quiet_hours,
            health_host=start.host or "127.0.0.1",
            health_port=start.port,
            data=settings.state("sink"),
            options=settings.kafka.security.engine(),
        )
    )
    engine.run()


def board(start: Start) -> None:
    """Show, and take commands."""
    from ops.board.app import BoardSettings, serve

    settings = start.settings()
    log_to_stderr()
    here = settings.config.board
    until_signal(
        serve(
            BoardSettings(
                host=start.host or here.host,
                port=here.port if start.port is None else start.port,
                kafka=settings.kafka,
                dsn=settings.dsn,
                channels=settings.config.channels,
                token=settings.config.token or Data(start.data).token(),
                policy=settings.config.policy,
            )
        )
    )


def until_signal(work: Coroutine[Any, Any, None]) -> None:
    """Run until SIGTERM or SIGINT, then cancel and let it clean up."""
    import uvloop

    async def main() -> None:
        task = asyncio.ensure_future(work)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        try:
            await task
        except asyncio.CancelledError:
            if not task.cancelled():
                raise

    uvloop.run(main())
