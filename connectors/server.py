"""The webhook server: POST /hooks/{source}/{shop} → verified → Kafka has it → the platform's acknowledgement.

200 accepted · 401 signature or stale time · 404 unknown address · 413 too much · 503 Kafka away or too many at once.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from aiohttp import web
from prometheus_client import CollectorRegistry

from connectors.base import Push, Refused, Reply
from connectors.config import Shop
from connectors.intake import Address, addresses
from connectors.metrics import Metrics, Result
from connectors.publish import Entered, KafkaAway, KafkaPublisher, Publisher, TooLarge
from connectors.registry import CONNECTORS
from schemas.metrics import exposition

log = logging.getLogger("lockstep.connect")

MAX_BODY: Final = 1024 * 1024
AT_ONCE: Final = 256  # pushes that are worked on
WAITING: Final = 2_048  # pushes that wait their turn, unread; more get 503
BODY_WAIT: Final = 10.0  # seconds for a body to arrive


@dataclass(frozen=True)
class ServerSettings:
    """What the connect role is told. `clock` gives seconds since the epoch; `kafka_settings` go to aiokafka (security).

    `registry` holds its metrics; `watch` is told of facts that come in, for traces.
    """

    host: str
    port: int
    kafka: str
    shops: tuple[Shop, ...]
    clock: Callable[[], float] = time.time
    kafka_settings: Mapping[str, Any] = field(default_factory=dict)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    watch: Entered | None = None


@dataclass
class Hooks:
    """The handlers of one server."""

    addresses: Mapping[tuple[str, str], Address]
    publisher: Publisher
    clock: Callable[[], float]
    metrics: Metrics
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    waiting: int = 0

    async def post(self, request: web.Request) -> web.Response:
        """Take one push."""
        address = self._address(request)
        if address is None:
            return self._unknown()
        if self.waiting >= WAITING:
            self.metrics.pushes.labels(address.connector.name, "busy").inc()
            return _refusal(503, "too many pushes at once; push again")
        self.waiting += 1
        try:
            await self.turns.acquire()
        finally:
            self.waiting -= 1
        started = time.perf_counter()
        try:
            with self.metrics.in_flight.track_inprogress():
                result, response = await self._take(address, request)
        finally:
            self.turns.release()
        self.metrics.answered(address.connector.name, result, time.perf_counter() - started)
        return response

    async def _take(self, address: Address, request: web.Request) -> tuple[Result, web.Response]:
        try:
            push = _push(request, await _body(request))
            records = address.receive(push, self.clock())
            if records:
                await self.publisher.publish(records)
        except (web.HTTPRequestEntityTooLarge, TooLarge):
            return "too_large", _refusal(413, f"a push may have {MAX_BODY} bytes")
        except Refused as refused:
            return _result(refused), _refusal(refused.status, str(refused))
        except KafkaAway:
            return "kafka_away", _refusal(503, "Kafka is away; push again")
        except (web.RequestPayloadError, ConnectionError):
            return "broken", _refusal(400, "the body broke off")
        except TimeoutError:
            return "busy", _refusal(503, f"the body did not arrive within {BODY_WAIT:g} s; push again")
        if records:
            self.metrics.facts.labels(address.connector.name).inc(len(records))
        return ("accepted" if records else "empty"), _response(address.answer(push, len(records), self.clock()))

    async def get(self, request: web.Request) -> web.Response:
        """Answer a platform's check of the address."""
        address = self._address(request)
        if address is None:
            return self._unknown()
        try:
            reply = address.challenge(_push(request, b""), self.clock())
        except Refused as refused:
            self.metrics.pushes.labels(address.connector.name, _result(refused)).inc()
            return _refusal(refused.status, str(refused))
        if reply is None:
            return _refusal(405, f"{address.connector.name} does not check addresses by GET; pushes come by POST")
        self.metrics.pushes.labels(address.connector.name, "checked").inc()
        return _response(reply)

    def _address(self, request: web.Request) -> Address | None:
        return self.addresses.get((request.match_info["source"], request.match_info["shop"]))

    def _unknown(self) -> web.Response:
        self.metrics.pushes.labels("unknown", "unknown").inc()  # a name that a stranger made up is no label
        return _refusal(404, "there is no such source or shop")

    async def healthz(self, request: web.Request) -> web.Response:
        """Alive."""
        return web.json_response({"alive": True})

    async def readyz(self, request: web.Request) -> web.Response:
        """Kafka is reachable."""
        ready = await self.publisher.ready()
        return web.json_response({"ready": ready, "kafka": ready}, status=200 if ready else 503)

    async def prometheus(self, request: web.Request) -> web.Response:
        """All metrics."""
        body, kind = exposition(request.headers.get("Accept", ""), self.metrics.registry)
        return web.Response(body=body, headers={"Content-Type": kind})


HOOKS: Final = web.AppKey("hooks", Hooks)


async def _body(request: web.Request) -> bytes:
    """The whole body. Most are there together with their headers; only for others a clock is set, which takes its time."""
    if request.content.is_eof():
        return await request.read()
    async with asyncio.timeout(BODY_WAIT):
        return await request.read()


def _push(request: web.Request, body: bytes) -> Push:
    return Push(body, request.headers, request.query)  # both give the first value of a name, headers in any case


def _result(refused: Refused) -> Result:
    return cast(Result, refused.result)


def _response(reply: Reply) -> web.Response:
    return web.Response(body=reply.body, status=reply.status, content_type=reply.content_type, charset="utf-8")


def _refusal(status: int, why: str) -> web.Response:
    headers = {"Retry-After": "5"} if status == 503 else {}
    return web.json_response({"error": why}, status=status, headers=headers)


def build(settings: ServerSettings, producer: Publisher, metrics: Metrics | None = None) -> web.Application:
    """The application. Raises ValueError for shops that are configured wrongly."""
    hooks = Hooks(addresses(settings.shops, CONNECTORS), producer, settings.clock, metrics or Metrics())
    app = web.Application(client_max_size=MAX_BODY)
    app[HOOKS] = hooks
    app.router.add_post("/hooks/{source}/{shop}", hooks.post)
    app.router.add_get("/hooks/{source}/{shop}", hooks.get, allow_head=False)
    app.router.add_get("/healthz", hooks.healthz)
    app.router.add_get("/readyz", hooks.readyz)
    app.router.add_get("/metrics", hooks.prometheus)
    return app


async def serve(settings: ServerSettings) -> None:
    """Run until cancelled; pushes that are being worked on are answered first."""
    metrics = Metrics(settings.registry)
    async with KafkaPublisher(settings.kafka, metrics, **settings.kafka_settings) as publisher:
        publisher.watch = settings.watch
        runner = web.AppRunner(build(settings, publisher, metrics), access_log=None, auto_decompress=False, shutdown_timeout=5)
        await runner.setup()
        try:
            await web.TCPSite(runner, settings.host, settings.port).start()
            log.info("hooks at http://%s:%d/hooks/{source}/{shop} for %d shops", settings.host, settings.port, len(settings.shops))
            await publisher.wait()
        finally:
            await runner.cleanup()
