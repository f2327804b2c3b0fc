"""Proves one order's audit chain from its rows: every hash computed anew, and held against the order's own row and the days' heads.

That the days' heads themselves are what their roots vouch for, and what Kafka's copies say, is for `lockstep audit verify KEY`.
"""

import asyncio
from typing import Any

from ops import sql
from ops.board import queries
from sinks.evidence.chain import Anchor, Chain, Fault
from sinks.postgres.database import Database

MAX_RECORDS = 20_000
TRIES, PAUSE = 6, 0.5  # what only another table says may be on its way
KINDS = {  # how a fault's text begins → its name, for people who read no English
    "is missing": "missing",
    "was changed": "changed",
    "is not the first": "not_first",
    "does not continue": "unlinked",
    "was rewritten": "rewritten",
    "is in doubt": "doubt",
    "was added": "added",
}


async def verified(database: Database, order_key: str) -> sql.Row | None:
    """What became of the proof; None when nothing is known of the order. No connection is held between two tries."""
    for last in (*(False,) * (TRIES - 1), True):
        async with (await database.pool()).acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            chain, records, told, heads = await _follow(connection, order_key)
        if told is None and not records and not heads:
            return None
        if chain.fault is None or not chain.fault.unsure or last:
            break
        await asyncio.sleep(PAUSE)
    whole = records < MAX_RECORDS
    return {
        "order_key": order_key, "intact": chain.fault is None, "whole": whole, "records": records, "head": chain.head, "heads": heads,
        "fault": _fault(chain.fault) if chain.fault else None,
    }  # fmt: skip


async def _follow(connection: Any, order_key: str) -> tuple[Chain, int, Any, int]:
    told = await connection.fetchrow(queries.TOLD, order_key)
    heads = await connection.fetch(queries.HEADS, order_key)
    chain = Chain(anchors={row["seq"]: Anchor(row["day"].isoformat(), row["seq"], row["head"]) for row in heads})
    records = 0
    async for row in connection.cursor(queries.CHAIN, order_key, prefetch=500):
        if records == MAX_RECORDS:
            return chain, records, told, len(heads)
        chain.take(row)
        records += 1
    chain.end()
    if told or records:
        chain.compare(told["audit_seq"] if told else None, told["audit_head"] if told else None)
    return chain, records, told, len(heads)


def _fault(fault: Fault) -> sql.Row:
    kind = next((name for begin, name in KINDS.items() if fault.why.startswith(begin)), "other")
    return {"seq": fault.seq, "kind": kind, "why": fault.why}
