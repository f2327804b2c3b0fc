"""Dead letters in PostgreSQL, and sending them through again.

A replay writes the record that lies at the letter's origin once more, byte for byte, to the partition it came from. Where
Kafka no longer has it, a raw event is made again from the letter. Whatever was applied before is a duplicate by its event id.
A raw event that fails again is the same letter (`replay_of` of its row names it) and is in no count twice. What a later stage
could not fold is replayed once: when that fails too there is a new letter of it.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from ops import channels, sql
from ops.config import Kafka
from schemas import codec, topics
from schemas.headers import Headers, cloudevent
from schemas.records import RawEvent
from streams import wire

FETCH_MS = 2000
SHOWN_BYTES = 20_000
CHUNK = 100  # letters a transaction: what was sent is counted soon, also when the command is killed
RATE = 100.0  # letters a second: a replay must not delay what is pushed just now
_RAW = f"{topics.PREFIX}raw."
_CHOSEN = """stage = 'stream' AND replay_of IS NULL AND ($1::text IS NULL OR source = $1) AND ($2::text IS NULL OR reason = $2)
  AND ($3::timestamptz IS NULL OR received_at >= $3) AND ($4::timestamptz IS NULL OR received_at < $4)"""
_COUNTS = f"""
SELECT source, reason, result, count(*) AS n, max(received_at) AS newest FROM lockstep.v_dead_letters
WHERE {_CHOSEN} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""  # noqa: S608 - a constant
_NEWEST = f"""
SELECT event_id, source, shop, reason, detail, received_at, replays, replayed_at, failed_again, result, origin_topic, origin_partition,
    origin_offset
FROM lockstep.v_dead_letters WHERE {_CHOSEN} ORDER BY received_at DESC LIMIT $5"""  # noqa: S608 - a constant
_SHOWN = "SELECT * FROM lockstep.v_dead_letters WHERE event_id = $1 ORDER BY received_at"
_PLACE = "d.origin_topic || '/' || d.origin_partition || '/' || d.origin_offset"
_TAKEN = f"""
SELECT * FROM lockstep.dead_letters d
WHERE {_CHOSEN} AND (cardinality($5::text[]) = 0 OR event_id = ANY($5)) AND replays < $6
  AND ($7 OR replays <= (SELECT count(*) FROM lockstep.dead_letters f WHERE f.replay_of = {_PLACE}))
  AND (replays = 0 OR origin_topic LIKE 'lockstep.raw.%') AND (replayed_at IS NULL OR replayed_at < $8)
  AND NOT ({_PLACE}) = ANY($9::text[])
ORDER BY received_at, origin_topic, origin_partition, origin_offset LIMIT $10"""  # noqa: S608 - a constant
_LOCKED = f"{_TAKEN} FOR UPDATE OF d SKIP LOCKED"
_WOULD = f"""
SELECT source, reason, count(*) AS n, max(received_at) AS newest FROM ({_TAKEN}) letters GROUP BY 1, 2 ORDER BY 1, 2"""  # noqa: S608
_COUNTED = """
UPDATE lockstep.dead_letters SET replays = replays + 1, replayed_at = now()
WHERE origin_topic = $1 AND origin_partition = $2 AND origin_offset = $3"""
_BEGUN = "INSERT INTO lockstep.dead_replays (chosen) VALUES ($1) RETURNING replay_id, started_at"
_WENT_ON = "UPDATE lockstep.dead_replays SET replayed = $2, gone = $3 WHERE replay_id = $1"
_ENDED = "UPDATE lockstep.dead_replays SET finished_at = now() WHERE replay_id = $1"


@dataclass(frozen=True)
class Choice:
    """Which letters. Without `again` those are passed over whose replay went through, or is on its way."""

    source: str | None = None
    reason: str | None = None
    events: tuple[str, ...] = ()
    limit: int = 100
    times: int = 3
    since: datetime | None = None  # received_at
    until: datetime | None = None
    again: bool = False
    rate: float = RATE

    @property
    def place(self) -> tuple[Any, ...]:
        """Arguments 1 to 4 of the queries."""
        return self.source, self.reason, self.since, self.until

    def taken(self, before: datetime, passed: Sequence[str], limit: int) -> tuple[Any, ...]:
        """Arguments of what takes letters that were not replayed since `before`, and are not among `passed`."""
        return (*self.place, list(self.events), self.times, self.again, before, list(passed), limit)

    def as_json(self) -> str:
        """For the table of runs."""
        return json.dumps({name: value for name, value in asdict(self).items() if value}, default=str)


