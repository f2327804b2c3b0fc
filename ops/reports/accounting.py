"""Both identities of semantics §8: every raw event and every paid order is somewhere, and the sums say so.

The two sides are counted apart: raw events on the topics themselves, outcomes in the tables.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from ops.reports import lag
from schemas import topics

SETTLE_TRIES = 20  # a pipeline at work moves while it is counted: so often, half a second apart
DOWNSTREAM = (topics.ORDER_OBSERVATION, topics.PARCEL_OBSERVATION)
SUNK = (topics.ORDER_STATE, topics.ORDER_AUDIT, topics.ORDER_POOL, topics.PARCEL_STATE, topics.DEAD)


@dataclass(frozen=True)
class Facts:
    """One source: raw = observations + duplicates + dead + unread, or a difference."""

    source: str
    raw: int
    observations: int
    duplicates: int
    dead: Mapping[str, int]
    unread: int

    @property
    def difference(self) -> int:
        """0 when nothing is missing."""
        return self.raw - self.observations - self.duplicates - sum(self.dead.values()) - self.unread


@dataclass(frozen=True)
class Orders:
    """One channel: paid = released + held + filtered + ended, or a difference."""

    channel: str
    paid: int
    released: int
    held: Mapping[str, int]
    filtered: Mapping[str, int]
    ended: int

    @property
    def difference(self) -> int:
        """0 when no paid order is missing."""
        return self.paid - self.released - sum(self.held.values()) - sum(self.filtered.values()) - self.ended


@dataclass(frozen=True)
class Accounts:
    """Both identities at one moment. `settled`: nothing was on its way between stages."""

    facts: tuple[Facts, ...]
    orders: tuple[Orders, ...]
    settled: bool

    @property
    def balanced(self) -> bool:
        """Whether every difference is 0."""
        return not any(row.difference for row in self.facts) and not any(row.difference for row in self.orders)

    def as_json(self) -> dict[str, Any]:
        """The shape that contract.md promises."""
        return {
            "facts": [asdict(row) | {"difference": row.difference} for row in self.facts],
            "orders": [asdict(row) | {"difference": row.difference} for row in self.orders],
            "settled": self.settled,
        }


@dataclass(frozen=True)
class Place:
    """Where to count."""

    servers: str
    security: Mapping[str, Any]  # aiokafka's arguments
    channels: tuple[str, ...]
    stream_group: str
    sink_group: str

    @property
    def client(self) -> dict[str, Any]:
        """Arguments of every client."""
        return {"bootstrap_servers": self.servers, **self.security}


_OBSERVED = """
select source, sum(n)::bigint as n from (
    select source, count(*) as n from lockstep.audit where not derived group by 1
    union all select courier, sum(observations) from lockstep.parcels group by 1
) as each group by 1"""
_DUPLICATES = """
select source, sum(n)::bigint as n from (
    select source, sum(duplicates) as n from lockstep.order_sources group by 1
    union all select courier, sum(duplicates) from lockstep.parcels group by 1
) as each group by 1"""
# A letter of a later stage that was replayed counts as what became of it then; one of a raw topic has a raw event more,
# unless it failed again: that is neither another raw event nor another letter.
_DEAD = """
select source, reason, count(*) as n from lockstep.dead_letters
where kind <> 'internal' and replay_of is null and (replays = 0 or origin_topic like 'lockstep.raw.%') group by 1, 2"""
_AGAIN = "select source, count(*) as n from lockstep.dead_letters where replay_of is not null group by 1"
_RAW = "select topic, partition, source, n, next_offset from lockstep.raw_counts"
_ORDERS = """
with ever as (select order_key, bool_or(action = 'release') as released from lockstep.pool_history group by 1)
select o.channel, count(*) as n,
    case when coalesce(e.released, false) then 'released'
         when p.action = 'hold' then 'held' when p.action = 'filter' then 'filtered'
         when p.action = 'withdraw' or (p.action is null and o.ended) then 'ended' else 'missing' end as place,
    case p.action when 'hold' then p.gate when 'filter' then p.rule_id end as why
