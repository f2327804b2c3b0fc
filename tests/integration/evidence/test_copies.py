"""The copies on a real Kafka: roots on their topic, and the records that no root vouches for yet."""

import random
import uuid
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError

from ops.reports.audit import Patience, verify
from ops.reports.copies import Copies
from ops.reports.roots import Broken
from schemas import codec, topics
from sinks.evidence.chain import digest
from sinks.evidence.keeper import publisher
from tests.integration.evidence.histories import Tables, put, read
from tests.integration.evidence.tampering import newer_records, reseal_all
from tests.integration.sinks.given import Sink

AT_ONCE = Patience(1, 0)
NAMES = (topics.AUDIT_ROOT, topics.ORDER_AUDIT, topics.ORDER_STATE)


@pytest.fixture
async def group(kafka: str, whole: Tables) -> AsyncIterator[str]:
    """A sink's group on a Kafka that holds this history, all of it written."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    for topic in topics.catalogue(["web"]):
        if topic.name in NAMES:
            try:
                await admin.create_topics([NewTopic(topic.name, topic.partitions or 2, 1, topic_configs=topic.config)])
            except TopicAlreadyExistsError:
                continue  # another test of this Kafka has made it
    await admin.close()
    await publisher(lambda: {"bootstrap_servers": kafka})(whole.copies)
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        for record in whole.newer:
            await producer.send(topics.ORDER_AUDIT, codec.encode(record), key=record.order_key.encode())
        await producer.flush()
    name = f"evidence-{uuid.uuid4().hex[:8]}"
    await written(kafka, name)
    yield name
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.delete_topics([topics.AUDIT_ROOT, topics.ORDER_AUDIT])  # what other tests find is theirs
    await admin.close()


async def written(kafka: str, group: str) -> None:
    """Let the sink's group have written everything."""
    async with AIOKafkaConsumer(bootstrap_servers=kafka, group_id=group, enable_auto_commit=False) as consumer:
        known = await consumer._client.fetch_all_metadata()
        places = [TopicPartition(topic, number) for topic in NAMES[1:] for number in known.partitions_for_topic(topic)]
        consumer.assign(places)
        await consumer.commit(await consumer.end_offsets(places))


async def verified(sink: Sink, kafka: str, group: str, **asked: Any) -> list[Broken]:
    """What a verification with Kafka's copies finds."""
    async with Copies({"bootstrap_servers": kafka}, group) as copies:
        return (await verify(sink.dsn, copies=copies, patience=AT_ONCE, **asked)).broken


async def test_what_only_a_copy_can_tell(sink: Sink, whole: Tables, kafka: str, group: str) -> None:
    """A history that was forged with all its heads and roots, a root deleted with its day, and a newer record are found by Kafka."""
    assert await verified(sink, kafka, group) == []
    connection = await asyncpg.connect(sink.dsn)

    forged = whole.copy()
    for row in forged.chain(key := forged.heads[0]["order_key"]):
        row["operator"] = "mallory"
        row["prev_hash"] = forged.chain(key)[row["seq"] - 2]["hash"] if row["seq"] > 1 else row["prev_hash"]
        row["hash"] = digest(row)
    for head in forged.heads:
        if head["order_key"] == key:
            head["head"] = forged.chain(key)[head["seq"] - 1]["hash"]
    forged.order(key)["audit_head"] = forged.chain(key)[-1]["hash"]
    first = reseal_all(forged)
    assert first
    await put(connection, forged)
    assert (await verify(sink.dsn, patience=AT_ONCE)).broken == []
    found = await verified(sink, kafka, group)
    assert (first.isoformat(), "is not what the topic has") in [(each.day, each.why.partition(":")[0]) for each in found]

    cut = whole.copy()
    last = max(row["day"] for row in cut.roots)
    cut.roots = [row for row in cut.roots if row["day"] != last]
    cut.heads = [row for row in cut.heads if row["day"] != last]
    await put(connection, cut)
    assert (await verify(sink.dsn, patience=AT_ONCE)).broken == []
    found = await verified(sink, kafka, group)
    assert [(each.day, each.why) for each in found] == [(last.isoformat(), "is missing in the database: the topic has it")]

    for seed in range(4):
        tables = whole.copy()
        named = newer_records(tables, random.Random(seed))
        await put(connection, tables)
        assert (await verify(sink.dsn, patience=AT_ONCE)).broken == []
        assert named.by(await verified(sink, kafka, group))
        assert named.by(await verified(sink, kafka, group, key=named.order_key))
    await put(connection, whole)
    assert await verified(sink, kafka, group) == []
    await connection.close()


async def test_what_the_sink_has_not_written_yet_is_not_missing(sink: Sink, whole: Tables, kafka: str, group: str) -> None:
    """While the sink is behind, an order whose row is ahead of its records is said, and not called broken; when it has caught up it is."""
    connection = await asyncpg.connect(sink.dsn)
    tables = await read(connection)
    row = next(row for row in tables.orders if row["audit_seq"])
    row["audit_seq"] += 1
    await put(connection, tables)
    await connection.close()
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        await producer.send_and_wait(topics.ORDER_AUDIT, b"", key=b"k")
    async with Copies({"bootstrap_servers": kafka}, group) as copies:
        verdict = await verify(sink.dsn, copies=copies, patience=AT_ONCE)
    assert (verdict.broken, verdict.notes) == ([], ["1 orders could not be judged: the sink is behind; ask again when it has caught up"])
    await written(kafka, group)
    assert [found.order_key for found in await verified(sink, kafka, group)] == [row["order_key"]]
