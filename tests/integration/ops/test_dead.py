"""Replaying dead letters on a real Kafka and PostgreSQL."""

import asyncio
from datetime import UTC, datetime, timedelta

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
    """Key, value and headers are equal, but for one that names the letter; after so many times a letter is passed over."""
    topic, _ = await _setup(kafka, fresh_postgres, "e1", "e2")
    chosen = dead.Choice(source="web", limit=10, times=2, again=True)
    assert await dead.replay(Kafka(kafka), fresh_postgres, chosen) == dead.Done(2, ())
    records = await _read(kafka, topic, 0, 4)
    named = [("lockstep-replay", f"{topic}/0/{number}".encode()) for number in (0, 1)]
    assert records[2:] == [(key, value, [*headers, name]) for (key, value, headers), name in zip(records[:2], named, strict=True)]
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
    assert [(row["source"], row["reason"], row["result"], row["n"]) for row in counts] == [
        ("web", "unmapped_status", "sent", 2),
        ("web", "unmapped_status", "waiting", 1),
    ]
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


async def test_what_went_through_is_not_sent_again_and_what_failed_again_counts_once(kafka: str, fresh_postgres: str) -> None:
    """A letter under way is passed over; one that failed again is sent again, is one letter, and no raw event more."""
    topic, _ = await _setup(kafka, fresh_postgres, "e1", "e2")
    chosen = dead.Choice(source="web", limit=10)
    assert (await dead.replay(Kafka(kafka), fresh_postgres, chosen)).replayed == 2
    assert (await dead.replay(Kafka(kafka), fresh_postgres, chosen)).replayed == 0
    connection = await asyncpg.connect(fresh_postgres)
    await connection.execute("INSERT INTO lockstep.raw_counts VALUES ($1, 0, 'web', 4, 4)", topic)
    await connection.execute(LETTER, topic, 3, "e2", b"{}")
    await connection.execute(
        "UPDATE lockstep.dead_letters SET headers = $1 WHERE origin_offset = 3", f'{{"lockstep-replay": "{topic}/0/1"}}'
    )
    facts = await connection.fetchrow("SELECT raw, dead FROM lockstep.v_facts WHERE source = 'web'")
    assert facts is not None
    assert tuple(facts) == (3, 2), "two pushes, one of which went through in a replay, and two letters"
    assert [row["n"] for row in await dead.would(fresh_postgres, chosen)] == [1]
    assert (await dead.replay(Kafka(kafka), fresh_postgres, chosen)).replayed == 1
    found = {letter["event_id"]: letter for letter in (await dead.overview(fresh_postgres, dead.Choice()))[1]}
    assert {name: (row["replays"], row["failed_again"], row["result"]) for name, row in found.items()} == {
        "e1": (1, 0, "sent"),
        "e2": (2, 1, "sent"),
    }
    runs = [tuple(row) for row in await connection.fetch("SELECT replayed, gone FROM lockstep.dead_replays ORDER BY replay_id")]
    assert runs == [(2, 0), (0, 0), (1, 0)]
    await connection.close()


async def test_a_replay_keeps_to_its_time_span_and_its_rate(kafka: str, fresh_postgres: str) -> None:
    """Letters received before `since` stay; three letters at 20 a second take two pauses of 50 ms; more than a chunk go through."""
    await _setup(kafka, fresh_postgres, *(f"e{n}" for n in range(dead.CHUNK + 5)))
    received = datetime.fromtimestamp(1_700_000_000, UTC)
    late = dead.Choice(since=received + timedelta(seconds=1), limit=10)
    assert (await dead.replay(Kafka(kafka), fresh_postgres, late)).replayed == 0
    early = dead.Choice(until=received + timedelta(seconds=1), limit=3, rate=20)
    began = asyncio.get_running_loop().time()
    assert (await dead.replay(Kafka(kafka), fresh_postgres, early)).replayed == 3
    assert asyncio.get_running_loop().time() - began >= 0.1
    rest = dead.Choice(source="web", limit=1000, rate=10_000)
    assert [row["n"] for row in await dead.would(fresh_postgres, rest)] == [dead.CHUNK + 2]
    assert (await dead.replay(Kafka(kafka), fresh_postgres, rest)).replayed == dead.CHUNK + 2
