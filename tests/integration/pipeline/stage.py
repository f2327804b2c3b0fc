"""Real servers, the real roles on them, a day's facts in the raw topics, and what must stand in the tables afterwards."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError

from connectors.intake import Publication
from connectors.registry import decoders
from ops import topics as topic_tools
from ops.bench.pipeline.load import Load
from ops.bench.pipeline.offsets import Offsets
from ops.bench.pipeline.rig import Process, Rig
from ops.bench.pipeline.throughput import SINK_TOPICS, fill
from ops.config import Config, Kafka, load
from ops.embedded import EmbeddedKafka, EmbeddedPostgres
from ops.installation import SINK_GROUP, STREAM_GROUP
from ops.simulator.facts import Say
from schemas import codec, topics
from schemas.records import OrderState
from sinks.postgres.migrate import migrate
from streams.app import StreamSettings, tasks
from streams.orders.rules import RuleSet
from streams.records.driver import Driver

CONFIG: Final = """\
merchant: torture
shops:
  - {source: generic, channel: web, shop: s1, secret: "plain:web", systems: [erp, wms]}
  - {source: generic, channel: edge, shop: s2, secret: "plain:edge", systems: [erp, wms]}
systems:
  - {source: generic, name: erp, kind: erp, shop: e1, secret: "plain:erp"}
  - {source: generic, name: wms, kind: wms, shop: w1, secret: "plain:wms"}
couriers:
  - {source: generic, courier: zto, shop: z1, secret: "plain:zto"}
  - {source: generic, courier: yto, shop: y1, secret: "plain:yto"}
  - {source: generic, courier: sf, shop: f1, secret: "plain:sf"}
