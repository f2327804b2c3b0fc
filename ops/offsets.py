"""How far the groups have read, and setting one back: only back, so that nothing can be skipped. Repeats change nothing.

The alerts' topic is left where it is unless it is named: read again into an empty database its alerts would be sent again.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
    for_code,
)

from ops.config import Kafka
from ops.installation import SINK_GROUP, STREAM_GROUP
from ops.topics import connected
from ops.usage import UsageError
from schemas import topics

GROUPS: Final = {"stream": STREAM_GROUP, "sink": SINK_GROUP}
KEPT: Final = frozenset({topics.ALERT})
FORGOTTEN: Final = 25.0  # seconds until a member that has ended is out of its group: its session lasts 15
WAITS: Final = (GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError, GroupLoadInProgressError)


@dataclass(frozen=True)
class Place:
    """Where a group stands in a partition, and the partition's ends."""

    topic: str
    partition: int
    committed: int
    begin: int
    end: int


@dataclass(frozen=True)
class Move:
    """A partition that is set back."""

    topic: str
    partition: int
    before: int
    after: int


def _consumer(kafka: Kafka, group: str | None = None) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(bootstrap_servers=kafka.servers, group_id=group, enable_auto_commit=False, **kafka.security.client())


async def places(kafka: Kafka, group: str) -> list[Place]:
    """Every partition that a group has ever read."""
    committed = await _committed(kafka, group)
    if not committed:
        return []
    consumer = _consumer(kafka)
    await consumer.start()
    try:
        parts = sorted(committed)
        begin, end = await consumer.beginning_offsets(parts), await consumer.end_offsets(parts)
        return [Place(part.topic, part.partition, committed[part], begin[part], end[part]) for part in parts]
    finally:
        await consumer.stop()


async def loaded(admin: Any, group: str) -> None:
    """Raise one of WAITS while the group's coordinator knows nothing yet: it would answer as if nothing had ever been committed."""
    for answer in await admin.describe_consumer_groups([group]):
        for error, *_ in answer.groups:
            if error:
                raise for_code(error)(f"the coordinator of {group} is not ready")


async def _committed(kafka: Kafka, group: str) -> dict[TopicPartition, int]:
    """A broker makes its topic of offsets when it is first asked, and reads it after a start: waited for."""
    admin = await connected(kafka)
    try:
        async with asyncio.timeout(FORGOTTEN):
            while True:
                try:
                    await loaded(admin, group)
                    found: dict[TopicPartition, Any] = await admin.list_consumer_group_offsets(group)
                    return {part: each.offset for part, each in found.items() if each.offset >= 0}
                except WAITS:
                    await asyncio.sleep(0.2)
    finally:
        await admin.close()


async def plan(kafka: Kafka, group: str, to: int | None, names: Sequence[str] = ()) -> list[Move]:
    """What would be set back to the first record at `to` (ms), to the beginning without it. `names`: only these topics."""
    found = [each for each in await places(kafka, group) if (each.topic in names if names else each.topic not in KEPT)]
    if unknown := set(names) - {each.topic for each in found}:
        raise UsageError(f"{group} has never read {', '.join(sorted(unknown))}: `lockstep offsets list` shows what it reads")
    first = await _first(kafka, found, to)
    moves = [Move(each.topic, each.partition, each.committed, max(each.begin, first[each.topic, each.partition])) for each in found]
    return [move for move in moves if move.after < move.before]


async def _first(kafka: Kafka, found: list[Place], to: int | None) -> dict[tuple[str, int], int]:
    if to is None or not found:
        return {(each.topic, each.partition): each.begin for each in found}
    consumer = _consumer(kafka)
    await consumer.start()
    try:
        times = await consumer.offsets_for_times({TopicPartition(each.topic, each.partition): to for each in found})
    finally:
        await consumer.stop()
    known = {(part.topic, part.partition): at.offset for part, at in times.items() if at is not None}
    return {(each.topic, each.partition): known.get((each.topic, each.partition), each.end) for each in found}


async def move(kafka: Kafka, group: str, moves: Sequence[Move]) -> None:
    """Commit for the group. Raises UsageError while somebody is in it."""
    consumer = _consumer(kafka, group)
    await consumer.start()
    try:
        offsets = {TopicPartition(each.topic, each.partition): each.after for each in moves}
        consumer.assign(list(offsets))
        async with asyncio.timeout(FORGOTTEN):
            while True:
                try:
                    await consumer.commit(offsets)
                    return
                except CommitFailedError:
                    await asyncio.sleep(0.5)
    except TimeoutError:
        raise UsageError(f"somebody is in the group {group}: end every process of that role, on all machines, and try again") from None
    finally:
        await consumer.stop()
