"""Histories of orders as the pipeline writes them, and the tables of a database as rows that may be tampered with."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import asyncpg

from ops.reports.audit import unlike
from ops.reports.chains import Chains, broken
from ops.reports.roots import Book, Broken, copies_differ
from schemas import topics
from schemas.evidence import AuditRoot
from schemas.records import AuditRecord, Observation
from sinks.evidence.close import Closed, as_root, close
from streams.orders.audit import link
from streams.orders.state import Order
from tests.integration.sinks import given
from tests.integration.sinks.given import NOW, Sink, record

DAYS = (date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 22))
Row = dict[str, Any]


class Shop:
    """Orders that facts are stated of, at random; each fact is a record as the pipeline chains it."""

    def __init__(self, seed: int, orders: int = 10) -> None:
        self.random = random.Random(seed)
        self.orders = [Order("web", "s1", f"订单{n}") for n in range(orders)]
        self.told: list[AuditRecord] = []
        self._offset = 0

    def fact(self, order: Order) -> AuditRecord:
        """The next record of an order."""
        pick, at = self.random.choice, NOW + self.random.randrange(10**7)
        fact = Observation(
            event_id=f"e{self.random.randrange(10**9)}", source=pick(["web", "erp"]), source_kind="channel", order_key=order.key,
            channel=order.channel, shop_id=order.shop_id, order_id=order.order_id, axis="fulfilment",
            status=pick(["Created", "PaymentConfirmed", "Shipped"]), occurred_at=at, received_at=at + 7,
            operator=pick([None, "u1"]), trigger=pick([None, "web/用户\n付款", 'say "x" \\']),
        )  # fmt: skip
        made = link(order, fact, pick([None, "Created"]), pick(["change", "repeat", "late", "jump"]))
        self.told.append(made)
        return made

    async def write(self, sink: Sink, orders: Sequence[Order], most: int = 3) -> None:
        """Let facts be stated of these orders and written by the sink: the records first, then the orders' states."""
        records = [self.fact(order) for order in orders for _ in range(self.random.randint(1, most))]
        await sink.write(*(record(topics.ORDER_AUDIT, self._next(), each) for each in records))
        states = [given.order(order.key, order.seq, audit_seq=order.seq, audit_head=order.head.hex()) for order in orders]
        await sink.write(*(record(topics.ORDER_STATE, self._next(), state) for state in states))

    def _next(self) -> int:
        self._offset += 1
        return self._offset


async def silent(_connection: Any, _closed: Closed) -> None:
    """Tell nobody."""


async def history(sink: Sink, seed: int = 7) -> tuple[Shop, list[Closed]]:
    """Three closed days, on each of which some orders grow and new ones come, and a fourth that is not closed yet."""
    shop, closed = Shop(seed), []
    connection = await asyncpg.connect(sink.dsn)
    for number, day in enumerate(DAYS):
        known = shop.orders[: 4 + 2 * number]
        await shop.write(sink, known if number == 0 else shop.random.sample(known, 5))
        closed.append(await close(connection, day, silent))
    await connection.close()
    await shop.write(sink, shop.random.sample(shop.orders, 4))
    return shop, closed


@dataclass
class Tables:
    """What the database holds; `copies` and `newer` are what Kafka holds beside it, where one has to look `outside`."""

    audit: list[Row]
    heads: list[Row]
    roots: list[Row]
    orders: list[Row]
    copies: list[AuditRoot] = field(default_factory=list)
    newer: list[AuditRecord] = field(default_factory=list)
    outside: bool = False

    def copy(self) -> "Tables":
        """Rows of their own."""
        audit, heads, roots, orders = ([dict(row) for row in rows] for rows in (self.audit, self.heads, self.roots, self.orders))
        return replace(self, audit=audit, heads=heads, roots=roots, orders=orders)

    def chain(self, key: str) -> list[Row]:
        """An order's records."""
        return sorted((row for row in self.audit if row["order_key"] == key), key=lambda row: row["seq"])

    def order(self, key: str) -> Row:
        """An order's row."""
        return next(row for row in self.orders if row["order_key"] == key)

    def anchors(self, key: str) -> list[int]:
        """What was rooted of an order: the last record of each of its days."""
        return [0, *sorted(row["seq"] for row in self.heads if row["order_key"] == key)]


NAMES = {"audit": "audit", "heads": "audit_heads", "roots": "audit_roots", "orders": "orders"}


async def read(connection: asyncpg.Connection) -> Tables:
    """All of it."""
    audit, heads, roots, orders = [
        [dict(row) for row in await connection.fetch(f"SELECT * FROM lockstep.{table}")] for table in NAMES.values()
    ]
    return Tables(audit, heads, roots, orders)


async def put(connection: asyncpg.Connection, tables: Tables) -> None:
    """Replace what the database holds, as one does who has it wholly in hand: no trigger fires."""
    async with connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        for name, table in NAMES.items():
            await connection.execute(f"TRUNCATE lockstep.{table}")
            rows = [tuple(row.values()) for row in getattr(tables, name)]
            columns = [row["attname"] for row in await connection.fetch(_COLUMNS, f"lockstep.{table}")]
            await connection.copy_records_to_table(table, schema_name="lockstep", columns=columns, records=rows)


_COLUMNS = "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"


@dataclass
class Judged:
    """What the verifier's pure parts say of tables."""

    broken: list[Broken] = field(default_factory=list)

    @property
    def text(self) -> str:
        """For a failing test."""
        return "\n".join(map(str, self.broken)) or "nothing"


def judge(tables: Tables) -> Judged:
    """The verification of rows that were read before: `ops.reports.audit` without its queries."""
    roots = [as_root(row) for row in sorted(tables.roots, key=lambda row: row["day"])]
    book, heads = Book(roots), sorted(tables.heads, key=lambda row: (row["order_key"].encode(), row["day"]))
    for row in heads:
        book.take(row)
    book.end()
    found = list(book.broken)
    if tables.outside:
        found += copies_differ(book.roots, tables.copies)[0]
    rows = {row["order_key"]: row for row in tables.orders}
    keys = sorted({row["order_key"] for row in (*tables.audit, *tables.heads)} | {key for key in rows if rows[key]["audit_seq"]})
    orders = [{**(rows.get(key) or {"audit_seq": None, "audit_head": None}), "order_key": key, "known": key in rows} for key in keys]
    chains = Chains(orders, heads, book)
    for row in sorted(tables.audit, key=lambda row: (row["order_key"], row["seq"])):
        chains.take(row)
    found += [broken(key, chain) for key, chain in chains.end() if chain.fault]
    return Judged(found + list(unlike(tables.newer if tables.outside else (), tables.audit)))
