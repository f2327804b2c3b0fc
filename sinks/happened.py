"""Counts what has happened: once, when its row is first written, whichever worker writes it and however often it is repeated.

A commit whose answer was lost is the exception: its rows are found the next time, and are in no worker's counters.
"""

from collections.abc import Callable, Mapping
from typing import Final

from schemas.metrics import Bounded
from sinks import metrics
from sinks.postgres import tables as t
from sinks.postgres.upsert import Fresh

_channel, _source = Bounded(), Bounded()


def _conflict(channel: str, kind: str, state: str, *, fresh: bool, n: int) -> None:
    if fresh:
        metrics.CONFLICTS_OPENED.labels(_channel(channel), kind).inc(n)
    if state == "resolved":  # such a row is written once, and stays
        metrics.CONFLICTS_RESOLVED.labels(_channel(channel), kind).inc(n)


def _jump(channel: str, kind: str, *, fresh: bool, n: int) -> None:
    metrics.JUMPS.labels(_channel(channel), kind).inc(n)


def _pool(channel: str, action: str, gate: str | None, *, fresh: bool, n: int) -> None:
    metrics.POOL_RECORDS.labels(_channel(channel), action, gate or "").inc(n)


def _command(channel: str, action: str, *, fresh: bool, n: int) -> None:
    metrics.CHANNEL_COMMANDS.labels(_channel(channel), action).inc(n)


def _stall(kind: str, tier: int, *, fresh: bool, n: int) -> None:
    metrics.STALLS.labels(kind, str(tier)).inc(n)


def _alert(kind: str, target: str, *, fresh: bool, n: int) -> None:
    metrics.ALERTS_MADE.labels(kind, target).inc(n)


def _dead_letter(source: str, reason: str, stage: str, replay_of: str | None, *, fresh: bool, n: int) -> None:
    if replay_of is None:
        metrics.DEAD_LETTERS.labels(_source(source), reason, stage).inc(n)


COUNTED: Final[Mapping[t.Table, Callable[..., None]]] = {
    t.CONFLICTS: _conflict,
    t.JUMPS: _jump,
    t.POOL_HISTORY: _pool,
    t.CHANNEL_HISTORY: _command,
    t.STALLS: _stall,
    t.ALERTS: _alert,
    t.DEAD_LETTERS: _dead_letter,
}
"""Table → what counts its rows by the values of `Table.counts`."""


def count(table: t.Table, found: Fresh) -> None:
    """Count rows that a committed transaction has written."""
    for *values, fresh, n in found:
        COUNTED[table](*values, fresh=fresh, n=n)
