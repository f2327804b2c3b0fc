"""The one way into every table: COPY into a staging table, then one statement that merges it.

A batch may be repeated, older than what is stored, or hold a key many times; the table ends the same.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from sinks.postgres.database import Connection
from sinks.postgres.tables import Row, Table

Fresh = Sequence[Row]
"""Values of `Table.counts`, whether their rows are new (else updated), and how many they are."""


@dataclass(frozen=True)
class Merged:
    """What became of a batch: rows inserted or updated, and keys whose row differs from the stored one (`Table.fixed`)."""

    written: int
    differing: tuple[Row, ...] = ()
    fresh: Fresh = field(default=(), compare=False)  # for metrics


def condense(table: Table, rows: Iterable[Row]) -> tuple[list[Row], list[Row]]:
    """One row a key, in the order of keys: concurrent batches then lock alike. And the keys of a fixed table that differ here."""
    key: Callable[[Row], Any] = itemgetter(*table.key_at)
    newer = table.newer_at
    kept: dict[Any, Row] = {}
    differing: dict[Any, Row] = {}
    for row in rows:
        name = key(row)
        known = kept.setdefault(name, row)
        if known is row:
            continue
        if newer is not None:
            if row[newer] > known[newer]:
                kept[name] = row
        elif table.fixed and row != known:
            differing[name] = tuple(row[at] for at in table.key_at)
    return [kept[name] for name in sorted(kept)], list(differing.values())


async def upsert(connection: Connection, table: Table, rows: Sequence[Row]) -> Merged:
    """Write rows inside the caller's transaction, which was opened with this table staged."""
    unique, differing = condense(table, rows)
    await connection.copy_records_to_table(table.stage, schema_name="pg_temp", columns=table.columns, records=unique)
    if table.counts:
        fresh = [tuple(record.values()) for record in await connection.fetch(table.merge)]
        return Merged(sum(row[-1] for row in fresh), tuple(differing), fresh)
    status = await connection.execute(table.merge)
    written = int(status.rsplit(" ", 1)[1])
    if table.fixed and written < len(unique):
        found = [tuple(record.values()) for record in await connection.fetch(table.differing)]
        differing += [key for key in found if key not in differing]
    return Merged(written, tuple(differing))
