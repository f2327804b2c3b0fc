"""Cursors in Kafka: who owns a partition of the cursor topic reads its shops, and finds there how far it was read.

A consumer group gives each partition to one poller. On assignment the partition is read to its end before anything is asked;
on revocation whatever reads for it is stopped before the group goes on. A process that is thought dead and is not may publish
facts again (they have the same ids) and write old cursors: of two the greater counts, and the owner writes its own again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from connectors.config import Shop
from connectors.intake import Publication
from connectors.publish import Publisher
from connectors.pull.plan import later
from connectors.pull.window import until_durable
from schemas import codec, topics
from schemas.headers import cloudevent
from schemas.polls import PollCursor, PollTokens

log = logging.getLogger("lockstep.poll")

GROUP: Final = "lockstep-poll"
STOP_SECONDS: Final = 10.0  # for what reads a lost partition to end
LOAD_SECONDS: Final = 60.0  # for a partition to be read to its end
SAY_SECONDS: Final = 60.0  # between two lines in the log about the same outage
AGAIN_SECONDS: Final = 1.0  # before Kafka is tried again
LOOK_MS: Final = 500
US: Final = "lockstep"


def shop_key(shop: Shop) -> str:
    """What decides the partition of all records of a shop."""
    return f"{shop.connector}:{shop.shop}"


def partition_of(key: str, partitions: int) -> int:
    """As Kafka's own partitioner."""
    return int(murmur2(key.encode()) & 0x7FFFFFFF) % partitions


class KafkaCursors:
    """Cursors and tokens of the partitions that are owned. Implements `feed.Cursors` and `tokens.TokenKeeper`."""

    def __init__(self, publisher: Publisher, by: str, clock: Callable[[], float]) -> None:
        self._publisher, self._by, self._clock = publisher, by, clock
        self._cursors: dict[str, PollCursor] = {}
        self._tokens: dict[str, PollTokens] = {}
        self.partitions = 1

    def cursor(self, key: str) -> PollCursor | None:
        """See Cursors."""
        return self._cursors.get(key)

    async def tokens(self, key: str) -> PollTokens | None:
        """See TokenKeeper."""
        return self._tokens.get(key)

    async def put(self, cursor: PollCursor) -> None:
        """See Cursors."""
        await self._write(cursor.key, cursor, f"{cursor.source}:{cursor.shop}")
        self._cursors[cursor.key] = later(self._cursors.get(cursor.key), cursor)

    async def put_tokens(self, tokens: PollTokens) -> None:
        """See TokenKeeper."""
        self._tokens[tokens.key] = tokens  # the old ones have ended, whatever Kafka does
        await self._write(tokens.key, tokens, tokens.key)

    async def forget(self, cursor: PollCursor) -> None:
        """A tombstone: of a backfill that is done."""
        await self._write(cursor.key, None, f"{cursor.source}:{cursor.shop}")
        self._cursors.pop(cursor.key, None)

    def note(self, key: bytes | None, value: bytes | None) -> PollCursor | None:
        """Take in a record of an owned partition; a cursor of ours that somebody has set back, to be written again."""
        name = (key or b"").decode(errors="replace")
        if not value:
            self._cursors.pop(name, None)
            return None
        try:
            if codec.name_of(value) == PollTokens.__name__:
                self._tokens[name] = codec.decode(value, PollTokens)
                return None
            found = codec.decode(value, PollCursor)
        except codec.NotARecord:
            log.exception("a record of %s cannot be read: it is passed over", topics.POLL_CURSOR)
            return None
        mine = self._cursors.get(name)
        self._cursors[name] = kept = later(mine, found)
        return kept if mine is kept and found.by != self._by and found.order < kept.order else None

    def drop(self, partitions: Iterable[int]) -> None:
        """Forget what was in partitions that are read anew: they say it again."""
        lost = set(partitions)
        self._cursors = {name: each for name, each in self._cursors.items() if not self._is_in(each, lost)}
        self._tokens = {name: each for name, each in self._tokens.items() if not self._is_in(each, lost)}

    def _is_in(self, record: PollCursor | PollTokens, partitions: set[int]) -> bool:
        return partition_of(f"{record.source}:{record.shop}", self.partitions) in partitions

    async def _write(self, key: str, record: msgspec.Struct | None, shop: str) -> None:
        at = int(self._clock() * 1000)
        kind = type(record).__name__ if record else "PollCursor"
        headers = cloudevent(kind, f"{key}/{at}", US, key, at)
        value = codec.encode(record) if record else b""
        partition = partition_of(shop, self.partitions)
        publication = Publication(topics.POLL_CURSOR, key.encode(), value, at, headers, partition)
        await until_durable(self._publisher, [publication], asyncio.sleep)