from lockstep.orders o left join lockstep.pool p using (order_key) left join ever e using (order_key)
where o.paid group by 1, 3, 4 order by 1"""


async def _raw(database: asyncpg.Connection, reader: AIOKafkaConsumer, place: Place) -> Counter[str]:
    """Raw events by source: what the sink has counted, and what came after it."""
    counted: Counter[str] = Counter()
    read: dict[TopicPartition, int] = {}
    for row in await database.fetch(_RAW):
        counted[row["source"]] += row["n"]
        at = TopicPartition(row["topic"], row["partition"])
        read[at] = max(read.get(at, 0), row["next_offset"])
    rest = [lag.Stretch(topic, read) for topic in lag.raw_topics(place.channels)]
    again = Counter({row["source"]: row["n"] for row in await database.fetch(_AGAIN)})
    return counted + await lag.count(reader, rest, lag.raw_source) - again


async def _unread(reader: AIOKafkaConsumer, place: Place) -> tuple[Counter[str], Counter[str]]:
    """(raw events that normalise has not read, facts on their way between it and the tables), by source."""
    streams = await lag.committed(place.client, place.stream_group)
    sinks = await lag.committed(place.client, place.sink_group)
    raw = [lag.Stretch(topic, streams) for topic in lag.raw_topics(place.channels)]
    moving = [lag.Stretch(topic, streams) for topic in DOWNSTREAM] + [lag.Stretch(topic, sinks) for topic in SUNK]
    return await lag.count(reader, raw, lag.raw_source), await lag.count(reader, moving, _anything)


def _anything(record: Any) -> str | None:
    """Whether a record is more than a progress mark: states count too, for they carry the counters."""
    source = lag.fact_source(record)
    return source or ("*" if record.topic in SUNK and record.value is not None else None)


async def _facts(database: asyncpg.Connection, reader: AIOKafkaConsumer, place: Place, unread: Counter[str]) -> tuple[Facts, ...]:
    raw = await _raw(database, reader, place)
    observed = {row["source"]: row["n"] for row in await database.fetch(_OBSERVED)}
    repeated = {row["source"]: row["n"] for row in await database.fetch(_DUPLICATES)}
    dead: dict[str, dict[str, int]] = {}
    for row in await database.fetch(_DEAD):
        dead.setdefault(row["source"], {})[row["reason"]] = row["n"]
    sources = sorted({*raw, *observed, *repeated, *dead, *unread} - {"*"})
    return tuple(Facts(name, raw[name], observed.get(name, 0), repeated.get(name, 0), dead.get(name, {}), unread[name]) for name in sources)


async def _orders(database: asyncpg.Connection) -> tuple[Orders, ...]:
    places: dict[str, dict[str, Counter[str]]] = {}
    for row in await database.fetch(_ORDERS):
        places.setdefault(row["channel"], {}).setdefault(row["place"], Counter())[row["why"] or ""] += row["n"]
    rows = []
    for channel, found in sorted(places.items()):
        total = {place: sum(counter.values()) for place, counter in found.items()}
        held, filtered = dict(found.get("held", {})), dict(found.get("filtered", {}))
        rows.append(Orders(channel, sum(total.values()), total.get("released", 0), held, filtered, total.get("ended", 0)))
    return tuple(rows)


async def take(dsn: str, place: Place, tries: int = SETTLE_TRIES) -> Accounts:
    """Count both sides. Waits a bounded time for what is on its way; if it never rests, says so by `settled`.

    Raises:
        OSError, KafkaError, asyncpg.PostgresError: a server is away.
    """
    database = await asyncpg.connect(dsn)
    try:
        async with lag.reader(place.client) as reader:
            for attempt in range(max(1, tries)):
                if attempt:
                    await asyncio.sleep(0.5)
                unread, moving = await _unread(reader, place)
                async with database.transaction(isolation="repeatable_read", readonly=True):
                    facts = await _facts(database, reader, place, unread)
                    accounts = Accounts(facts, await _orders(database), settled=not moving)
                if accounts.settled and accounts.balanced:
                    break
        return accounts
    finally:
        await database.close()
