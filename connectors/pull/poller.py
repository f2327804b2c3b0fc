"""The poll role: every shop with `pull:` whose partition this process owns is asked, list by list.

Several pollers share the shops; one is enough. Where one ends, the others take over where its cursors are.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from connectors.config import Shop
from connectors.publish import Entered, KafkaPublisher, Publisher
from connectors.pull import errors
from connectors.pull.base import Puller
from connectors.pull.client import Client
from connectors.pull.cursors import KafkaCursors, Ownership, partition_of, shop_key
from connectors.pull.feed import FeedLoop
from connectors.pull.http import Http, session
from connectors.pull.metrics import Metrics
from connectors.pull.registry import PULLERS, base_of, check, feeds_of
from connectors.pull.tokens import SealedTokens

log = logging.getLogger("lockstep.poll")

LOOK_SECONDS: Final = 1.0
KAFKA_SECONDS: Final = 2.0  # between two looks at whether Kafka answers


@dataclass(frozen=True)
class PollSettings:
    """What the poll role is told. `instance` names this process; `group_settings` go to the group's consumer."""

    kafka: str
    shops: tuple[Shop, ...]
    instance: str
    clock: Callable[[], float] = time.time
    kafka_settings: Mapping[str, Any] = field(default_factory=dict)
    group_settings: Mapping[str, Any] = field(default_factory=dict)
    watch: Entered | None = None  # told of facts that come in, for traces


@dataclass
class Poller:
    """The shops that this process reads now."""

    settings: PollSettings
    publisher: Publisher
    cursors: KafkaCursors
    session: aiohttp.ClientSession
    metrics: Metrics
    loops: list[FeedLoop] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self, partitions: frozenset[int]) -> None:
        """Begin with the shops of these partitions."""
        for shop in self.settings.shops:
            if feeds_of(shop) and partition_of(shop_key(shop), self.cursors.partitions) in partitions:
                self._start(shop, PULLERS[shop.connector])

    async def stop(self) -> None:
        """End all reading; what was published stays, what was not is read again by the next owner."""
        tasks, self.tasks, self.loops = self.tasks, set(), []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def watch(self) -> None:
        """Count how the feeds are; raise what ended one, which is ours to mend."""
        while True:
            for task in [each for each in self.tasks if each.done() and not each.cancelled()]:
                task.result()
            self._count()
            await asyncio.sleep(LOOK_SECONDS)

    def _count(self) -> None:
        behind: dict[tuple[str, str], float] = {}
        for loop in self.loops:
            name = loop.shop.connector, loop.feed.name
            behind[name] = max(behind.get(name, 0.0), loop.behind)
        self.metrics.behind.clear()
        for name, seconds in behind.items():
            self.metrics.behind.labels(*name).set(seconds)
        for source in {shop.connector for shop in self.settings.shops if shop.pull}:
            mine = [loop for loop in self.loops if loop.shop.connector == source]
            self.metrics.feeds.labels(source).set(len(mine))
            self.metrics.failing.labels(source).set(sum(loop.failing for loop in mine))

    def _start(self, shop: Shop, puller: Puller) -> None:
        table, clock = errors.load(puller.name), self.settings.clock
        http, tokens = Http(self.session, base_of(shop), clock), SealedTokens(self.cursors, clock)
        client = Client(puller, shop, table, http, tokens, metrics=self.metrics, clock=clock, monotonic=time.monotonic)
        for feed in feeds_of(shop):
            loop = FeedLoop(shop, feed, client, self.cursors, self.publisher, table, self.settings.instance, clock)
            self.loops.append(loop)
            self.tasks.add(asyncio.create_task(loop.run(), name=f"pull {shop_key(shop)}:{feed.name}"))


@dataclass
class Health:
    """What `/readyz` and `/metrics` of the role say."""

    metrics: Metrics = field(default_factory=Metrics)
    ownership: Ownership | None = None
    reached: bool = True  # whether Kafka answers

    def waits_for(self) -> str:
        """What the role waits for; empty when it does its work. Asked from another thread."""
        if self.ownership is None:
            return "it has just started"
        return self.ownership.waits_for or ("" if self.reached else "Kafka is not reached")

    async def look(self, publisher: Publisher) -> None:
        """Ask Kafka, again and again."""
        while True:
            self.reached = await publisher.ready()
            await asyncio.sleep(KAFKA_SECONDS)


async def serve(settings: PollSettings, health: Health | None = None) -> None:
    """Run until cancelled. Raises ValueError for shops that are configured wrongly."""
    for shop in settings.shops:
        check(shop)
    health = health or Health()
    async with AsyncExitStack() as stack:
        named = {"client_id": "lockstep-poll", **settings.kafka_settings}
        publisher = await stack.enter_async_context(KafkaPublisher(settings.kafka, health.metrics, **named))
        publisher.watch = settings.watch
        calls = await stack.enter_async_context(session())
        cursors = KafkaCursors(publisher, settings.instance, settings.clock)
        poller = Poller(settings, publisher, cursors, calls, health.metrics)
        group = {**settings.kafka_settings, **settings.group_settings}
        health.ownership = Ownership(settings.kafka, cursors, poller.start, poller.stop, **group)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(publisher.wait())
            tasks.create_task(health.ownership.run())
            tasks.create_task(poller.watch())
            tasks.create_task(health.look(publisher))
