"""The board's API on a real PostgreSQL and a real Kafka."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from aiohttp import StreamReader, web
from aiohttp.test_utils import TestClient, TestServer
from aiokafka import AIOKafkaConsumer

from ops import topics as topic_tools
from ops.board.app import BoardSettings, build
from ops.config import Kafka
from schemas import codec, topics
from schemas.records import ChannelFinding
from sinks.postgres.migrate import migrate

TOKEN = "t0ken"
AUTHORISED = {"Authorization": f"Bearer {TOKEN}"}
ORDER = """
INSERT INTO lockstep.orders (order_key, channel, shop_id, order_id, version, status, paid, ended, jump_count, open_conflicts, released,
    audit_seq, audit_head, parcels, updated_at)
VALUES ('web:s1:A1', 'web', 's1', 'A1', 1, 'PaymentConfirmed', true, false, 0, 0, true, 1, '0', '{}', now())"""
ALERT = """
INSERT INTO lockstep.alerts (alert_id, alert_key, target, kind, severity, priority, channel, params, title, text, status,
    at, created_at, due_at)
VALUES ($1, $1, 'ops', 'channel_paused', 'critical', 1, 'web', '{}', '渠道<b>已暂停', '…', 'pending', now(), now(), now())"""
Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def client(kafka: str, fresh_postgres: str) -> AsyncIterator[Client]:
    """The board on a migrated database, with two channels."""
    await migrate(fresh_postgres)
    settings = BoardSettings("127.0.0.1", 0, Kafka(kafka), fresh_postgres, ("taobao", "web"), TOKEN)
    await topic_tools.create(settings.kafka, topic_tools.wanted(settings.channels, 1))
    async with TestClient(TestServer(build(settings))) as found:
        yield found


async def _execute(dsn: str, query: str, *values: object) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(query, *values)
    await connection.close()


async def test_channels_that_nothing_was_heard_of_are_open(client: Client) -> None:
    """Every configured channel is listed, with counts."""
    answer = await (await client.get("/api/channels")).json()
    assert [(row["channel"], row["state"], row["orders"]) for row in answer["channels"]] == [("taobao", "open", 0), ("web", "open", 0)]


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({}, "", 401),
        ({"Authorization": "Bearer wrong"}, "", 401),
        ({"Authorization": f"Basic {TOKEN}"}, "", 401),
        ({}, f"?token={TOKEN}", 401),
        (AUTHORISED, f"?access_token={TOKEN}", 401),
        (AUTHORISED, "", 202),
    ],
)
async def test_commands_need_the_token_in_its_header(client: Client, headers: dict[str, str], query: str, status: int) -> None:
    """None, a wrong one, or one in the address: 401; the right one in the header is taken."""
    answer = await client.post(f"/api/channels/web/pause{query}", headers=headers, json={"why": "测试"})
    assert answer.status == status
    assert TOKEN not in await answer.text()


async def test_a_command_is_a_record_of_its_channel(client: Client, kafka: str) -> None:
    """Pause and resume are on channel.finding, keyed by channel, with who and why; anything else is refused."""
    answer = await client.post("/api/channels/taobao/pause", headers=AUTHORISED, json={"why": "价格错误"})
    wanted = (await answer.json())["id"]
    async with AIOKafkaConsumer(topics.CHANNEL_FINDING, bootstrap_servers=kafka, auto_offset_reset="earliest") as consumer:
        async for record in consumer:
            finding = codec.decode(record.value, ChannelFinding)
            if finding.finding_id == wanted:
                break
    assert (record.key, finding.channel, finding.kind, finding.by, finding.detail) == (b"taobao", "taobao", "pause", "board", "价格错误")
    assert (await client.post("/api/channels/nope/pause", headers=AUTHORISED, json={})).status == 404
    assert (await client.post("/api/channels/web/explode", headers=AUTHORISED, json={})).status == 404
    assert (await client.post("/api/channels/web/pause", headers=AUTHORISED, data=b"{")).status == 400
    assert (await client.post("/api/channels/web/pause", headers=AUTHORISED, json={"why": 5})).status == 400


async def test_an_order_is_shown_with_all_its_parts(client: Client, fresh_postgres: str) -> None:
    """A known order has its status with its Chinese name, sources, timeline, conflicts, pool, parcels; an unknown one is 404."""
    await _execute(fresh_postgres, ORDER)
    order = await (await client.get("/api/orders/web:s1:A1")).json()
    assert (order["status"], order["label"]) == ("PaymentConfirmed", "已付款")
    assert {"sources", "timeline", "conflicts", "pool", "parcels"} <= set(order)
    assert (await client.get("/api/orders/web:s1:A2")).status == 404


async def test_alerts_are_listed(client: Client, fresh_postgres: str) -> None:
    """The newest alerts, by kind where wanted, with an English title beside the one that was sent."""
    await _execute(fresh_postgres, ALERT, "a1")
    alerts = (await (await client.get("/api/alerts")).json())["alerts"]
    assert [(alert["alert_id"], alert["title"], alert["title_en"]) for alert in alerts] == [
        ("a1", "渠道<b>已暂停", "channel web is paused")
    ]
    assert (await (await client.get("/api/alerts?kind=order_jumps")).json())["alerts"] == []
    assert (await client.get("/api/alerts?limit=0")).status == 400


async def test_what_is_new_is_told_to_listeners(client: Client, fresh_postgres: str) -> None:
    """An alert written while somebody listens arrives as an event, once; what was there before does not."""
    await _execute(fresh_postgres, ALERT, "before")
    async with client.get("/api/events") as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        assert await stream.content.readline() == b"retry: 2000\n"
        await _until_looked(client)
        await _execute(fresh_postgres, ALERT, "after")
        alerts = [line async for line in _data(stream.content, "alert", 1)]
    assert [alert["alert_id"] for alert in alerts] == ["after"]


async def _data(content: StreamReader, kind: str, count: int) -> AsyncIterator[Any]:
    """What so many events of a kind carry; others are passed over."""
    event = ""
    while count:
        name, _, value = (await asyncio.wait_for(content.readline(), 20)).decode().partition(": ")
        if name == "event":
            event = value.strip()
        elif name == "data" and event == kind:
            count -= 1
            yield json.loads(value)


async def _until_looked(client: Client) -> None:
    """The feed begins with what is there when it first looks."""
    from ops.board.keys import FEED

    feed = client.app[FEED]
    while feed._since is None:
        await client.get("/healthz")


async def test_health(client: Client) -> None:
    """Alive and ready while PostgreSQL answers; metrics have the agreed prefix."""
    assert (await client.get("/healthz")).status == 200
    assert (await client.get("/readyz")).status == 200
    assert "lockstep_board_request_seconds" in await (await client.get("/metrics")).text()


@pytest.mark.parametrize(
    ("target", "headers", "body", "status"),
    [
        ("POST /api/channels/web/pause", b"Authorization: Bearer \xff\xfe", b"{}", 401),
        ("POST /api/channels/web/pause", b"Authorization: Bearer t0ken", b"[" * 60_000, 400),
        ("POST /api/channels/web/pause", b"Authorization: Bearer t0ken", b'{"why": "\\ud800"}', 400),
        ("POST /api/channels/web/pause", b"Authorization: Bearer t0ken\r\nContent-Type: application/json; charset=x", b'{"why": "a"}', 202),
        ("POST /api/channels/web/pause", b"Authorization: Bearer t0ken", b"\xff", 400),
        ("POST /api/channels/%00/pause", b"Authorization: Bearer t0ken", b"", 404),
        ("GET /api/orders/web%3As1%3A%00", b"X: 1", b"", 404),
        ("GET /api/orders/%ff%fe", b"X: 1", b"", 404),
        ("GET /api/alerts?kind=%00", b"X: 1", b"", 200),
        ("GET /api/alerts?kind=%ff", b"X: 1", b"", 200),
        (f"GET /api/alerts?limit={'9' * 5_000}", b"X: 1", b"", 400),
    ],
)
async def test_no_request_makes_the_board_fail(client: Client, target: str, headers: bytes, body: bytes, status: int) -> None:
    """Bytes that are no text, depth, lone surrogates, unknown charsets, NUL, numbers of thousands of digits: an answer each."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    head = f"{target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n".encode()
    writer.write(head + headers + b"\r\n\r\n" + body)
    await writer.drain()
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert int(answer.split()[1]) == status, answer[:300]
    assert b"Traceback" not in answer
