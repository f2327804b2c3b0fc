"""The soak itself: servers, roles, the flood for so many minutes, then the drain and what must be true at the end."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg
from aiokafka import AIOKafkaProducer

from connectors.intake import Publication
from ops import topics as topic_tools
from ops.bench.pipeline.load import SHOPS
from ops.bench.pipeline.offsets import Offsets
from ops.bench.pipeline.rig import Process, Rig
from ops.bench.soak import bot
from ops.bench.soak.flood import Flood, configuration
from ops.bench.soak.sample import Sample, Sampler, lags
from ops.config import Config, Kafka, load
from ops.embedded import EmbeddedKafka, EmbeddedPostgres
from ops.installation import SINK_GROUP, STREAM_GROUP
from ops.reports import accounting
from schemas import topics
from sinks.postgres.migrate import migrate

LOW: Final = 15_000  # records that wait anywhere between flood and tables: below, more raw ones are written …
HIGH: Final = 30_000  # … up to this: the slowest stage is never idle, and nothing piles up before it
MARKS: Final = 200  # progress marks of a second or two: what always is on its way
CHUNK: Final = 150  # orders written at once, about 1,200 records
LOOK: Final = 0.3  # seconds between two looks at the lag
DRAIN_SECONDS: Final = 180.0
FRESH_SECONDS: Final = 30.0
KAFKA: Final[dict[str, object]] = {  # 30,000 records wait at most, 5 MB in a partition: nothing is deleted unread
    "log.retention.bytes": 12 << 20,  # of each partition, in segments of 4 MB: about 90 partitions take 1.5 GB at most
    "log.segment.bytes": 4 << 20,
    "log.retention.check.interval.ms": 15_000,
    "log.segment.delete.delay.ms": 5_000,
    "log.cleaner.backoff.ms": 5_000,
}


@dataclass(frozen=True)
class Options:
    """What may be chosen. `out`: the folder of samples and plot."""

    minutes: float = 20.0
    workers: int = 2
    out: Path = Path("soak-results")
    seed: int = 4
    backlog: int = HIGH

    @property
    def retention(self) -> float:
        """Seconds that finished orders and parcels are kept: the warm-up reaches what is kept for good, four times that included."""
        return min(120.0, max(4.0, self.minutes * 60 / 15))

    @property
    def interval(self) -> float:
        """Seconds between two samples."""
        return min(5.0, max(0.5, self.minutes * 60 / 24))


@dataclass
class Soaked:
    """What a soak has seen. `end`: what must be true at the end, by name, each with what was found."""

    samples: list[Sample]
    facts: int = 0
    orders: int = 0
    seconds: float = 0.0
    drained: float | None = None  # seconds
    fresh: float | None = None  # seconds from the fresh event to its rows
    differences: dict[str, int] = field(default_factory=dict)
    bot: Mapping[str, int] = field(default_factory=dict)
    trouble: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether everything came to its end; growth is judged apart."""
        return self.drained is not None and self.fresh is not None and not any(self.differences.values()) and not self.trouble


@dataclass
class _Site:
    """Servers and roles under way."""

    config: Config
    kafka: str
    dsn: str
    rig: Rig
    sampler: Sampler
    streams: list[Process]
    sink: Process
    bot: bot.MoodyBot

    @property
    def raw(self) -> list[str]:
        return [*map(topics.raw_order, SHOPS), topics.RAW_SYSTEM, topics.RAW_PARCEL]


@asynccontextmanager
async def _site(options: Options) -> AsyncIterator[_Site]:
    """Fresh servers and all roles; everything is ended and removed afterwards, the roles' logs stay in `out`."""
    options.out.mkdir(parents=True, exist_ok=True)
    samples = options.out / "samples.jsonl"
    samples.unlink(missing_ok=True)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lockstep-soak-", ignore_cleanup_errors=True)))
        folder.chmod(0o755)  # PostgreSQL runs as another user when we are root
        robot = bot.MoodyBot()
        url = await stack.enter_async_context(bot.serving(robot))
        file = folder / "lockstep.yaml"
        file.write_text(configuration(options.retention, url), encoding="utf-8")
        config = load(file)
        kafka = await stack.enter_async_context(EmbeddedKafka(folder / "kafka", settings=KAFKA))
        postgres = await stack.enter_async_context(EmbeddedPostgres(folder / "postgres"))
        stack.callback(postgres.remove)
        await topic_tools.create(Kafka(kafka.bootstrap), topic_tools.wanted(config.channels, config.partitions))
        await migrate(postgres.dsn)
        rig = Rig(options.out, file, kafka.bootstrap, postgres.dsn)
        stack.push_async_callback(rig.end)
        streams = [rig.start("stream", str(number)) for number in range(1, options.workers + 1)]
        sink = rig.start("sink")
        await rig.ready(*streams, sink)
        servers = {"Kafka": list(kafka.pids.values()), "PostgreSQL": [postgres.pid] if postgres.pid else []}
        sampler = Sampler(samples, [*streams, sink], servers, {"Kafka": folder / "kafka"}, postgres.dsn)
        yield _Site(config, kafka.bootstrap, postgres.dsn, rig, sampler, streams, sink, robot)


