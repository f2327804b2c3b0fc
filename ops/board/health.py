"""Whether the role lives and can work."""

from aiohttp import web

from ops.board.keys import DATABASE


async def healthz(_: web.Request) -> web.Response:
    """Alive."""
    return web.json_response({"alive": True})


async def readyz(request: web.Request) -> web.Response:
    """PostgreSQL answers."""
    ready = await request.app[DATABASE].answers()
    return web.json_response({"ready": ready, "postgres": ready}, status=200 if ready else 503)
