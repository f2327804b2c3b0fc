"""Kuaishou shop 快手小店.

Push: POST of a text, base64(AES-CBC-PKCS5 of the JSON), key = base64-decoded message private key, IV of zeros. There is no MAC:
what tells a push from a forgery is that it decrypts to JSON with our app key. `{"test":true}`, in the clear or encrypted, is a
heartbeat and is acknowledged, else the platform pauses. Kuaishou says itself that pushes may be lost and doubled, and that
the lists should be asked too. No time is signed: a replay is told by its event id.

Configured with `aes_key` (消息私钥, base64) and `app_key`; `secret` is the app secret, which only renews tokens, and `pull.secret` the
signSecret. The `shop` is the seller's userId.
A status has the time of its message's `updateTime`, of a list's `payTime`, `sendTime`, `recvTime`; where the two differ by a
second the later one read is a repeat. `totalFee` is fen. Not publicly documented: partial shipment, and in pushes the parcel,
the amount and whether a refund is of the whole order; only price protection is known to be partial.
"""

# ruff: noqa: N815 -- the platform's names

import base64
import binascii
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from pydantic import TypeAdapter

from connectors import orders
from connectors.base import BadSignature, Fact, Push, Reply
from connectors.config import Shop
from connectors.orders import Details, Stated
from connectors.reading import Id, Maybe, Minor, Payload, Word, epoch, payload, peek
from connectors.statements import NOTHING, Statement, StatementConnector
from schemas import mapping
from schemas.facts import Unusable
from schemas.records import ParcelRef

TABLE: Final = mapping.load("kuaishou")
ORDERS, REFUNDS = "orders", "refunds"  # the feeds
BLOCK: Final = 16
KEY_SIZES: Final = frozenset({16, 24, 32})
PRICE_PROTECTION: Final = "1"
REACHED: Final = {"10": "createTime", "30": "payTime", "40": "sendTime", "50": "recvTime"}  # status → when a list says it was
_CODES: Final = "sf 4,zto 9,yto 6,sto 3,yunda 11,jt 109,ems 2 8 97 119,jd_logistics 14,deppon 17 53,best 1,rrs 79,cainiao 113"
COURIERS: Final = {  # expressCode of 物流公司编号 → our courier; of the rest no parcel is linked
    code: courier for courier, *codes in map(str.split, _CODES.split(",")) for code in codes
}


class Message(Payload):
    """A decrypted push; `info` is JSON in a text."""

    event: Id
    info: str
    eventId: Maybe[Id] = None
    userId: Maybe[Id] = None
    createTime: Any = None


class Info(Payload):
    """What a message, or an object of the refunds' list, is about."""

    oid: Id | None = None
    orderId: Id | None = None
    sellerId: Maybe[Id] = None
    refundId: Id | None = None
    status: Id | None = None
    handlingWay: Id | None = None
    specialRefundType: Id | None = None
    createTime: Any = None
    updateTime: Any = None


class Base(Payload):
    """The order itself."""

    oid: Id
    status: Id
    totalFee: Minor | None = None
    payType: Id | None = None
    buyerOpenId: Maybe[Word] = None
    createTime: Any = None
    payTime: Any = None
    sendTime: Any = None
    recvTime: Any = None
    updateTime: Any = None


class Logistics(Payload):
    """A parcel of a listed order."""

    expressNo: Maybe[Id] = None
    expressCode: Id | None = None


class Address(Payload):
    """Where it goes; the rest of it is encrypted."""

    province: Maybe[Word] = None


class Order(Payload):
    """An object of the orders' list."""

    orderBaseInfo: Base
    orderLogisticsInfo: list[Logistics] | None = None
    orderAddress: Address | None = None


MESSAGE: Final = TypeAdapter(Message)
INFO: Final = TypeAdapter(Info)
ORDER: Final = TypeAdapter(Order)


class Head(msgspec.Struct):
    """What tells a push from a forgery, and whose it is."""

    test: Any = None
    appKey: Any = None
    info: Any = None


class Whose(msgspec.Struct):
    """Whose a message's info or an object of a list is."""

    oid: Any = None
    orderId: Any = None
    orderBaseInfo: Any = None


class Kuaishou(StatementConnector):
    """See the module."""

    name = "kuaishou"

    def check(self, shop: Shop) -> None:
        """Pushes need the message key and the app key that they are known by."""
        if not shop.aes_key or not shop.app_key:
            raise ValueError(f"kuaishou {shop.shop} needs aes_key (消息私钥) and app_key: a push is known by decrypting to that app")
        _key(shop.aes_key)

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """It decrypts to JSON of our app, or is a heartbeat."""
        _plain(shop, push)

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """One fact, unless the message states nothing."""
        plain = _plain(shop, push)
        head = peek(plain, Head)
        return [] if head and head.test is True else self.facts(shop, plain, {})

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """Answer as Kuaishou asks, within 3 s."""
        return Reply(b'{"result":1}')

    def read(self, payload: bytes, feed: str | None) -> Statement:
        """See StatementConnector."""
        if feed == ORDERS:
            return _order(payload)
        if feed == REFUNDS:
            return _refund(_info(payload), "status", None)
        return _message(payload)

    def order_of(self, payload: bytes, feed: str | None) -> Any:
        """See StatementConnector."""
        if feed is None:
            head = peek(payload, Head)
            payload = head.info.encode() if head and isinstance(head.info, str) else b""
        whose = peek(payload, Whose) or Whose()
        base = whose.orderBaseInfo
        return base.get("oid") if isinstance(base, dict) else whose.oid or whose.orderId


