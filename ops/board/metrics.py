"""The metrics of the board role; `schemas/metrics.py` says what each is."""

from aiohttp import web

from schemas.metrics import exposition, gauge, histogram

SECONDS = histogram("lockstep_board_request_seconds")
LISTENERS = gauge("lockstep_board_listeners")


async def answer(request: web.Request) -> web.Response:
    """All metrics of this process."""
    body, kind = exposition(request.headers.get("Accept", ""))
    return web.Response(body=body, headers={"Content-Type": kind})
