"""Closes the days, in one worker of all: beside the writers in the sink's process."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from itertools import chain
from typing import Any, Final

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas import codec, topics
from schemas.evidence import AuditRoot
from schemas.headers import cloudevent
from sinks import metrics
from sinks.alerts.routing import Router
from sinks.evidence import alerts
from sinks.evidence.close import LOCK, Closed, close, due, ms, published, unpublished
from sinks.postgres.database import AWAY, Database, connect
from sinks.postgres.tables import ALERTS
from sinks.postgres.upsert import upsert

log = logging.getLogger(__name__)
LOOK: Final = 60.0  # seconds between looks at the calendar
CLOSE_SECONDS: Final = 3600.0  # a day's closing; a million chains take a minute
SEND_SECONDS: Final = 30.0
STOP_SECONDS: Final = 3.0

Publish = Callable[[Sequence[AuditRoot]], Awaitable[None]]
"""Writes roots to their topic; returns when they are durable, raises KafkaError or OSError when not all are."""


class Keeper:
    """Closes every day that is due and publishes its root. `clock` gives ms; None: the database's own clock, one for all workers."""

    def __init__(
        self, database: Database, router: Router, publish: Publish, *, clock: Callable[[], int] | None = None, look: float = LOOK
    ) -> None:
        self._database, self._router, self._publish = database, router, publish
        self._clock, self._look = clock, look
        self.on_alerts: Callable[[], None] = lambda: None  # called after alerts were written
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._serve(), name="evidence-keeper")

    async def stop(self) -> None:
        """End at once: a closing under way leaves nothing."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError, TimeoutError):
                await asyncio.wait_for(self._task, STOP_SECONDS)

    async def _serve(self) -> None:
        said = False
        while True:
            try:
                await self.step()
                said = False
            except (*AWAY, KafkaError) as error:
                if not said:
                    log.warning("the audit root waits, a server is not there: %s", type(error).__name__)
                said = True
            except Exception:  # alerts and rows must go on; the next look tries again
                log.exception("closing the audit day failed; it is tried again in a minute")
            await asyncio.sleep(self._look)

    async def step(self) -> list[AuditRoot]:
        """Close what is due and publish what is not; the roots that were published now."""
        pool = await self._database.pool()
        now = self._clock() if self._clock else ms(await pool.fetchval("SELECT now()"))
        if not await due(pool, now) and not await unpublished(pool):
            return []
        connection = await connect(self._database.dsn, statement_timeout=0)
        try:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
                return []  # another worker is at it
            async with asyncio.timeout(CLOSE_SECONDS):
                for day in await due(connection, now):
                    self._count(await close(connection, day, self._tell))
            return await self._send(connection)
        finally:
            connection.terminate()  # a lock of a session goes with it, whatever state it is in

    async def _send(self, connection: asyncpg.Connection) -> list[AuditRoot]:
        """Publish first, then write it down: at least once, and the same record each time."""
        roots = list(await unpublished(connection))
        if roots:
            await self._publish(roots)
            for root in roots:
                await published(connection, root)
        return roots

    async def _tell(self, connection: asyncpg.Connection, closed: Closed) -> None:
        await connection.execute(ALERTS.create_stage)
        said = [alerts.root(closed.root), *alerts.broken(closed.root, closed.faults)]
        now = ms(await connection.fetchval("SELECT clock_timestamp()"))
        await upsert(connection, ALERTS, [row for _, row in chain.from_iterable(self._router.rows(alert, now) for alert in said)])

    def _count(self, closed: Closed) -> None:
        root = closed.root
        log.info("audit day %s is closed: %d chains, %d records, root %s", root.day, root.chains, root.records, root.root)
        for order_key, fault in closed.faults:
            about = {"order_key": order_key}
            log.error(
                "order %s: audit record %d %s: run `lockstep audit verify %s`", order_key, fault.seq, fault.why, order_key, extra=about
            )
        metrics.AUDIT_BROKEN.inc(root.broken)
        metrics.AUDIT_CLOSED.set(root.closed_at / 1000)
        self.on_alerts()


def publisher(options: Callable[[], dict[str, Any]]) -> Publish:
    """Publish with a producer of its own, open for that moment only. `options` gives addresses and security of clients."""

    async def publish(roots: Sequence[AuditRoot]) -> None:
        producer = AIOKafkaProducer(**options(), acks="all", enable_idempotence=True, request_timeout_ms=int(SEND_SECONDS * 1000))
        async with asyncio.timeout(2 * SEND_SECONDS):
            try:
                await producer.start()
                for root in roots:
                    headers = cloudevent("AuditRoot", root.day, "lockstep", root.day, root.closed_at)
                    value = codec.encode(root)
                    await producer.send_and_wait(topics.AUDIT_ROOT, value, key=root.day.encode(), headers=headers)
            finally:
                await producer.stop()

    return publish
