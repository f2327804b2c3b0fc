"""How far each stage is: end offsets of topics, and what the groups have committed."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Final, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError

PATIENCE: Final = 60.0


class Offsets:
    """Asks a broker. Use it as an async context."""

    def __init__(self, kafka: str) -> None:
        self._consumer = AIOKafkaConsumer(bootstrap_servers=kafka)
        self._admin = AIOKafkaAdminClient(bootstrap_servers=kafka)

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        await self._admin.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._admin.close()
        await self._consumer.stop()

    async def ends(self, topics: Iterable[str]) -> Mapping[TopicPartition, int]:
        """End offsets of all partitions of the topics."""
        described = await self._admin.describe_topics(sorted(set(topics)))
        parts = [TopicPartition(found["topic"], part["partition"]) for found in described for part in found["partitions"]]
        ends: Mapping[TopicPartition, int] = await self._consumer.end_offsets(parts)
        return ends

    async def committed(self, group: str) -> Mapping[TopicPartition, int]:
        """What a group has committed. A broker makes its topic of offsets when it is first asked: waited for."""
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    offsets: Mapping[TopicPartition, Any] = await self._admin.list_consumer_group_offsets(group)
                    return {part: found.offset for part, found in offsets.items()}
                except (GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError, GroupLoadInProgressError):
                    await asyncio.sleep(0.2)


def total(offsets: Mapping[TopicPartition, int], *topics: str) -> int:
    """The sum over the partitions of these topics."""
    return sum(offset for part, offset in offsets.items() if part.topic in topics)
