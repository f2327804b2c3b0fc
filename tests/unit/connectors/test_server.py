"""The webhook server: answers, limits, metrics; Kafka is a fake that can be away."""

import asyncio
import hashlib
import io
import json
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer

from connectors import server
from connectors.config import Shop
from connectors.intake import Publication
from connectors.metrics import Metrics
from connectors.publish import KafkaAway, Outage, TooLarge
from schemas import codec
from schemas.metrics import METRICS
from schemas.records import RawEvent
from tests.contract.connectors.cases import AES_KEY, CASES, NOW, seal_generic

WEB = Shop("channel", "generic", "web", "s1", "k1")
WECHAT = Shop("channel", "wechat_shop", "wechat_shop", "4001", "u", token="shopToken", aes_key=AES_KEY)
DOUYIN = next(case for case in CASES if case.name == "douyin")
FACT = b'{"event_id":"e1","order_id":"A1","status":"PaymentConfirmed","occurred_at":"2026-11-22T10:00:00+08:00"}'


@dataclass
class FakeKafka:
    """Keeps what is published; can be away, refuse a size, or hold its answer."""

    records: list[Publication] = field(default_factory=list)
    error: Exception | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def publish(self, records: Sequence[Publication]) -> None:
        """As connectors.publish.Publisher."""
        self.asked.set()
        await self.gate.wait()
        if self.error:
            raise self.error
        self.records += records

    async def ready(self) -> bool:
        """Whether it is there."""
        return self.error is None


@dataclass
class Setup:
    """A client of a server with a fake Kafka."""

    client: TestClient[web.Request, web.Application]
    kafka: FakeKafka
    metrics: Metrics
    hooks: server.Hooks

    async def post(self, body: bytes, path: str = "/hooks/generic/s1", secret: str = "k1", at: float = NOW) -> tuple[int, str]:
        """A signed push; the answer's status and text."""
        push = seal_generic(Shop("channel", "generic", "web", "s1", secret), [body], at)
        async with self.client.post(path, data=io.BytesIO(push.body), headers=dict(push.headers)) as answer:
            return answer.status, await answer.text()

    def count(self, source: str, result: str) -> float:
        """How many pushes ended so."""
        return self.metrics.registry.get_sample_value("lockstep_connect_pushes_total", {"source": source, "result": result}) or 0.0


@pytest.fixture
async def setup() -> AsyncIterator[Setup]:
    """A server on loopback, with its Kafka there."""
    kafka, metrics = FakeKafka(), Metrics()
    kafka.gate.set()
    settings = server.ServerSettings("127.0.0.1", 0, "", (WEB, WECHAT, DOUYIN.shop), clock=lambda: NOW)
    app = server.build(settings, kafka, metrics)
    async with TestClient(TestServer(app)) as client:
        yield Setup(client, kafka, metrics, app[server.HOOKS])


async def test_accepted(setup: Setup) -> None:
    """A good push is in Kafka, keyed, stamped and described, before it is acknowledged."""
    assert await setup.post(FACT) == (200, '{"accepted": 1}')
    (record,) = setup.kafka.records
    event = codec.decode(record.value, RawEvent)
    headers = dict(record.headers)
    assert (record.topic, record.key, record.timestamp_ms) == ("lockstep.raw.order.web.v1", b"web:s1:A1", int(NOW * 1000))
    assert (event.payload, event.event_id, event.verified, event.received_at) == (FACT, "e1", True, int(NOW * 1000))
    assert (headers["ce_id"], headers["ce_source"], headers["ce_subject"]) == (b"e1", b"web", b"web:s1:A1")
    assert "x-lockstep-signature" not in event.headers
    assert setup.count("generic", "accepted") == 1


async def test_traceparent_goes_on(setup: Setup) -> None:
    """A sender's trace is kept."""
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    push = seal_generic(WEB, [FACT], NOW)
    async with setup.client.post("/hooks/generic/s1", data=push.body, headers={**push.headers, "traceparent": trace}):
        pass
    assert dict(setup.kafka.records[0].headers)["traceparent"] == trace.encode()


