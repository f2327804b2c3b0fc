"""Proves audit chains from the database alone, with the rules of semantics §6 written anew: nothing of the writer is used."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import rfc8785

ZERO = "0" * 64
SHANGHAI = ZoneInfo("Asia/Shanghai")
TEXTS = (
    "order_key", "source", "axis", "operator", "trigger", "from_status", "to_status", "disposition", "raw_event_id", "prev_hash",
)  # fmt: skip
_RECORDS = """
select order_key, seq, source, axis, operator, trigger, occurred_at, recorded_at, from_status, to_status, disposition,
    raw_event_id, prev_hash, hash
from lockstep.audit
where ($1::text is null or order_key = $1) and ($2::timestamptz is null or recorded_at < $2)
order by order_key, seq"""
_HEADS = """
select order_key, audit_seq, audit_head from lockstep.orders
where audit_seq > 0 and ($1::text is null or order_key = $1)"""
SETTLE_TRIES = 10  # records and the order's row come by different topics: so often, half a second apart


@dataclass(frozen=True)
class Broken:
    """The first record of a chain that is not what it should be."""

    order_key: str
    seq: int
    why: str
    tail: bool = False  # only the end differs: on a pipeline at work it may still be on its way


@dataclass(frozen=True)
class Verdict:
    """What a verification found. `root` is the Merkle root over the chain heads, in the order of their keys."""

    records: int
    chains: int
    broken: tuple[Broken, ...]
    root: str


def moment(value: datetime) -> str:
    """UTC, cut to milliseconds: 2026-11-22T02:00:00.000Z."""
    utc = value.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def digest(row: Mapping[str, Any]) -> str:
    """The hash that a row must have: SHA-256 of its canonical JSON (RFC 8785), in hex."""
    body: dict[str, Any] = {name: row[name] for name in TEXTS}
    body |= {"seq": row["seq"], "occurred_at": moment(row["occurred_at"]), "recorded_at": moment(row["recorded_at"])}
    return hashlib.sha256(rfc8785.dumps(body)).hexdigest()


def merkle(heads: Iterable[tuple[str, str]]) -> str:
    """The root over (order key, head): leaves and nodes are hashed apart (RFC 6962), an odd node goes up as it is."""
    level = [hashlib.sha256(b"\x00" + key.encode() + b"\x00" + head.encode()).digest() for key, head in heads]
    while len(level) > 1:
        pairs = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[len(level) - len(level) % 2 :]
    return level[0].hex() if level else hashlib.sha256(b"").hexdigest()


class Chain:
    """Follows one order's records in the order of their seq."""

    def __init__(self, order_key: str) -> None:
        self.order_key, self.seq, self.head = order_key, 0, ZERO
        self.broken: Broken | None = None

    def take(self, row: Mapping[str, Any]) -> None:
        """Check one record; after the first broken one nothing of the chain can be proven."""
        if self.broken is None and (why := self._wrong(row)):
            self.broken = Broken(self.order_key, row["seq"], why)
        self.seq, self.head = row["seq"], row["hash"]

    def _wrong(self, row: Mapping[str, Any]) -> str | None:
        if row["seq"] != self.seq + 1:
            return f"record {self.seq + 1} is missing"
        if row["prev_hash"] != self.head:
            return "does not continue the record before it"
        return None if digest(row) == row["hash"] else "was changed: its content does not have its hash"

    def end(self, seq: int | None, head: str | None) -> None:
        """Compare with the head that the order's own row knows; a cut tail shows here."""
        if self.broken is None and seq is not None and seq > self.seq:
            self.broken = Broken(self.order_key, self.seq + 1, f"is missing: the order has {seq} records, the table {self.seq}", tail=True)
        elif self.broken is None and seq == self.seq and head != self.head:
            self.broken = Broken(self.order_key, self.seq, "is not the head that the order's row names", tail=True)


async def _rows(database: asyncpg.Connection, key: str | None, until: datetime | None) -> AsyncIterator[Any]:
    async for row in database.cursor(_RECORDS, key, until, prefetch=5000):
        yield row


async def _heads(database: asyncpg.Connection, key: str | None) -> dict[str, tuple[int, str]]:
    return {row["order_key"]: (row["audit_seq"], row["audit_head"]) for row in await database.fetch(_HEADS, key)}


async def verify(dsn: str, key: str | None = None, day: date | None = None, tries: int = SETTLE_TRIES) -> Verdict:
    """Verify one order's chain or all; with a Shanghai day, what had been recorded by its end, for the day's root.

    Raises:
        OSError, asyncpg.PostgresError: the database is away.
    """
    until = datetime.combine(day + timedelta(days=1), datetime.min.time(), SHANGHAI) if day else None
    database = await asyncpg.connect(dsn)
    try:
        verdict = await _once(database, key, until)
        for _ in range(tries):
            if not verdict.broken or not all(found.tail for found in verdict.broken):
                break
            await asyncio.sleep(0.5)
            verdict = await _once(database, key, until)
        return verdict
    finally:
        await database.close()


async def _once(database: asyncpg.Connection, key: str | None, until: datetime | None) -> Verdict:
    async with database.transaction(isolation="repeatable_read", readonly=True):
        known = {} if until else await _heads(database, key)
        return await _follow(_rows(database, key, until), known)


async def _follow(rows: AsyncIterator[Any], known: dict[str, tuple[int, str]]) -> Verdict:
    chain: Chain | None = None
    records, broken, heads = 0, [], []

    def close(ended: Chain) -> None:
        ended.end(*known.pop(ended.order_key, (None, None)))
        heads.append((ended.order_key, ended.head))
        if ended.broken:
            broken.append(ended.broken)

    async for row in rows:
        records += 1
        if chain is None or chain.order_key != row["order_key"]:
            if chain:
                close(chain)
            chain = Chain(row["order_key"])
        chain.take(row)
    if chain:
        close(chain)
    broken += [Broken(order, 1, f"is missing: the order has {seq} records, the table none", tail=True) for order, (seq, _) in known.items()]
    return Verdict(records, len(heads), tuple(broken), merkle(sorted(heads)))
