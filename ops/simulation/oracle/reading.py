"""A raw event as plain words, read once more without the connectors' code. Semantics §2; the `generic` format only."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

RANK: Final = {
    "Created": 0, "PaymentPending": 10, "PaymentConfirmed": 20, "Approved": 30, "Allocated": 40, "Picking": 50, "Packed": 60,
    "PartiallyShipped": 65, "Shipped": 70, "PickedUp": 80, "InTransit": 90, "OutForDelivery": 100, "Signed": 110, "Completed": 120,
}  # fmt: skip
ENDS: Final = ("Cancelled", "Closed")
WORDS: Final = {
    "fulfilment": {*RANK, *ENDS, "OnHold"},
    "aftersale": {"RefundRequested", "RefundApproved", "RefundRejected", "ReturnInTransit", "ReturnReceived", "Refunded", "RefundClosed"},
    "stock": {"Restored"},
    "parcel": {
        "LabelCreated", "PickedUp", "InTransit", "ArrivedAtHub", "CustomsHold", "CustomsCleared", "ArrivedAtStation", "OutForDelivery",
        "DeliveryAttemptFailed", "Held", "AwaitingPickup", "Signed", "SignedByProxy", "Rejected", "Returning", "Returned",
        "AddressChanged", "Damaged", "Lost", "Exception",
    },
}  # fmt: skip
CLOCK_TOLERANCE: Final = 5 * 60_000
YEAR_2000: Final = 946_684_800_000
Place = tuple[str, int, int]  # topic, partition, offset of the raw event


@dataclass(frozen=True)
class Fact:
    """One readable raw event, or (`derived`) what a parcel says of its order. `key` is that of the order or parcel."""

    place: Place | None
    event_id: str
    source: str
    kind: str
    key: str
    axis: str
    status: str
    at: int
    received: int
    clock: str = "ok"
    operator: str | None = None
    trigger: str | None = None
    case: str | None = None
    refund: str | None = None
    partial: bool = False
    amount: int | None = None
    currency: str | None = None
    method: str | None = None
    customer: str | None = None
    province: str | None = None
    parcels: tuple[str, ...] = ()
    reason: str | None = None
    derived: bool = False
    parcel: str | None = None


@dataclass(frozen=True)
class Dead:
    """One raw event that nobody can use."""

    place: Place
    event_id: str
    source: str
    reason: str
    code: str | None = None
    received: int = 0


def read(place: Place, event: Any) -> Fact | Dead:
    """What a raw event (a `RawEvent`) says."""

    def dead(reason: str, code: str | None = None) -> Dead:
        return Dead(place, event.event_id, event.source, reason, code, event.received_at)

    try:
        body = json.loads(event.payload.decode())
    except ValueError:
        return dead("undecodable")
    if not isinstance(body, dict):
        return dead("undecodable")
    if not isinstance(body.get("status"), str) or not body["status"] or body.get("occurred_at") is None:
        return dead("invalid")
    axis = "parcel" if event.kind == "courier" else body.get("axis", "fulfilment")
    if event.kind == "channel" and (body.get("channel", event.source), body.get("shop_id", event.shop)) != (event.source, event.shop):
        return dead("foreign_order")
    unmapped = body["status"] not in WORDS[axis]
    at = _time(body["occurred_at"])
    if unmapped and not (axis == "parcel" and at is None):  # of a parcel the time is read first
        return dead("unmapped_status", body["status"])
    if at is None or at < YEAR_2000:
        return dead("bad_timestamp")
    return _fact(place, event, body, axis, at)


def _fact(place: Place, event: Any, body: dict[str, Any], axis: str, at: int) -> Fact:
    ahead = at > event.received_at + CLOCK_TOLERANCE
    if axis == "parcel":
        key = f"{body.get('courier', event.source)}:{body['tracking_no']}"
    else:
        key = ":".join((body.get("channel", event.source), body.get("shop_id", event.shop), body["order_id"]))
    return Fact(
        place=place,
        event_id=event.event_id,
        source=event.source,
        kind=event.kind,
        key=key,
        axis=axis,
        status=body["status"],
        at=event.received_at if ahead else at,
        received=event.received_at,
        clock="source_ahead" if ahead else "ok",
        operator=body.get("operator"),
        trigger=body.get("trigger"),
        case=body.get("case_id") if axis == "aftersale" else None,
        refund=body.get("aftersale_kind"),
        partial=body.get("partial_refund", False),
        amount=body.get("payable_minor"),
        currency=body.get("currency"),
        method=body.get("payment_method") or None,
        customer=body.get("customer_id") or None,
        province=body.get("province") or None,
        parcels=tuple(f"{each['courier']}:{each['tracking_no']}" for each in body.get("parcels", ())),
        reason=body.get("reason"),
    )


def _time(text: Any) -> int | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if found.tzinfo is None else (found - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