@pytest.mark.parametrize(
    ("path", "secret", "at", "status", "result"),
    [
        ("/hooks/generic/s1", "wrong", NOW, 401, "bad_signature"),
        ("/hooks/generic/s1", "k1", NOW - 301, 401, "stale"),
        ("/hooks/generic/nope", "k1", NOW, 404, "unknown"),
        ("/hooks/nope/s1", "k1", NOW, 404, "unknown"),
        ("/hooks/douyin/s1", "k1", NOW, 404, "unknown"),
    ],
)
async def test_refused(setup: Setup, path: str, secret: str, at: float, status: int, result: str) -> None:
    """Wrong signature, stale time, unknown address: refused, counted, and nothing reaches Kafka."""
    code, text = await setup.post(FACT, path, secret, at)
    assert code == status
    assert secret not in text
    assert setup.kafka.records == []
    assert setup.count("unknown" if result == "unknown" else "generic", result) == 1


async def test_made_up_names_are_no_labels(setup: Setup) -> None:
    """Strangers cannot grow the metrics."""
    for number in range(20):
        await setup.post(FACT, f"/hooks/x{number}/y{number}")
    async with setup.client.get("/metrics") as answer:
        assert "x7" not in await answer.text()


async def test_body_limit(setup: Setup) -> None:
    """1 MiB is taken, one byte more is 413, also where no length is announced."""
    limit = 1024 * 1024
    assert (await setup.post(b"x" * limit))[0] == 200
    assert (await setup.post(b"x" * (limit + 1)))[0] == 413

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b"x" * 65_536

    async with setup.client.post("/hooks/generic/s1", data=chunks()) as answer:
        assert answer.status == 413
    assert setup.count("generic", "too_large") == 2
    assert len(setup.kafka.records) == 1


async def test_fact_limit(setup: Setup) -> None:
    """500 facts are taken, 501 are 413, none is accepted as none."""
    assert await setup.post(b'{"events":[' + b",".join([FACT] * 500) + b"]}") == (200, '{"accepted": 500}')
    assert (await setup.post(b'{"events":[' + b",".join([FACT] * 501) + b"]}"))[0] == 413
    assert await setup.post(b'{"events":[]}') == (200, '{"accepted": 0}')
    assert len(setup.kafka.records) == 500
    assert setup.count("generic", "empty") == 1


async def test_signed_garbage_is_acknowledged(setup: Setup) -> None:
    """What cannot be read is kept as it came, under an id from its content, the same when it is pushed again."""
    for _ in range(2):
        assert await setup.post(b"\xff{garbage") == (200, '{"accepted": 1}')
    events = [codec.decode(record.value, RawEvent) for record in setup.kafka.records]
    assert {event.payload for event in events} == {b"\xff{garbage"}
    assert len({event.event_id for event in events}) == 1


