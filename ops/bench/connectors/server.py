"""One of the two servers of the comparison, in a process of its own: `python -m ops.bench.connectors.server NAME SOURCE KAFKA`.

`lockstep` is the webhook server as it is. `bare` is what would be written in an hour: read the body, send to Kafka, with the same
settings, the very record that ours makes of it (made once, beforehand), await the acknowledgement, answer the same words. It
verifies nothing, splits nothing, wraps nothing, counts nothing and has no limits.
The first line that is printed is the port.
"""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from typing import Any, Final

import uvloop
from aiohttp import web
from aiokafka import AIOKafkaProducer

from connectors.intake import Address
from connectors.metrics import Metrics
from connectors.publish import MAX_RECORD, KafkaPublisher
from connectors.registry import CONNECTORS
from connectors.server import MAX_BODY, ServerSettings, build
from ops.bench.connectors.samples import Sample, load

SOURCES: Final = ("generic", "douyin")  # the cheapest signature and format, and a channel's
NAMES: Final = ("bare", "lockstep")


def sample(source: str) -> Sample:
    """What both are sent: the first push of a connector's sample."""
    return next(each for each in load() if each.name == source)


def lockstep(source: str, kafka: str) -> web.Application:
    """Ours, with a clock that stands where the push was signed."""
    mine = sample(source)
    settings = ServerSettings("127.0.0.1", 0, kafka, (mine.shop,), clock=lambda: mine.at)
    metrics = Metrics()
    publisher = KafkaPublisher(kafka, metrics)
    app = build(settings, publisher, metrics)

    async def running(app: web.Application) -> AsyncIterator[None]:
        async with publisher:
            yield

    app.cleanup_ctx.append(running)
    return app


def bare(source: str, kafka: str) -> web.Application:
    """The other one."""
    mine = sample(source)
    producer: Any = None
    reply = CONNECTORS[mine.name].acknowledge(mine.shop, 1)
    (record,) = Address(mine.shop, CONNECTORS[mine.name]).receive(mine.pushes[0], mine.at)

    async def post(request: web.Request) -> web.Response:
        await request.read()
        await producer.send_and_wait(
            record.topic, value=record.value, key=record.key, timestamp_ms=record.timestamp_ms, headers=record.headers
        )
        return web.Response(body=reply.body, content_type=reply.content_type, charset="utf-8")

    async def running(app: web.Application) -> AsyncIterator[None]:
        nonlocal producer
        producer = AIOKafkaProducer(
            bootstrap_servers=kafka, acks="all", enable_idempotence=True, max_batch_size=65_536, max_request_size=MAX_RECORD
        )
        await producer.start()
        yield
        await producer.stop()

    app = web.Application(client_max_size=MAX_BODY)
    app.router.add_post("/hooks/{source}/{shop}", post)
    app.cleanup_ctx.append(running)
    return app


async def serve(app: web.Application) -> None:
    """Listen on a free port, say which, and go on until ended."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    uvloop.run(serve({"bare": bare, "lockstep": lockstep}[sys.argv[1]](*sys.argv[2:])))
