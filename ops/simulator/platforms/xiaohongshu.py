"""Xiaohongshu 小红书: an array of messages; MD5 over path, app key, time and secret, in the unverified way of one public client."""

from collections.abc import Sequence
from typing import Any, Final

from ops.simulator.facts import Account, Request, Say
from ops.simulator.platforms.base import Platform, compact, md5_hex, path

STATUSES: Final = {
    "PaymentPending": 1,
    "PaymentConfirmed": 2,
    "OnHold": 3,
    "PartiallyShipped": 5,
    "Shipped": 6,
    "Completed": 7,
    "Closed": 8,
    "Cancelled": 9,
}
TAGS: Final = {
    "RefundRequested": "msg_after_sale_create",
    "RefundApproved": "msg_after_sale_audit_pass",
    "RefundRejected": "msg_after_sale_audit_reject",
    "ReturnReceived": "msg_after_sale_confirm_receive",
    "Refunded": "msg_after_sale_refund_finished",
    "RefundClosed": "msg_after_sale_closed",
}


def write(account: Account, facts: Sequence[Say]) -> bytes:
    """Several messages in one array. An order that was only made is one that is to be paid."""
    return compact([_message(said) for said in facts]).encode()


def _message(said: Say) -> dict[str, Any]:
    order = said.order
    data: dict[str, Any] = {"orderId": order.number, "packageId": order.number, "updateTime": said.at}
    if said.axis == "aftersale":
        tag = said.code or TAGS[said.status]
        way, fee = 5 if said.refund_only else 1, order.payable / 100
        data |= {"returnsId": f"R{order.number[1:]}", "returnType": way, "requestFrom": 1, "refundFee": fee}
    else:
        tag = "msg_fulfillment_status_change"
        data["orderStatus"] = said.code or STATUSES["PaymentPending" if said.status == "Created" else said.status]
    return {"msgTag": tag, "sellerId": order.shop, "data": compact(data)}


def seal(account: Account, body: bytes, now: int) -> Request:
    """Sign address and time; the body is not covered."""
    sign = md5_hex(f"{path(account)}?app-key={account.app_key}&timestamp={now}{account.secret}")
    headers = {"app-key": account.app_key, "timestamp": str(now), "sign": sign, "Content-Type": "application/json"}
    return Request(path(account), body, headers=headers)


PLATFORM: Final = Platform("xiaohongshu", 20, write, seal)
