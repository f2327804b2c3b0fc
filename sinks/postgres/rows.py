"""Records to rows: pure, one function per record. Columns are in the order of `tables`."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from schemas import records as r
from sinks.postgres import tables as t
from sinks.postgres.tables import Row, Table

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EXACT: Final = 1 << 42  # in the year 2109
LATEST: Final = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z
EARLIEST: Final = -62_135_596_800_000  # 0001-01-01T00:00:00Z


def moment(ms: int) -> datetime:
    """Milliseconds since the epoch as a time; what no calendar holds becomes the calendar's end."""
    if 0 <= ms < EXACT:  # twice as quick, and a float holds it to the microsecond
        return datetime.fromtimestamp(ms / 1000, UTC)
    try:
        return EPOCH + timedelta(milliseconds=ms)
    except OverflowError:
        return EPOCH + timedelta(milliseconds=LATEST if ms > 0 else EARLIEST)


def moment_or_none(ms: int | None) -> datetime | None:
    """The same where a time may be absent."""
    return None if ms is None else moment(ms)


def order(o: r.OrderState) -> Iterator[tuple[Table, Row]]:
    """Of orders, and order_sources: one row each source."""
    yield t.ORDERS, (
        o.order_key, o.channel, o.shop_id, o.order_id, o.version, o.status, o.aftersale_status, o.payable_minor, o.currency,
        o.payment_method, o.customer_id, o.province, o.paid, moment_or_none(o.paid_at), o.ended, o.jump_count, o.open_conflicts,
        o.pool, o.released, o.gate, o.rule_id, o.audit_seq, o.audit_head, o.parcels, moment(o.updated_at),
    )  # fmt: skip
    for s in o.sources:
        yield t.ORDER_SOURCES, (
            o.order_key, s.source, s.source_kind, o.version, s.status, s.aftersale_status, s.stock_status,
            moment_or_none(s.occurred_at), moment_or_none(s.received_at), s.payable_minor, s.currency, s.observations, s.duplicates,
        )  # fmt: skip


def audit(a: r.AuditRecord) -> Iterator[tuple[Table, Row]]:
    """Of audit."""
    yield t.AUDIT, (
        a.order_key, a.seq, a.source, a.axis, a.operator, a.trigger, moment(a.occurred_at), moment(a.recorded_at), a.from_status,
        a.to_status, a.disposition, a.raw_event_id, a.prev_hash, a.hash, a.derived, a.clock,
    )  # fmt: skip


def jump(j: r.Jump) -> Iterator[tuple[Table, Row]]:
    """Of jumps."""
    yield t.JUMPS, (
        j.order_key, j.event_id, j.channel, j.source, j.axis, j.kind, j.n, j.from_status, j.to_status, moment(j.occurred_at),
        moment(j.recorded_at), j.breach,
    )  # fmt: skip


def conflict(c: r.Conflict) -> Iterator[tuple[Table, Row]]:
    """Of conflicts: what is resolved stays resolved."""
    version = 2 if c.state == "resolved" else 1
    yield t.CONFLICTS, (
        c.conflict_id, c.order_key, c.channel, c.kind, c.state, version, moment(c.opened_at), moment_or_none(c.resolved_at),
        moment_or_none(c.due_at), as_json(c.evidence),
    )  # fmt: skip


def pool(p: r.PoolRecord) -> Iterator[tuple[Table, Row]]:
    """Of pool and pool_history."""
    row = (
        p.order_key, p.channel, p.seq, p.record_id, p.action, p.gate, p.rule_id, p.branch, p.tags, p.account, p.reason,
        moment_or_none(p.paid_at), p.payable_minor, p.currency, moment(p.at),
    )  # fmt: skip
    yield t.POOL, row
    yield t.POOL_HISTORY, row


def control(c: r.ChannelControl) -> Iterator[tuple[Table, Row]]:
    """Of channel_state and channel_history."""
    row = (c.channel, c.seq, c.state, c.action, c.reason, c.why, c.by, moment(c.since), c.evidence, c.order_keys)
    yield t.CHANNEL_STATE, row
    yield t.CHANNEL_HISTORY, row


def parcel_event(p: r.ParcelObservation) -> Iterator[tuple[Table, Row]]:
    """Of parcel_events."""
    yield t.PARCEL_EVENTS, (
        p.parcel_key, p.source, p.event_id, p.kind, p.status, p.code, p.text, p.place, p.reason, moment(p.occurred_at),
        moment(p.received_at), p.clock, p.operator, p.order_key, p.customer_id,
    )  # fmt: skip


def parcel(p: r.ParcelState) -> Iterator[tuple[Table, Row]]:
    """Of parcels."""
    yield t.PARCELS, (
        p.parcel_key, p.order_key, p.courier, p.tracking_no, p.version, p.customer_id, p.status, moment_or_none(p.status_at),
        p.text, p.place, moment_or_none(p.last_movement_at), p.watching, p.episode, p.tier, p.observations, p.duplicates,
        moment(p.updated_at),
    )  # fmt: skip


def stall(s: r.Stall) -> Iterator[tuple[Table, Row]]:
    """Of stalls."""
    yield t.STALLS, (
        s.parcel_key, s.kind, s.episode, s.tier, moment(s.due_at), moment(s.fired_at), moment(s.last_movement_at), s.order_key,
        s.customer_id, s.alerted,
    )  # fmt: skip


def dead_letter(d: r.DeadLetter, stage: str = "stream") -> Iterator[tuple[Table, Row]]:
    """Of dead_letters."""
    yield t.DEAD_LETTERS, (
        d.origin_topic, d.origin_partition, d.origin_offset, d.event_id, d.source, d.connector, d.kind, d.shop, d.reason, d.detail,
        d.digest, stage, moment(d.received_at), as_json(d.headers), d.payload,
    )  # fmt: skip


def as_json(value: str | Mapping[str, str]) -> str:
    """Text for a jsonb column. Text that is no JSON, or holds what jsonb refuses, is kept inside an object."""
    if not isinstance(value, str):
        return _safe(msgspec.json.encode(value).decode())
    try:
        msgspec.json.decode(value)
    except msgspec.DecodeError:
        return _safe(msgspec.json.encode({"text": value}).decode())
    return _safe(value)


def _safe(text: str) -> str:
    """Without the escape of NUL, the one character that jsonb cannot hold."""
    return text if "\\u0000" not in text else msgspec.json.encode({"text": text}).decode()


def clean(row: Row) -> Row:
    """The row without NUL characters, which no text column takes: they become U+FFFD."""
    return tuple(map(_clean, row))


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    return [_clean(item) for item in value] if isinstance(value, list) else value


ToRows = Callable[[Any], Iterator[tuple[Table, Row]]]
"""A record to the rows that it means."""
