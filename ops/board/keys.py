"""What the handlers share."""

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web
from aiokafka import AIOKafkaProducer

from ops import channels
from ops.config import Kafka
from sinks.postgres.database import Database
from streams.policy import Policy

if TYPE_CHECKING:
    from ops.board.events import Feed
    from ops.board.overview import Snapshot


@dataclass(frozen=True)
class BoardSettings:
    """What the board role is told at its start."""

    host: str
    port: int
    kafka: Kafka
    dsn: str = field(repr=False)
    channels: tuple[str, ...]
    token: str = field(repr=False)
    policy: Policy = field(default_factory=Policy)


class Lazy:
    """A producer that is opened at the first command."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._producer: AIOKafkaProducer | None = None
        self._opening = asyncio.Lock()

    async def get(self) -> AIOKafkaProducer:
        """The producer. Raises KafkaError while Kafka is away."""
        async with self._opening:
            if self._producer is None:
                self._producer = await channels.started(self._kafka)
            return self._producer

    async def close(self) -> None:
        """Close it, if it was opened."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()


SETTINGS = web.AppKey("settings", BoardSettings)
DATABASE = web.AppKey("database", Database)
PRODUCER = web.AppKey("producer", Lazy)
REPLAYING = web.AppKey("replaying", asyncio.Lock)  # one replay of dead letters at a time
FEED: "web.AppKey[Feed]" = web.AppKey("feed")
SNAPSHOT: "web.AppKey[Snapshot]" = web.AppKey("snapshot")
