"""What people ask the tables of schema `lockstep`, for the command line and the board. Rows as plain values."""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg

Row = dict[str, Any]
JSON = frozenset({"evidence", "params", "headers"})  # columns of type jsonb; channel_state.evidence is a list, and not asked for

CHANNELS = """
SELECT channel, state, reason, why, since, "by", orders, held, conflicts_today, open_conflicts
FROM lockstep.v_channels ORDER BY channel"""
ORDER = "SELECT * FROM lockstep.orders WHERE order_key = $1"
ORDER_KEYS = "SELECT order_key FROM lockstep.orders WHERE order_id = $1 ORDER BY order_key LIMIT 20"
SOURCES = "SELECT * FROM lockstep.order_sources WHERE order_key = $1 ORDER BY source_kind, source"
TIMELINE = "SELECT * FROM lockstep.audit WHERE order_key = $1 ORDER BY seq LIMIT 1000"
JUMPS = "SELECT * FROM lockstep.jumps WHERE order_key = $1 ORDER BY n"
CONFLICTS = "SELECT * FROM lockstep.conflicts WHERE order_key = $1 ORDER BY opened_at"
POOL = "SELECT * FROM lockstep.pool_history WHERE order_key = $1 ORDER BY seq"
PARCELS = "SELECT * FROM lockstep.parcels WHERE order_key = $1 ORDER BY parcel_key"
PARCEL = "SELECT * FROM lockstep.parcels WHERE parcel_key = $1"
PARCEL_EVENTS = "SELECT * FROM lockstep.parcel_events WHERE parcel_key = $1 ORDER BY occurred_at, received_at LIMIT 1000"
STALLS = "SELECT * FROM lockstep.stalls WHERE parcel_key = $1 ORDER BY episode, tier"
ALERTS = """
SELECT alert_id, kind, severity, channel, order_key, parcel_key, target, status, attempts, at, created_at, sent_at, title, text
FROM lockstep.alerts WHERE ($1::text IS NULL OR kind = $1) ORDER BY created_at DESC, alert_id LIMIT $2"""
CHANNEL_STATE = 'SELECT state, reason, since, "by", seq FROM lockstep.channel_state WHERE channel = $1'


def plain(value: Any) -> Any:
    """A value as JSON knows it: times in UTC with a Z, exact numbers as numbers."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def rows(found: Iterable[asyncpg.Record]) -> list[Row]:
    """Rows as dicts of plain values; what is stored as JSON, as what it holds."""
    return [{name: json.loads(value) if name in JSON and value else plain(value) for name, value in row.items()} for row in found]


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """One connection for one command."""
    from sinks.postgres.database import connect

    connection = await connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def order(connection: Any, order_key: str) -> Row | None:
    """Everything about an order; None when it is not known."""
    head = await connection.fetchrow(ORDER, order_key)
    if head is None:
        return None
    parts = {"sources": SOURCES, "timeline": TIMELINE, "jumps": JUMPS, "conflicts": CONFLICTS, "pool": POOL, "parcels": PARCELS}
    found: Row = {"order": rows([head])[0]}
    for name, query in parts.items():
        found[name] = rows(await connection.fetch(query, order_key))
    return found


async def parcel(connection: Any, parcel_key: str) -> Row | None:
    """Everything about a parcel; None when it is not known."""
    head = await connection.fetchrow(PARCEL, parcel_key)
    if head is None:
        return None
    found: Row = {"parcel": rows([head])[0]}
    for name, query in {"events": PARCEL_EVENTS, "stalls": STALLS}.items():
        found[name] = rows(await connection.fetch(query, parcel_key))
    return found


async def alerts(connection: Any, kind: str | None = None, limit: int = 100) -> list[Row]:
    """The newest alerts, one row per alert and target."""
    return rows(await connection.fetch(ALERTS, kind, limit))


async def channels(connection: Any, configured: Iterable[str]) -> list[Row]:
    """Every channel, configured or seen; one that nothing was heard of yet is open."""
    known = {row["channel"]: row for row in rows(await connection.fetch(CHANNELS))}
    for name in configured:
        known.setdefault(name, {"channel": name, "state": "open", "orders": 0, "held": 0, "conflicts_today": 0, "open_conflicts": 0})
    return [known[name] for name in sorted(known)]