"""
SHOPS: Final = {"web": "s1", "edge": "s2"}
RAW: Final = (topics.raw_order("web"), topics.raw_order("edge"), topics.RAW_SYSTEM, topics.RAW_PARCEL)
READ: Final = (*RAW, topics.ORDER_OBSERVATION, topics.PARCEL_OBSERVATION)
PATIENCE: Final = 120.0
FORGOTTEN: Final = 60.0  # seconds until a group has no members left
STILL: Final = 2.0  # seconds without a new row, when everything is read
UNREAD: Final = (
    "SELECT coalesce(sum(raw), 0)::bigint, coalesce(sum(raw - observations - duplicates - dead), 0)::bigint FROM lockstep.v_facts"
)
ORDER: Final = "SELECT order_key, status, aftersale_status, paid, ended, jump_count, open_conflicts, pool, released FROM lockstep.orders"
TABLES: Final = {  # whole tables, without when the sink wrote a row and what senders do to it
    "orders": "SELECT * FROM lockstep.orders ORDER BY order_key",
    "order_sources": "SELECT * FROM lockstep.order_sources ORDER BY order_key, source",
    "audit": "SELECT order_key, seq, hash, raw_event_id, disposition FROM lockstep.audit ORDER BY order_key, seq",
    "jumps": "SELECT * FROM lockstep.jumps ORDER BY order_key, n",
    "conflicts": "SELECT * FROM lockstep.conflicts ORDER BY conflict_id",
    "pool": "SELECT * FROM lockstep.pool ORDER BY order_key",
    "pool_history": "SELECT * FROM lockstep.pool_history ORDER BY order_key, seq",
    "channel_history": "SELECT * FROM lockstep.channel_history ORDER BY channel, seq",
    "parcels": "SELECT * FROM lockstep.parcels ORDER BY parcel_key",
    "parcel_events": "SELECT * FROM lockstep.parcel_events ORDER BY parcel_key, source, event_id",
    "stalls": "SELECT * FROM lockstep.stalls ORDER BY parcel_key, episode, tier",
    "dead_letters": "SELECT * FROM lockstep.dead_letters ORDER BY origin_topic, origin_partition, origin_offset",
    "raw_counts": "SELECT source, sum(n) FROM lockstep.raw_counts GROUP BY source ORDER BY source",
    "alerts": "SELECT alert_id, kind FROM lockstep.alerts ORDER BY alert_id",
}


@dataclass
class Stage:
    """One installation. The roles are started by the tests."""

    config: Config
    kafka: EmbeddedKafka
    postgres: EmbeddedPostgres
    rig: Rig
    load: Load
    sent: int = 0
    records: list[Publication] = field(default_factory=list)

    async def send(self, says: Sequence[Say]) -> None:
        """Put facts into the raw topics, as the webhook server would."""
        records = list(self.load.records(says))
        await fill(self.rig.kafka, records)
        self.sent += len(records)
        self.records += records

    @asynccontextmanager
    async def database(self) -> AsyncIterator["asyncpg.Connection[Any]"]:
        """A connection of the test's own."""
        connection = await asyncpg.connect(self.postgres.dsn)
        try:
            yield connection
        finally:
            await connection.close()

    async def settled(self, *roles: Process) -> None:
        """Wait until every fact has its row, all that follows from it too, and nothing more comes."""
        give_up, before, since = time.monotonic() + PATIENCE, None, time.monotonic()
        async with self.database() as connection, Offsets(self.rig.kafka) as offsets:
            while True:
                now = await self._progress(connection, offsets)
                if now != before:
                    before, since = now, time.monotonic()
                raw, unread, lag, _ = now
                if raw == self.sent and not unread and not lag and time.monotonic() - since > STILL:
                    return
                for role in roles:
                    assert role.popen.poll() is None, role.failed("has ended")
                assert time.monotonic() < give_up, f"{raw} of {self.sent} raw events, {unread} unread, {lag} records not written"
                await asyncio.sleep(0.25)

    async def _progress(self, connection: "asyncpg.Connection[Any]", offsets: Offsets) -> tuple[int, int, int, int]:
        ends, committed = await offsets.ends(SINK_TOPICS), await offsets.committed(SINK_GROUP)
        lag = sum(end - max(0, committed.get(part, 0)) for part, end in ends.items())
        counted = await connection.fetchrow(UNREAD)
        assert counted is not None
        raw, unread = counted
        return raw, unread, lag, sum(ends.values())

    async def read(self) -> int:
        """How many records of raw and observation topics the streams have committed."""
        async with Offsets(self.rig.kafka) as offsets:
            return _sum(await offsets.committed(STREAM_GROUP))

    async def waiting(self) -> int:
        """How many records of these topics the streams have not committed yet."""
        async with Offsets(self.rig.kafka) as offsets:
            return sum((await offsets.ends(READ)).values()) - _sum(await offsets.committed(STREAM_GROUP))

    async def until_read(self, more_than: int) -> None:
        """Wait until the streams have committed more records than so many."""
        give_up = time.monotonic() + PATIENCE
        async with Offsets(self.rig.kafka) as offsets:
            while (read := _sum(await offsets.committed(STREAM_GROUP))) <= more_than:
                assert time.monotonic() < give_up, f"{read} records read, and no more"
                await asyncio.sleep(0.02)

    async def back_to_zero(self, *groups: str) -> None:
        """Set groups to the beginning of all that they have ever read. Static members are forgotten after a while: waited for."""
        async with Offsets(self.rig.kafka) as offsets:
            for group in groups:
                parts = [TopicPartition(part.topic, part.partition) for part in await offsets.committed(group)]
                await self._commit(group, dict.fromkeys(parts, 0))

    async def _commit(self, group: str, offsets: dict[TopicPartition, int]) -> None:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.rig.kafka, group_id=group, enable_auto_commit=False)
        await consumer.start()
        try:
            consumer.assign(list(offsets))
            async with asyncio.timeout(FORGOTTEN):
                while True:
                    try:
                        await consumer.commit(offsets)
                        return
                    except CommitFailedError:
                        await asyncio.sleep(0.5)
        finally:
            await consumer.stop()

    async def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that stands in the tables."""
        async with self.database() as connection:
            return {name: [tuple(row) for row in await connection.fetch(query)] for name, query in TABLES.items()}

    async def orders(self) -> dict[str, tuple[Any, ...]]:
        """Each order as it stands."""
        async with self.database() as connection:
            return {row["order_key"]: tuple(row)[1:] for row in await connection.fetch(ORDER)}

    def undisturbed(self) -> dict[str, tuple[Any, ...]]:
        """The same from the same raw events, folded without Kafka, restarts and failures."""
        settings = StreamSettings("", self.config.channels, self.config.policy, RuleSet.parse("rules: []"))
        driver = Driver(tasks(settings, decoders()), clock=time.time(), batch=500)
        for record in self.records:
            driver.send(record.topic, record.key, record.value, record.timestamp_ms, record.headers)
        driver.run()
        driver.advance(5)
        states = {state.order_key: state for state in _states(driver)}
        return {key: _standing(state) for key, state in states.items()}


def _sum(committed: Mapping[TopicPartition, int]) -> int:
    return sum(max(0, offset) for part, offset in committed.items() if part.topic in READ)


def _states(driver: Driver) -> Iterable[OrderState]:
    return (codec.decode(record.value, OrderState) for record in driver.read(topics.ORDER_STATE) if record.value)


def _standing(state: OrderState) -> tuple[Any, ...]:
    flags = (state.status, state.aftersale_status, state.paid, state.ended)
    return (*flags, state.jump_count, state.open_conflicts, state.pool, state.released)


async def built(folder: Path) -> Stage:
    """Start the servers, make topics and tables."""
    file = folder / "lockstep.yaml"
    file.write_text(CONFIG, encoding="utf-8")
    config = load(file)
    kafka, postgres = EmbeddedKafka(folder / "kafka"), EmbeddedPostgres(folder / "postgres", durable=False)
    await asyncio.gather(kafka.start(), postgres.start())
    await topic_tools.create(Kafka(kafka.bootstrap), topic_tools.wanted(config.channels, config.partitions))
    await migrate(postgres.dsn)
    return Stage(config, kafka, postgres, Rig(folder, file, kafka.bootstrap, postgres.dsn), Load(config.shops))
