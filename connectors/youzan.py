"""Youzan 有赞.

Push: POST of a JSON object; `Event-Sign` = MD5 over client_id + body + client_secret. `msg` is url-encoded JSON (a blank is `+`),
or an object for the newer `youzan_trade_Refund*`. The answer must contain `success`. No time is signed: a replay is told by its
event id. Configured with `app_key` (client_id; else the header's is used) and `secret`; the `shop` is the kdt_id.

Messages come in any order and the higher `version` is the newer one. It is the time of the change, in seconds for orders and in
ms for refunds, so it is read as the time of the status: what comes late has the lower one. Where it is no time, `update_time` is.
The lists have `update_time` and `modified` of the same second; an object that was touched since is a repeat under another id.
trade_TradePaid says that money came, its `status` whether the order may be shipped (a group that is not full holds it).
Two docs disagree how often a push is tried again (16 or 4 times). Not publicly documented: whether a refund is of the whole order.
"""

import binascii
from typing import Any, Final
from urllib.parse import unquote_plus

import msgspec
from pydantic import TypeAdapter

from connectors import orders
from connectors.base import Fact, Push, Reply
from connectors.config import Shop
from connectors.orders import Details, Stated
from connectors.reading import Id, Maybe, Payload, Word, epoch, in_zone, minor, payload, peek
from connectors.signing import md5, require
from connectors.statements import NOTHING, Statement, StatementConnector
from schemas import mapping
from schemas.facts import Unusable

TABLE: Final = mapping.load("youzan")
ORDERS, REFUNDS = "orders", "refunds"  # the feeds
REFINED: Final = frozenset({"trade_TradePaid", "TRADE_ORDER_STATE"})  # their status field says more than their type
BY_STATE: Final = "TRADE_ORDER_REFUND"
SECONDS, MILLIS = 10, 13  # digits of a version that is a time, until the year 2286


class OrderInfo(Payload):
    """The order itself. Times are texts, GMT+8; empty where it was not reached."""

    tid: Id
    status: Maybe[Id] = None
    pay_type: Id | None = None
    update_time: Maybe[Any] = None
    created: Maybe[Any] = None


class PayInfo(Payload):
    """Money is yuan in a text."""

    payment: Any = None


class BuyerInfo(Payload):
    """Who bought; the rest of it is encrypted."""

    yz_open_id: Maybe[Word] = None


class AddressInfo(Payload):
    """Where it goes."""

    delivery_province: Maybe[Word] = None


class FullOrder(Payload):
    """An order with all its parts."""

    order_info: OrderInfo
    pay_info: PayInfo | None = None
    buyer_info: BuyerInfo | None = None
    address_info: AddressInfo | None = None


class Listed(Payload):
    """An object of the orders' list."""

    full_order_info: FullOrder


class Refund(Payload):
    """An object of the refunds' list. `demand`: 1 the money, 2 and the goods back, 3 an exchange."""

    refund_id: Id
    tid: Id
    status: Id
    kdt_id: Id | None = None
    demand: Id | None = None
    return_goods: bool | None = None
    modified: Any = None


class Message(Payload):
    """One push."""

    type: Id
    msg: str | dict[str, Any]
    id: Maybe[Id] = None
    msg_id: Maybe[Id] = None
    status: Maybe[Id] = None
    version: Any = None
    kdt_id: Id | None = None
    root_kdt_id: Id | None = None


class Msg(Payload):
    """What a push is about."""

    tid: Maybe[Id] = None
    status: Maybe[Id] = None
    refund_id: Maybe[Id] = None
    refund_state: Maybe[Id] = None
    refund_type: Maybe[Id] = None
    update_time: Maybe[Any] = None
    payment: Any = None
    version: Any = None
    full_order_info: FullOrder | None = None


MESSAGE: Final = TypeAdapter(Message)
MSG: Final = TypeAdapter(Msg)
LISTED: Final = TypeAdapter(Listed)
REFUND: Final = TypeAdapter(Refund)


class Head(msgspec.Struct):
    """Whose a push or an object of a list is."""

    id: Any = None
    tid: Any = None
    test: Any = None
    full_order_info: Any = None


class Youzan(StatementConnector):
    """See the module."""

    name = "youzan"

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """`Event-Sign` over client_id + body + client_secret."""
        client_id = shop.app_key or push.headers.get("client-id", "")
        require(sign(client_id, shop.secret, push.body), push.headers.get("event-sign"))

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """One fact, unless the message is a test or states nothing."""
        head = peek(push.body, Head)
        return [] if head and head.test is True else self.facts(shop, push.body, {})

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """Answer as Youzan asks."""
        return Reply(b'{"code":0,"msg":"success"}')

    def read(self, payload: bytes, feed: str | None) -> Statement:
        """See StatementConnector."""
        if feed == ORDERS:
            return _listed(payload)
        return _refund(payload) if feed == REFUNDS else _message(payload)

    def order_of(self, payload: bytes, feed: str | None) -> Any:
        """See StatementConnector."""
        head = peek(payload, Head) or Head()
        if feed == ORDERS:
            info = head.full_order_info.get("order_info") if isinstance(head.full_order_info, dict) else None
            return info.get("tid") if isinstance(info, dict) else None
        return head.tid if feed else head.id


