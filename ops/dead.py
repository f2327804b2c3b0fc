"""Dead letters in PostgreSQL, and sending them through again.

A replay writes the record that lies at the letter's origin once more, byte for byte, to the partition it came from. Where
Kafka no longer has it, a raw event is made again from the letter. What a later stage could not fold is replayed once: when
that fails too there is a new letter of it.
"""

import json
import time
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from ops import channels, sql
from ops.config import Kafka
from schemas import codec, topics
from schemas.headers import Headers, cloudevent
from schemas.records import RawEvent

FETCH_MS = 2000
SHOWN_BYTES = 20_000
_CHOSEN = """stage = 'stream' AND ($1::text IS NULL OR source = $1) AND ($2::text IS NULL OR reason = $2)"""
_COUNTS = f"""
SELECT source, reason, count(*) AS n, max(received_at) AS newest FROM lockstep.dead_letters
WHERE {_CHOSEN} GROUP BY 1, 2 ORDER BY 1, 2"""  # noqa: S608 - a constant
_NEWEST = f"""
SELECT event_id, source, shop, reason, detail, received_at, replays, origin_topic, origin_partition, origin_offset
FROM lockstep.dead_letters WHERE {_CHOSEN} ORDER BY received_at DESC LIMIT $3"""  # noqa: S608 - a constant
_SHOWN = "SELECT * FROM lockstep.dead_letters WHERE event_id = $1 ORDER BY received_at"
_TAKEN = f"""
SELECT * FROM lockstep.dead_letters
WHERE {_CHOSEN} AND (cardinality($3::text[]) = 0 OR event_id = ANY($3)) AND replays < $4
  AND (replays = 0 OR origin_topic LIKE 'lockstep.raw.%')
ORDER BY received_at LIMIT $5 FOR UPDATE SKIP LOCKED"""  # noqa: S608 - a constant
_COUNTED = """
UPDATE lockstep.dead_letters SET replays = replays + 1, replayed_at = now()
WHERE origin_topic = $1 AND origin_partition = $2 AND origin_offset = $3"""


@dataclass(frozen=True)
class Choice:
    """Which letters."""

    source: str | None = None
    reason: str | None = None
    events: tuple[str, ...] = ()
    limit: int = 100
    times: int = 3


@dataclass(frozen=True)
class Done:
    """What a replay did; `gone` are events of which nothing is left to send."""

    replayed: int
    gone: tuple[str, ...]


async def overview(dsn: str, choice: Choice) -> tuple[list[sql.Row], list[sql.Row]]:
    """Counts by source and reason, and the newest letters."""
    async with sql.connected(dsn) as connection:
        counts = sql.rows(await connection.fetch(_COUNTS, choice.source, choice.reason))
        return counts, sql.rows(await connection.fetch(_NEWEST, choice.source, choice.reason, choice.limit))


async def letters(dsn: str, event_id: str) -> list[sql.Row]:
    """All letters of an event, with what was sent as text."""
    async with sql.connected(dsn) as connection:
        found = sql.rows(await connection.fetch(_SHOWN, event_id))
    return [letter | {"payload": letter["payload"][:SHOWN_BYTES].decode(errors="replace")} for letter in found]


async def replay(kafka: Kafka, dsn: str, choice: Choice) -> Done:
    """Send chosen letters again and count it on each. Two replays at once take different letters."""
    producer = await channels.started(kafka)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.servers, enable_auto_commit=False, auto_offset_reset="none", **kafka.security.client()
    )
    await consumer.start()
    gone: list[str] = []
    replayed = 0
    try:
        async with sql.connected(dsn) as connection, connection.transaction():
            chosen = await connection.fetch(_TAKEN, choice.source, choice.reason, list(choice.events), choice.times, choice.limit)
            for letter in chosen:
                if await _send(producer, consumer, letter):
                    await connection.execute(_COUNTED, letter["origin_topic"], letter["origin_partition"], letter["origin_offset"])
                    replayed += 1
                else:
                    gone.append(letter["event_id"])
    finally:
        await consumer.stop()
        await producer.stop()
    return Done(replayed, tuple(gone))


async def _send(producer: AIOKafkaProducer, consumer: AIOKafkaConsumer, letter: Any) -> bool:
    """Write one letter's record again; its Kafka time is now, for retention counts from it."""
    topic, partition = letter["origin_topic"], letter["origin_partition"]
    original = await _original(consumer, TopicPartition(topic, partition), letter["origin_offset"])
    if original is not None:
        key, value, headers = original
    elif topic.startswith(f"{topics.PREFIX}raw."):
        key, value, headers = _made_again(letter)
        partition = None
    else:
        return False
    await producer.send_and_wait(topic, value, key=key, partition=partition, headers=headers, timestamp_ms=round(time.time() * 1000))
    return True


async def _original(consumer: AIOKafkaConsumer, at: TopicPartition, offset: int) -> tuple[bytes | None, bytes, Headers] | None:
    consumer.assign([at])
    consumer.seek(at, offset)
    try:
        found = (await consumer.getmany(at, timeout_ms=FETCH_MS, max_records=1)).get(at, [])
    except OffsetOutOfRangeError:
        return None
    if not found or found[0].offset != offset or found[0].value is None:
        return None
    return found[0].key, found[0].value, list(found[0].headers)


def _made_again(letter: Any) -> tuple[bytes, bytes, Headers]:
    """The envelope as it was; its key may differ, and normalise corrects that."""
    received_at = round(letter["received_at"].timestamp() * 1000)
    event = RawEvent(
        event_id=letter["event_id"],
        source=letter["source"],
        connector=letter["connector"],
        kind=letter["kind"],
        shop=letter["shop"],
        received_at=received_at,
        verified=True,
        headers=json.loads(letter["headers"]),
        payload=letter["payload"],
    )
    headers = cloudevent("RawEvent", event.event_id, event.source, event.event_id, received_at)
    return event.event_id.encode(), codec.encode(event), headers
