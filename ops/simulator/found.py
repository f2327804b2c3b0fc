"""What Lockstep found: the same bag of findings as the plan's, read from Postgres."""

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import asyncpg

from ops.simulator.day import Finding

SUBJECTS: Final[Mapping[str, str]] = MappingProxyType(  # which column an alert of a kind is about
    {
        "channel_paused": "channel",
        "channel_resumed": "channel",
        "filter_rate": "channel",
        "order_jumps": "order_key",
        "conflict_opened": "order_key",
        "stall_sms": "parcel_key",
        "stall_task": "parcel_key",
        "stall_compensation": "parcel_key",
        "unsigned_watch": "parcel_key",
        "held_parcel": "parcel_key",
    }
)
QUERIES: Final = (
    "SELECT 'jump.' || kind AS kind, order_key AS subject, count(*) AS n FROM lockstep.jumps GROUP BY 1, 2",
    "SELECT 'jump.breach', order_key, count(*) FROM lockstep.jumps WHERE breach GROUP BY 2",
    "SELECT 'conflict.' || kind, order_key, count(*) FROM lockstep.conflicts GROUP BY 1, 2",
    "SELECT 'resolved.' || kind, order_key, count(*) FROM lockstep.conflicts WHERE state = 'resolved' GROUP BY 1, 2",
    "SELECT 'channel.paused', channel || ' ' || reason, count(*) FROM lockstep.channel_history WHERE action = 'pause' GROUP BY 2",
    "SELECT 'channel.resumed', channel, count(*) FROM lockstep.channel_history WHERE action = 'resume' GROUP BY 2",
    "SELECT 'pool.' || action || CASE WHEN action = 'hold' THEN '.' || coalesce(gate, '?') ELSE '' END, order_key, 1 FROM lockstep.pool",
    """SELECT 'held.' || coalesce(gate, '?'), order_key, count(*) FROM lockstep.pool_history
       WHERE action = 'hold' AND gate <> 'review' GROUP BY 1, 2""",
    "SELECT 'late', source || ' ' || order_key, count(*) FROM lockstep.audit WHERE disposition = 'late' GROUP BY 2",
    "SELECT 'duplicate', source, duplicates FROM lockstep.v_facts WHERE duplicates > 0",
    "SELECT 'dead.' || reason, source, count(*) FROM lockstep.dead_letters GROUP BY 1, 2",
    "SELECT 'stall.' || CASE WHEN kind = 'stall' THEN tier::text ELSE kind END, parcel_key, count(*) FROM lockstep.stalls GROUP BY 1, 2",
    "SELECT 'parcel.lost', parcel_key, 1 FROM lockstep.parcels WHERE status = 'Lost'",
)
ALERTS: Final = "SELECT DISTINCT alert_key, kind, channel, order_key, parcel_key FROM lockstep.alerts"


async def found(connection: "asyncpg.Connection[Any]") -> Counter[Finding]:
    """Everything that stands in the tables now."""
    bag: Counter[Finding] = Counter()
    for query in QUERIES:
        for kind, subject, n in await connection.fetch(query):
            bag[kind, subject] += n
    for row in await connection.fetch(ALERTS):
        bag[f"alert.{row['kind']}", _subject(row)] += 1
    return bag


def _subject(alert: asyncpg.Record) -> str:
    if alert["kind"] == "unmapped_status":
        _, source, code, *_ = str(alert["alert_key"]).split(":")
        return f"{source} {code}"
    return str(alert[SUBJECTS.get(alert["kind"], "alert_key")])


async def unsent(connection: "asyncpg.Connection[Any]") -> int:
    """How many alerts wait for their bot."""
    return int(await connection.fetchval("SELECT count(*) FROM lockstep.alerts WHERE status = 'pending'"))


async def paused(connection: "asyncpg.Connection[Any]") -> set[str]:
    """The channels whose gate is shut."""
    return {row["channel"] for row in await connection.fetch("SELECT channel FROM lockstep.channel_state WHERE state = 'paused'")}


async def sent_alerts(connection: "asyncpg.Connection[Any]") -> set[str]:
    """The ids of the alerts that count as sent."""
    return {row["alert_id"] for row in await connection.fetch("SELECT alert_id FROM lockstep.alerts WHERE status = 'sent'")}


async def raw_facts(connection: "asyncpg.Connection[Any]") -> Counter[str]:
    """Raw events by source."""
    return Counter({row["source"]: row["raw"] for row in await connection.fetch("SELECT source, raw FROM lockstep.v_facts")})
