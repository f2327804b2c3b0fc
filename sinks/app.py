"""The sink role: a worker that writes every topic to Postgres, and the senders that empty the alerts' outbox."""

from typing import Any

from aiohttp import web

from sinks.alerts.routing import Router
from sinks.alerts.sender import Senders
from sinks.evidence.keeper import Keeper, publisher
from sinks.health import serve_health
from sinks.postgres.commit import Committer
from sinks.postgres.database import Database
from sinks.settings import SinkSettings
from sinks.tasks import Sinks
from streams.records import Engine

__all__ = ["SinkSettings", "SinkWorker", "build"]


class SinkWorker(Engine):
    """The engine with what lives beside it: connections to Postgres, senders, and a health server."""

    def __init__(self, settings: SinkSettings, **options: Any) -> None:
        super().__init__(settings.group, broker=settings.kafka, instance=settings.instance, data=settings.data, **options)
        self.sink_settings = settings
        self.database = Database(settings.dsn, settings.connections)
        router = Router(settings.bots, settings.sms, settings.quiet, settings.language)
        self.committer = Committer(self.database)
        self.senders = Senders(self.database, router.targets, language=settings.language)
        self.keeper = Keeper(self.database, router, publisher(lambda: self.client_options))
        self.committer.on_alerts = self.keeper.on_alerts = self.senders.poke
        self._health: web.AppRunner | None = None
        for task in Sinks(self.committer, router).tasks(settings.channels):
            self.add(task)

    async def on_start(self) -> None:
        """Health, senders and keeper first: none needs Kafka to begin, which the engine waits for."""
        if self.sink_settings.health_port is not None:
            self._health = await serve_health(self.missing, self.sink_settings.health_port, self.sink_settings.health_host)
        await self.senders.start()
        self.keeper.start()
        await super().on_start()

    async def missing(self) -> str:
        """What the worker is not ready for; empty when it is."""
        if not self.counts:
            return "Kafka and its topics are not reached yet"
        if not all(lane.ready for lane in self.lanes.values()):
            return "not all partitions are open yet"
        return "" if await self.database.answers() else "Postgres does not answer"

    async def on_stop(self) -> None:
        """The engine first, so that no batch is given to what is closed."""
        await super().on_stop()
        await self.keeper.stop()
        await self.senders.stop()
        await self.committer.close()
        await self.database.close()
        if self._health:
            await self._health.cleanup()


def build(settings: SinkSettings) -> Engine:
    """The worker, ready to `run`. Kafka, Postgres and the bots may all be away when it starts."""
    return SinkWorker(settings, **settings.options)
