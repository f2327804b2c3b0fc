"""Producers: prepared batches, and a producer that only one worker can own."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer, TopicPartition

from streams.records.lease import Gate, Lease
from streams.records.routing import partition_of
from streams.records.task import Output

Clock = Callable[[], float]  # seconds since the epoch


class Ack(NamedTuple):
    """A batch on its way."""

    topic: str
    partition: int
    records: int
    future: asyncio.Future[Any]


def _seen(future: asyncio.Future[Any]) -> None:
    """Whoever waits for it hears of the error; if nobody does any more, asyncio need not complain."""
    if not future.cancelled():
        future.exception()


async def settled(acks: Iterable[Ack]) -> dict[tuple[str, int], int]:
    """Wait until all are durable. Returns where each partition that was written to ended, as an offset."""
    ends: dict[tuple[str, int], int] = {}
    for ack in acks:
        written = await ack.future
        place = (ack.topic, ack.partition)
        ends[place] = max(ends.get(place, 0), written.offset + ack.records)
    return ends


class Writer:
    """An idempotent producer that writes whole batches."""

    BATCH = 1 << 19  # bytes
    # A batch that finds no leader for so long is given up: longer than any broker's restart. Milliseconds.
    TIMEOUT = 120_000
    # An answer that does not come for so long comes no more: the connection is made anew and the batch sent again, under its
    # old sequence number. A connection of which only our half is left would hold it for all of TIMEOUT. Milliseconds.
    REQUEST = 30_000

    def __init__(
        self, counts: Mapping[str, int], producer: Mapping[str, Any], lease: Lease | None = None, clock: Clock = time.time
    ) -> None:
        """`counts`: partitions per topic. `producer`: addresses, security, compression for aiokafka. `lease`: to write at all.

        `clock`: of the records; brokers refuse what is an hour ahead of their own.
        """
        self._counts, self._clock = counts, clock
        self._producer = AIOKafkaProducer(
            **{"acks": "all", "linger_ms": 0, "max_batch_size": self.BATCH, "request_timeout_ms": self.TIMEOUT}
            | {"enable_idempotence": True}
            | dict(producer)
        )
        self._producer.client._request_timeout_ms = self.REQUEST
        self._gate = Gate(lease, self._producer.client)
        self._turns: dict[tuple[str, int], asyncio.Lock] = {}

    async def start(self) -> None:
        """Connect."""
        await self._producer.start()

    @property
    def broken(self) -> bool:
        """Whether nothing can be sent any more."""
        task = self._producer._sender.sender_task
        return task is None or task.done()

    async def send_all(self, outputs: Mapping[str, list[Output]], own: int) -> list[Ack]:
        """Send what a step of partition `own` has made, per topic. Returns when the last batch is queued."""
        acks: list[Ack] = []
        for topic, group in outputs.items():
            here: list[Output] = []
            elsewhere: dict[int, list[Output]] = {}
            for out in group:
                if out.rekey or out.partition is not None:
                    elsewhere.setdefault(partition_of(out, own, self._counts[topic]), []).append(out)
                else:
                    here.append(out)
            if here:
                acks += await self.send(topic, own, here)
            for partition, others in elsewhere.items():
                acks += await self.send(topic, partition, others)
        return acks

    async def send(self, topic: str, partition: int, outputs: Iterable[Output]) -> list[Ack]:
        """Send to one partition. Returns when the last batch is queued."""
        acks: list[Ack] = []
        batch, now = self._producer.create_batch(), int(self._clock() * 1000)
        for out in outputs:
            if batch.append(timestamp=now, key=out.key, value=out.value, headers=out.headers) is None:
                acks.append(await self._queue(topic, partition, batch))
                batch = self._producer.create_batch()
                batch.append(timestamp=now, key=out.key, value=out.value, headers=out.headers)  # the first always fits
        if batch.record_count():
            acks.append(await self._queue(topic, partition, batch))
        return acks

    async def _queue(self, topic: str, partition: int, batch: Any) -> Ack:
        batch.close()
        # aiokafka lets one batch of a partition wait, wakes all who want to be next at once, and counts the time of each from
        # the beginning again with each turn: of dozens of lanes some would never be next, and give up long before TIMEOUT.
        async with self._turns.setdefault((topic, partition), asyncio.Lock()):
            future = await self._producer.send_batch(batch, topic, partition=partition)
        future.add_done_callback(_seen)
        return Ack(topic, partition, batch.record_count(), future)

    async def stop(self) -> None:
        """Let go of it. What is still on its way is given up after a moment, and does not leave any more."""
        try:
            with contextlib.suppress(Exception):  # it may be fenced or cut off; the partition is closed either way
                await asyncio.wait_for(self._producer.stop(), 5)
        finally:
            self._gate.shut = True
            if (sender := self._producer._sender.sender_task) and not sender.done():  # aiokafka leaves it when a stop is cut short
                sender.cancel()
                self._closing = asyncio.create_task(self._producer.client.close())


class FencedWriter(Writer):
    """A producer that the next owner of the partition shuts out.

    `InitProducerId` with a transactional id raises the producer's epoch, and brokers refuse an older epoch on every
    partition that has seen the newer one. An empty transaction, aborted, leaves its marker on each of them at once.
    No other transaction is ever begun: none of their cost, and readers need no isolation level.
    """

    def __init__(
        self,
        counts: Mapping[str, int],
        producer: Mapping[str, Any],
        name: str,
        lease: Lease | None = None,
        clock: Clock = time.time,
    ) -> None:
        super().__init__(counts, dict(producer) | {"transactional_id": name}, lease, clock)

    async def fence(self, partitions: Iterable[tuple[str, int]]) -> None:
        """Connect, and shut out every earlier owner of the name on these partitions."""
        await self._producer.start()
        manager = self._producer._txn_manager
        await self._producer.begin_transaction()
        for topic, partition in partitions:
            manager.maybe_add_partition_to_txn(TopicPartition(topic, partition))
        await self._producer.abort_transaction()
        manager.transactional_id = None  # from here an ordinary idempotent producer
