"""The board's server: reads PostgreSQL, publishes commands to Kafka.

Reading needs no token (it listens on loopback unless configured otherwise); pausing and resuming do.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web
from aiokafka.errors import KafkaError

from ops.board import api, metrics
from ops.board.events import Feed, stream
from ops.board.keys import DATABASE, FEED, PRODUCER, SETTINGS, BoardSettings, Lazy
from ops.board.page import index
from sinks.postgres.database import AWAY, Database

log = logging.getLogger("lockstep.board")

MAX_BODY = 64 * 1024
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Say in JSON what is away, and never a traceback."""
    try:
        return await handler(request)
    except KafkaError:
        return api.refusal(503, "Kafka is away; try again")
    except AWAY:
        return api.refusal(503, "PostgreSQL is away; try again")


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
    app[FEED] = Feed(app[DATABASE], settings.channels)
    app.cleanup_ctx.append(_life)
    app.router.add_get("/", index)
    app.router.add_get("/api/channels", api.list_channels)
    app.router.add_post("/api/channels/{channel}/{command:pause|resume}", api.command)
    app.router.add_get("/api/orders/{order_key}", api.order)
    app.router.add_get("/api/alerts", api.list_alerts)
    app.router.add_get("/api/events", stream)
    app.router.add_get("/healthz", api.healthz)
    app.router.add_get("/readyz", api.readyz)
    app.router.add_get("/metrics", metrics.answer)
    return app


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
