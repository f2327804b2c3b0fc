"""Versioned migrations: plain SQL files, applied once each, in order, under a lock, with their checksums kept.

A file that was applied is never edited: the next change is the next file.
"""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from sinks.postgres.database import connect

log = logging.getLogger(__name__)
FOLDER: Final = Path(__file__).parent / "migrations"
LOCK: Final = 0x10C57E9  # of pg_advisory_xact_lock: one migration at a time in a database
APPLIED: Final = """
    CREATE SCHEMA IF NOT EXISTS lockstep;
    CREATE TABLE IF NOT EXISTS lockstep.schema_migrations (
        version    integer PRIMARY KEY,
        name       text NOT NULL,
        checksum   text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
"""


class MigrationError(RuntimeError):
    """The files and what the database says was applied do not fit together."""


@dataclass(frozen=True)
class Migration:
    """One file: `0001_tables.sql` has version 1 and name `0001_tables`."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, in hex."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations(folder: Path = FOLDER) -> list[Migration]:
    """All files in order. Raises MigrationError where versions do not count 1, 2, 3 …"""
    found = [Migration(int(file.name.split("_")[0]), file.stem, file.read_text("utf-8")) for file in sorted(folder.glob("*.sql"))]
    if [each.version for each in found] != list(range(1, len(found) + 1)):
        raise MigrationError(f"{folder}: versions must count from 1 without a gap, found {[each.name for each in found]}")
    return found


async def migrate(dsn: str, folder: Path = FOLDER) -> list[str]:
    """Bring the database up to date, all or nothing; the names of what was applied now. Safe to run at once from anywhere.

    Raises MigrationError when an applied file was edited since.
    """
    connection = await connect(dsn, statement_timeout=0)  # it waits for its turn, and a big table takes its time
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            await connection.execute(APPLIED)
            return await _apply(connection, migrations(folder))
    finally:
        await connection.close()


async def _apply(connection: asyncpg.Connection, wanted: list[Migration]) -> list[str]:
    rows = await connection.fetch("SELECT version, name, checksum FROM lockstep.schema_migrations ORDER BY version")
    applied = {row["version"]: row for row in rows}
    done = []
    for each in wanted:
        if (known := applied.get(each.version)) is None:
            await connection.execute(each.sql)
            await connection.execute(
                "INSERT INTO lockstep.schema_migrations (version, name, checksum) VALUES ($1, $2, $3)",
                each.version, each.name, each.checksum,
            )  # fmt: skip
            done.append(each.name)
        elif known["checksum"] != each.checksum:
            raise MigrationError(f"migration {each.name} was edited after it was applied: undo the edit and write the next file")
    if newer := [row["name"] for version, row in applied.items() if version > len(wanted)]:
        log.warning("the database is newer than this program: it has %s; going on, since migrations only add", ", ".join(newer))
    return done
