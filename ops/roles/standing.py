"""Gauges of what stands in the database: read every 15 s by the board's role alone, or sums over workers would double.

What cannot be read is not shown: while PostgreSQL is away its values are absent, and `lockstep_database_up` is 0.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Final

import asyncpg
from aiokafka.errors import KafkaError
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import GaugeMetricFamily

from ops.reports import accounting, standing
from ops.reports.accounting import Accounts, Place
from ops.reports.standing import Known, Samples
from schemas.metrics import NAMED, Bounded
from sinks.postgres.database import AWAY, Database
from streams.records.logs import calm

log = calm(logging.getLogger("lockstep.standing"))
EVERY: Final = 15.0  # seconds between two readings
ACCOUNTS_EVERY: Final = 60.0
SHARE: Final = 20  # a reading is taken again after so many times its own duration: it costs a database at most a twentieth
READ_SECONDS: Final = 30.0  # seconds of one reading
ACCOUNT_TRIES: Final = 4  # looks for a moment of rest, half a second apart
ACCOUNTS: Final = (
    "lockstep_accounting_facts_difference",
    "lockstep_accounting_orders_difference",
    "lockstep_accounting_rest_timestamp_seconds",
    "lockstep_accounting_timestamp_seconds",
)
NAMES: Final = (
    "lockstep_database_up",
    "lockstep_counted_timestamp_seconds",
    "lockstep_channel_state",
    "lockstep_channel_conflicts",
    "lockstep_channel_conflicts_limit",
    "lockstep_conflicts_open",
    "lockstep_orders_held",
    "lockstep_orders_held_oldest_timestamp_seconds",
    "lockstep_parcels_stalled",
    "lockstep_alerts_day",
    "lockstep_alerts_oldest_pending_timestamp_seconds",
    "lockstep_dead_letters_stored",
    "lockstep_source_silent",
    "lockstep_audit_head_timestamp_seconds",
    "lockstep_audit_root_timestamp_seconds",
    "lockstep_audit_root_broken",
    *ACCOUNTS,
)


class Standing:
    """What was read last, for Prometheus. A series that is read no more is shown no more."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.values: Samples = {}
        self.accounts: Samples = {}
        registry.register(self)

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Give the families without values."""
        return [GaugeMetricFamily(name, NAMED[name].says, labels=NAMED[name].labels) for name in NAMES]

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Give what was read last."""
        found = self.values | self.accounts
        for family in self.describe():
            for labels, value in found.get(family.name, {}).items():
                family.add_metric(labels, value)
            yield family

    def take(self, accounts: Accounts, now: float) -> None:
        """Take both accounts. Facts between two stages are nowhere for a moment: their difference is of a moment of rest."""
        bounded = Bounded()
        told: Samples = dict(self.accounts)
        if accounts.settled:
            told[ACCOUNTS[0]] = {(bounded(row.source),): float(row.difference) for row in accounts.facts}
            told[ACCOUNTS[2]] = {(): now}
        told[ACCOUNTS[1]] = {(row.channel,): float(row.difference) for row in accounts.orders}
        told[ACCOUNTS[3]] = {(): now}
        self.accounts = told


async def _again(every: float, read: Callable[[], Awaitable[None]]) -> None:
    """Read for ever, at most a twentieth of the time."""
    while True:
        began = time.monotonic()
        await read()
        await asyncio.sleep(max(every, SHARE * (time.monotonic() - began)))


def _reading(standing_: Standing, database: Database, known: Known) -> Callable[[], Awaitable[None]]:
    async def read() -> None:
        try:
            async with (
                asyncio.timeout(READ_SECONDS),
                (await database.pool()).acquire() as connection,
                connection.transaction(readonly=True),
            ):
                found = await standing.take(connection, known, datetime.now(UTC))
            standing_.values = found | {"lockstep_database_up": {(): 1.0}}
        except (*AWAY, asyncpg.PostgresError) as error:
            log.warning("PostgreSQL cannot be read, its gauges are absent: %s", type(error).__name__)
            standing_.values = {"lockstep_database_up": {(): 0.0}}

    return read


def _accounting(standing_: Standing, dsn: str, place: Place) -> Callable[[], Awaitable[None]]:
    async def read() -> None:
        try:
            async with asyncio.timeout(READ_SECONDS):
                standing_.take(await accounting.take(dsn, place, ACCOUNT_TRIES), time.time())
        except (KafkaError, *AWAY, asyncpg.PostgresError) as error:  # its timestamp says that it is old
            log.warning("the accounts cannot be taken now: %s", type(error).__name__)

    return read


@contextlib.asynccontextmanager
async def shown(dsn: str, known: Known, place: Place, registry: CollectorRegistry = REGISTRY) -> AsyncIterator[Standing]:
    """Read and show while this is open."""
    database, found = Database(dsn, size=1), Standing(registry)
    tasks = [
        asyncio.create_task(_again(EVERY, _reading(found, database, known)), name="standing"),
        asyncio.create_task(_again(ACCOUNTS_EVERY, _accounting(found, dsn, place)), name="accounts"),
    ]
    try:
        yield found
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await database.close()
        registry.unregister(found)
