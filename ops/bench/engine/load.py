"""Topics and records of the bench."""

import random
from collections.abc import Iterable, Iterator

import msgspec
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams.records import Output
from streams.records.routing import partition_of_key
from streams.records.writer import Writer, settled

PARTITIONS = 4
SLICE = 20_000  # records made and sent at a time
STATUSES = ("PAID", "SHIPPED", "REFUND", "DONE")


async def create(bootstrap: str, topics: Iterable[str], *, compacted: bool = False) -> None:
    """Make topics of the bench."""
    configs = {"cleanup.policy": "compact"} if compacted else {}
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, PARTITIONS, 1, topic_configs=configs) for name in topics])
    finally:
        await admin.close()


async def delete(bootstrap: str, topics: Iterable[str]) -> None:
    """Remove topics of the bench: its records are large."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        known = set(await admin.list_topics())
        await admin.delete_topics([name for name in topics if name in known])
    finally:
        await admin.close()


def _records(topic: str, count: int) -> Iterator[Output]:
    rng = random.Random(1)  # noqa: S311 (data)
    for number in range(count):
        key = f"{rng.randrange(max(1, count // 6)):08d}"
        value = {
            "event_id": f"e{number:09d}", "order_id": key, "source": "douyin", "status": rng.choice(STATUSES),
            "occurred_at": 1_700_000_000_000 + number,
        }  # fmt: skip
        yield Output(topic, key.encode(), msgspec.json.encode(value))


async def fill(bootstrap: str, topic: str, count: int) -> None:
    """Write `count` records of about 130 bytes, six per key on average, the same ones every time."""
    writer = Writer({topic: PARTITIONS}, {"bootstrap_servers": bootstrap})
    await writer.start()
    try:
        records = _records(topic, count)
        for start in range(0, count, SLICE):
            by_partition: dict[int, list[Output]] = {number: [] for number in range(PARTITIONS)}
            for _ in range(min(SLICE, count - start)):
                record = next(records)
                by_partition[partition_of_key(record.key, PARTITIONS)].append(record)
            for partition, outputs in by_partition.items():
                await settled(await writer.send(topic, partition, outputs))
    finally:
        await writer.stop()
