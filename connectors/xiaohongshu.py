"""Xiaohongshu 小红书.

Push: POST of a JSON array `[{msgTag, sellerId, data}]`, `data` a JSON text. How a push is signed is not publicly documented, so
the shop's option `push_auth` says how it is authenticated:

    header_sign  (default) headers app-key, timestamp (s, within 10 minutes), sign = MD5 over path + "?" + app-key, timestamp and
                 the query, sorted and joined, + app secret. UNVERIFIED: it is known from one third-party implementation only.
                 It does not cover the body. The option `path` is the address's path as Xiaohongshu knows it, where it is another
                 than ours (/hooks/xiaohongshu/<shop>).
    query_token  the address is registered as …?token=<token of the configuration>; nothing else is looked at

The configured `shop` is the sellerId. Messages have no id. Status 4 is pushed twice, when an order may be shipped and when it has
been picked: the second is a repeat. Orders' money is fen, after-sale money is yuan with decimals and is not read.
A list has `paidTime`, `deliveryTime`, `finishTime`, `cancelTime`; where a push's `updateTime` is of another second, the later one
read is a repeat. Not publicly documented: time-outs, retries, and whether a refund is of the whole order.
"""

# ruff: noqa: N815 -- the platform's names

from typing import Any, Final

import msgspec
from pydantic import TypeAdapter

from connectors import orders
from connectors.base import MAX_FACTS, BadSignature, Fact, Push, Reply, TooMany
from connectors.config import Shop
from connectors.orders import Details, Stated
from connectors.reading import Id, Maybe, Minor, Payload, Word, elements, epoch, payload, peek
from connectors.signing import md5, require, require_exact, require_recent_seconds
from connectors.statements import NOTHING, Statement, StatementConnector
from schemas import mapping
from schemas.facts import Unusable

TABLE: Final = mapping.load("xiaohongshu")
ORDERS, AFTERSALES = "orders", "aftersales"  # the feeds
WINDOW: Final = 600  # seconds
HEADER_SIGN, QUERY_TOKEN = "header_sign", "query_token"
STATUS_CHANGE: Final = "msg_fulfillment_status_change"
REACHED: Final = {"1": "createdTime", "2": "paidTime", "6": "deliveryTime", "7": "finishTime", "8": "cancelTime", "9": "cancelTime"}


class Message(Payload):
    """One message; `data` is JSON in a text."""

    msgTag: Id
    data: str
    sellerId: Maybe[Id] = None


class Data(Payload):
    """What a message is about."""

    orderId: Id
    orderStatus: Id | None = None
    returnsId: Maybe[Id] = None
    returnType: Id | None = None
    updateTime: Any = None


class Order(Payload):
    """An object of the orders' list. Money is fen, times are ms."""

    orderId: Id
    orderStatus: Id
    totalPayAmount: Minor | None = None
    paymentType: Id | None = None
    userId: Maybe[Word] = None
    receiverProvinceName: Maybe[Word] = None
    createdTime: Any = None
    paidTime: Any = None
    deliveryTime: Any = None
    finishTime: Any = None
    cancelTime: Any = None
    updateTime: Any = None


class Aftersale(Payload):
    """An object of the after-sale list."""

    returnsId: Id
    orderId: Id
    status: Id
    returnType: Id | None = None
    applyTime: Any = None
    updatedAt: Any = None


MESSAGE: Final = TypeAdapter(Message)
DATA: Final = TypeAdapter(Data)
ORDER: Final = TypeAdapter(Order)
AFTERSALE: Final = TypeAdapter(Aftersale)


class Whose(msgspec.Struct):
    """Whose a message or an object is."""

    data: Any = None
    orderId: Any = None


