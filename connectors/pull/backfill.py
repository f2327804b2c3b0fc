"""Reading a list for a range of the past: own cursor, resumable, and the live cursor stays where it is.

Facts have the ids that they always have: what was read already is a duplicate, which does no harm.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from aiokafka import AIOKafkaConsumer

from connectors.config import Shop
from connectors.publish import KafkaPublisher, Publisher
from connectors.pull import errors, plan
from connectors.pull.base import Access, Budget, Feed, Puller, PullError, Window, clock
from connectors.pull.client import Client, Failed
from connectors.pull.cursors import LOAD_SECONDS, KafkaCursors, read_to_end
from connectors.pull.feed import Cursors
from connectors.pull.http import Http, session
from connectors.pull.metrics import Metrics
from connectors.pull.registry import PULLERS, base_of
from connectors.pull.tokens import SealedTokens
from connectors.pull.window import Player
from schemas import topics
from schemas.polls import PollCursor

log = logging.getLogger("lockstep.poll")

SHARE: Final = 0.5  # of the shop's budget: the poller goes on beside it
MAX_DAYS: Final = 400
MAX_FAILURES: Final = 5  # in a row, of a window


@dataclass
class Progress:
    """How far one list is. Times in ms."""

    feed: str
    start: int
    end: int
    until: int
    windows: int = 0
    facts: int = 0
    resumed: bool = False

    @property
    def done(self) -> bool:
        """Whether all of it was read."""
        return self.until >= self.end


class Places(Cursors, Protocol):
    """Where the cursors of backfills are."""

    async def forget(self, cursor: PollCursor) -> None:
        """Of one that is done."""


class StoredCursors(KafkaCursors):
    """Cursors and tokens, read when they are asked for: for who is no member of the group."""

    def __init__(self, publisher: Publisher, by: str, wall: Callable[[], float], kafka: str, settings: Mapping[str, Any]) -> None:
        super().__init__(publisher, by, wall)
        self._kafka, self._settings = kafka, settings

    async def read(self) -> None:
        """Note all there is. Raises KafkaError, TimeoutError, and OSError where there is no such topic."""
        options = {"client_id": "lockstep-backfill", "auto_offset_reset": "earliest", **self._settings}
        consumer = AIOKafkaConsumer(topics.POLL_CURSOR, bootstrap_servers=self._kafka, **options)
        try:
            async with asyncio.timeout(LOAD_SECONDS):
                await consumer.start()
                assigned = frozenset(consumer.assignment())
                if not assigned:
                    raise OSError(f"there is no topic {topics.POLL_CURSOR}: `lockstep topics create` makes it")
                self.partitions = len(assigned)
                await read_to_end(consumer, assigned, self)
        finally:
            await consumer.stop()


class StoredTokens(SealedTokens):
    """Tokens, read anew each time: the poller may have renewed them meanwhile."""

    def __init__(self, stored: StoredCursors, wall: Callable[[], float]) -> None:
        super().__init__(stored, wall)
        self._stored = stored

    async def load(self, shop: Shop) -> Access | None:
        """See TokenStore."""
        await self._stored.read()
        return await super().load(shop)


@dataclass
class Backfill:
    """One shop's lists over one range. Use `open_backfill` to make one."""

    shop: Shop
    client: Client
    cursors: Places
    publisher: Publisher
    by: str
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    tell: Callable[[Progress], None] = field(default=lambda _: None)

    async def play(self, feed: Feed, start: int, end: int) -> Progress:
        """Read a list from `start` to `end`, or on from where it was interrupted. Raises Failed when it cannot go on."""
        cursor = PollCursor(
            source=self.shop.connector, shop=self.shop.shop, feed=feed.name, until=start, at=0, by=self.by, backfill=range_text(start, end)
        )
        kept = self.cursors.cursor(cursor.key)
        at = Progress(feed.name, start, end, kept.until if kept else start, resumed=kept is not None)
        player = Player(self.client, feed.name, self.publisher, self.wall, self.sleep)

        async def done(part: Window, published: int) -> None:
            at.until, at.windows, at.facts = max(at.until, part.end), at.windows + 1, at.facts + published
            await self.cursors.put(_moved(cursor, at.until, int(self.wall() * 1000)))
            self.tell(at)

        self.tell(at)
        failures = 0
        while not at.done:
            try:
                await player.play_in_parts(Window(at.until, min(at.until + feed.span, end)), done)
                failures = 0
            except PullError as error:
                raise self.client.failure(error) from None
            except Failed as failed:
                failures += 1
                if failed.hopeless or failures >= MAX_FAILURES:
                    raise
                await self.sleep(plan.rest(failures, hopeless=False) / 1000)
        await self.cursors.forget(cursor)
        return at


def _moved(cursor: PollCursor, until: int, at: int) -> PollCursor:
    return PollCursor(source=cursor.source, shop=cursor.shop, feed=cursor.feed, until=until, at=at, by=cursor.by, backfill=cursor.backfill)


def range_text(start: int, end: int) -> str:
    """The name of a range, as it stands in its cursor's key."""
    return f"{clock(start)}..{clock(end)}".replace(" ", "T")


@asynccontextmanager
async def open_backfill(
    kafka: str, shop: Shop, by: str, settings: Mapping[str, Any], tell: Callable[[Progress], None]
) -> AsyncIterator[Backfill]:
    """A backfill of one shop, with its connections. Raises KafkaError, TimeoutError where Kafka is away."""
    puller: Puller = PULLERS[shop.connector]
    async with AsyncExitStack() as stack:
        metrics = Metrics()
        publisher = await stack.enter_async_context(KafkaPublisher(kafka, metrics, **{"client_id": "lockstep-backfill", **settings}))
        calls = await stack.enter_async_context(session())
        cursors = StoredCursors(publisher, by, time.time, kafka, settings)
        await cursors.read()
        tokens, table = StoredTokens(cursors, time.time), errors.load(puller.name)
        http = Http(calls, base_of(shop), time.time)
        client = Client(puller, shop, table, http, tokens, metrics=metrics, clock=time.time, monotonic=time.monotonic)
        client.bucket.budget = _share(puller.budget)
        yield Backfill(shop, client, cursors, publisher, by, tell=tell)


def _share(budget: Budget) -> Budget:
    return replace(budget, per_second=budget.per_second * SHARE)
