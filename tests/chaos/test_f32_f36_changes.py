"""F32 and F34–F36: changed topics, mixed producers, an intake that is away, minutes of load."""

import asyncio
import io
import os
import struct
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import fastavro
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewPartitions

from schemas import codec, topics
from tests.chaos.report import Row
from tests.chaos.site import Site, admin, installation

pytestmark = [pytest.mark.server, pytest.mark.timeout(280)]


@pytest.fixture(scope="module")
def other() -> Iterator[Site]:
    """An installation whose topics a row may spoil."""
    with installation() as made:
        yield made


@pytest.mark.chaos
async def test_f32_partitions_added(other: Site, row: Row) -> None:
    """A source that gets more partitions ends the worker that runs, and no worker starts on it; both name the topic and what to do."""
    topic = topics.raw_order("edge")
    row.injected(f"{topic} grown from 4 to 6 partitions while a worker runs, then a start; then the whole configuration grown too")
    await other.begin()
    (stream, _) = await other.roles()
    await other.fresh()
    client = await admin(other.rig.kafka)
    await client.create_partitions({topic: NewPartitions(6)})
    said = f"topic {topic} has 6 partitions, 4 are configured"
    seconds = await other.until(lambda: stream.popen.poll() is not None, 90, "the running worker ends")
    row.saw("running worker refused", int(said in other.log("stream-1")))
    row.recovered(seconds)
    again = other.outside.start("stream", "2")
    await other.until(lambda: again.popen.poll() is not None, 60, "the new worker refuses to start")
    assert again.popen.returncode != 0
    assert said in other.log("stream-2")
    row.saw("start refused")
    row.holds("both end with a message that names the topic, its partitions and the way out")
    for name in await _all_topics(other):
        await client.create_partitions({name: NewPartitions(6)})
    await client.close()
    grown = other.rig.folder / "grown.yaml"
    grown.write_text(other.rig.config.read_text(encoding="utf-8") + "partitions: 6\n", encoding="utf-8")
    third = replace(other.outside, config=grown).start("stream", "3")
    await other.until(lambda: third.popen.poll() is not None, 60, "states of another number of partitions are refused")
    assert "has 6 partitions, 4 are" in other.log("stream-3")
    row.saw("states of another number of partitions refused")


async def _all_topics(site: Site) -> list[str]:
    """Every topic with 4 partitions."""
    client = await admin(site.rig.kafka)
    try:
        described = await client.describe_topics([name for name in await client.list_topics() if name.startswith("lockstep.")])
        return [topic["topic"] for topic in described if len(topic["partitions"]) == 4]
    finally:
        await client.close()


# -- F34


OLD: dict[str, str] = {
    topics.ORDER_OBSERVATION: "Observation/1.avsc",
    topics.ORDER_STATE: "OrderState/1.avsc",
    topics.ORDER_AUDIT: "AuditRecord/1.avsc",
}
"""Records of the first release, which knew fewer fields."""


def _older(value: bytes, path: str) -> bytes | None:
    """The same record as a producer of the older release writes it; None for another record, as a progress mark is."""
    if codec.name_of(value) != path.partition("/")[0]:
        return None
    number = next(number for number, file in codec.registry().items() if file == path)
    newest = codec.parsed(struct.unpack_from(">bI", value)[1])
    body = fastavro.schemaless_reader(io.BytesIO(value[5:]), newest, None)
    out = io.BytesIO(struct.pack(">bI", 0, number))
    out.seek(0, io.SEEK_END)
    fastavro.schemaless_writer(out, codec.parsed(number), body)
    return out.getvalue()


