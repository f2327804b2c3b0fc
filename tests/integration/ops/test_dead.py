"""Replaying dead letters on a real Kafka and PostgreSQL."""

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from ops import dead
from ops import topics as topic_tools
from ops.config import Kafka
from schemas import codec, topics
from schemas.records import RawEvent
from sinks.postgres.migrate import migrate

LETTER = """
INSERT INTO lockstep.dead_letters (origin_topic, origin_partition, origin_offset, event_id, source, connector, kind, shop, reason, detail,
    stage, received_at, headers, payload)
VALUES ($1, 0, $2, $3, 'web', 'generic', 'channel', 's1', 'unmapped_status', 'x', 'stream', to_timestamp(1700000000), '{"a": "b"}', $4)"""


async def _setup(kafka: str, dsn: str, *events: str) -> tuple[str, list[int]]:
    """A raw topic of its own with an envelope per event, and a letter about each."""
    await migrate(dsn)
    channel = f"replay-{dsn.rsplit('_', 1)[1]}"
    await topic_tools.create(Kafka(kafka), topic_tools.wanted((channel,), 1))
    topic = topics.raw_order(channel)
    offsets = []
    connection = await asyncpg.connect(dsn)
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        for event in events:
            sent = await producer.send_and_wait(topic, event.encode(), key=b"web:s1:A1", headers=[("ce_id", event.encode())])
            offsets.append(sent.offset)
            await connection.execute(LETTER, topic, sent.offset, event, b"{}")
    await connection.close()
    return topic, offsets


async def _read(kafka: str, topic: str, start: int, count: int) -> list[tuple[bytes, bytes, list[tuple[str, bytes]]]]:
    async with AIOKafkaConsumer(bootstrap_servers=kafka) as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        consumer.seek(TopicPartition(topic, 0), start)
        found = [await consumer.getone() for _ in range(count)]
    return [(record.key, record.value, list(record.headers)) for record in found]


async def test_a_replay_is_the_same_record_again_and_is_counted(kafka: str, fresh_postgres: str) -> None:
    """Key, value and headers are equal; after so many times a letter is passed over."""
    topic, _ = await _setup(kafka, fresh_postgres, "e1", "e2")
    chosen = dead.Choice(source="web", limit=10, times=2)
    assert await dead.replay(Kafka(kafka), fresh_postgres, chosen) == dead.Done(2, ())
    records = await _read(kafka, topic, 0, 4)
    assert records[2:] == records[:2]
    assert (await dead.replay(Kafka(kafka), fresh_postgres, chosen)).replayed == 2
    assert (await dead.replay(Kafka(kafka), fresh_postgres, chosen)).replayed == 0
    assert [letter["replays"] for letter in await dead.letters(fresh_postgres, "e1")] == [2]


async def test_a_replay_is_bounded_and_chosen(kafka: str, fresh_postgres: str) -> None:
    """No more letters than the limit, oldest first, and only those that were meant."""
    await _setup(kafka, fresh_postgres, "e1", "e2", "e3")
    assert (await dead.replay(Kafka(kafka), fresh_postgres, dead.Choice(reason="invalid"))).replayed == 0
    assert (await dead.replay(Kafka(kafka), fresh_postgres, dead.Choice(events=("e2", "e4")))).replayed == 1
    assert (await dead.replay(Kafka(kafka), fresh_postgres, dead.Choice(source="web", limit=1))).replayed == 1
    counts, letters = await dead.overview(fresh_postgres, dead.Choice())
    assert [(row["source"], row["reason"], row["n"]) for row in counts] == [("web", "unmapped_status", 3)]
    assert sorted(letter["replays"] for letter in letters) == [0, 1, 1]


async def test_what_kafka_no_longer_has_is_made_again(kafka: str, fresh_postgres: str) -> None:
    """A raw event whose record is gone is rebuilt from its letter, with the time at which it was received."""
    topic, offsets = await _setup(kafka, fresh_postgres, "e1")
    connection = await asyncpg.connect(fresh_postgres)
    await connection.execute("UPDATE lockstep.dead_letters SET origin_offset = 9999")
    await connection.close()
    assert await dead.replay(Kafka(kafka), fresh_postgres, dead.Choice(source="web")) == dead.Done(1, ())
    ((key, value, headers),) = await _read(kafka, topic, offsets[0] + 1, 1)
    event = codec.decode(value, RawEvent)
    assert key == b"e1"
    assert (event.event_id, event.source, event.received_at, event.payload) == ("e1", "web", 1_700_000_000_000, b"{}")
    assert ("ce_source", b"web") in headers
