"""The sink's own small HTTP server: alive, ready, metrics."""

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from schemas.metrics import exposition

log = logging.getLogger(__name__)


async def serve_health(missing: Callable[[], Awaitable[str]], port: int, host: str = "127.0.0.1") -> web.AppRunner:
    """Serve `/healthz`, `/readyz` and `/metrics` until `cleanup` of what is returned. Port 0 takes a free one.

    `missing` says what the worker is not ready for, empty when it is.
    """
    app = web.Application()
    app.add_routes([web.get("/healthz", _alive), web.get("/metrics", _metrics)])

    async def _ready(_: web.Request) -> web.Response:
        reason = await missing()
        return web.Response(status=503, text=f"{reason}\n") if reason else web.Response(text="ready\n")

    app.router.add_get("/readyz", _ready)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    log.info("health of the sink at http://%s:%s", *runner.addresses[0][:2])
    return runner


async def _alive(_: web.Request) -> web.Response:
    return web.Response(text="alive\n")


async def _metrics(request: web.Request) -> web.Response:
    body, kind = exposition(request.headers.get("Accept", ""))
    return web.Response(body=body, headers={"Content-Type": kind})
