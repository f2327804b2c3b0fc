"""The board's server: reads PostgreSQL, publishes commands to Kafka.

Reading needs no token (it listens on loopback unless configured otherwise); every act does.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from aiohttp import web
from aiokafka.errors import KafkaError

from ops.board import alerts, asked, channel, events, guard, health, letters, metrics, orders, overview
from ops.board.events import Feed
from ops.board.files import Files
from ops.board.guard import Handler
from ops.board.keys import DATABASE, FEED, PRODUCER, REPLAYING, SETTINGS, SNAPSHOT, BoardSettings, Lazy
from ops.board.overview import Snapshot
from sinks.postgres.database import AWAY, Database

log = logging.getLogger("lockstep.board")

MAX_BODY = 64 * 1024
PAGES = ("/", "/channels/{channel}", "/orders/{order_key}", "/parcels/{parcel_key}", "/conflicts", "/alerts", "/dead", "/search")


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Say in JSON what is wrong or away, and never a traceback."""
    try:
        return await handler(request)
    except asked.Refused as refused:
        return asked.refusal(refused.status, refused.why)
    except KafkaError:
        return asked.refusal(503, "Kafka is away; try again")
    except AWAY:
        return asked.refusal(503, "PostgreSQL is away; try again")


@web.middleware
async def _measured(request: web.Request, handler: Handler) -> web.StreamResponse:
    route = request.match_info.route.resource
    with metrics.SECONDS.labels(route.canonical if route else "unknown").time():
        return await handler(request)


def build(settings: BoardSettings) -> web.Application:
    """The application; PostgreSQL and Kafka may be away when it starts."""
    app = web.Application(client_max_size=MAX_BODY, middlewares=[_measured, _errors])
    app[SETTINGS] = settings
    app[DATABASE] = Database(settings.dsn, size=4)
    app[PRODUCER] = Lazy(settings.kafka)
    app[REPLAYING] = asyncio.Lock()
    app[SNAPSHOT] = Snapshot(app[DATABASE], settings)
    app[FEED] = Feed(app[DATABASE], app[SNAPSHOT])
    app.cleanup_ctx.append(_life)
    app.on_response_prepare.append(guard.say_headers)
    _route(app)
    return app


def _route(app: web.Application) -> None:
    files = Files()
    for page in PAGES:
        app.router.add_get(page, files.shell)
    app.router.add_get("/static/{name:.+}", files.file)
    app.add_routes(
        [
            web.get("/api/overview", overview.overview),
            web.get("/api/channels", channel.list_channels),
            web.get("/api/channels/{channel}", channel.channel),
            web.get("/api/channels/{channel}/held", channel.held),
            web.get("/api/channels/{channel}/history", channel.history),
            web.post("/api/channels/{channel}/{command:pause|resume}", channel.command),
            web.get("/api/conflicts", channel.conflicts),
            web.get("/api/orders/{order_key}", orders.order),
            web.get("/api/orders/{order_key}/audit", orders.audit),
            web.get("/api/orders/{order_key}/verify", orders.verify),
            web.get("/api/parcels/{parcel_key}", orders.parcel),
            web.get("/api/search", orders.search),
            web.get("/api/alerts", alerts.list_alerts),
            web.get("/api/dead", letters.list_letters),
            web.get("/api/dead/letter", letters.letter),
            web.post("/api/dead/replay", letters.replay),
            web.get("/api/events", events.stream),
            web.get("/healthz", health.healthz),
            web.get("/readyz", health.readyz),
            web.get("/metrics", metrics.answer),
        ]
    )


async def _life(app: web.Application) -> AsyncIterator[None]:
    feeding = asyncio.create_task(app[FEED].run(), name="board-feed")
    yield
    feeding.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await feeding
    await app[PRODUCER].close()
    await app[DATABASE].close()


async def serve(settings: BoardSettings) -> None:
    """Run until cancelled."""
    runner = web.AppRunner(build(settings), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port, shutdown_timeout=2).start()
        log.info("the board is at http://%s:%d/", settings.host, settings.port)
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


__all__ = ["BoardSettings", "build", "serve"]
