"""Taobao and Tmall 淘宝: TMC messages as they came, forwarded in a form that is signed like every call of TOP."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from ops.simulator.facts import Account, Request, Say
from ops.simulator.platforms.base import Platform, compact, local, md5_hex, path, yuan

TOPICS: Final = {  # status → (topic, status in the content)
    "Created": ("taobao_trade_TradeCreate", "TRADE_NO_CREATE_PAY"),
    "PaymentConfirmed": ("taobao_trade_TradeBuyerPay", "WAIT_SELLER_SEND_GOODS"),
    "Shipped": ("taobao_trade_TradeSellerShip", "WAIT_BUYER_CONFIRM_GOODS"),
    "Completed": ("taobao_trade_TradeSuccess", "TRADE_FINISHED"),
    "Cancelled": ("taobao_trade_TradeClose", "TRADE_CLOSED_BY_TAOBAO"),
    "Closed": ("taobao_trade_TradeClose", "TRADE_CLOSED"),
}
REFUNDS: Final = {
    "RefundRequested": "taobao_refund_RefundCreated",
    "RefundApproved": "taobao_refund_RefundSellerAgreeAgreement",
    "Refunded": "taobao_refund_RefundSuccess",
}


def write(account: Account, facts: Sequence[Say]) -> bytes:
    """The messages that were consumed together."""
    return compact([_message(account, said) for said in facts]).encode()


def _message(account: Account, said: Say) -> dict[str, Any]:
    order = said.order
    content: dict[str, Any] = {
        "tid": int(order.number),
        "oid": int(order.number),
        "buyer_nick": "d**o",
        "seller_nick": "demo_seller",
        "type": "guarantee_trade",
    }
    if said.axis == "aftersale":
        topic = REFUNDS[said.status]
        content |= {"refund_id": int(order.number) + 1, "refund_fee": yuan(order.payable), "bill_type": "refund_bill"}
    else:
        topic, content["status"] = TOPICS[said.status]
        if said.payable is not None:
            content["payment"] = yuan(said.payable)
    return {
        "id": int(order.tracking[1:9]) * 10**8 + said.nonce,
        "topic": topic,
        "pub_app_key": "12497914",
        "pub_time": local(said.at),
        "user_id": int(account.shop),
        "user_nick": "demo_seller",
        "content": compact(content),
    }


def seal(account: Account, body: bytes, now: int) -> Request:
    """TOP's MD5 over all fields, sorted."""
    form = {
        "app_key": account.app_key,
        "timestamp": local(now * 1000),
        "sign_method": "md5",
        "message": body.decode(),
    }
    text = "".join(name + form[name] for name in sorted(form))
    form["sign"] = md5_hex(account.secret + text + account.secret).upper()
    return Request(path(account), urlencode(form).encode(), headers={"Content-Type": "application/x-www-form-urlencoded"})


PLATFORM: Final = Platform("taobao", 20, write, seal)
