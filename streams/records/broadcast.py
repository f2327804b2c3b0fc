"""Compacted topics that every worker reads whole: the newest value per key."""

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

log = logging.getLogger(__name__)


class Broadcast:
    """Reads the topics to their ends once, then follows them."""

    def __init__(self, topics: Mapping[str, int], client: Mapping[str, Any]) -> None:
        """`topics`: names and numbers of partitions."""
        self._tps = [TopicPartition(name, number) for name, count in topics.items() for number in range(count)]
        self.values: dict[str, dict[bytes, bytes]] = {name: {} for name in topics}
        self.complete = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._consumer = AIOKafkaConsumer(**client, enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=200)

    async def start(self) -> None:
        """Connect and read on in the background; `complete` is set when everything written before has been read."""
        if not self._tps:
            self.complete.set()
            return
        await self._consumer.start()
        self._consumer.assign(self._tps)
        await self._consumer.seek_to_beginning(*self._tps)
        self._running = asyncio.create_task(self._run(), name="broadcast")

    async def stop(self) -> None:
        """Let go."""
        if self._running:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        with contextlib.suppress(KafkaError):
            await self._consumer.stop()

    async def _run(self) -> None:
        ends: dict[TopicPartition, int] | None = None
        while True:
            try:
                ends = ends or await self._consumer.end_offsets(self._tps)
                for records in (await self._consumer.getmany(timeout_ms=500)).values():
                    self._take(records)
                if not self.complete.is_set() and all([await self._consumer.position(tp) >= ends[tp] for tp in ends]):
                    self.complete.set()
            except KafkaError as error:
                log.warning("broadcast topics wait: %r", error)
                await asyncio.sleep(1)

    def _take(self, records: Iterable[Any]) -> None:
        for record in records:
            values = self.values[record.topic]
            if record.value is None:
                values.pop(record.key, None)
            elif record.key is not None:
                values[record.key] = record.value
