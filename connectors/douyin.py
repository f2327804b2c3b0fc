"""Douyin shop 抖店.

Push: POST of a JSON array `[{tag, msg_id, data}]`, `data` a JSON text; a probe has tag "0". Headers `event-sign`,
`app-id`, `sign-method`; the signature is MD5, or HMAC-SHA256, over app key + body + secret. It covers no time, so a
replay is told by `msg_id` only. The configured `shop` is Douyin's shop_id; without `app_key` the header's is used.
A push does not say whether a refund is of the whole order; only price protection is known to be partial.
"""

from typing import Any, Final

import msgspec
from pydantic import TypeAdapter

from connectors import orders
from connectors.base import MAX_FACTS, BadSignature, Connector, Fact, Push, Reply, TooMany
from connectors.config import CHANNEL, Shop
from connectors.orders import Stated
from connectors.reading import Id, Maybe, Minor, Payload, Prose, digest, elements, epoch, in_zone, key_of, payload, peek
from connectors.signing import hmac_sha256, md5, require
from schemas import couriers, mapping
from schemas.facts import Unusable
from schemas.records import Observation, ParcelRef, RawEvent

TABLE: Final = mapping.load("douyin")
PROBE: Final = "0"
TIMES: Final = {  # tag → the field that holds its time; all others have update_time, or none
    "100": "create_time",
    "101": "pay_time",
    "103": "complete_time",
    "106": "cancel_time",
    "109": "modify_time",
    "111": "apply_time",
    "200": "apply_time",
    "201": "agree_time",
    "202": "agree_time",
    "204": "refuse_time",
    "205": "refuse_time",
    "206": "success_time",
    "207": "close_time",
    "208": "modify_time",
    "211": "apply_time",
    "224": "apply_time",
    "225": "success_time",
}
PRICE_PROTECTION: Final = "6"


class Logistics(Payload):
    """The parcel of a shipment."""

    express_company_id: Maybe[Id] = None
    logistics_code: Maybe[Id] = None


class Data(Payload):
    """What a message is about; which time it has depends on its tag."""

    p_id: Id
    shop_id: Id | None = None
    order_status: Id | None = None
    after_sale_status: Id | None = None
    aftersale_status: Id | None = None
    aftersale_id: Id | None = None
    aftersale_type: Id | None = None
    pay_amount: Minor | None = None
    total_amount: Minor | None = None
    pay_type: Id | None = None
    cancel_reason: Maybe[Prose] = None
    logistics_msg: Logistics | list[Logistics] | None = None
    create_time: Any = None
    pay_time: Any = None
    complete_time: Any = None
    cancel_time: Any = None
    apply_time: Any = None
    agree_time: Any = None
    refuse_time: Any = None
    success_time: Any = None
    close_time: Any = None
    modify_time: Any = None
    update_time: Any = None


class Message(Payload):
    """One message; `data` is JSON in a text."""

    tag: Id
    data: str


MESSAGE: Final = TypeAdapter(Message)
DATA: Final = TypeAdapter(Data)


class Head(msgspec.Struct):
    """What tells whose a message is."""

    tag: Any = None
    msg_id: Any = None
    data: Any = None


class Whose(msgspec.Struct):
    """The same, of its data."""

    p_id: Any = None
    order_status: Any = None
    after_sale_status: Any = None
    aftersale_status: Any = None


class Douyin(Connector):
    """See the module."""

    name = "douyin"
    kinds = frozenset({CHANNEL})

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """`event-sign` over app key + body + secret."""
        app_key = shop.app_key or push.headers.get("app-id", "")
        method = push.headers.get("sign-method", "md5").lower()
        if method not in {"md5", "hmac-sha256"}:
            raise BadSignature("sign-method must be md5 or hmac-sha256")
        require(sign(app_key, shop.secret, push.body, method), push.headers.get("event-sign"))

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """One fact a message; probes and messages that state nothing are none."""
        messages = elements(push.body) or [push.body]
        if len(messages) > MAX_FACTS:
            raise TooMany(f"{len(messages)} messages in one push; {MAX_FACTS} are the most")
        return [fact for message in messages if (fact := _fact(shop, message))]

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """Answer as Douyin asks."""
        return Reply(b'{"code":0,"msg":"success"}')

    def decode(self, event: RawEvent) -> Observation:
        """Read one message."""
        message = payload(MESSAGE, event.payload)
        data = payload(DATA, message.data)
        kind = TABLE.get("aftersale_type", data.aftersale_type) if data.aftersale_type else None
        said = orders.required(_stated(message.tag, data), f"tag={message.tag}")
        orders.own(event, data.p_id, data.shop_id)
        aftersale = said.axis == "aftersale"
        if aftersale and not data.aftersale_id:
            raise Unusable("invalid", "aftersale_id is missing")
        if said.status == "Refunded" and kind and kind.aftersale_kind is None:  # exchange, resend, repair: nothing goes back
            said = said.but("RefundClosed")
        paid = data.pay_amount if data.pay_amount is not None else data.total_amount
        return orders.observation(
            event,
            (event.source, event.shop),
            data.p_id,
            said,
            _time(message.tag, data, event),
            case_id=data.aftersale_id if aftersale else None,
            aftersale_kind=kind.aftersale_kind if kind and aftersale else None,
            partial_refund=aftersale and data.aftersale_type == PRICE_PROTECTION,
            payable_minor=None if aftersale else paid,
            currency=None if aftersale or paid is None else "CNY",
            payment_method=data.pay_type,
            parcels=_parcels(data),
        )


def sign(app_key: str, secret: str, body: bytes, method: str = "md5") -> str:
    """`event-sign` of a push, in lower-case hex."""
    message = app_key.encode() + body + secret.encode()
    return md5(message) if method == "md5" else hmac_sha256(secret, message)


def _fact(shop: Shop, message: bytes) -> Fact | None:
    head = peek(message, Head) or Head()
    if str(head.tag) == PROBE:
        return None
    whose = (peek(head.data.encode(), Whose) if isinstance(head.data, str) else None) or Whose()
    try:
        if head.tag is not None and whose.p_id is not None and _stated(str(head.tag), whose) is None:
            return None
    except Unusable:
        pass  # an unknown tag is a fact: it ends as a dead letter and is said
    event_id = key_of(head.msg_id) or digest(shop.name, message)
    return Fact(event_id, key_of(shop.name, shop.shop, whose.p_id) or event_id, shop.name, message)


def _stated(tag: str, data: Data | Whose) -> Stated | None:
    """By the tag; a tag without a status of its own repeats what the order's or the case's status field says."""
    entry = orders.looked_up(TABLE, "tag", tag)
    if said := orders.stated(entry):
        return said
    field = "after_sale_status" if entry.axis == "aftersale" else "order_status"
    code = (data.after_sale_status or data.aftersale_status) if entry.axis == "aftersale" else data.order_status
    return None if code is None else orders.stated(orders.looked_up(TABLE, field, code))


def _time(tag: str, data: Data, event: RawEvent) -> int:
    value = getattr(data, TIMES.get(tag, "update_time")) or data.update_time
    if not value:
        return event.received_at  # arbitration and the like have no time: they happened when they came
    return in_zone(value) if isinstance(value, str) and not value.isdigit() else epoch(value, 1000)


def _parcels(data: Data) -> list[ParcelRef]:
    found = data.logistics_msg if isinstance(data.logistics_msg, list) else [data.logistics_msg]
    return [
        ParcelRef(courier=couriers.ours(item.express_company_id), tracking_no=item.logistics_code)
        for item in found
        if item and item.express_company_id and item.logistics_code
    ]
