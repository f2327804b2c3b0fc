"""Group commit: batches that arrive while a transaction is under way share the next one.

At a low rate a batch is a record or two, and a transaction costs far more than its rows; at a high rate the groups fill up by
themselves. A batch is in exactly one transaction. When a group fails by its data, each batch is tried alone, so that only
the partition of the sick one waits.
"""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import asyncpg

from sinks import happened, metrics
from sinks.postgres.counts import RawBatch, count
from sinks.postgres.database import AWAY, Connection, Database
from sinks.postgres.rows import clean
from sinks.postgres.tables import ALERTS, TABLES, Row, Table
from sinks.postgres.upsert import Fresh, upsert

log = logging.getLogger(__name__)
LINGER: Final = 0.02  # seconds that a transaction waits for company
GROUP_ROWS: Final = 16_000  # of a group, while the database keeps up
LEAST_ROWS: Final = 250
LANES: Final = 2  # transactions at a time: one is encoded here while the other is merged there
GROUP_SECONDS: Final = 25.0  # a whole transaction, below the engine's patience

Differing = Callable[[Table, tuple[Row, ...]], Iterable[Row]]
"""(table, keys whose stored row says something else) → rows of alerts that say so."""


@dataclass
class Batch:
    """One record batch, as rows. `done` is set when they are durable."""

    rows: dict[Table, list[Row]] = field(default_factory=dict)
    raw: RawBatch | None = None
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def size(self) -> int:
        """Rows."""
        return sum(map(len, self.rows.values()))

    def add(self, pairs: Iterable[tuple[Table, Row]]) -> None:
        """Take rows in."""
        for table, row in pairs:
            if table in self.rows:
                self.rows[table].append(row)
            else:
                self.rows[table] = [row]


class Committer:
    """Writes batches in groups. `write` raises what is in AWAY when the database is not there: nothing is written then."""

    def __init__(self, database: Database, *, linger: float = LINGER) -> None:
        self._database, self._linger = database, linger
        self.on_differing: Differing = lambda _table, _keys: ()  # who makes alerts of broken audit chains
        self._waiting: list[Batch] = []
        self._lanes: set[asyncio.Task[None]] = set()
        self._room = GROUP_ROWS  # halved when a group fails, so that a slow database gets what it can do in time
        self._gathering = False  # a lane waits for company, and will take whatever comes
        self.on_alerts: Callable[[], None] = lambda: None  # called after alerts were written

    async def write(self, batch: Batch) -> None:
        """Return when the batch is durable."""
        self._waiting.append(batch)
        if not self._gathering and len(self._lanes) < LANES:
            self._gathering = True
            lane = asyncio.create_task(self._lane(), name="postgres-lane")
            self._lanes.add(lane)
            lane.add_done_callback(self._lanes.discard)
        await batch.done

    async def _lane(self) -> None:
        """Gather a group for a moment, then commit until nothing waits."""
        await asyncio.sleep(self._linger)
        self._gathering = False
        while group := self._take():
            await self._commit(group)

    def _take(self) -> list[Batch]:
        """As many waiting batches as fit, at least one; those whose reader has given up are left out."""
        group: list[Batch] = []
        size = 0
        while self._waiting and (not group or size + self._waiting[0].size <= self._room):
            batch = self._waiting.pop(0)
            if not batch.done.done():
                group.append(batch)
                size += batch.size
        return group

    async def _commit(self, group: list[Batch]) -> None:
        try:
            await self._transact(group)
        except AWAY as error:
            self._room = max(self._room // 2, LEAST_ROWS)
            _fail(group, error)
        except Exception as error:  # noqa: BLE001 (our fault or the data's: the reader says which batch, and goes on trying)
            if len(group) == 1:
                await self._alone(group[0], error)
            for batch in group if len(group) > 1 else ():
                await self._commit([batch])
        else:
            self._room = min(self._room * 2, GROUP_ROWS)
            for batch in group:
                if not batch.done.done():
                    batch.done.set_result(None)

    async def _alone(self, batch: Batch, error: Exception) -> None:
        """Try a sick batch once more in a form that Postgres takes; characters that it cannot hold are replaced."""
        cleaned = {table: [clean(row) for row in rows] for table, rows in batch.rows.items()}
        if not isinstance(error, asyncpg.DataError) or cleaned == batch.rows:
            return _fail([batch], error)
        batch.rows = cleaned
        log.warning("a batch held characters that Postgres cannot store; they are written as U+FFFD")
        return await self._commit([batch])

    async def _transact(self, group: list[Batch]) -> None:
        rows: dict[Table, list[Row]] = defaultdict(list)
        for batch in group:
            for table, some in batch.rows.items():
                rows[table] += some
        wanted = [table for table in TABLES if table in rows or (table is ALERTS and any(each.fixed for each in rows))]
        fresh: dict[Table, Fresh] = {}
        with metrics.TRANSACTION_SECONDS.time():
            async with asyncio.timeout(GROUP_SECONDS), self._database.transaction(*wanted) as connection:
                if raw := [batch.raw for batch in group if batch.raw]:
                    metrics.RAW_COUNTED.inc(await count(connection, raw))
                for table in wanted:
                    fresh[table] = await self._merge(connection, table, rows)
        for table in wanted:
            _measure(table, rows[table], fresh[table])
        if rows[ALERTS]:
            self.on_alerts()

    async def _merge(self, connection: Connection, table: Table, rows: dict[Table, list[Row]]) -> Fresh:
        if not rows[table]:
            return ()
        merged = await upsert(connection, table, rows[table])
        if merged.differing:
            metrics.AUDIT_BROKEN.inc(len(merged.differing))
            rows[ALERTS] += self.on_differing(table, merged.differing)
        return merged.fresh

    async def close(self) -> None:
        """Wait for what is under way."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*self._lanes, return_exceptions=True), GROUP_SECONDS)


def _measure(table: Table, rows: list[Row], fresh: Fresh) -> None:
    """Count what is committed."""
    metrics.ROWS.labels(table.name).inc(len(rows))
    if (at := table.received_at) is not None:
        metrics.LATENCY.observe(table.name, [row[at].timestamp() for row in rows])
    happened.count(table, fresh)


def _fail(group: list[Batch], error: Exception) -> None:
    for batch in group:
        if not batch.done.done():
            batch.done.set_exception(error)