@dataclass(frozen=True)
class Done:
    """What a replay did; `gone` are events of which nothing is left to send."""

    replayed: int
    gone: tuple[str, ...]


async def overview(dsn: str, choice: Choice) -> tuple[list[sql.Row], list[sql.Row]]:
    """Counts by source, reason and result, and the newest letters."""
    async with sql.connected(dsn) as connection:
        counts = sql.rows(await connection.fetch(_COUNTS, *choice.place))
        return counts, sql.rows(await connection.fetch(_NEWEST, *choice.place, choice.limit))


async def letters(dsn: str, event_id: str) -> list[sql.Row]:
    """All letters of an event, with what was sent as text."""
    async with sql.connected(dsn) as connection:
        found = sql.rows(await connection.fetch(_SHOWN, event_id))
    return [letter | {"payload": letter["payload"][:SHOWN_BYTES].decode(errors="replace")} for letter in found]


async def would(dsn: str, choice: Choice) -> list[sql.Row]:
    """Count what a replay would send now, by source and reason."""
    async with sql.connected(dsn) as connection:
        now = await connection.fetchval("SELECT clock_timestamp()")
        return sql.rows(await connection.fetch(_WOULD, *choice.taken(now, (), choice.limit)))


async def replay(kafka: Kafka, dsn: str, choice: Choice) -> Done:
    """Send chosen letters again, oldest first, and count it on each. Two replays at once take different letters."""
    producer = await channels.started(kafka)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.servers, enable_auto_commit=False, auto_offset_reset="none", **kafka.security.client()
    )
    await consumer.start()
    try:
        async with sql.connected(dsn) as connection:
            return await _replay(connection, _Sender(producer, consumer, choice.rate), choice)
    finally:
        await consumer.stop()
        await producer.stop()


async def _replay(connection: asyncpg.Connection, sender: "_Sender", choice: Choice) -> Done:
    begun = await connection.fetchrow(_BEGUN, choice.as_json())
    assert begun is not None, "INSERT … RETURNING has a row"
    gone: dict[str, str] = {}
    replayed = 0
    while (room := choice.limit - replayed - len(gone)) > 0:
        async with connection.transaction():
            chosen = await connection.fetch(_LOCKED, *choice.taken(begun["started_at"], [*gone], min(room, CHUNK)))
            for letter in chosen:
                if await sender.send(letter):
                    await connection.execute(_COUNTED, letter["origin_topic"], letter["origin_partition"], letter["origin_offset"])
                    replayed += 1
                else:
                    gone[_place(letter)] = letter["event_id"]
            await connection.execute(_WENT_ON, begun["replay_id"], replayed, len(gone))
        if not chosen:
            break
    await connection.execute(_ENDED, begun["replay_id"])
    return Done(replayed, tuple(gone.values()))


def _place(letter: Any) -> str:
    return f"{letter['origin_topic']}/{letter['origin_partition']}/{letter['origin_offset']}"


class _Sender:
    """Writes letters' records again, at most so many a second."""

    def __init__(self, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer, rate: float) -> None:
        self._producer, self._consumer, self._pause = producer, consumer, 1 / rate
        self._next = 0.0  # loop time

    async def send(self, letter: Any) -> bool:
        """Whether there was something left to send."""
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(max(0.0, self._next - clock()))
        self._next = max(clock(), self._next) + self._pause
        return await _send(self._producer, self._consumer, letter)


async def _send(producer: AIOKafkaProducer, consumer: AIOKafkaConsumer, letter: Any) -> bool:
    """Write one letter's record again; its Kafka time is now, for retention counts from it."""
    topic, partition = letter["origin_topic"], letter["origin_partition"]
    original = await _original(consumer, TopicPartition(topic, partition), letter["origin_offset"])
    if original is not None:
        key, value, headers = original
    elif topic.startswith(_RAW):
        key, value, headers = _made_again(letter)
        partition = None
    else:
        return False
    if topic.startswith(_RAW):  # when it fails again it is the same letter, and counts once
        headers = [*headers, (wire.REPLAY, _place(letter).encode())]
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