async def soak(options: Options) -> Soaked:
    """Run it. Raises RoleFailed when a role ends, or does not begin."""
    async with _site(options) as site:
        flood = Flood(site.config.shops, options.seed, _now())
        done = Soaked(site.sampler.samples)
        producer = AIOKafkaProducer(bootstrap_servers=site.kafka, acks="all", linger_ms=20, max_batch_size=1 << 18)
        await producer.start()
        try:
            async with Offsets(site.kafka) as offsets:
                began = time.monotonic()
                await _pour(site, options, flood, producer, offsets)
                done.seconds = time.monotonic() - began
                done.drained = await _drained(site, offsets)
                done.fresh = await _fresh(site, flood, producer)
                await _drained(site, offsets)
        finally:
            await producer.stop()
        accounts = await accounting.take(site.dsn, _place(site))
        rows = {row.source: row.difference for row in accounts.facts} | {row.channel: row.difference for row in accounts.orders}
        done.differences = rows | ({} if accounts.settled else {"not settled": 1})
        done.facts, done.orders, done.bot = flood.facts, flood.orders, dict(site.bot.answers)
        counted = sum(row.raw for row in accounts.facts)
        if counted != flood.facts:
            done.trouble.append(f"{flood.facts} raw events were written, {counted} were counted")
        for role in (*site.streams, site.sink):
            await site.rig.stop(role)
        return done


async def _pour(site: _Site, options: Options, flood: Flood, producer: AIOKafkaProducer, offsets: Offsets) -> None:
    """Keep the raw topics filled, and take a sample from time to time."""
    began, sampled, filling = time.monotonic(), 0.0, True
    low, high = LOW * options.backlog // HIGH, options.backlog
    while (at := time.monotonic() - began) < options.minutes * 60:
        found = await lags(offsets, site.raw)
        if not sampled or at - sampled >= options.interval:
            sampled = at or 1e-9
            await site.sampler.take(at, found, {"written": flood.facts})
        for role in (*site.streams, site.sink):
            if role.popen.poll() is not None:
                raise role.failed(f"ended with status {role.popen.returncode} under the flood")
        filling = found.all < (high if filling else low)
        if filling:
            await _write(producer, list(flood.next(CHUNK, _now())))
        else:
            await asyncio.sleep(LOOK)


async def _write(producer: AIOKafkaProducer, records: list[Publication]) -> None:
    for record in records:
        await producer.send(record.topic, record.value, record.key, timestamp_ms=record.timestamp_ms, headers=record.headers)
    await producer.flush()


async def _drained(site: _Site, offsets: Offsets) -> float | None:
    """Seconds until nothing waits any more; None when it never came to that."""
    began = time.monotonic()
    while (took := time.monotonic() - began) < DRAIN_SECONDS:
        found = await lags(offsets, site.raw)
        if not found.raw and not found.sink and found.inner <= MARKS:  # the accounts see what is left exactly
            return took
        await asyncio.sleep(LOOK)
    return None


async def _fresh(site: _Site, flood: Flood, producer: AIOKafkaProducer) -> float | None:
    """Seconds until an order that is told now is a row; None when it never is."""
    key, records = flood.one(_now())
    began = time.monotonic()
    await _write(producer, records)
    connection: asyncpg.Connection[Any] = await asyncpg.connect(site.dsn)
    try:
        while (took := time.monotonic() - began) < FRESH_SECONDS:
            if await connection.fetchval("SELECT 1 FROM lockstep.orders WHERE order_key = $1 AND paid", key):
                return took
            await asyncio.sleep(0.1)
        return None
    finally:
        await connection.close()


def _place(site: _Site) -> accounting.Place:
    return accounting.Place(site.kafka, {}, site.config.channels, STREAM_GROUP, SINK_GROUP)


def _now() -> int:
    return int(time.time() * 1000)
