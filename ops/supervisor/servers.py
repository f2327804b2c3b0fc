"""The servers under the roles: embedded unless configured, started again when they are killed."""

import asyncio

from ops.config import Config, Kafka, Security
from ops.data import Data
from ops.embedded import EmbeddedKafka, EmbeddedPostgres


class Servers:
    """Kafka and PostgreSQL of one installation."""

    def __init__(self, config: Config, data: Data) -> None:
        self._kafka = EmbeddedKafka(data.root / "kafka") if config.kafka is None else None
        self._postgres = EmbeddedPostgres(data.root / "postgres") if config.postgres is None else None
        self._config = config

    @property
    def kafka(self) -> Kafka:
        """Where Kafka is."""
        if self._kafka is not None:
            return Kafka(self._kafka.bootstrap, Security())
        assert self._config.kafka is not None
        return self._config.kafka

    @property
    def dsn(self) -> str:
        """Where PostgreSQL is, with its password."""
        if self._postgres is not None:
            return self._postgres.dsn
        assert self._config.postgres is not None
        return self._config.postgres

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the embedded servers that run."""
        found = {"kafka": next(iter(self._kafka.pids.values()), None) if self._kafka else None}
        found["postgres"] = self._postgres.pid if self._postgres else None
        return {name: pid for name, pid in found.items() if pid is not None}

    @property
    def remarks(self) -> list[str]:
        """What a person should know about where data is."""
        if self._postgres and self._postgres.elsewhere:
            return [f"PostgreSQL runs as another user, who cannot reach the data folder: its cluster is in {self._postgres.home}"]
        return []

    async def start(self) -> None:
        """Start the embedded ones, side by side."""
        await asyncio.gather(*(server.start() for server in (self._kafka, self._postgres) if server))

    async def revive(self) -> list[str]:
        """Start again what was killed; the names of what was."""
        revived = []
        if self._kafka and not self._kafka.pids:
            await self._kafka.start()
            revived.append("kafka")
        if self._postgres and self._postgres.pid is None:
            await self._postgres.start()
            revived.append("postgres")
        return revived

    async def stop(self, seconds: float) -> None:
        """End the embedded ones, side by side, within the bound."""
        stops = [server.stop(seconds=seconds) for server in (self._kafka, self._postgres) if server]
        await asyncio.gather(*stops)
