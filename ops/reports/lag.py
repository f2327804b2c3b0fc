"""What a group has not read yet, counted by source. Reads at most a bounded number of records, from headers where they suffice."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from schemas import topics
from schemas.codec import NotARecord, decode, name_of
from schemas.headers import header
from schemas.records import AuditRecord, DeadLetter, Observation, ParcelObservation

STOP_WAIT = 2.0  # seconds
WAIT_MS = 20  # of a fetch that finds nothing: a broker answers whatever else is asked on the connection only after it
MOST = 200_000  # records looked at for one topic; beyond, the rest is counted under `?`
Offsets = Mapping[TopicPartition, int]
SourceOf = Callable[[Any], str | None]


@dataclass(frozen=True)
class Stretch:
    """Records of a topic from `start` (by partition, else its beginning) to its end."""

    topic: str
    start: Offsets


def raw_source(record: Any) -> str | None:
    """What spoke, of an envelope."""
    source = header(record.headers, "ce_source")
    return source.decode() if source else "?"


def fact_source(record: Any) -> str | None:
    """What spoke, of a record that stands for one raw event; None for marks, links and derived statements."""
    try:
        kind = name_of(record.value)
        if kind == "Observation":
            seen = decode(record.value, Observation)
            return None if seen.derived else seen.source
        if kind == "ParcelObservation":
            node = decode(record.value, ParcelObservation)
            return node.source if node.kind == "node" else None
        if kind == "AuditRecord":
            link = decode(record.value, AuditRecord)
            return None if link.derived else link.source
        return decode(record.value, DeadLetter).source if kind == "DeadLetter" else None
    except NotARecord:
        return None


async def committed(client: Mapping[str, Any], group: str) -> dict[TopicPartition, int]:
    """The offsets that a group has committed; empty for an unknown group."""
    admin = AIOKafkaAdminClient(**client)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    return {partition: found.offset for partition, found in offsets.items() if found.offset >= 0}


async def _bounds(consumer: AIOKafkaConsumer, stretch: Stretch) -> dict[TopicPartition, tuple[int, int]]:
    numbers = await consumer._client.fetch_all_metadata()  # noqa: SLF001 (aiokafka has no public way without a subscription)
    found = numbers.partitions_for_topic(stretch.topic) or set()
    partitions = [TopicPartition(stretch.topic, number) for number in sorted(found)]
    if not partitions:
        return {}
    begin, end = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    return {at: (max(begin[at], stretch.start.get(at, 0)), end[at]) for at in partitions}


@asynccontextmanager
async def reader(client: Mapping[str, Any]) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer without a group, for `count`."""
    consumer = AIOKafkaConsumer(**client, enable_auto_commit=False, max_partition_fetch_bytes=4 << 20, fetch_max_wait_ms=WAIT_MS)
    await consumer.start()
    try:
        yield consumer
    finally:
        with contextlib.suppress(TimeoutError):  # aiokafka's fetch routine may swallow its cancellation and wait for ever
            await asyncio.wait_for(consumer.stop(), STOP_WAIT)


async def count(consumer: AIOKafkaConsumer, stretches: Iterable[Stretch], source_of: SourceOf) -> Counter[str]:
    """Records of these stretches by source. Compacted or marker offsets without a record are not counted."""
    counted: Counter[str] = Counter()
    for stretch in stretches:
        for at, (start, end) in (await _bounds(consumer, stretch)).items():
            if start < end:
                counted += await _read(consumer, at, start, end, source_of)
    return counted


async def _read(consumer: AIOKafkaConsumer, at: TopicPartition, start: int, end: int, source_of: SourceOf) -> Counter[str]:
    counted: Counter[str] = Counter()
    if end - start > MOST:
        return Counter({"?": end - start})
    consumer.assign([at])
    consumer.seek(at, start)
    while start < end:
        for record in (await consumer.getmany(at, timeout_ms=500)).get(at, ()):
            if record.offset < end and (source := source_of(record)):
                counted[source] += 1
        start = await consumer.position(at)
    return counted


def raw_topics(channels: Iterable[str]) -> list[str]:
    """All topics that envelopes arrive on."""
    return [*(topics.raw_order(channel) for channel in channels), topics.RAW_SYSTEM, topics.RAW_PARCEL]