async def test_a_body_that_breaks_off(setup: Setup, caplog: pytest.LogCaptureFixture) -> None:
    """A sender that goes away in the middle of its body leaves nothing: no record, no error in the log, no turn taken."""
    setup.hooks.turns = asyncio.Semaphore(1)
    _, writer = await asyncio.open_connection("127.0.0.1", setup.client.port)
    writer.write(b"POST /hooks/generic/s1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    async with asyncio.timeout(5):
        while not setup.hooks.turns.locked():  # noqa: ASYNC110 -- until the server reads the body
            await asyncio.sleep(0.01)
    writer.close()
    await writer.wait_closed()
    assert (await setup.post(FACT))[0] == 200
    assert len(setup.kafka.records) == 1
    assert not caplog.records


async def test_kafka_away(setup: Setup) -> None:
    """503 while Kafka is away, with a hint when to come back; the next push after it is back is taken."""
    setup.kafka.error = KafkaAway("no")
    assert (await setup.post(FACT))[0] == 503
    async with setup.client.get("/readyz") as answer:
        assert answer.status == 503
    async with setup.client.get("/healthz") as answer:
        assert answer.status == 200
    setup.kafka.error = None
    assert (await setup.post(FACT))[0] == 200
    assert setup.count("generic", "kafka_away") == 1


async def test_what_kafka_never_takes(setup: Setup) -> None:
    """A record that Kafka will never take is 413, so that the platform does not push it for ever."""
    setup.kafka.error = TooLarge("no")
    assert (await setup.post(FACT))[0] == 413


async def test_no_answer_before_kafka_has_it(setup: Setup) -> None:
    """The acknowledgement waits for Kafka's."""
    setup.kafka.gate.clear()
    push = asyncio.create_task(setup.post(FACT))
    async with asyncio.timeout(5):
        await setup.kafka.asked.wait()
    assert not push.done()
    setup.kafka.gate.set()
    assert (await push)[0] == 200


async def test_pushes_at_once_are_bounded(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the pushes in work a few wait their turn, and the rest get 503 at once."""
    monkeypatch.setattr(server, "WAITING", 2)
    setup.hooks.turns = asyncio.Semaphore(1)
    setup.kafka.gate.clear()
    pushes = [asyncio.create_task(setup.post(FACT)) for _ in range(5)]
    early, rest = await asyncio.wait(pushes, timeout=5, return_when=asyncio.FIRST_COMPLETED)
    while len(early) < 2:
        done, rest = await asyncio.wait(rest, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        early |= done
    setup.kafka.gate.set()
    assert [task.result()[0] for task in early] == [503, 503]
    assert [status for status, _ in await asyncio.gather(*rest)] == [200, 200, 200]


async def test_checks_by_get(setup: Setup) -> None:
    """WeChat's check gets its echo, a forged one 401, a platform without checks 405, an unknown address 404."""
    query = {"timestamp": "1", "nonce": "2", "echostr": "hello"}
    query["signature"] = hashlib.sha1(b"12shopToken", usedforsecurity=False).hexdigest()
    async with setup.client.get("/hooks/wechat_shop/4001", params=query) as answer:
        assert (answer.status, await answer.text(), answer.content_type) == (200, "hello", "text/plain")
    async with setup.client.get("/hooks/wechat_shop/4001", params=query | {"nonce": "3"}) as answer:
        assert answer.status == 401
    async with setup.client.get("/hooks/generic/s1") as answer:
        assert answer.status == 405
    async with setup.client.get("/hooks/generic/s2") as answer:
        assert answer.status == 404


async def test_douyins_probe(setup: Setup) -> None:
    """The probe is acknowledged and leaves nothing."""
    push = DOUYIN.push(DOUYIN.silent[0])
    async with setup.client.post("/hooks/douyin/900001", data=push.body, headers=dict(push.headers)) as answer:
        assert await answer.json() == {"code": 0, "msg": "success"}
    assert setup.kafka.records == []


async def test_errors_of_a_connector_lose_nothing(setup: Setup, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A mistake of ours while splitting keeps the whole push as one envelope."""

    def broken(*args: Any) -> None:
        raise KeyError("ours")

    monkeypatch.setattr("connectors.generic.Generic.split", broken)
    with caplog.at_level(logging.CRITICAL, "lockstep.connect"):
        assert (await setup.post(FACT))[0] == 200
    assert codec.decode(setup.kafka.records[0].value, RawEvent).payload == FACT


async def test_metrics_are_those_of_the_list(setup: Setup) -> None:
    """The page holds exactly the names of the typed list, and each result that the server gives."""
    await setup.post(FACT)
    async with setup.client.get("/metrics") as answer:
        page = await answer.text()
    names = {line.split()[2] for line in page.splitlines() if line.startswith("# TYPE")}
    names = {name for name in names if not name.endswith("_created")}
    assert names | {"lockstep_build_info"} == {metric.name for metric in METRICS if "connect" in metric.roles}
    assert 'lockstep_connect_facts_total{source="generic"} 1.0' in page


def test_an_outage_is_said_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """However many pushes fail, one line a minute, and one at the end."""
    now = [0.0]
    outage = Outage(Metrics(), lambda: now[0])
    with caplog.at_level(logging.WARNING, "lockstep.connect"):
        for second in range(150):
            now[0] = float(second)
            outage.failed("gone")
        outage.over()
        outage.over()
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 4
    assert "1 tries so far" in said[0]
    assert "121 tries so far" in said[2]
    assert said[3] == "Kafka acknowledges again; 150 tries failed meanwhile"


async def test_compressed_bodies_are_not_unpacked() -> None:
    """A served body is what was sent: a small one cannot unpack into a large one."""
    kafka = FakeKafka()
    kafka.gate.set()
    app = server.build(server.ServerSettings("127.0.0.1", 0, "", (WEB,), clock=lambda: NOW), kafka)
    runner = web.AppRunner(app, auto_decompress=False)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    push = seal_generic(WEB, [b"not really gzip"], NOW)
    headers = {**push.headers, "Content-Encoding": "gzip"}
    async with (
        ClientSession() as session,
        session.post(f"http://127.0.0.1:{port}/hooks/generic/s1", data=push.body, headers=headers, compress=None) as answer,
    ):
        assert (answer.status, json.loads(await answer.text())) == (200, {"accepted": 1})
    await runner.cleanup()
    assert codec.decode(kafka.records[0].value, RawEvent).payload == b"not really gzip"
