"""Shopee: one message a push, HMAC-SHA256 over callback URL, a bar and the body."""

from collections.abc import Sequence
from typing import Any, Final

from ops.simulator.facts import Account, Request, Say
from ops.simulator.platforms.base import Platform, compact, hmac_sha256, path, seconds

STATUSES: Final = {
    "Created": "UNPAID",
    "PaymentPending": "UNPAID",
    "PaymentConfirmed": "READY_TO_SHIP",
    "OnHold": "PENDING",
    "Packed": "PROCESSED",
    "Shipped": "SHIPPED",
    "Signed": "TO_CONFIRM_RECEIVE",
    "Completed": "COMPLETED",
    "Cancelled": "CANCELLED",
}
RETURNS: Final = {  # Shopee names no status for money that was paid back
    "RefundRequested": "REQUESTED",
    "RefundApproved": "ACCEPTED",
    "ReturnInTransit": "PROCESSING",
    "RefundClosed": "CLOSED",
}


def write(account: Account, facts: Sequence[Say]) -> bytes:
    """One message."""
    (said,) = facts
    code, data = _returned(said) if said.axis == "aftersale" else (3, _status(said))
    return compact({"data": data, "shop_id": int(said.order.shop), "code": code, "timestamp": seconds(said.at) + 1}).encode()


def _status(said: Say) -> dict[str, Any]:
    word = said.code or STATUSES[said.status]
    return {"items": [], "ordersn": said.order.number, "status": word, "completed_scenario": "", "update_time": seconds(said.at)}


def _returned(said: Say) -> tuple[int, dict[str, Any]]:
    at, solution = seconds(said.at), "REFUND" if said.refund_only else "RETURN_REFUND"
    changes = [("return_solution", solution), ("return_status", said.code or RETURNS[said.status])]
    values = [{"update_field": name, "old_value": "", "new_value": value, "update_time": at} for name, value in changes]
    return 29, {"order_sn": said.order.number, "return_sn": f"2{said.order.number}", "updated_values": values}


def seal(account: Account, body: bytes, now: int) -> Request:
    """Sign for the address that Shopee knows."""
    signed = account.options.get("callback_url", "").encode() + b"|" + body
    headers = {"Authorization": hmac_sha256(account.secret, signed), "Content-Type": "application/json"}
    return Request(path(account), body, headers=headers)


PLATFORM: Final = Platform("shopee", 1, write, seal)