class Ownership(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Membership in the group. `start(partitions)` begins reading for partitions, `stop()` ends all of it."""

    def __init__(
        self,
        servers: str,
        cursors: KafkaCursors,
        start: Callable[[frozenset[int]], Awaitable[None]],
        stop: Callable[[], Awaitable[None]],
        **settings: Any,
    ) -> None:
        self._servers, self._cursors, self._settings = servers, cursors, settings
        self._start, self._stop = start, stop
        self._assigned: frozenset[TopicPartition] = frozenset()
        self._changed = asyncio.Event()
        self._said_at = -SAY_SECONDS
        self.waits_for = "Kafka is not reached yet"

    async def run(self) -> None:
        """Own and serve partitions until cancelled; come back by itself after an outage."""
        while True:
            consumer = self._consumer()
            try:
                await consumer.start()
                consumer.subscribe([topics.POLL_CURSOR], listener=self)
                await self._serve(consumer)
            except (KafkaError, TimeoutError, OSError) as error:
                self._say_away(error)
            finally:
                await self._halt()
                await _ended(consumer)
            await asyncio.sleep(AGAIN_SECONDS)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Stop whatever reads for them; the group waits for it."""
        self.waits_for = "no partition is assigned"
        self._assigned = frozenset()
        await self._halt()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Note them; they are read by whoever polls."""
        self._assigned = frozenset(assigned)
        self._changed.set()

    def _say_away(self, error: Exception) -> None:
        self.waits_for = "Kafka is not reached"
        if (now := asyncio.get_running_loop().time()) - self._said_at >= SAY_SECONDS:
            log.warning("the cursors cannot be read (%r): trying on", error)
            self._said_at = now

    async def _halt(self) -> None:
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._stop()
        except TimeoutError:
            log.error("what reads the lists does not end within %g s", STOP_SECONDS)  # noqa: TRY400 - no trace helps

    async def _serve(self, consumer: Any) -> None:
        while True:
            if self._changed.is_set():
                self._changed.clear()
                await self._open(consumer, self._assigned)
            for records in (await consumer.getmany(timeout_ms=LOOK_MS)).values():
                await self._take(records)

    async def _open(self, consumer: Any, assigned: frozenset[TopicPartition]) -> None:
        """Read partitions to their ends, then begin; given up where they are gone again meanwhile."""
        await self._stop()
        known = consumer.partitions_for_topic(topics.POLL_CURSOR)
        if not known:
            self.waits_for = f"there is no topic {topics.POLL_CURSOR}: `lockstep topics create` makes it"
            return
        self._cursors.partitions = len(known)
        numbers = frozenset(each.partition for each in assigned)
        self._cursors.drop(numbers)
        if assigned:
            async with asyncio.timeout(LOAD_SECONDS):
                if not await self._load(consumer, assigned):
                    return
        log.info("owns partitions %s of the cursors", sorted(numbers))
        self.waits_for = ""
        await self._start(numbers)

    async def _load(self, consumer: Any, assigned: frozenset[TopicPartition]) -> bool:
        return await read_to_end(consumer, assigned, self._cursors, lambda: self._assigned == assigned)

    async def _take(self, records: Iterable[ConsumerRecord]) -> None:
        for record in records:
            if mine := self._cursors.note(record.key, record.value):
                log.warning("%s: an older process set its cursor back; it is written again", mine.key)
                await self._cursors.put(mine)

    def _consumer(self) -> Any:
        return AIOKafkaConsumer(
            bootstrap_servers=self._servers,
            **{
                "group_id": GROUP,
                "client_id": "lockstep-poll",
                "enable_auto_commit": False,
                "auto_offset_reset": "earliest",
                "session_timeout_ms": 10_000,
                "heartbeat_interval_ms": 3_000,
                "rebalance_timeout_ms": 30_000,
                "metadata_max_age_ms": 60_000,
                **self._settings,
            },
        )


async def read_to_end(
    consumer: Any, assigned: frozenset[TopicPartition], cursors: KafkaCursors, go_on: Callable[[], bool] = lambda: True
) -> bool:
    """Note every record of these partitions up to now; False where `go_on` says that nobody needs it any more."""
    ends = await consumer.end_offsets(list(assigned))
    await consumer.seek_to_beginning(*assigned)
    while go_on():
        left = [each for each in assigned if await consumer.position(each) < ends[each]]
        if not left:
            return True
        for records in (await consumer.getmany(*left, timeout_ms=LOOK_MS)).values():
            for record in records:
                cursors.note(record.key, record.value)
    return False


async def _ended(consumer: Any) -> None:
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await consumer.stop()
    except (TimeoutError, KafkaError, OSError) as error:
        log.warning("the consumer of the cursors did not end well: %r", error)
