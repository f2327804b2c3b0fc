"""Server-sent events: what changed in the tables, looked up once for all listeners."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from ops import sql
from ops.board import asked, metrics, queries
from ops.board.alerts import shown
from ops.board.asked import Refused
from ops.board.keys import FEED
from ops.board.overview import Snapshot
from sinks.postgres.database import AWAY, Database

log = logging.getLogger("lockstep.board")

LOOK_SECONDS = 1.0
PING_SECONDS = 15.0
QUEUE = 256  # events that may wait for a slow listener; beyond, it must come again
BATCH = 500
MAX_LISTENERS = 200
MAX_WATCHED = 20
OVERLAP = timedelta(seconds=10)  # a transaction that began earlier may commit later
NEW_ALERTS = f"""
SELECT {queries.ALERT} FROM lockstep.alerts
WHERE created_at > $1 AND alert_id <> ALL($2) ORDER BY created_at, alert_id LIMIT $3"""  # noqa: S608 - a constant
NOW = "SELECT now()"


@dataclass(eq=False)
class Listener:
    """One open stream: events as they go over the wire, None at its end; and what it watches, with the version it knows."""

    watched: frozenset[str] = frozenset()
    queue: "asyncio.Queue[str | None]" = field(default_factory=lambda: asyncio.Queue(QUEUE + 1))
    versions: dict[str, int] = field(default_factory=dict)
    counts: bool = False  # whether it was sent the newest counts


class Feed:
    """Looks at the tables while somebody listens, and hands out what is new."""

    def __init__(self, database: Database, snapshot: Snapshot) -> None:
        self._database, self._snapshot = database, snapshot
        self._listeners: set[Listener] = set()
        self._somebody = asyncio.Event()
        self._since: datetime | None = None
        self._sent: dict[str, datetime] = {}  # alerts of the overlap
        self._states: dict[str, int] = {}
        self._counts: sql.Row = {}
        self._number = 0

    @contextlib.contextmanager
    def listen(self, watched: frozenset[str] = frozenset()) -> Iterator["asyncio.Queue[str | None]"]:
        """A queue of events; None at its end: the listener was too slow. Raises Refused when too many listen."""
        if len(self._listeners) >= MAX_LISTENERS:
            raise Refused(503, "too many pages listen; try again")
        listener = Listener(watched)
        self._listeners.add(listener)
        self._somebody.set()
        metrics.LISTENERS.inc()
        try:
            yield listener.queue
        finally:
            self._listeners.discard(listener)
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
        keys = sorted({key for listener in self._listeners for key in listener.watched})
        async with (await self._database.pool()).acquire() as connection:
            first = self._since is None
            newest: datetime = self._since or await connection.fetchval(NOW) + OVERLAP
            since = newest - OVERLAP
            alerts = await connection.fetch(NEW_ALERTS, since, list(self._sent), BATCH)
            states = await connection.fetch(queries.STATES)
            versions = await connection.fetch(queries.VERSIONS, keys) if keys else []
        for row in alerts:
            newest = max(newest, row["created_at"])
            self._sent[row["alert_id"]] = row["created_at"]
        self._since = newest
        self._sent = {alert: at for alert, at in self._sent.items() if at > since}
        changed = [row for row in states if self._states.get(row["channel"], 0) < row["seq"]]
        self._states = {row["channel"]: row["seq"] for row in states}
        for kind, found in (("channel", [] if first else sql.rows(changed)), ("alert", shown(alerts))):
            for plain in found:
                self._hand_out(kind, plain)
        self._tell_watchers({row["key"]: row["version"] for row in versions})
        self._tell_counts(await self._snapshot.get())

    def _tell_watchers(self, versions: dict[str, int]) -> None:
        """What a page watches has changed since it was opened."""
        for listener in list(self._listeners):
            for key in listener.watched & versions.keys():
                if listener.versions.get(key, versions[key]) < versions[key]:
                    self._put(listener, self._event("changed", {"key": key, "version": versions[key]}))
                listener.versions[key] = versions[key]

    def _tell_counts(self, counts: sql.Row) -> None:
        """The overview, to everybody when it changed and to whoever is new."""
        known = {name: value for name, value in self._counts.items() if name != "at"}
        changed = known != {name: value for name, value in counts.items() if name != "at"}
        self._counts = counts
        text = ""
        for listener in list(self._listeners):
            if changed or not listener.counts:
                text = text or self._event("overview", counts)
                self._put(listener, text)
                listener.counts = True

    def _hand_out(self, kind: str, row: sql.Row) -> None:
        text = self._event(kind, row)
        for listener in list(self._listeners):
            self._put(listener, text)

    def _event(self, kind: str, row: sql.Row) -> str:
        self._number += 1
        return f"id: {self._number}\nevent: {kind}\ndata: {json.dumps(row, ensure_ascii=False)}\n\n"

    def _put(self, listener: Listener, text: str) -> None:
        if listener.queue.qsize() < QUEUE:
            listener.queue.put_nowait(text)
        elif listener in self._listeners:
            self._listeners.discard(listener)
            listener.queue.put_nowait(None)


async def stream(request: web.Request) -> web.StreamResponse:
    """`GET /api/events`: `channel` and `alert` with a row as JSON, `overview` with its counts, `changed` of what `watch` names."""
    watched = request.query.getall("watch", [])
    if len(watched) > MAX_WATCHED or not all(asked.storable(key) for key in watched):
        raise Refused(400, f"watch names at most {MAX_WATCHED} orders or parcels")
    with request.app[FEED].listen(frozenset(watched)) as queue:
        return await _send(request, queue)


async def _send(request: web.Request, queue: "asyncio.Queue[Any]") -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    await response.prepare(request)
    with contextlib.suppress(ConnectionResetError):
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
