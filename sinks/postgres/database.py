"""Connections to Postgres: bounded in number and in time, opened when they are first needed, migrated before use.

Everything here ends within seconds, whatever the server does: a lock that is held, a network that swallows packets.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import asyncpg

from sinks.postgres.tables import Table

log = logging.getLogger(__name__)

CONNECT_SECONDS: Final = 5.0
STATEMENT_MS: Final = 10_000  # a statement that takes longer waits for a lock, or the server is ill
COMMAND_SECONDS: Final = 12.0  # the same seen from here, when the server does not answer at all
IDLE_MS: Final = 30_000  # a worker that hangs inside a transaction loses its locks
CLOSE_SECONDS: Final = 3.0

AWAY: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,  # the connection was closed under us
    asyncpg.InternalClientError,  # the connection died in the middle of a message
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, terminated, statement timeout
    asyncpg.InsufficientResourcesError,  # disk full, too many connections
    asyncpg.TransactionRollbackError,  # deadlock, serialisation
    asyncpg.LockNotAvailableError,
    asyncpg.InvalidAuthorizationSpecificationError,  # also while a password is being changed
    asyncpg.InvalidCatalogNameError,  # the database is not made yet
    asyncpg.InvalidTransactionStateError,  # ended by idle_in_transaction_session_timeout
    asyncpg.ReadOnlySQLTransactionError,  # a fail-over: this one is a replica now
)
"""What passes: waited for and tried again. Anything else is a mistake of ours or of the data."""


Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy


async def connect(dsn: str, *, statement_timeout: int = STATEMENT_MS) -> asyncpg.Connection:
    """One connection outside of any pool; `statement_timeout` in ms, 0 for none."""
    return await asyncpg.connect(dsn, timeout=CONNECT_SECONDS, server_settings=_settings(statement_timeout))


def _settings(statement_timeout: int) -> dict[str, str]:
    return {
        "application_name": "lockstep",
        "statement_timeout": str(statement_timeout),
        "idle_in_transaction_session_timeout": str(IDLE_MS),
        "timezone": "UTC",
        "jit": "off",  # compiling a short statement costs more than running it
    }


@dataclass
class Database:
    """A pool that is opened, and the schema migrated, at first use. Errors in AWAY mean: not now.

    `dsn` holds the password and is not shown.
    """

    dsn: str = field(repr=False)
    size: int = 6
    _pool: asyncpg.Pool | None = field(default=None, init=False, repr=False)
    _staged: dict[int, set[str]] = field(default_factory=dict, init=False, repr=False)  # by the server's process id
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock, init=False, repr=False)

    async def pool(self) -> asyncpg.Pool:
        """The open pool."""
        if self._pool is None:
            async with self._opening:
                if self._pool is None:
                    self._pool = await self._open()
        return self._pool

    async def _open(self) -> asyncpg.Pool:
        from sinks.postgres.migrate import migrate  # noqa: PLC0415 (it stands on this module)

        if done := await migrate(self.dsn):
            log.info("migrated the database: %s", ", ".join(done))
        return await asyncpg.create_pool(
            self.dsn, min_size=0, max_size=self.size, timeout=CONNECT_SECONDS, command_timeout=COMMAND_SECONDS,
            max_inactive_connection_lifetime=300, server_settings=_settings(STATEMENT_MS), init=self._fresh,
        )  # fmt: skip

    @asynccontextmanager
    async def transaction(self, *tables: Table) -> AsyncIterator[Connection]:
        """A connection inside a transaction, with staging for these tables; committed at the end, unless that raises.

        When a commit's answer is lost its outcome is unknown: the caller tries again, and every write finds its own rows.
        """
        pool = await self.pool()
        connection = await pool.acquire(timeout=COMMAND_SECONDS)
        try:
            for table in tables:
                await self._stage(connection, table)
            transaction = connection.transaction()
            await transaction.start()
            yield connection
            await transaction.commit()
        except BaseException:
            connection.terminate()  # its state is not known: a rollback could take as long as the failure did
            raise
        finally:
            await pool.release(connection)

    async def _fresh(self, connection: Connection) -> None:
        """A new connection has no staging tables, whatever an earlier one with its process id had."""
        self._staged[connection.get_server_pid()] = set()

    async def _stage(self, connection: Connection, table: Table) -> None:
        """Make a connection's staging table, once: outside of the transaction, which may be rolled back."""
        staged = self._staged[connection.get_server_pid()]
        if table.name not in staged:
            await connection.execute(table.create_stage)
            staged.add(table.name)

    async def answers(self) -> bool:
        """Whether the database answers now."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return bool(await (await self.pool()).fetchval("SELECT true"))
        except AWAY:
            return False

    async def close(self) -> None:
        """Close all connections, by force when that takes longer than a moment."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            await asyncio.wait_for(pool.close(), CLOSE_SECONDS)
        except AWAY:
            pool.terminate()
