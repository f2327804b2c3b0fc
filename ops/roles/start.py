"""One function per role; each runs until SIGTERM or SIGINT."""

import asyncio
import atexit
import functools
import os
import signal
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client import REGISTRY

from ops.config import Config, Kafka
from ops.data import Data
from ops.installation import SINK_GROUP, STREAM_GROUP, need_config
from ops.roles import logs
from ops.usage import UsageError
from schemas.metrics import Role, gauge

if TYPE_CHECKING:
    from ops.tracing import Traces


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


def begin(role: Role, settings: Settings, *secrets: str) -> None:
    """Do what every role does first: log, and say which release runs. `secrets` are not to be logged either."""
    logs.set_up(settings.config, *secrets)
    gauge("lockstep_build_info").labels(role, version("lockstep")).set(1)


def traced(role: Role, settings: Settings) -> "Traces | None":
    """Begin to send traces, where that is configured; else nothing of them is loaded."""
    if settings.config.tracing is None:
        return None
    from ops import tracing

    found = tracing.start(role, settings.config.tracing.otlp, settings.config.tracing.sample, settings.start.instance or "")
    atexit.register(found.close)
    return found


def connect(start: Start) -> None:
    """Take pushes."""
    from connectors.server import ServerSettings, serve

    settings = start.settings()
    begin("connect", settings)
    here = settings.config.connect
    server = ServerSettings(
        host=start.host or here.host,
        port=here.port if start.port is None else start.port,
        kafka=settings.kafka.servers,
        shops=settings.config.shops,
        kafka_settings=settings.kafka.security.client(),
        registry=REGISTRY,
        watch=functools.partial(traces.entry, "push") if (traces := traced("connect", settings)) else None,
    )
    until_signal(serve(server))


def stream(start: Start) -> None:
    """Normalise and decide."""
    from ops.roles.stream import engine

    settings = start.settings()
    begin("stream", settings)
    app = engine(settings, STREAM_GROUP)
    if traces := traced("stream", settings):
        app.watch = traces.work
    app.run()


def sink(start: Start) -> None:
    """Write to PostgreSQL, send alerts."""
    from sinks.app import SinkWorker
    from sinks.settings import SinkSettings

    settings = start.settings()
    begin("sink", settings)
    told = SinkSettings(
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
    worker = SinkWorker(told, **told.options)
    if traces := traced("sink", settings):
        worker.watch = worker.senders.watch = traces.work
    worker.run()


def board(start: Start) -> None:
    """Show, and take commands."""
    from ops.board.app import BoardSettings, serve
    from ops.reports.accounting import Place
    from ops.reports.standing import Known
    from ops.roles.standing import shown

    settings = start.settings()
    token = settings.config.token or Data(start.data).token()
    begin("board", settings, token)
    here = settings.config.board
    told = BoardSettings(
        host=start.host or here.host,
        port=here.port if start.port is None else start.port,
        kafka=settings.kafka,
        dsn=settings.dsn,
        channels=settings.config.channels,
        token=token,
        policy=settings.config.policy,
    )
    place = Place(settings.kafka.servers, settings.kafka.security.client(), settings.config.channels, STREAM_GROUP, SINK_GROUP)

    async def work() -> None:
        async with shown(settings.dsn, Known(settings.config.channels, settings.config.policy), place):
            await serve(told)

    until_signal(work())


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
