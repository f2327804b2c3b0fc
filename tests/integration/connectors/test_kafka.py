"""The connect role against a real Kafka: acknowledged means readable, and an outage ends by itself."""

import asyncio
import contextlib
import itertools
import json
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import ClientError, ClientSession
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from connectors.config import Shop
from connectors.server import ServerSettings, serve
from ops.embedded import EmbeddedKafka
from schemas import codec
from schemas.records import RawEvent
from tests.contract.connectors.cases import seal_generic

pytestmark = pytest.mark.server
_numbers = itertools.count(1)


def fact(order: str) -> bytes:
    """A generic fact about an order."""
    said = {"event_id": f"e-{order}", "order_id": order, "status": "PaymentConfirmed"}
    return json.dumps(said | {"occurred_at": "2026-11-22T10:00:00+08:00"}).encode()


async def make_topic(kafka: str, topic: str) -> None:
    """A raw topic, as the catalogue would make it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 4, 1, topic_configs={"max.message.bytes": "2097152"})])
    finally:
        await admin.close()


async def read_all(kafka: str, topic: str) -> list[tuple[int, bytes, RawEvent, int]]:
    """Every record: partition, key, envelope, timestamp."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        found: list[tuple[int, bytes, RawEvent, int]] = []
        while sum(ends.values()) > len(found):
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                found += [(r.partition, r.key, codec.decode(r.value, RawEvent), r.timestamp) for r in records]
        return found
    finally:
        await consumer.stop()


@contextlib.asynccontextmanager
async def serving(kafka: str, *shops: Shop) -> AsyncIterator[tuple[ClientSession, str]]:
    """The connect role on a free port, answering."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    role = asyncio.create_task(serve(ServerSettings("127.0.0.1", port, kafka, shops)))
    base = f"http://127.0.0.1:{port}"
    try:
        async with ClientSession() as session:
            while await status(session, f"{base}/healthz") != 200:
                assert not role.done(), role.exception()
                await asyncio.sleep(0.05)
            yield session, base
    finally:
        role.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await role


async def status(session: ClientSession, url: str) -> int:
    """The status of a GET; 0 while nobody listens."""
    try:
        async with session.get(url) as answer:
            return answer.status
    except ClientError:
        return 0


async def until(ask: Callable[[], Awaitable[int]], wanted: int, seconds: float = 30) -> None:
    """Ask until the answer is the wanted one."""
    async with asyncio.timeout(seconds):
        while await ask() != wanted:  # noqa: ASYNC110 -- what is asked is another server
            await asyncio.sleep(0.05)


async def push(session: ClientSession, base: str, shop: Shop, *orders: str) -> int:
    """One signed push; its answer's status."""
    sealed = seal_generic(shop, [fact(order) for order in orders], time.time())
    async with session.post(f"{base}/hooks/generic/{shop.shop}", data=sealed.body, headers=dict(sealed.headers)) as answer:
        return answer.status


async def test_acknowledged_means_in_kafka(kafka: str) -> None:
    """Each acknowledged fact is in its channel's topic, in its key's partition, stamped with its receipt."""
    shop = Shop("channel", "generic", f"web{next(_numbers)}", "s1", "k1")
    await make_topic(kafka, shop.topic)
    async with serving(kafka, shop) as (session, base):
        await until(lambda: status(session, f"{base}/readyz"), 200)
        started = int(time.time() * 1000)
        one_by_one = await asyncio.gather(*(push(session, base, shop, f"A{n}") for n in range(300)))
        assert set(one_by_one) == {200}
        assert await push(session, base, shop, *(f"B{n}" for n in range(500))) == 200
        found = await read_all(kafka, shop.topic)
    assert sorted(event.event_id for _, _, event, _ in found) == sorted([f"e-A{n}" for n in range(300)] + [f"e-B{n}" for n in range(500)])
    assert all(stamp == event.received_at >= started - 1 for _, _, event, stamp in found)
    assert len({partition for partition, _, _, _ in found}) == 4
    assert {key.decode() for _, key, _, _ in found} == {f"{shop.name}:s1:{event.event_id[2:]}" for _, _, event, _ in found}