def sign(client_id: str, secret: str, body: bytes) -> str:
    """`Event-Sign` of a push, in lower-case hex."""
    return md5(client_id.encode(errors="replace") + body + secret.encode())


def _message(data: bytes) -> Statement:
    message = payload(MESSAGE, data)
    entry = orders.looked_up(TABLE, "type", message.type)
    if entry.status is None and message.type not in {*REFINED, BY_STATE}:
        return NOTHING
    msg = _msg(message.msg)
    order = msg.full_order_info
    order_id = msg.tid or (order.order_info.tid if order else None) or message.id
    if order_id is None:
        raise Unusable("invalid", "tid is missing")
    at, speakers = _at(message, msg), (message.kdt_id, message.root_kdt_id)
    if entry.axis == "aftersale":
        said, details = _case(message, msg, orders.stated(entry))
        return Statement(order_id, said, at, f"type={message.type}", speakers, details, message.msg_id)
    said = orders.stated(entry)
    code = message.status or msg.status or (order.order_info.status if order else None)
    if message.type in REFINED and code:
        said = orders.stated(orders.looked_up(TABLE, "status", code))
    return Statement(order_id, said, at, f"type={message.type}", speakers, _details(order, msg.payment), message.msg_id)


def _msg(msg: str | dict[str, Any]) -> Msg:
    """An object, JSON, or JSON that was url-encoded."""
    if isinstance(msg, str):
        return payload(MSG, msg if msg.lstrip().startswith("{") else unquoted(msg))
    return payload(MSG, msgspec.json.encode(msg))


def unquoted(msg: str) -> bytes | str:
    """The text before it was url-encoded. Hundreds of `%22` are read in C as those of quoted-printable, which differ in `=` only."""
    if "=" in msg or not msg.isascii():  # no encoder leaves one
        return unquote_plus(msg)
    return binascii.a2b_qp(msg.replace("+", " ").replace("%", "="))


def _at(message: Message, msg: Msg) -> int | None:
    """By the version where it is a time, in ms of a refund, else by the update time. Raises Unusable."""
    for version in (msg.version, message.version):
        if type(version) is int and len(str(version)) in {SECONDS, MILLIS}:
            return epoch(version, 1000 if len(str(version)) == SECONDS else 1)
    told = msg.update_time or (msg.full_order_info.order_info.update_time if msg.full_order_info else None)
    return in_zone(told) if told else None


def _case(message: Message, msg: Msg, said: Stated | None) -> tuple[Stated | None, Details]:
    if msg.refund_id is None:
        raise Unusable("invalid", "refund_id is missing")
    if message.type == BY_STATE:
        if msg.refund_state is None:
            raise Unusable("invalid", "refund_state is missing")
        said = orders.stated(orders.looked_up(TABLE, "refund_state", msg.refund_state))
    kind = TABLE.get("refund_type", msg.refund_type) if msg.refund_type else None
    nothing_back = kind is not None and kind.aftersale_kind is None
    details = Details(case_id=msg.refund_id, aftersale_kind=kind.aftersale_kind if kind else None)
    return _exchanged(said) if nothing_back else said, details


def _exchanged(said: Stated | None) -> Stated | None:
    """An exchange that is done has refunded nothing."""
    return said.but("RefundClosed") if said and said.status == "Refunded" else said


def _details(order: FullOrder | None, payment: Any = None) -> Details:
    paid = minor(order.pay_info.payment if order and order.pay_info else payment)
    details = Details(payable_minor=paid, currency=None if paid is None else "CNY")
    if order:
        details["payment_method"] = order.order_info.pay_type
        details["customer_id"] = order.buyer_info.yz_open_id if order.buyer_info else None
        details["province"] = order.address_info.delivery_province if order.address_info else None
    return details


def _listed(data: bytes) -> Statement:
    order = payload(LISTED, data).full_order_info
    info = order.order_info
    if info.status is None:
        raise Unusable("invalid", "status is missing")
    said = orders.stated(orders.looked_up(TABLE, "status", info.status))
    return Statement(info.tid, said, in_zone(info.update_time or info.created), f"status={info.status}", (), _details(order))


def _refund(data: bytes) -> Statement:
    case = payload(REFUND, data)
    said = orders.stated(orders.looked_up(TABLE, "refund_status", case.status))
    kind = TABLE.get("demand", case.demand) if case.demand else None
    if kind and kind.aftersale_kind is None:
        said = _exchanged(said)
    told = None if case.return_goods is None else "return_refund" if case.return_goods else "refund_only"
    details = Details(case_id=case.refund_id, aftersale_kind=kind.aftersale_kind if kind else told)
    return Statement(case.tid, said, in_zone(case.modified), f"status={case.status}", (case.kdt_id,), details)
