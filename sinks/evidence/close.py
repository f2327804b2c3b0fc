"""Closing a day in Postgres: prove the chains that grew, keep their heads, take the root over all heads.

One transaction a day, from one snapshot of the database: whoever dies in it leaves nothing, and a day that is closed stays
as it is. Memory is bounded: everything is read through cursors, and a tree keeps a few hashes.
"""

import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

import asyncpg

from schemas.evidence import AuditRoot
from sinks.evidence.chain import COLUMNS, ZERO, Chain, Fault
from sinks.evidence.merkle import Tree
from sinks.evidence.roots import days_due, head_leaf, sealed

log = logging.getLogger(__name__)
LOCK: Final = 0x10C57E9A  # of pg_advisory_lock: one closing at a time in a database
KEYS: Final = 1000  # chains that are proven at once
PREFETCH: Final = 2000  # rows that a cursor brings at once
OVERLAP: Final = timedelta(days=1)
"""`written_at` is when a transaction began, by a clock that may be set back: so much before the last closing is looked at again."""

_LAST: Final = "SELECT * FROM lockstep.audit_roots ORDER BY day DESC LIMIT 1"
_STARTED: Final = "SELECT EXISTS (SELECT 1 FROM lockstep.audit WHERE written_at < $1)"
_GROWN: Final = "SELECT DISTINCT order_key FROM lockstep.audit WHERE $1::timestamptz IS NULL OR written_at >= $1"
_HEADS: Final = """
    SELECT DISTINCT ON (order_key) order_key, seq, head FROM lockstep.audit_heads
    WHERE order_key = ANY($1::text[]) ORDER BY order_key, day DESC
"""
_RECORDS: Final = f"""
    SELECT {", ".join(f"a.{name}" for name in (*COLUMNS, "hash"))} FROM unnest($1::text[], $2::bigint[]) AS known (order_key, seq)
    JOIN lockstep.audit a ON a.order_key = known.order_key AND a.seq > known.seq ORDER BY a.order_key, a.seq
"""  # noqa: S608 (names are our own)
BY_INDEX: Final = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off"
"""A batch of keys is looked up row by row, whatever the planner knows of a table that has just grown."""
_KEEP: Final = """
    INSERT INTO lockstep.audit_heads (order_key, day, seq, head)
    SELECT order_key, $1, seq, head FROM unnest($2::text[], $3::bigint[], $4::text[]) AS grown (order_key, seq, head)
"""
_ALL: Final = "SELECT DISTINCT ON (order_key) order_key, day, seq, head FROM lockstep.audit_heads ORDER BY order_key, day DESC"
_SEAL: Final = """
    INSERT INTO lockstep.audit_roots (day, closed_at, records, chains, grown, broken, growth, previous, tree, root)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""


@dataclass
class Closed:
    """A day that was closed now, and the first chains that could not be proven."""

    root: AuditRoot
    faults: list[tuple[str, Fault]] = field(default_factory=list)


MOST_FAULTS: Final = 20  # that people are told of one by one; all are counted
Tell = Callable[[asyncpg.Connection, Closed], Any]
"""Writes, inside the closing's transaction, what people must know."""


def ms(value: datetime) -> int:
    """A time as milliseconds since the epoch, cut."""
    return int(value.timestamp()) * 1000 + value.microsecond // 1000


def as_root(row: Any) -> AuditRoot:
    """A row of audit_roots."""
    return AuditRoot(**{**row, "day": row["day"].isoformat(), "closed_at": ms(row["closed_at"])})


async def due(connection: Any, now: int) -> list[date]:
    """The days that are to be closed at `now` (ms), in order; none before there are records of a day that has ended."""
    last = await connection.fetchval("SELECT max(day) FROM lockstep.audit_roots")
    days = days_due(last, now)
    if last is None and days:
        midnight = datetime.fromisoformat(f"{days[0] + timedelta(days=1)}T00:00:00+08:00")
        if not await connection.fetchval(_STARTED, midnight):
            return []
    return days


async def close(connection: asyncpg.Connection, day: date, tell: Tell) -> Closed:
    """Close a day; the caller holds LOCK. Raises asyncpg.UniqueViolationError if it is closed already."""
    async with connection.transaction(isolation="repeatable_read"):
        closed_at = (await connection.fetchval("SELECT now()")).replace(microsecond=0)
        last = await connection.fetchrow(_LAST)
        since = last["closed_at"] - OVERLAP if last else None
        faults: list[tuple[str, Fault]] = []
        broken = 0
        async for key, fault in _grow(connection, day, since):
            broken += 1
            if len(faults) < MOST_FAULTS:
                faults.append((key, fault))
        root = await _seal(connection, day, closed_at, last["root"] if last else ZERO, broken)
        closed = Closed(root, faults)
        await tell(connection, closed)
    return closed


async def _grow(connection: asyncpg.Connection, day: date, since: datetime | None) -> AsyncIterator[tuple[str, Fault]]:
    """Keep the heads of the chains that grew; what could not be proven."""
    cursor = await connection.cursor(_GROWN, since)
    await connection.execute(BY_INDEX)  # from here on; the cursor has its plan
    while rows := await cursor.fetch(KEYS):
        keys = [row["order_key"] for row in rows]
        known = {row["order_key"]: (row["seq"], row["head"]) for row in await connection.fetch(_HEADS, keys)}
        starts = [known.get(key, (0, ZERO)) for key in keys]
        chains = {key: Chain(*start) for key, start in zip(keys, starts, strict=True)}
        async for row in connection.cursor(_RECORDS, keys, [seq for seq, _ in starts], prefetch=PREFETCH):
            chains[row["order_key"]].take(row)
        grown = [(key, chain.seq, chain.head) for key, chain in chains.items() if chain.seq > known.get(key, (0, ZERO))[0]]
        if grown:
            await connection.execute(_KEEP, day, *map(list, zip(*grown, strict=True)))
        for key, fault in _faults(chains):
            yield key, fault


def _faults(chains: dict[str, Chain]) -> Iterator[tuple[str, Fault]]:
    return ((key, chain.fault) for key, chain in chains.items() if chain.fault)


async def _seal(connection: asyncpg.Connection, day: date, closed_at: datetime, previous: str, broken: int) -> AuditRoot:
    tree, growth, records = Tree(), Tree(), 0
    async for row in connection.cursor(_ALL, prefetch=PREFETCH):
        data = head_leaf(row["order_key"], row["seq"], row["head"])
        tree.add(data)
        records += row["seq"]
        if row["day"] == day:
            growth.add(data)
    root = sealed(
        day=day.isoformat(), closed_at=ms(closed_at), records=records, chains=tree.size, grown=growth.size, broken=broken,
        growth=growth.root.hex(), previous=previous, tree=tree.root.hex(),
    )  # fmt: skip
    await connection.execute(
        _SEAL, day, closed_at, root.records, root.chains, root.grown, root.broken, root.growth, root.previous, root.tree, root.root
    )
    return root


async def unpublished(connection: Any) -> Sequence[AuditRoot]:
    """Roots that the topic may not hold yet, in order of days."""
    rows = await connection.fetch(
        "SELECT r.* FROM lockstep.audit_roots r LEFT JOIN lockstep.audit_root_copies c USING (day) WHERE c.day IS NULL ORDER BY r.day"
    )
    return [as_root(row) for row in rows]


async def published(connection: Any, root: AuditRoot) -> None:
    """The topic holds it."""
    await connection.execute(
        "INSERT INTO lockstep.audit_root_copies (day, published_at) VALUES ($1, now()) ON CONFLICT DO NOTHING", date.fromisoformat(root.day)
    )
