"""Douyin shop 抖店: an array of messages, `data` a JSON text, MD5 over app key, body and secret."""

from collections.abc import Sequence
from typing import Any, Final

from ops.simulator.facts import Account, Request, Say
from ops.simulator.platforms.base import Platform, compact, md5_hex, path, seconds

TAGS: Final = {  # status → (tag, order_status, the field that holds the time)
    "Created": ("100", 1, "create_time"),
    "PaymentConfirmed": ("101", 2, "pay_time"),
    "Shipped": ("102", 3, "update_time"),
    "Completed": ("103", 5, "complete_time"),
    "Cancelled": ("106", 4, "cancel_time"),
}
AFTERSALE: Final = {  # status → (tag, after-sale status, refund status)
    "RefundRequested": ("200", 6, 1),
    "RefundApproved": ("201", 6, 2),
    "Refunded": ("206", 12, 3),
}


def write(account: Account, facts: Sequence[Say]) -> bytes:
    """Several messages in one array."""
    return compact([_message(said) for said in facts]).encode()


def _message(said: Say) -> dict[str, Any]:
    order = said.order
    data: dict[str, Any] = {"p_id": int(order.number), "s_ids": [int(order.number)], "shop_id": int(order.shop)}
    if said.axis == "aftersale":
        tag, status, refund_status = AFTERSALE[said.status]
        data |= {
            "aftersale_id": int(order.number) + 1,
            "aftersale_status": status,
            "aftersale_type": 2,
            "refund_status": refund_status,
            "refund_amount": order.payable,
            "update_time": seconds(said.at),
        }
    else:
        tag, status, field = TAGS[said.status]
        data |= {"order_status": status, field: seconds(said.at)}
        if said.payable is not None:
            data["pay_amount"] = said.payable
    return {"tag": tag, "msg_id": f"{said.nonce:010d}{order.number}", "data": compact(data)}


def seal(account: Account, body: bytes, now: int) -> Request:
    """Sign the body as it is."""
    sign = md5_hex(account.app_key.encode() + body + account.secret.encode())
    headers = {"event-sign": sign, "app-id": account.app_key, "sign-method": "md5", "Content-Type": "application/json"}
    return Request(path(account), body, headers=headers)


PLATFORM: Final = Platform("douyin", 20, write, seal)
