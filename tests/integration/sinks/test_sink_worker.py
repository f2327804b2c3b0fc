"""The worker as a process, on a real Kafka and a real PostgreSQL."""

import asyncio
import json
import signal
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError

from ops.embedded.process import free_ports
from schemas import codec, topics
from schemas.headers import cloudevent
from schemas.records import Alert
from sinks.alerts.routing import alert_id
from tests.integration.sinks.bot import DINGTALK_SECRET, DINGTALK_TOKEN, stand_in
from tests.integration.sinks.given import NOW, audit, order

ORDERS, FACTS = 40, 5
CODE = """
import json, sys
from sinks.alerts.config import Bot
from sinks.app import SinkSettings, build
given = json.loads(sys.argv[1])
bot = Bot("ding", "dingtalk", given.pop("bot"), {token!r}, {secret!r})
build(SinkSettings(channels=("sinkweb",), bots=(bot,), **given)).run()
"""


async def _topics(kafka: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    for topic in topics.catalogue(["sinkweb"]):
        try:
            await admin.create_topics([NewTopic(topic.name, topic.partitions or 2, 1, topic_configs=topic.config)])
        except TopicAlreadyExistsError:
            continue  # another test of this Kafka has made it
    await admin.close()


@asynccontextmanager
async def _producer(kafka: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def _produce(kafka: str, first: int, last: int, run: str) -> None:
    """Facts number `first` to `last` of each order."""
    async with _producer(kafka) as producer:
        for seq in range(first, last):
            for n in range(ORDERS):
                key = f"sinkweb:s1:{run}{n}"
                headers = cloudevent("RawEvent", f"{key}/{seq}", "sinkweb", key, NOW)
                for topic, value in (
                    (topics.raw_order("sinkweb"), b""),
                    (topics.ORDER_STATE, codec.encode(order(key, seq + 1))),
                    (topics.ORDER_AUDIT, codec.encode(audit(key, seq + 1))),
                ):
                    await producer.send(topic, value, key=key.encode(), headers=headers if topic.startswith("lockstep.raw") else None)
        await producer.flush()


@asynccontextmanager
async def _worker(given: dict[str, Any], log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    code = CODE.format(token=DINGTALK_TOKEN, secret=DINGTALK_SECRET)
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, json.dumps(given), cwd=Path(__file__).parents[3], stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _value(dsn: str, query: str) -> Any:
    """What the query says now; None while the tables are not made yet."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close()


async def _until(dsn: str, query: str, expected: int, log: Path) -> None:
    last: Any = None
    for _ in range(300):
        if (last := await _value(dsn, query)) == expected:
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"{query} is {last!r} after a minute; the worker said:\n{log.read_text()[-3000:]}")


async def _dump(dsn: str, run: str) -> list[Any]:
    connection = await asyncpg.connect(dsn)
    orders = await connection.fetch(
        "SELECT order_key, version, xmin::text FROM lockstep.orders WHERE order_id LIKE $1 ORDER BY 1", f"{run}%"
    )
    rows = await connection.fetch("SELECT order_key, seq FROM lockstep.audit WHERE order_key LIKE $1 ORDER BY 1, 2", f"%:{run}%")
    raw = await connection.fetchval("SELECT sum(n)::int FROM lockstep.raw_counts WHERE topic LIKE '%sinkweb%'")
    await connection.close()
    return [list(map(tuple, orders)), list(map(tuple, rows)), raw]


@pytest.mark.timeout(240)
async def test_worker_from_start_to_end(kafka: str, fresh_postgres: str, tmp_path: Path) -> None:
    """A worker writes what it reads, sends alerts, shows its health, survives kill -9 and a second reading, and ends cleanly."""
    run, log = uuid.uuid4().hex[:8], tmp_path / "sink.log"
    await _topics(kafka)
    await _produce(kafka, 0, 3, run)
    written = f"SELECT count(*) FROM lockstep.audit WHERE order_key LIKE '%:{run}%'"
    async with stand_in() as bot:
        port = free_ports(1)[0]
        given = {"kafka": kafka, "dsn": fresh_postgres, "group": f"sink-{run}", "bot": bot.url, "health_port": port}
        async with _worker(given, log) as worker:
            await _until(fresh_postgres, written, ORDERS * 3, log)
            async with _producer(kafka) as producer:
                alert = Alert(alert_key=run, kind="channel_paused", severity="critical", at=NOW, channel="web")
                await producer.send_and_wait(topics.ALERT, codec.encode(alert), key=run.encode())
            async with asyncio.timeout(30):
                while alert_id(run, "ding") not in bot.ids:
                    bot.asked.clear()
                    await bot.asked.wait()
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as web:
                for path, said in (("/healthz", "alive"), ("/readyz", "ready"), ("/metrics", 'lockstep_sink_rows_total{table="audit"}')):
                    async with web.get(path) as answer:
                        assert (answer.status, said in await answer.text()) == (200, True)
            worker.kill()
        await _produce(kafka, 3, FACTS, run)
        async with _worker(given, log) as worker:
            await _until(fresh_postgres, written, ORDERS * FACTS, log)
            await _until(fresh_postgres, "SELECT sum(n) FROM lockstep.raw_counts WHERE topic LIKE '%sinkweb%'", ORDERS * FACTS, log)
            await _until(fresh_postgres, f"SELECT min(version) FROM lockstep.orders WHERE order_id LIKE '{run}%'", FACTS, log)
            worker.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(worker.wait(), 20) == 0
        before = await _dump(fresh_postgres, run)
        async with _worker(given | {"group": f"again-{run}"}, log) as worker:  # reads everything from offset 0
            async with _producer(kafka) as producer:
                ends = sorted(await producer.partitions_for(topics.ORDER_AUDIT))  # another test may have made the topic
                for partition in ends:  # behind everything else
                    end = audit(f"sinkweb:s1:end-{run}-{partition}")
                    await producer.send_and_wait(topics.ORDER_AUDIT, codec.encode(end), key=b"k", partition=partition)
            await _until(fresh_postgres, f"SELECT count(*) FROM lockstep.audit WHERE order_key LIKE '%end-{run}%'", len(ends), log)
            await asyncio.sleep(1)
        assert await _dump(fresh_postgres, run) == before
        assert bot.ids.count(alert_id(run, "ding")) == 1
