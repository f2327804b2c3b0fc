"""Pinduoduo 拼多多: PMC frames as they came, forwarded in a form that is signed like every call of POP.

An order exists for the merchant once it is concluded: there is no message of a new, unpaid one.
"""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from ops.simulator.facts import Account, Request, Say
from ops.simulator.platforms.base import Platform, compact, md5_hex, path

TYPES: Final[dict[str, tuple[str, dict[str, int]]]] = {  # status → (type, status fields in the content)
    "PaymentConfirmed": ("pdd_trade_TradeConfirmed", {"confirm_status": 1, "group_status": 1, "order_status": 1}),
    "Shipped": ("pdd_trade_TradeSellerShip", {}),
    "Completed": ("pdd_trade_TradeSuccess", {}),
    "Cancelled": ("pdd_trade_TradeRiskChanged", {"confirm_status": 2}),
}
REFUNDS: Final = {  # status → (type, after-sales status)
    "RefundRequested": ("pdd_refund_RefundCreated", 2),
    "RefundApproved": ("pdd_refund_RefundAgreeAgreement", 4),
    "Refunded": ("pdd_refund_RefundClosed", 10),
}
REFUND_BILL: Final = 1


def write(account: Account, facts: Sequence[Say]) -> bytes:
    """The frames that came together."""
    return compact([_frame(account, said) for said in facts]).encode()


def _frame(account: Account, said: Say) -> dict[str, Any]:
    order = said.order
    content: dict[str, Any] = {"mall_id": int(account.shop), "tid": order.number, "modified": said.at}
    if said.axis == "aftersale":
        kind, status = REFUNDS[said.status]
        bill = {"refund_id": int(order.tracking), "refund_fee": order.payable, "bill_type": REFUND_BILL}
        content |= bill | {"after_sales_status": status, "operation": 1000}
    else:
        kind, fields = TYPES[said.status]
        content |= fields
        if said.payable is not None:
            content["pay_amount"] = said.payable
    return {
        "id": int(order.tracking[1:9]) * 10**8 + said.nonce,
        "commandType": "Common",
        "time": said.at,
        "sendTime": said.at + 100,
        "message": {"type": kind, "mallID": int(account.shop), "content": compact(content)},
    }


def seal(account: Account, body: bytes, now: int) -> Request:
    """POP's MD5 over all fields, sorted."""
    form = {"client_id": account.app_key, "timestamp": str(now), "message": body.decode()}
    text = "".join(name + form[name] for name in sorted(form))
    form["sign"] = md5_hex(account.secret + text + account.secret).upper()
    return Request(path(account), urlencode(form).encode(), headers={"Content-Type": "application/x-www-form-urlencoded"})


PLATFORM: Final = Platform("pinduoduo", 20, write, seal)