async def _records(kafka: str, topic: str) -> list[Any]:
    """All records of a topic."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, number) for number in range(4)])
        await consumer.seek_to_beginning()
        ends, found = await consumer.end_offsets(consumer.assignment()), []
        while any([await consumer.position(part) < end for part, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += records
        return found
    finally:
        await consumer.stop()


@pytest.mark.chaos
async def test_f34_old_and_new_producers(site: Site, row: Row) -> None:
    """Records of an older release, in its own schema, are read beside those of the newest and change nothing that is known."""
    row.injected("observations, states and audit records of 60 orders written once more as the first release wrote them")
    roles = await site.roles()
    given = await site.day(60, seed=3401)
    await given.send()
    await given.holds(row)
    before = await site.tables()
    producer = AIOKafkaProducer(bootstrap_servers=site.rig.kafka)
    await producer.start()
    for topic, path in OLD.items():
        for record in await _records(site.rig.kafka, topic):
            if record.value and given.torture.marker.encode() in (record.key or b"") and (older := _older(record.value, path)):
                await producer.send(topic, older, record.key, partition=record.partition, headers=list(record.headers))
                row.saw(f"{path.partition('/')[0]} in its older schema")
    await producer.stop()
    await site.fresh(row)
    await site.settled(*roles)
    after = await site.tables()
    for table in ("audit", "jumps", "conflicts", "pool", "pool_history", "dead_letters"):
        own = [known for known in after[table] if known in before[table]]
        assert own == before[table], table
    row.holds("no table changed, no dead letter")
    await site.books(row)


@pytest.mark.chaos
async def test_f34_unknown_schema(site: Site, row: Row) -> None:
    """An event in a schema that nobody knows yet is a dead letter whole, to be replayed after the upgrade; its neighbours go on."""
    row.injected("20 raw events in a schema id that no registry has, between known ones")
    roles = await site.roles()
    given = await site.day(40, seed=3402)
    before = await site.count("SELECT count(*) FROM lockstep.dead_letters")
    await given.send(0.5)
    producer = AIOKafkaProducer(bootstrap_servers=site.rig.kafka)
    await producer.start()
    for record in list(site.load.records(given.torture.says))[:20]:
        unknown = codec.FRAME.pack(0, 99_999) + record.value[codec.FRAME.size :]
        await producer.send(record.topic, unknown, record.key, headers=record.headers)
    await producer.stop()
    site.sent += 20
    row.saw("event in an unknown schema", 20)
    await given.send()
    await site.fresh(row)
    await site.settled(*roles)
    assert await site.count("SELECT count(*) FROM lockstep.dead_letters") - before == 20
    await given.holds(row)


# -- F35


@pytest.mark.chaos
async def test_f35_intake_away(site: Site, row: Row) -> None:
    """While Kafka is unreachable pushes are refused, not swallowed; what platforms push again is there once, also what had arrived."""
    row.injected("webhook server whose Kafka is silent (proxy) for 15 s, then killed; platforms push again until they are answered 2xx")
    await site.roles()
    given = await site.day(60, seed=3501)
    connect = site.start("connect", "2")
    await site.rig.ready(connect)
    requests = [(request, batch) for request, batch in site.load.requests(given.torture.says, per_push=5)]
    kafka, _ = site.network
    refused = 0
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as web:
        for n, (request, _) in enumerate(requests):
            if n == len(requests) // 3:
                kafka.blackhole = True
                refused += await _pushed(web, connect.url, request) is False
                site.heal()
            if n == 2 * len(requests) // 3:
                await site.rig.kill(connect)
                refused += await _pushed(web, connect.url, request) is False
                connect = site.start("connect", "2")
                await site.rig.ready(connect)
            while not await _pushed(web, connect.url, request):
                refused += 1
                await asyncio.sleep(0.5)
    row.saw("push refused and repeated", refused)
    counted = "SELECT coalesce(sum(n), 0) FROM lockstep.raw_counts"
    await site.fresh(row)
    before = site.sent
    site.records = list(site.load.records(given.torture.says))
    raw = await _rests(site, counted)
    site.sent = raw
    row.holds(f"{raw - before:,} raw events for {len(site.records):,} facts: repeated pushes are duplicates")
    await site.settled()
    disturbed, undisturbed = await site.orders(), site.undisturbed()
    keys = [key for key in undisturbed if given.torture.marker in key]
    assert {key: disturbed.get(key) for key in keys} == {key: undisturbed[key] for key in keys}
    await site.books(row)


async def _pushed(web: aiohttp.ClientSession, url: str, request: Any) -> bool:
    try:
        async with web.post(url + request.path, data=request.body, params=request.params, headers=request.headers) as answer:
            return answer.status < 300
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False


async def _rests(site: Site, query: str) -> int:
    """A number, once it has not moved for two seconds."""
    last, since = -1, time.monotonic()
    while time.monotonic() - since < 2:
        if (now := await site.count(query)) != last:
            last, since = now, time.monotonic()
        await asyncio.sleep(0.2)
    return last


# -- F36


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20


@pytest.mark.chaos
async def test_f36_load_for_minutes(site: Site, row: Row) -> None:
    """Two minutes of steady load with a kill in the middle: memory stays flat after warm-up, lag returns to nothing."""
    row.injected("about 250 facts a second for two minutes (the long soak is `make soak`), with a SIGKILL of the stream role in the middle")
    roles = await site.roles()
    given = await site.day(5000, seed=3601)
    sizes: list[tuple[int, int]] = []
    parts = 100
    began = time.monotonic()
    for n in range(parts):
        await given.send(1 / parts)
        if n == parts // 2:
            await site.rig.kill(site.base["stream"])
            roles = await site.roles()
            row.saw("kill -9")
        if n % 10 == 9:
            sizes.append((_resident(roles[0].popen.pid), _resident(roles[1].popen.pid)))
        await asyncio.sleep(max(0.0, began + (n + 1) * 1.2 - time.monotonic()))
    await given.send()
    await site.fresh(row)
    await given.holds(row)
    after = (_resident(roles[0].popen.pid), _resident(roles[1].popen.pid))
    warm = sizes[6]
    assert all(now < before * 1.4 + 40 for now, before in zip(after, warm, strict=True)), (warm, after)
    row.holds(f"resident MiB of stream and sink: {warm[0]} and {warm[1]} warm, {after[0]} and {after[1]} in the end")