def decrypt(private_key: str, sealed: bytes) -> bytes:
    """The JSON inside. Raises ValueError for another key or a broken ciphertext."""
    data = base64.b64decode(sealed, validate=True)
    decryptor = Cipher(algorithms.AES(_key(private_key)), modes.CBC(bytes(BLOCK))).decryptor()
    plain = decryptor.update(data) + decryptor.finalize()
    padding = plain[-1] if plain else 0
    if not 1 <= padding <= BLOCK or plain[-padding:] != bytes([padding]) * padding:
        raise ValueError("the padding is wrong")
    return plain[:-padding]


def _key(private_key: str) -> bytes:
    try:
        key = base64.b64decode(private_key, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) not in KEY_SIZES:
        raise ValueError("aes_key must be base64 of a key of 16, 24 or 32 bytes (消息私钥)")
    return key


def _plain(shop: Shop, push: Push) -> bytes:
    """The push decrypted, or a heartbeat in the clear. Raises BadSignature for what is neither."""
    body = push.body.strip()
    clear = peek(body, Head) if body.startswith(b"{") else None
    if clear and clear.test is True:
        return body
    try:
        plain = decrypt(shop.aes_key or "", body)
    except ValueError:
        raise BadSignature("the push is not encrypted with this shop's message key") from None
    head = peek(plain, Head)
    if head is None or not (head.test is True or (isinstance(head.appKey, str) and head.appKey == shop.app_key)):
        raise BadSignature("the push does not decrypt to a message of this shop's app")
    return plain


def _message(data: bytes) -> Statement:
    message = payload(MESSAGE, data)
    entry = orders.looked_up(TABLE, "event", message.event)
    if entry.axis == "aftersale":
        return _refund(_info(message.info), "event", message)
    said = orders.stated(entry)
    if said is None:
        return NOTHING
    info = _info(message.info)
    if info.oid is None:
        raise Unusable("invalid", "oid is missing")
    at = _at(info.updateTime, info.createTime, message.createTime)
    return Statement(info.oid, said, at, f"event={message.event}", (message.userId, info.sellerId), own_id=message.eventId)


def _info(data: bytes | str) -> Info:
    return payload(INFO, data)


def _refund(info: Info, field: str, message: Message | None) -> Statement:
    """A refund case, pushed or listed: by its status, and by its way whether anything goes back at all."""
    order_id = info.orderId or info.oid
    if order_id is None or info.refundId is None or info.status is None:
        raise Unusable("invalid", f"{'refundId' if order_id else 'orderId'} or status is missing")
    said = orders.stated(orders.looked_up(TABLE, "refund_status", info.status))
    way = TABLE.get("handlingWay", info.handlingWay) if info.handlingWay else None
    if said and said.status == "Refunded" and way and way.aftersale_kind is None:  # exchange, resend, repair: nothing goes back
        said = said.but("RefundClosed")
    details = Details(
        case_id=info.refundId,
        aftersale_kind=way.aftersale_kind if way else None,
        partial_refund=info.specialRefundType == PRICE_PROTECTION,
    )
    at = _at(info.updateTime, info.createTime, message and message.createTime)
    speakers = (info.sellerId, message.userId if message else None)
    own_id = message.eventId if message else None
    return Statement(order_id, said, at, f"{field}={info.status}", speakers, details, own_id)


def _order(data: bytes) -> Statement:
    listed = payload(ORDER, data)
    base = listed.orderBaseInfo
    said: Stated | None = orders.stated(orders.looked_up(TABLE, "status", base.status))
    paid = base.totalFee
    details = Details(
        payable_minor=paid,
        currency=None if paid is None else "CNY",
        payment_method=base.payType,
        customer_id=base.buyerOpenId,
        province=listed.orderAddress.province if listed.orderAddress else None,
        parcels=_parcels(listed.orderLogisticsInfo or []),
    )
    reached = getattr(base, REACHED[base.status]) if base.status in REACHED else None
    return Statement(base.oid, said, _at(reached, base.updateTime, base.createTime), f"status={base.status}", (), details)


def _parcels(listed: list[Logistics]) -> list[ParcelRef]:
    found = [(COURIERS.get(each.expressCode or ""), each.expressNo) for each in listed]
    return [ParcelRef(courier=courier, tracking_no=number) for courier, number in found if courier and number]


def _at(*times: Any) -> int | None:
    """The first time that is given, in ms; the platform writes 0 for none. Raises Unusable."""
    given = next((time for time in times if time and time != "0"), None)
    return None if given is None else epoch(given, 1)
