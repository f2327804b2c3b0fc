"""Youzan 有赞: one message, `msg` url-encoded JSON (an object for refunds), MD5 over client id, body and secret."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote_plus

from ops.simulator.facts import Account, Request, Say
from ops.simulator.platforms.base import Platform, compact, local, md5_hex, path, seconds, yuan

TRADES: Final = {  # status → (type, status of the order)
    "Created": ("trade_TradeCreate", "WAIT_BUYER_PAY"),
    "PaymentConfirmed": ("trade_TradeBuyerPay", "WAIT_SELLER_SEND_GOODS"),
    "OnHold": ("trade_TradePaid", "WAIT_CONFIRM"),
    "PartiallyShipped": ("trade_TradePartlySellerShip", "WAIT_SELLER_SEND_GOODS"),
    "Shipped": ("trade_TradeSellerShip", "WAIT_BUYER_CONFIRM_GOODS"),
    "Completed": ("trade_TradeSuccess", "TRADE_SUCCESS"),
    "Closed": ("trade_TradeClose", "TRADE_CLOSED"),
    "Cancelled": ("TRADE_ORDER_STATE", "TRADE_CLOSED_BY_USER"),
}
REFUNDS: Final = {
    "RefundRequested": "youzan_trade_RefundCreated",
    "RefundApproved": "youzan_trade_RefundSellerAgree",
    "Refunded": "youzan_trade_RefundSuccess",
    "RefundClosed": "youzan_trade_RefundClosed",
}
FULL: Final = frozenset({"trade_TradeCreate", "trade_TradePaid", "trade_TradeBuyerPay"})  # have the whole order


def write(account: Account, facts: Sequence[Say]) -> bytes:
    """One message."""
    (said,) = facts
    head: dict[str, Any] = {"client_id": account.app_key, "kdt_id": int(said.order.shop), "id": said.order.number, "mode": 1, "test": False}
    head |= {"msg_id": f"m-{said.nonce}-{said.order.number}", "version": seconds(said.at), "sendCount": 0}
    if said.axis == "aftersale":
        return compact(head | {"type": said.code or REFUNDS[said.status], "msg": _refund(said)}).encode()
    kind, status = TRADES[said.status]
    return compact(head | {"type": said.code or kind, "status": status, "msg": quote_plus(compact(_trade(said, kind, status)))}).encode()


def _trade(said: Say, kind: str, status: str) -> dict[str, Any]:
    if kind not in FULL:
        return {"tid": said.order.number, "status": status, "update_time": local(said.at)}
    order = {"tid": said.order.number, "status": status, "created": local(said.at), "update_time": local(said.at)}
    paid = {} if said.payable is None else {"pay_info": {"payment": yuan(said.payable)}}
    return {"full_order_info": {"order_info": order, **paid}}


def _refund(said: Say) -> dict[str, Any]:
    case = {"tid": said.order.number, "refund_id": f"R{said.order.number[1:]}", "refunded_fee": yuan(said.order.payable)}
    return case | {
        "refund_type": "REFUND_ONLY" if said.refund_only else "REFUND_AND_RETURN",
        "version": said.at,
        "update_time": local(said.at),
    }


def seal(account: Account, body: bytes, now: int) -> Request:
    """Sign the body as it is."""
    sign = md5_hex(account.app_key.encode() + body + account.secret.encode())
    return Request(path(account), body, headers={"Event-Sign": sign, "Client-Id": account.app_key, "Content-Type": "application/json"})


PLATFORM: Final = Platform("youzan", 1, write, seal)
