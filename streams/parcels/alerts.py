"""What people are told of a parcel. The sink writes the words; here are their facts. Pure."""

from typing import Final

from schemas.records import Alert, ParcelObservation, Stall
from schemas.status import label
from streams.days import shanghai_clock
from streams.parcels.procedures import load
from streams.parcels.state import Parcel
from streams.policy import HOUR, Policy

KINDS: Final = {1: ("stall_sms", "warning"), 2: ("stall_task", "warning"), 3: ("stall_compensation", "critical")}


def stalled(parcel: Parcel, row: Stall) -> Alert:
    """The alert of a tier: a message to the customer, a task with history and script, a compensation."""
    kind, severity = KINDS[row.tier]
    params = _stall_params(parcel, row)
    blanks = params | {"status_label": label(parcel.status), "last_movement": shanghai_clock(row.last_movement_at)}
    params["script"] = load().script[kind.removeprefix("stall_")].format_map(blanks)
    if row.tier > 1:
        params["history"] = history(parcel)
    return _alert(parcel, f"{kind}:{parcel.parcel_key}:{row.episode}", kind, severity, row.due_at, params)


def unsigned(parcel: Parcel, row: Stall) -> Alert:
    """Out for delivery, and unsigned for too long."""
    params = _stall_params(parcel, row)
    return _alert(parcel, f"unsigned_watch:{parcel.parcel_key}:{row.episode}", "unsigned_watch", "warning", row.due_at, params)


def held(parcel: Parcel, node: ParcelObservation, reason: str | None) -> Alert:
    """A courier holds the parcel: why, and what to do."""
    found = load().of(reason)
    params = {"reason": found.label, "procedure": found.procedure}
    key = f"held_parcel:{parcel.parcel_key}:{node.event_id}"
    return _alert(parcel, key, "held_parcel", "warning", node.occurred_at, _where(parcel) | params)


def returned_for_address(parcel: Parcel, policy: Policy, at: int) -> Alert:
    """Comes back because of its address: the customer's next orders have no refund-only right, a person reviews."""
    params = {"reason": "因地址问题退回", "freeze_orders": str(policy.stall.freeze_orders), "history": history(parcel)}
    key = f"risk_review:{parcel.parcel_key}:returned_for_address"
    return _alert(parcel, key, "risk_review", "warning", at, _where(parcel) | params)


def history(parcel: Parcel) -> str:
    """The parcel's last nodes, a line each, oldest first."""
    lines = (f"{shanghai_clock(node.occurred_at)} {label(node.status)} {node.text or node.place}".rstrip() for node in parcel.history)
    return "\n".join(lines)


def _where(parcel: Parcel) -> dict[str, str]:
    return {
        "courier": parcel.courier,
        "tracking_no": parcel.tracking_no,
        "status": parcel.status or "",
        "place": parcel.place or "运输途中",
        "text": parcel.text or "",
    }


def _stall_params(parcel: Parcel, row: Stall) -> dict[str, str]:
    return _where(parcel) | {
        "tier": str(row.tier),
        "episode": str(row.episode),
        "hours": f"{(row.due_at - row.last_movement_at) / HOUR:g}",
        "last_movement_at": str(row.last_movement_at),
        "due_at": str(row.due_at),
        "fired_at": str(row.fired_at),
    }


def _alert(parcel: Parcel, key: str, kind: str, severity: str, at: int, params: dict[str, str]) -> Alert:
    order_key = parcel.order_key
    return Alert(
        alert_key=key,
        kind=kind,
        severity=severity,
        at=at,
        channel=order_key.split(":", 1)[0] if order_key else None,
        order_key=order_key,
        parcel_key=parcel.parcel_key,
        customer_id=parcel.customer_id,
        params=params,
    )
