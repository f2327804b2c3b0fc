"""What stands in the tables now, as values of gauges: by an index, or a bounded part of a table. Names are of `schemas/metrics.py`."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ops.board.overview import conflicts_today
from schemas.metrics import Bounded
from streams.policy import EXPECTATIONS, IMMEDIATE, Policy

Labels = tuple[str, ...]
Values = dict[Labels, float]
Samples = dict[str, Values]
STATES: Final = ("open", "paused", "half_open")
TIERS: Final = ("1", "2", "3")
GATES: Final = ("channel", "stage", "risk", "review")
CONFLICTS: Final = (*EXPECTATIONS, *IMMEDIATE)
CHECKED_BLOCKS: Final = 1000  # of the audit table's end, 8 KiB each: it only grows, and new rows go to its end

_STATES: Final = "SELECT channel, state FROM lockstep.channel_state"
_CONFLICTS: Final = "SELECT channel, kind, count(*) AS n FROM lockstep.conflicts WHERE state = 'opened' GROUP BY 1, 2"
_HELD: Final = """
SELECT channel, gate, count(*) AS n, extract(epoch FROM min(paid_at))::float AS oldest
FROM lockstep.pool WHERE action = 'hold' GROUP BY 1, 2"""
_STALLED: Final = "SELECT tier::text, count(*) AS n FROM lockstep.parcels WHERE watching AND tier > 0 GROUP BY 1"
_ALERTS: Final = """
SELECT kind, status, count(*) AS n FROM lockstep.alerts WHERE created_at > now() - interval '24 hours' GROUP BY 1, 2"""
_PENDING: Final = """
SELECT target, extract(epoch FROM min(created_at))::float AS at FROM lockstep.alerts
WHERE status = 'pending' AND due_at <= now() GROUP BY 1"""
_DEAD: Final = """
SELECT source, reason, count(*) AS n FROM lockstep.dead_letters WHERE replay_of IS NULL AND replays = 0 GROUP BY 1, 2"""
_SOURCES: Final = "SELECT DISTINCT source FROM lockstep.raw_counts"
_SILENT: Final = """
SELECT DISTINCT ON (params ->> 'source') params ->> 'source' AS source, params ->> 'state' IS DISTINCT FROM 'back' AS silent
FROM lockstep.alerts WHERE kind = 'source_silent' AND created_at > now() - interval '30 days'
ORDER BY params ->> 'source', at DESC"""
_HEAD: Final = """
SELECT extract(epoch FROM max(written_at))::float FROM lockstep.audit
WHERE ctid >= format('(%s,0)', greatest(0, pg_relation_size('lockstep.audit') / 8192 - $1::int))::tid"""
_ROOT: Final = """
SELECT extract(epoch FROM closed_at)::float AS at, broken FROM lockstep.audit_roots ORDER BY day DESC LIMIT 1"""


@dataclass(frozen=True)
class Known:
    """What is shown as 0 where the tables say nothing of it."""

    channels: tuple[str, ...]
    policy: Policy


async def take(connection: Any, known: Known, now: datetime) -> Samples:
    """Read everything once. `connection` is asyncpg's; raises what it raises."""
    return {
        **await _channels(connection, known, now),
        "lockstep_parcels_stalled": _zeros(TIERS) | _counts(await connection.fetch(_STALLED)),
        "lockstep_alerts_day": _counts(await connection.fetch(_ALERTS)),
        "lockstep_alerts_oldest_pending_timestamp_seconds": {(row["target"],): row["at"] for row in await connection.fetch(_PENDING)},
        **await _sources(connection),
        **await _audit(connection),
        "lockstep_counted_timestamp_seconds": {(): now.timestamp()},
    }


async def _channels(connection: Any, known: Known, now: datetime) -> Samples:
    states = dict.fromkeys(known.channels, STATES[0]) | {row["channel"]: row["state"] for row in await connection.fetch(_STATES)}
    names = sorted(states)
    today = await conflicts_today(connection, names, now)
    held = await connection.fetch(_HELD)
    return {
        "lockstep_channel_state": {(name, state): float(states[name] == state) for name in names for state in STATES},
        "lockstep_channel_conflicts": {(name,): float(today[name]["counted"]) if name in today else 0.0 for name in names},
        "lockstep_channel_conflicts_limit": {(): float(known.policy.conflicts.max_per_day)},
        "lockstep_conflicts_open": _zeros(names, CONFLICTS) | _counts(await connection.fetch(_CONFLICTS)),
        "lockstep_orders_held": _zeros(names, GATES) | _counts((row["channel"], row["gate"], row["n"]) for row in held),
        "lockstep_orders_held_oldest_timestamp_seconds": {
            (row["channel"], row["gate"] or ""): row["oldest"] for row in held if row["oldest"] is not None
        },
    }


async def _sources(connection: Any) -> Samples:
    bounded = Bounded()
    dead: Values = {}
    for source, reason, n in await connection.fetch(_DEAD):
        labels = bounded(source), reason
        dead[labels] = dead.get(labels, 0.0) + n
    silent = {row["source"]: float(row["silent"]) for row in await connection.fetch(_SILENT) if row["source"]}
    heard = {row["source"]: 0.0 for row in await connection.fetch(_SOURCES)} | silent
    # Of more sources than are shown, those that are silent must be among them
    shown: Values = {
        (bounded(name),): heard[name] for name in sorted(heard, key=lambda name: (-heard[name], name)) if bounded(name) == name
    }
    return {"lockstep_dead_letters_stored": dead, "lockstep_source_silent": shown}


async def _audit(connection: Any) -> Samples:
    head, root = await connection.fetchval(_HEAD, CHECKED_BLOCKS), await connection.fetchrow(_ROOT)
    return {
        "lockstep_audit_head_timestamp_seconds": {(): head} if head else {},
        "lockstep_audit_root_timestamp_seconds": {(): root["at"]} if root else {},
        "lockstep_audit_root_broken": {(): float(root["broken"])} if root else {},
    }


def _zeros(*labels: Iterable[str]) -> Values:
    return dict.fromkeys(itertools.product(*labels), 0.0)


def _counts(found: Iterable[Any]) -> Values:
    """Rows of labels and a number."""
    return {tuple(label or "" for label in labels): float(n) for *labels, n in found}
