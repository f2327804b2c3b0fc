"""The metrics of the board role."""

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, Histogram, generate_latest

# Seconds from a request to its answer, by route
SECONDS = Histogram("lockstep_board_request_seconds", "Seconds to answer a request", ["route"])
# Listeners of the event stream
LISTENERS = Gauge("lockstep_board_listeners", "Open event streams")


async def answer(_: web.Request) -> web.Response:
    """All metrics of this process."""
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
