"""One window of one feed: asked step by step, and published as it comes. Done is done: every fact of it is in Kafka."""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final

from connectors.base import Fact
from connectors.intake import Publication, envelope
from connectors.publish import KafkaAway, Publisher, TooLarge
from connectors.pull.base import TOO_MANY, PullError, Window
from connectors.pull.client import Client, Failed
from connectors.pull.plan import halves

log = logging.getLogger("lockstep.poll")

MAX_STEPS: Final = 1_000  # of a window
MOST_CUTS: Final = 40  # of a window into shorter ones, one within the other
CHUNK: Final = 500  # facts published at once
LONGEST_KAFKA_PAUSE: Final = 10.0  # seconds between two tries while Kafka is away
MAX_SEEN: Final = 20_000  # event ids of a feed that are known to be in Kafka
CUT_BYTES: Final = 4_096  # what is left of an object that no record can hold


class Seen:
    """Event ids that Kafka has acknowledged: the overlap of windows is not published again by the same process."""

    def __init__(self, most: int = MAX_SEEN) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._most = most

    def __contains__(self, event_id: str) -> bool:
        return event_id in self._ids

    def add(self, facts: Sequence[Fact]) -> None:
        """Remember; the oldest are forgotten."""
        for fact in facts:
            self._ids[fact.event_id] = None
            self._ids.move_to_end(fact.event_id)
        while len(self._ids) > self._most:
            self._ids.popitem(last=False)


class Player:
    """Plays windows of one feed of one shop. `clock` gives seconds since the epoch."""

    def __init__(
        self,
        client: Client,
        feed: str,
        publisher: Publisher,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client, self._feed, self._publisher = client, feed, publisher
        self._clock, self._sleep = clock, sleep
        self._seen = Seen()

    async def play(self, window: Window) -> int:
        """Ask every step and publish every fact; how many were published. Raises Failed, and PullError TOO_MANY."""
        waiting = deque(self._client.puller.first(self._feed, window))
        known, published = set(waiting), 0
        while waiting:
            page = await self._client.page(self._feed, window, waiting.popleft())
            published += await self._publish(page.facts)
            for step in page.steps:
                if step not in known:
                    known.add(step)
                    waiting.append(step)
            if len(known) > MAX_STEPS:
                raise PullError(TOO_MANY, f"a window has more than {MAX_STEPS} steps")
        self._client.metrics.windows.labels(self._client.shop.connector, self._feed).inc()
        return published

    async def play_in_parts(self, window: Window, done: Callable[[Window, int], Awaitable[None]], cuts: int = MOST_CUTS) -> None:
        """A window, cut into shorter ones where it has too much in it; `done` after each part. Raises Failed, and PullError TOO_MANY."""
        try:
            published = await self.play(window)
        except (PullError, Failed) as error:  # of our steps, or of the pages that the platform gives
            if error.code != TOO_MANY:
                raise
            parts = halves(window) if cuts else None
            if parts is None:
                raise
            log.warning("%s: more pages than a window may have, reading shorter ones", self._feed)
            for part in parts:
                await self.play_in_parts(part, done, cuts - 1)
        else:
            await done(window, published)

    async def _publish(self, facts: Sequence[Fact]) -> int:
        labels = (self._client.shop.connector, self._feed)
        fresh = [fact for fact in facts if fact.event_id not in self._seen]
        self._client.metrics.repeats.labels(*labels).inc(len(facts) - len(fresh))
        for at in range(0, len(fresh), CHUNK):
            chunk = fresh[at : at + CHUNK]
            await self._durable(chunk)
            self._seen.add(chunk)
            self._client.metrics.facts.labels(*labels).inc(len(chunk))
        return len(fresh)

    async def _durable(self, facts: Sequence[Fact]) -> None:
        try:
            await until_durable(self._publisher, [self._record(fact) for fact in facts], self._sleep)
        except TooLarge:
            for fact in facts:  # one by one: only that which is too large is cut
                await self._one(fact)

    async def _one(self, fact: Fact) -> None:
        try:
            await until_durable(self._publisher, [self._record(fact)], self._sleep)
        except TooLarge:
            log.error("%s: an object of %d bytes is too large for Kafka: its beginning is kept", fact.event_id, len(fact.payload))  # noqa: TRY400 - no trace helps
            cut = replace(fact, payload=fact.payload[:CUT_BYTES])  # no JSON any more: a dead letter, which people are told of
            await until_durable(self._publisher, [self._record(cut)], self._sleep)

    def _record(self, fact: Fact) -> Publication:
        return envelope(self._client.shop, fact, int(self._clock() * 1000))


async def until_durable(publisher: Publisher, records: Sequence[Publication], sleep: Callable[[float], Awaitable[None]]) -> None:
    """Publish, waiting out an outage of Kafka however long it is: the platform keeps what was not asked for. Raises TooLarge."""
    pause = 1.0
    while True:
        try:
            return await publisher.publish(records)
        except KafkaAway:
            await sleep(pause)
            pause = min(pause * 2, LONGEST_KAFKA_PAUSE)
