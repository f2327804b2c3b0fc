"""One consumer without a group, shared by all partitions of a worker: restores, end offsets, topic ids."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.records.topics import Topic, describe, topic_ids

log = logging.getLogger(__name__)

Take = Callable[[list[Any], int], None]
"""(records, offset after them) → nothing; called with each batch that was read."""


@dataclass(eq=False)
class _Request:
    tp: TopicPartition
    position: int
    end: int
    take: Take
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Reader:
    """Reads ranges of partitions, several at a time, in large batches."""

    AT_ONCE = 8  # ranges: each may hold 8 MiB of fetched records
    FETCH = 8 << 20

    def __init__(self, client: Mapping[str, Any]) -> None:
        """`client`: addresses and security for aiokafka."""
        self._consumer = AIOKafkaConsumer(
            **client,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            check_crcs=False,
            max_partition_fetch_bytes=self.FETCH,
            fetch_max_wait_ms=50,
        )
        self._waiting: list[_Request] = []
        self._active: list[_Request] = []
        self._wake = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect."""
        await self._consumer.start()
        self._running = asyncio.create_task(self._run(), name="reader")

    async def stop(self) -> None:
        """Let go. Whoever still waits is cancelled."""
        if self._running:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        for request in self._active + self._waiting:
            request.done.cancel()
        with contextlib.suppress(KafkaError):
            await self._consumer.stop()

    async def read(self, topic: str, partition: int, start: int, end: int, take: Take) -> None:
        """Read from `start` until `end` (an offset that is not read), whatever lies between them is there."""
        if start >= end:
            return
        request = _Request(TopicPartition(topic, partition), start, end, take)
        self._waiting.append(request)
        self._wake.set()
        try:
            await request.done
        finally:
            request.done.cancel()

    async def ends(self, tps: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """The offset after the last record of each partition."""
        points = [TopicPartition(*tp) for tp in tps]
        return {tuple(tp): end for tp, end in (await self._consumer.end_offsets(points)).items()} if points else {}

    async def begins(self, tps: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """The offset of the first record of each partition that is still there."""
        points = [TopicPartition(*tp) for tp in tps]
        found = await self._consumer.beginning_offsets(points) if points else {}
        return {tuple(tp): begin for tp, begin in found.items()}

    async def describe(self, names: Iterable[str]) -> dict[str, Topic]:
        """Topics that exist, of these."""
        return await describe(self._consumer._client, names)

    async def topic_ids(self, names: Iterable[str]) -> dict[str, tuple[str, int]]:
        """Ids and partition counts of topics that exist, of these."""
        return await topic_ids(self._consumer._client, names)

    async def _run(self) -> None:
        while True:
            if self._refill():
                self._wake.clear()
                await self._wake.wait()
                continue
            try:
                batches = await self._consumer.getmany(timeout_ms=200)
            except KafkaError as error:
                log.warning("restoring waits: %r", error)
                await asyncio.sleep(1)
                continue
            await self._hand_out(batches)

    def _refill(self) -> bool:
        """Keep the consumer on what is asked for. Returns True if there is nothing to read."""
        active = [request for request in self._active if not request.done.done()]
        waiting = [request for request in self._waiting if not request.done.done()]
        self._waiting = []
        for request in waiting:
            same = any(request.tp == other.tp for other in active)
            (self._waiting if same or len(active) >= self.AT_ONCE else active).append(request)
        if active != self._active:
            self._active = active
            self._consumer.assign([request.tp for request in active])
            for request in active:  # what was fetched ahead is gone with the old assignment
                self._consumer.seek(request.tp, request.position)
        return not active

    async def _hand_out(self, batches: Mapping[TopicPartition, list[Any]]) -> None:
        for request in self._active:
            if request.done.done():
                continue
            records = batches.get(request.tp, [])
            # the position also passes what is never handed out: control batches, compacted ends
            position = self._consumer._subscription.subscription.assignment.state_value(request.tp)
            if position.has_valid_position:
                request.position = position.position
            try:
                if records:
                    request.take([record for record in records if record.offset < request.end], request.position)
            except Exception as error:  # noqa: BLE001 (a full disk, say: it belongs to whoever asked)
                request.done.set_exception(error)
            else:
                if request.position >= request.end:
                    request.done.set_result(None)
            await asyncio.sleep(0)