async def test_a_body_of_1_mib_fits(kafka: str) -> None:
    """The largest body that is accepted can be written, envelope and all."""
    shop = Shop("channel", "generic", f"web{next(_numbers)}", "s1", "k1")
    await make_topic(kafka, shop.topic)
    async with serving(kafka, shop) as (session, base):
        await until(lambda: status(session, f"{base}/readyz"), 200)
        sealed = seal_generic(shop, [b"x" * 1024 * 1024], time.time())
        url = f"{base}/hooks/generic/s1"

        async def body() -> AsyncIterator[bytes]:
            yield sealed.body

        async with session.post(url, data=body(), headers=dict(sealed.headers)) as answer:
            assert answer.status == 200
        ((_, _, event, _),) = await read_all(kafka, shop.topic)
    assert len(event.payload) == 1024 * 1024


async def test_kafka_goes_and_comes_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """While Kafka is away every push gets 503 within 6 s; afterwards pushes are taken, and none that was is lost."""
    shop = Shop("channel", "generic", "web", "s1", "k1")
    server = EmbeddedKafka(tmp_path)
    await server.start()
    try:
        await make_topic(server.bootstrap, shop.topic)
        async with serving(server.bootstrap, shop) as (session, base):
            await until(lambda: push(session, base, shop, "first"), 200)
            await server.stop()
            with caplog.at_level(logging.WARNING, "lockstep.connect"):
                began = time.monotonic()
                away = await asyncio.gather(*(push(session, base, shop, f"away{n}") for n in range(20)))
                assert set(away) == {503}
                assert await push(session, base, shop, "later") == 503
                assert time.monotonic() - began < 12
                assert await status(session, f"{base}/readyz") == 503
                await server.start()
                await until(lambda: push(session, base, shop, "last"), 200)
            said = [record.getMessage() for record in caplog.records if record.name == "lockstep.connect"]
            assert len([line for line in said if "does not acknowledge" in line]) == 1
            ids = {event.event_id for _, _, event, _ in await read_all(server.bootstrap, shop.topic)}
            assert {"e-first", "e-last"} <= ids
    finally:
        await server.stop()


async def test_one_missing_topic_delays_no_other(kafka: str, caplog: pytest.LogCaptureFixture) -> None:
    """A channel whose topic was never made gets 503, with the reason in the log, while others go on; once made, it works."""
    shop, lost = (Shop("channel", "generic", f"web{next(_numbers)}", name, "k1") for name in ("s1", "s2"))
    await make_topic(kafka, shop.topic)
    async with serving(kafka, shop, lost) as (session, base):
        await until(lambda: push(session, base, shop, "A1"), 200)
        with caplog.at_level(logging.WARNING, "lockstep.connect"):
            missing = asyncio.create_task(push(session, base, lost, "B1"))
            others = [await push(session, base, shop, f"A{n}") for n in range(20)]
            assert (set(others), await missing) == ({200}, 503)
        assert f"there is no topic {lost.topic}" in caplog.text
        await make_topic(kafka, lost.topic)
        await until(lambda: push(session, base, lost, "B2"), 200)


async def test_starts_before_kafka(tmp_path: Path) -> None:
    """Started without Kafka the role answers 503 and goes on by itself when Kafka comes."""
    shop = Shop("channel", "generic", "web", "s1", "k1")
    server = EmbeddedKafka(tmp_path)
    await server.start()
    await make_topic(server.bootstrap, shop.topic)
    await server.stop()
    try:
        async with serving(server.bootstrap, shop) as (session, base):
            assert await push(session, base, shop, "early") == 503
            await server.start()
            await until(lambda: push(session, base, shop, "late"), 200)
    finally:
        await server.stop()
