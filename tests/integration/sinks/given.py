"""Records as Kafka hands them out, and a sink on a real database."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from schemas import codec, topics
from schemas import records as r
from sinks.alerts.config import Bot
from sinks.alerts.routing import Router
from sinks.postgres.commit import Committer
from sinks.postgres.database import Database
from sinks.tasks import Sinks

NOW = 1_763_800_000_000  # 2025-11-22 in Shanghai
NAMES = ("order_key", "parcel_key", "channel", "alert_key")
RAW = topics.raw_order("web")
BOT = Bot("ops", "dingtalk", "http://127.0.0.1:9", "t", "s")


@dataclass(frozen=True)
class Record:
    """Has the shape of a consumer's record."""

    topic: str
    offset: int
    value: bytes | None
    key: bytes = b"web:s1:A1"
    partition: int = 0
    timestamp: int = NOW
    headers: tuple[tuple[str, bytes], ...] = ()


def record(topic: str, offset: int, value: msgspec.Struct, *, key: str | None = None, partition: int = 0) -> Record:
    """A record that holds this."""
    name = key or next(filter(None, (getattr(value, each, None) for each in NAMES)), "k")
    return Record(topic, offset, codec.encode(value), name.encode(), partition)


def order(key: str = "web:s1:A1", version: int = 1, **fields: Any) -> r.OrderState:
    """An order's state."""
    channel, shop, number = key.split(":")
    told: dict[str, Any] = {"status": "PaymentConfirmed", "payable_minor": 12900, "currency": "CNY", "updated_at": NOW} | fields
    return r.OrderState(order_key=key, channel=channel, shop_id=shop, order_id=number, version=version, **told)


def audit(key: str = "web:s1:A1", seq: int = 1, **fields: Any) -> r.AuditRecord:
    """An audit record."""
    told: dict[str, Any] = {
        "source": "web", "axis": "fulfilment", "occurred_at": NOW, "recorded_at": NOW + 1, "to_status": "Created",
        "disposition": "change", "raw_event_id": f"e{seq}", "prev_hash": "0" * 64, "hash": f"{seq:064x}",
    }  # fmt: skip
    return r.AuditRecord(order_key=key, seq=seq, **(told | fields))


@dataclass
class Sink:
    """A sink's tasks on a database."""

    database: Database
    committer: Committer
    writes: dict[str, Callable[[list[Any]], Awaitable[None]]]
    dsn: str

    async def write(self, *batch: Record) -> None:
        """Give a batch of one topic to its task."""
        await self.writes[batch[0].topic](list(batch))

    async def fetch(self, sql: str, *arguments: Any) -> list[dict[str, Any]]:
        """Rows of a query."""
        pool = await self.database.pool()
        return [dict(row) for row in await pool.fetch(sql, *arguments)]

    async def dump(self, tables: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        """All rows of tables, without the time at which they were written."""
        found = {}
        for table in tables:
            rows = await self.fetch(f"SELECT * FROM lockstep.{table} t ORDER BY t::text")
            found[table] = [{name: value for name, value in row.items() if name not in {"written_at", "created_at"}} for row in rows]
        return found


def sink_on(dsn: str, *, linger: float = 0.0) -> Sink:
    """A sink with one bot."""
    database = Database(dsn)
    committer = Committer(database, linger=linger)
    tasks = Sinks(committer, Router((BOT,)), clock=lambda: NOW / 1000).tasks(["web"])
    return Sink(database, committer, {source: task.write for task in tasks for source in task.sources}, dsn)
