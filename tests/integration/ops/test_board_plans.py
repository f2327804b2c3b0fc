"""The board's queries at 100,000 orders: by an index, or counting one table for the snapshot."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from ops import sql
from ops.board import events, queries
from sinks.postgres.migrate import migrate
from tests.browser import given

COUNT = 100_000
NOW = datetime.now(UTC)
KEY, NAMES, DAY = "web:1001:0000000004", [*given.CHANNELS], NOW - timedelta(days=1)
# What counts a table: the snapshot, taken once for all who look
COUNTED = {"ORDERS": "orders", "DEAD": "dead_letters"}
SMALL = {"channel_state", "channel_history", "audit_heads"}  # a row a channel; empty here
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "ORDERS": (), "HELD": (), "STATES": (), "RESUMED": (), "STALLED": (), "DEAD": (),
    "TODAY": (NAMES, DAY, [None] * len(NAMES)),
    "CONFLICTS_HOURLY": (NAMES, DAY), "JUMPS_HOURLY": (NAMES, DAY), "STALLS_HOURLY": (DAY,), "STALLS_TODAY": (DAY,),
    "ALERTS": (NOW, "x", 51), "ALERTS_OF_KIND": (NOW, "x", 51, "channel_paused"), "ALERTS_OF_ORDER": (KEY,),
    "CONFLICTS_OPEN": ("web", NOW, "x", 51), "CONFLICTS_ALL": ("web", NOW, "x", 51), "CONFLICTS_NAMED": (["c1", "c2"],),
    "HELD_PAGE": ("douyin", "channel", DAY, "x", 51), "STATE": ("web",), "HISTORY": ("web", None, 21),
    "AUDIT": (KEY, 0, 51), "CHAIN": (KEY,), "HEADS": (KEY,), "TOLD": (KEY,),
    "FOUND_ORDERS": (KEY, 20), "FOUND_PARCELS": ("x", ["x", "X"], 20), "VERSIONS": ([KEY, "zto:000000000002"],),
    "LETTERS": ("web", "invalid", NOW, "x", 0, 0, 51), "LETTER": (given.RAW, 0, 1, 100),
    "NEW_ALERTS": (NOW - timedelta(seconds=20), ["x"], 500),
}  # fmt: skip
OF_AN_ORDER = ("ORDER", "SOURCES", "TIMELINE", "JUMPS", "CONFLICTS", "POOL", "PARCELS", "ORDER_KEYS")


@pytest.fixture
async def crowded(fresh_postgres: str) -> AsyncIterator[asyncpg.Connection]:
    """A merchant's day and 100,000 orders."""
    await migrate(fresh_postgres)
    connection = await asyncpg.connect(fresh_postgres, server_settings={"jit": "off"})
    await given.day(connection, NOW)
    await given.crowd(connection, COUNT, NOW)
    yield connection
    await connection.close()


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


async def _explain(connection: asyncpg.Connection, query: str, *arguments: Any) -> list[dict[str, Any]]:
    found = json.loads(await connection.fetchval(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {query}", *arguments))
    return list(_nodes(found[0]["Plan"]))


async def test_no_query_reads_a_large_table_through(crowded: asyncpg.Connection) -> None:
    """Each query of the board goes by an index, is bounded, and none reads the audit through; every query is looked at."""
    known = {name: text for name, text in vars(queries).items() if name.isupper() and text.lstrip().startswith("SELECT")}
    known |= {"NEW_ALERTS": events.NEW_ALERTS} | {f"sql.{name}": vars(sql)[name] for name in OF_AN_ORDER}
    arguments = ARGUMENTS | {f"sql.{name}": (KEY,) for name in OF_AN_ORDER}
    assert known.keys() == arguments.keys()
    for name, text in known.items():
        nodes = await _explain(crowded, text, *arguments[name])
        through = {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"} - SMALL
        assert through <= {COUNTED.get(name)}, f"{name} reads {through} through"
        if name not in COUNTED:
            most = max(node["Actual Rows"] * node["Actual Loops"] for node in nodes)
            assert most < COUNT / 10 + 1000, f"{name} touches {most} rows"
