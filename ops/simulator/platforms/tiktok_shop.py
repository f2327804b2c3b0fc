"""TikTok Shop: one message a push, HMAC-SHA256 over app key and body."""

from collections.abc import Sequence
from typing import Any, Final

from ops.simulator.facts import Account, Request, Say
from ops.simulator.platforms.base import Platform, compact, hmac_sha256, path, seconds

STATUSES: Final = {
    "Created": "UNPAID",
    "PaymentPending": "UNPAID",
    "OnHold": "ON_HOLD",
    "PaymentConfirmed": "AWAITING_SHIPMENT",
    "Packed": "AWAITING_COLLECTION",
    "PartiallyShipped": "PARTIALLY_SHIPPING",
    "Shipped": "IN_TRANSIT",  # TikTok's only word for what has left
    "Signed": "DELIVERED",
    "Completed": "COMPLETED",
    "Cancelled": "CANCELLED",
}
RETURNS: Final = {
    "RefundRequested": "RETURN_OR_REFUND_REQUEST_PENDING",
    "RefundRejected": "REFUND_OR_RETURN_REQUEST_REJECT",
    "RefundApproved": "RETURN_OR_REFUND_REQUEST_SUCCESS",
    "ReturnInTransit": "BUYER_SHIPPED_ITEM",
    "Refunded": "RETURN_OR_REFUND_REQUEST_COMPLETE",
    "RefundClosed": "RETURN_OR_REFUND_REQUEST_CANCEL",
}


def write(account: Account, facts: Sequence[Say]) -> bytes:
    """One message."""
    (said,) = facts
    at = seconds(said.at)
    data: dict[str, Any] = {"order_id": said.order.number, "update_time": at}
    if said.axis == "aftersale":
        kind = "REFUND" if said.refund_only else "RETURN_AND_REFUND"
        status = said.code or RETURNS[said.status]
        data |= {
            "return_role": "BUYER",
            "return_type": kind,
            "return_status": status,
            "return_id": f"4{said.order.number}",
            "create_time": at,
        }
    else:
        data |= {"order_status": said.code or STATUSES[said.status], "is_on_hold_order": said.status == "OnHold"}
    head = {"type": 12 if said.axis == "aftersale" else 1, "tts_notification_id": str(7_327_112_393_000_000_000 + said.nonce)}
    return compact(head | {"shop_id": said.order.shop, "timestamp": at + 1, "data": data}).encode()


def seal(account: Account, body: bytes, now: int) -> Request:
    """Sign app key and body."""
    digest = hmac_sha256(account.secret, account.app_key.encode() + body)
    return Request(path(account), body, headers={"Authorization": digest, "Content-Type": "application/json"})


PLATFORM: Final = Platform("tiktok_shop", 1, write, seal)
