"""Server-sent events: what changed in the tables, looked up once for all listeners."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from ops import sql
from ops.board import metrics
from ops.board.keys import FEED
from sinks.postgres.database import AWAY, Database

log = logging.getLogger("lockstep.board")

LOOK_SECONDS = 1.0
PING_SECONDS = 15.0
QUEUE = 256  # events that may wait for a slow listener; beyond, it must come again
BATCH = 500
OVERLAP = timedelta(seconds=10)  # a transaction that began earlier may commit later
NEW_ALERTS = """
SELECT alert_id, kind, severity, channel, order_key, parcel_key, target, status, title, text, created_at
FROM lockstep.alerts WHERE created_at > $1 AND alert_id <> ALL($2) ORDER BY created_at, alert_id LIMIT $3"""
NOW = "SELECT now()"
STATES = 'SELECT channel, seq, state, reason, why, since, "by" FROM lockstep.channel_state'


class Feed:
    """Looks at the tables while somebody listens, and hands out what is new."""

    def __init__(self, database: Database, channels: Iterable[str]) -> None:
        self._database = database
        self._listeners: set[asyncio.Queue[str | None]] = set()
        self._somebody = asyncio.Event()
        self._since: datetime | None = None
        self._sent: dict[str, datetime] = {}  # alerts of the overlap
        self._states: dict[str, int] = {}
        self._number = 0

    @contextlib.contextmanager
    def listen(self) -> Any:
        """A queue of events as they go over the wire; None at its end: the listener was too slow."""
        queue: asyncio.Queue[str | None] = asyncio.Queue(QUEUE + 1)
        self._listeners.add(queue)
        self._somebody.set()
        metrics.LISTENERS.inc()
        try:
            yield queue
        finally:
            self._listeners.discard(queue)
            metrics.LISTENERS.dec()
            if not self._listeners:
                self._somebody.clear()

    async def run(self) -> None:
        """Look and hand out until cancelled; a database that is away is waited for."""
        while True:
            if not self._somebody.is_set():
                self._since = None  # whoever comes next begins with what is there then
                await self._somebody.wait()
            try:
                await self._look()
            except AWAY as error:
                log.warning("events wait for PostgreSQL: %s", type(error).__name__)
                await asyncio.sleep(5)
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        async with (await self._database.pool()).acquire() as connection:
            first = self._since is None
            newest: datetime = self._since or await connection.fetchval(NOW) + OVERLAP
            since = newest - OVERLAP
            alerts = await connection.fetch(NEW_ALERTS, since, list(self._sent), BATCH)
            states = await connection.fetch(STATES)
        for row in alerts:
            newest = max(newest, row["created_at"])
            self._sent[row["alert_id"]] = row["created_at"]
        self._since = newest
        self._sent = {alert: at for alert, at in self._sent.items() if at > since}
        changed = [row for row in states if self._states.get(row["channel"], 0) < row["seq"]]
        self._states = {row["channel"]: row["seq"] for row in states}
        for kind, found in (("channel", () if first else changed), ("alert", alerts)):
            for plain in sql.rows(found):
                self._hand_out(kind, plain)

    def _hand_out(self, kind: str, row: sql.Row) -> None:
        self._number += 1
        text = f"id: {self._number}\nevent: {kind}\ndata: {json.dumps(row, ensure_ascii=False)}\n\n"
        for queue in list(self._listeners):
            if queue.qsize() < QUEUE:
                queue.put_nowait(text)
            else:
                self._listeners.discard(queue)
                queue.put_nowait(None)


async def stream(request: web.Request) -> web.StreamResponse:
    """`GET /api/events`: events `channel` and `alert`, each with a row as JSON."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    await response.prepare(request)
    with request.app[FEED].listen() as queue, contextlib.suppress(ConnectionResetError):
        await response.write(b"retry: 2000\n\n")
        while True:
            try:
                text = await asyncio.wait_for(queue.get(), PING_SECONDS)
            except TimeoutError:
                text = ": ping\n\n"
            if text is None:
                break
            await response.write(text.encode())
    return response
