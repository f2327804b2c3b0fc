"""What stands where, counted once for all who look: the overview and the events that keep it live."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from ops import sql
from ops.board import queries
from ops.board.alerts import shown
from ops.board.keys import SNAPSHOT, BoardSettings
from sinks.postgres.database import Database

SHANGHAI = ZoneInfo("Asia/Shanghai")
FRESH_SECONDS = 2.0
SHARE = 20  # a count is taken again after so many times its own duration: counting costs a database at most a twentieth
HOURS = 24
NEWEST = 12  # alerts on the overview
NOTHING = {"orders": 0, "out_of_step": 0, "paid": 0, "released": 0, "filtered": 0, "withdrawn": 0, "open_conflicts": 0}


class Snapshot:
    """The counts of the overview; whoever asks while they are taken waits for the same ones."""

    def __init__(self, database: Database, settings: BoardSettings) -> None:
        self._database, self._settings = database, settings
        self._taking = asyncio.Lock()
        self._found: sql.Row = {}
        self._until = 0.0  # loop time

    async def get(self) -> sql.Row:
        """The counts, a few seconds old at most unless counting itself takes long. Raises what is in AWAY."""
        async with self._taking:
            clock = asyncio.get_running_loop().time
            if clock() >= self._until:
                began = clock()
                async with (await self._database.pool()).acquire() as connection, connection.transaction(readonly=True):
                    self._found = await _take(connection, self._settings, datetime.now(UTC))
                self._until = clock() + max(FRESH_SECONDS, SHARE * (clock() - began))
            return self._found


async def overview(request: web.Request) -> web.Response:
    """`GET /api/overview`."""
    return web.json_response(await request.app[SNAPSHOT].get())


def midnight(now: datetime) -> datetime:
    """When the Shanghai day began."""
    return now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)


async def _take(connection: Any, settings: BoardSettings, now: datetime) -> sql.Row:
    orders = {row["channel"]: row for row in sql.rows(await connection.fetch(queries.ORDERS))}
    states = {row["channel"]: row for row in sql.rows(await connection.fetch(queries.STATES))}
    names = sorted({*settings.channels, *orders, *states})
    today = await conflicts_today(connection, names, now)
    held = sql.rows(await connection.fetch(queries.HELD))
    since = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    channels = [_channel(name, orders, states, today, held) for name in names]
    return {
        "at": sql.plain(now),
        "limits": _limits(settings),
        "totals": {name: sum(row[name] for row in channels) for name in (*NOTHING, "held", "conflicts_today")},
        "held": _by(held, "gate"),
        "channels": channels,
        "stalls": await _stalls(connection, now),
        "dead": sql.rows(await connection.fetch(queries.DEAD)),
        "alerts": shown(await connection.fetch(queries.ALERTS, None, None, NEWEST)),
        "hourly": {
            "from": round(since.timestamp()),
            "hours": HOURS,
            "conflicts": _series(await connection.fetch(queries.CONFLICTS_HOURLY, names, since)),
            "jumps": _series(await connection.fetch(queries.JUMPS_HOURLY, names, since)),
            "stalls": _series(await connection.fetch(queries.STALLS_HOURLY, since)),
        },
    }


def _limits(settings: BoardSettings) -> sql.Row:
    """Of the policy, for people to compare with; times in ms."""
    policy = settings.policy
    tiers = {str(tier): after for tier, after in enumerate(policy.stall.tiers, 1)} | {"unsigned": policy.stall.out_for_delivery}
    return {"conflicts": policy.conflicts.max_per_day, "jumps": policy.jumps.max_per_order, "tiers": tiers}


async def conflicts_today(connection: Any, names: Sequence[str], now: datetime) -> dict[str, sql.Row]:
    """By channel: conflicts opened today, and those of them that count, for a resume begins the count anew."""
    resumed = {row["channel"]: row["at"] for row in await connection.fetch(queries.RESUMED)}
    found = await connection.fetch(queries.TODAY, names, midnight(now), [resumed.get(name) for name in names])
    return {row["channel"]: dict(row) for row in found}


def _channel(name: str, orders: dict[str, sql.Row], states: dict[str, sql.Row], today: dict[str, sql.Row], held: list[sql.Row]) -> sql.Row:
    counted = today.get(name, {"today": 0, "counted": 0})
    gates = {row["gate"]: row["n"] for row in held if row["channel"] == name}
    return {
        **NOTHING, **orders.get(name, {}), "state": "open", "reason": None, "since": None, "by": None, "why": None, **states.get(name, {}),
        "channel": name, "held": sum(gates.values()), "gates": gates,
        "conflicts_today": counted["today"], "conflicts_counted": counted["counted"],
    }  # fmt: skip


async def _stalls(connection: Any, now: datetime) -> sql.Row:
    """Parcels that stand still now, by their tier, and tiers that came due today."""
    standing = {str(row["tier"]): row["n"] for row in await connection.fetch(queries.STALLED)}
    fired = await connection.fetch(queries.STALLS_TODAY, midnight(now))
    return {"now": standing, "today": {str(row["tier"]) if row["kind"] == "stall" else row["kind"]: row["n"] for row in fired}}


def _by(found: Iterable[sql.Row], name: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in found:
        counts[row[name]] = counts.get(row[name], 0) + row["n"]
    return counts


def _series(found: Iterable[Any]) -> dict[str, list[list[int]]]:
    """By name: pairs of an hour (seconds since the epoch) and a number; hours of nothing are left out."""
    series: dict[str, list[list[int]]] = {}
    for row in found:
        series.setdefault(row["series"], []).append([row["hour"], row["n"]])
    return series
