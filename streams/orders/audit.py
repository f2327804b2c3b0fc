"""The audit chain: one record per observation, each with the hash of the one before. Semantics §6. Pure.

The hash is SHA-256 of the record's canonical JSON (RFC 8785). It is written by hand here, since its members are
known and few; tests hold it equal to the library's.
"""

from hashlib import sha256
from json.encoder import encode_basestring as _quoted
from typing import Any

from schemas.headers import utc
from schemas.records import AuditRecord, Observation
from streams.orders.state import Order

MEMBERS = (
    "order_key",
    "seq",
    "source",
    "axis",
    "operator",
    "trigger",
    "occurred_at",
    "recorded_at",
    "from_status",
    "to_status",
    "disposition",
    "raw_event_id",
    "prev_hash",
)


def _text(value: str | None) -> str:
    return "null" if value is None else _quoted(value)


def canonical(members: dict[str, Any]) -> bytes:
    """RFC 8785 of exactly the members that are hashed, times in milliseconds: sorted by name, no white space."""
    return (
        f'{{"axis":{_quoted(members["axis"])}'
        f',"disposition":{_quoted(members["disposition"])}'
        f',"from_status":{_text(members["from_status"])}'
        f',"occurred_at":"{utc(members["occurred_at"])}"'
        f',"operator":{_text(members["operator"])}'
        f',"order_key":{_quoted(members["order_key"])}'
        f',"prev_hash":"{members["prev_hash"]}"'
        f',"raw_event_id":{_quoted(members["raw_event_id"])}'
        f',"recorded_at":"{utc(members["recorded_at"])}"'
        f',"seq":{members["seq"]}'
        f',"source":{_quoted(members["source"])}'
        f',"to_status":{_quoted(members["to_status"])}'
        f',"trigger":{_text(members["trigger"])}}}'
    ).encode()


def link(order: Order, fact: Observation, before: str | None, disposition: str) -> AuditRecord:
    """The next record of the order's chain; the order's head moves to it."""
    members: dict[str, Any] = {
        "order_key": fact.order_key,
        "seq": order.seq + 1,
        "source": fact.source,
        "axis": fact.axis,
        "operator": fact.operator,
        "trigger": fact.trigger,
        "occurred_at": fact.occurred_at,
        "recorded_at": fact.received_at,
        "from_status": before,
        "to_status": fact.status,
        "disposition": disposition,
        "raw_event_id": fact.event_id,
        "prev_hash": order.head.hex(),
    }
    digest = sha256(canonical(members))
    order.seq, order.head = order.seq + 1, digest.digest()
    return AuditRecord(**members, hash=digest.hexdigest(), derived=fact.derived, clock=fact.clock)