class Xiaohongshu(StatementConnector):
    """See the module."""

    name = "xiaohongshu"

    def check(self, shop: Shop) -> None:
        """How pushes are authenticated is one of the two ways, and has what it needs."""
        super().check(shop)
        way = shop.options.get("push_auth", HEADER_SIGN)
        if way not in {HEADER_SIGN, QUERY_TOKEN}:
            raise ValueError(f"xiaohongshu {shop.shop}: push_auth {way!r} is neither {HEADER_SIGN} nor {QUERY_TOKEN}")
        if way == QUERY_TOKEN and not shop.token:
            raise ValueError(f"xiaohongshu {shop.shop} needs token: push_auth {QUERY_TOKEN} compares it with the address's ?token=")
        if unknown := sorted(set(shop.options) - {"push_auth", "path"}):
            raise ValueError(f"xiaohongshu {shop.shop}: there is no option {unknown[0]!r}; known are push_auth and path")

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """By the way that the configuration names."""
        if shop.options.get("push_auth") == QUERY_TOKEN:
            require_exact(shop.token or "", push.query.get("token"))
            return
        app_key, sent = push.headers.get("app-key", ""), push.headers.get("timestamp", "")
        if shop.app_key and app_key != shop.app_key:
            raise BadSignature("app-key is not this shop's")
        path = shop.options.get("path", f"/hooks/xiaohongshu/{shop.shop}")
        signed = {**push.query, "app-key": app_key, "timestamp": sent}
        require(sign(path, signed, shop.secret), push.headers.get("sign"))
        require_recent_seconds(sent, now, WINDOW)

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """One fact a message; those that state nothing are none."""
        messages = elements(push.body)
        if messages is None:
            messages = [push.body]
        if len(messages) > MAX_FACTS:
            raise TooMany(f"{len(messages)} messages in one push; {MAX_FACTS} are the most")
        return [fact for message in messages for fact in self.facts(shop, message, {})]

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """Answer as Xiaohongshu asks."""
        return Reply(b'{"success":true,"error_code":0,"error_msg":""}')

    def read(self, payload: bytes, feed: str | None) -> Statement:
        """See StatementConnector."""
        if feed == ORDERS:
            return _order(payload)
        return _aftersale(payload) if feed == AFTERSALES else _message(payload)

    def order_of(self, payload: bytes, feed: str | None) -> Any:
        """See StatementConnector."""
        whose = peek(payload, Whose) or Whose()
        if feed is None:
            whose = (peek(whose.data.encode(errors="replace"), Whose) if isinstance(whose.data, str) else None) or Whose()
        return whose.orderId


def sign(path: str, signed: dict[str, str], secret: str) -> str:
    """The unverified `sign` of a push, in lower-case hex."""
    query = "&".join(f"{name}={signed[name]}" for name in sorted(signed))
    return md5(f"{path}?{query}{secret}".encode(errors="replace"))


def _message(data: bytes) -> Statement:
    message = payload(MESSAGE, data)
    entry = orders.looked_up(TABLE, "msgTag", message.msgTag)
    if entry.status is None and message.msgTag != STATUS_CHANGE:
        return NOTHING
    about = payload(DATA, message.data)
    what, at = f"msgTag={message.msgTag}", epoch(about.updateTime, 1)
    if message.msgTag == STATUS_CHANGE:
        if about.orderStatus is None:
            raise Unusable("invalid", "orderStatus is missing")
        said = orders.stated(orders.looked_up(TABLE, "orderStatus", about.orderStatus))
        return Statement(about.orderId, said, at, f"orderStatus={about.orderStatus}", (message.sellerId,))
    if about.returnsId is None:
        raise Unusable("invalid", "returnsId is missing")
    said, details = _case(orders.stated(entry), about.returnsId, about.returnType)
    return Statement(about.orderId, said, at, what, (message.sellerId,), details)


def _order(data: bytes) -> Statement:
    order = payload(ORDER, data)
    said = orders.stated(orders.looked_up(TABLE, "orderStatus", order.orderStatus))
    reached = getattr(order, REACHED[order.orderStatus]) if order.orderStatus in REACHED else None
    paid = order.totalPayAmount
    details = Details(
        payable_minor=paid,
        currency=None if paid is None else "CNY",
        payment_method=order.paymentType,
        customer_id=order.userId,
        province=order.receiverProvinceName,
    )
    at = epoch(reached or order.updateTime or order.createdTime, 1)
    return Statement(order.orderId, said, at, f"orderStatus={order.orderStatus}", (), details)


def _aftersale(data: bytes) -> Statement:
    case = payload(AFTERSALE, data)
    entry = orders.looked_up(TABLE, "after_sale_status", case.status)
    said, details = _case(orders.stated(entry), case.returnsId, case.returnType)
    applied = case.applyTime if entry.status == "RefundRequested" else None
    return Statement(case.orderId, said, epoch(applied or case.updatedAt, 1), f"status={case.status}", (), details)


def _case(said: Stated | None, case_id: str, return_type: str | None) -> tuple[Stated | None, Details]:
    """What a case states by its type: an exchange refunds nothing, and of a refund without return nothing is received."""
    kind = TABLE.get("returnType", return_type) if return_type else None
    details = Details(case_id=case_id, aftersale_kind=kind.aftersale_kind if kind else None)
    if said and kind and said.status == "Refunded" and kind.aftersale_kind is None:
        said = said.but("RefundClosed")
    if said and kind and said.status == "ReturnReceived" and kind.aftersale_kind == "refund_only":
        said = None
    return said, details
