"""Proves the audit chains: from the database alone, and against its copies on Kafka where it is reached.

What was rooted is held against the roots, the roots against each other and against the topic; what is newer, against the
orders' own rows and the topic order.audit. Reads through cursors: memory stays small, however many orders there are.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import asyncpg

from ops.reports.chains import Chains, broken
from ops.reports.copies import Copies
from ops.reports.roots import Book, Broken, copies_differ
from schemas.evidence import AuditRoot
from schemas.records import AuditRecord
from sinks.evidence.chain import COLUMNS
from sinks.evidence.close import BY_INDEX, as_root
from sinks.evidence.merkle import Tree
from sinks.evidence.roots import head_leaf
from sinks.postgres.database import connect

BATCH: Final = 500  # chains at once
PREFETCH: Final = 2000  # rows that a cursor brings at once
MOST: Final = 1000  # findings that are kept; all are counted
_KEYS: Final = """
SELECT k.order_key, o.order_key IS NOT NULL AS known, o.audit_seq, o.audit_head FROM (
    SELECT order_key FROM lockstep.audit UNION SELECT order_key FROM lockstep.audit_heads
    UNION SELECT order_key FROM lockstep.orders WHERE audit_seq > 0) k
LEFT JOIN lockstep.orders o ON o.order_key = k.order_key ORDER BY k.order_key COLLATE "C" """
_ROOTED: Final = """
SELECT DISTINCT order_key, false AS known, null::bigint AS audit_seq, null::text AS audit_head
FROM lockstep.audit_heads WHERE day <= $1 ORDER BY order_key"""
_SOME: Final = """
SELECT k.order_key, o.order_key IS NOT NULL AS known, o.audit_seq, o.audit_head
FROM unnest($1::text[]) AS k (order_key) LEFT JOIN lockstep.orders o USING (order_key)"""
_ANCHORS: Final = """
SELECT order_key, day, seq, head FROM lockstep.audit_heads
WHERE order_key = ANY($1::text[]) AND ($2::date IS NULL OR day <= $2) ORDER BY order_key, day"""
_RECORDS: Final = f"""
SELECT {", ".join(f"a.{name}" for name in (*COLUMNS, "hash"))} FROM unnest($1::text[], $2::bigint[]) AS wanted (order_key, seq)
JOIN lockstep.audit a ON a.order_key = wanted.order_key AND a.seq <= wanted.seq ORDER BY a.order_key, a.seq"""  # noqa: S608 (our own names)
_NEWER: Final = """
SELECT a.order_key, a.seq, a.hash, a.derived, a.clock FROM unnest($1::text[], $2::bigint[]) AS told (order_key, seq)
JOIN lockstep.audit a ON a.order_key = told.order_key AND a.seq = told.seq"""


@dataclass(frozen=True)
class Patience:
    """How often, and how far apart in seconds, what may still be on its way is looked at again."""

    tries: int = 10
    pause: float = 0.5


PATIENCE: Final = Patience()


@dataclass
class Verdict:
    """What a verification found. `root` is the tree over the heads of the chains that were looked at."""

    records: int = 0
    chains: int = 0
    unrooted: int = 0  # records that no root vouches for yet
    broken: list[Broken] = field(default_factory=list)  # the first MOST of them
    count: int = 0  # of all that is broken
    root: str = ""
    closed: AuditRoot | None = None  # the root of the day asked for, else the last one
    notes: list[str] = field(default_factory=list)

    def add(self, found: Iterable[Broken]) -> None:
        """Keep what is broken."""
        for one in found:
            self.count += 1
            if len(self.broken) < MOST:
                self.broken.append(one)


@asynccontextmanager
async def _snapshot(database: asyncpg.Connection) -> AsyncIterator[None]:
    async with database.transaction(isolation="repeatable_read", readonly=True):
        yield


async def verify(
    dsn: str,
    key: str | None = None,
    day: date | None = None,
    *,
    copies: Copies | None = None,
    held: str | None = None,
    patience: Patience | None = None,
) -> Verdict:
    """Verify one order's chain or all; with a Shanghai day, what that day's root vouches for.

    `copies` is where Kafka has them, None where it is not reached; `held` a root that somebody has kept: of the day, else the last.

    Raises:
        OSError, asyncpg.PostgresError, KafkaError: a server is away.
    """
    told = await copies.roots() if copies else None  # before the database is read: whatever is published is in it
    ends = await copies.written() if copies else {}
    database = await connect(dsn, statement_timeout=0)
    try:
        await database.execute("SET idle_in_transaction_session_timeout = 0")  # while Kafka is read
        verdict = Verdict()
        async with _snapshot(database):
            book = await _book(database, day)
            _judge(verdict, book, day, told, held)
            walk = Walk(database, book, day if book.asked else None)
            unsure = await walk.all(verdict, key)
            if copies and not book.asked:
                since = book.last.closed_at if book.last else None
                async for found in _missing(database, copies.newer(since, ends), key):
                    verdict.add([found])
        verdict.add(await _settle(walk, unsure, patience or PATIENCE, copies, verdict))
        return verdict
    finally:
        await database.close()


async def _book(database: asyncpg.Connection, day: date | None) -> Book:
    roots = [as_root(row) for row in await database.fetch("SELECT * FROM lockstep.audit_roots ORDER BY day")]
    book = Book(roots, day.isoformat() if day else None)
    heads = "SELECT order_key, day, seq, head FROM lockstep.audit_heads ORDER BY order_key, day"
    async for row in database.cursor(heads, prefetch=PREFETCH):
        book.take(row)
    book.end()
    return book


def _judge(verdict: Verdict, book: Book, day: date | None, told: list[AuditRoot] | None, held: str | None) -> None:
    """The roots themselves."""
    verdict.closed = book.asked or book.last
    verdict.add(book.broken)
    if told is not None:
        broken, uncopied = copies_differ(book.roots, told)
        verdict.add(broken)
        if uncopied:
            verdict.notes.append(f"the topic has no copy of the roots of: {', '.join(uncopied)}")
    if day and not book.asked:
        verdict.notes.append(f"{day} has no root: a day is closed ten minutes after its midnight in Shanghai; everything was verified")
    if held is None:
        return
    if verdict.closed is None or (day and not book.asked):
        verdict.add([Broken("is missing: you hold one", day=str(day or "the last day"))])
    elif verdict.closed.root != held.lower():
        verdict.add([Broken(f"is not the one that you hold: the database has {verdict.closed.root}", day=verdict.closed.day)])


class Walk:
    """Follows chains in one database, in batches; `day` limits them to what its root vouches for."""

    def __init__(self, database: asyncpg.Connection, book: Book, day: date | None) -> None:
        self.database, self.book, self.day = database, book, day
        self.more = 0  # orders that may be on their way, beyond MOST: what becomes of them is not waited for

    async def all(self, verdict: Verdict, key: str | None) -> list[Broken]:
        """Follow one chain or all; what is broken goes into the verdict, what may be on its way is returned."""
        tree, unsure = Tree(), list[Broken]()
        query, arguments = (_SOME, [[key]]) if key is not None else (_ROOTED, [self.day]) if self.day else (_KEYS, [])
        cursor = await self.database.cursor(query, *arguments)
        await self.database.execute(BY_INDEX)  # from here on; the cursor has its plan
        while batch := await cursor.fetch(BATCH):
            chains = await self._follow(batch)
            for name, chain in chains.end():
                verdict.chains += 1
                tree.add(head_leaf(name, chain.seq, chain.head))
                if chain.fault:
                    found = broken(name, chain)
                    self._take(found, unsure, verdict)
            verdict.records += chains.records
            verdict.unrooted += chains.unrooted
        verdict.root = tree.root.hex()
        return unsure

    def _take(self, found: Broken, unsure: list[Broken], verdict: Verdict) -> None:
        if not found.unsure:
            verdict.add([found])
        elif len(unsure) < MOST:
            unsure.append(found)
        else:
            self.more += 1

    async def again(self, keys: Iterable[str]) -> list[Broken]:
        """What is broken of these chains in a newer snapshot."""
        async with _snapshot(self.database):
            chains = await self._follow(await self.database.fetch(_SOME, list(keys)))
        return [broken(name, chain) for name, chain in chains.end() if chain.fault]

    async def _follow(self, orders: list[Any]) -> Chains:
        heads = await self.database.fetch(_ANCHORS, [row["order_key"] for row in orders], self.day)
        chains = Chains(orders, heads, self.book, rooted=self.day is not None)
        async for row in self.database.cursor(_RECORDS, chains.keys, chains.limits, prefetch=PREFETCH):
            chains.take(row)
        return chains


async def _missing(database: asyncpg.Connection, batches: AsyncIterator[list[Any]], key: str | None) -> AsyncIterator[Broken]:
    """Records of order.audit that the sink had written, and that the table does not have, or has otherwise."""
    async for batch in batches:
        if told := [record for record in batch if key is None or record.order_key == key]:
            for found in unlike(told, await database.fetch(_NEWER, [record.order_key for record in told], [record.seq for record in told])):
                yield found


def unlike(told: Iterable[AuditRecord], rows: Iterable[Any]) -> Iterator[Broken]:
    """What rows of the table lack of the topic's records, or say otherwise."""
    found = {(row["order_key"], row["seq"]): row for row in rows}
    for record in told:
        row = found.get((record.order_key, record.seq))
        if row is None:
            yield Broken("is missing: the topic order.audit has it, and it had been written", record.order_key, record.seq)
        elif (row["hash"], row["derived"], row["clock"]) != (record.hash, record.derived, record.clock):
            yield Broken("was rewritten: the topic order.audit has another one", record.order_key, record.seq)


async def _settle(walk: Walk, unsure: list[Broken], patience: Patience, copies: Copies | None, verdict: Verdict) -> list[Broken]:
    """Look again at what may have been on its way; what is still missing when all had time to arrive is broken."""
    if not unsure:
        return []
    ends = await copies.ends() if copies else {}
    for _ in range(patience.tries):
        await asyncio.sleep(patience.pause)
        unsure = await walk.again(found.order_key for found in unsure if found.order_key)
        if not unsure:
            return []
    if copies and not await copies.reached(ends):
        verdict.notes.append(f"{len(unsure) + walk.more} orders could not be judged: the sink is behind; ask again when it has caught up")
        return [found for found in unsure if not found.unsure]
    verdict.count += walk.more
    return unsure
