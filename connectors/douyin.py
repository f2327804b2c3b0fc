"""Douyin shop 抖店.

Push: POST of a JSON array `[{tag, msg_id, data}]`, `data` a JSON text; a probe has tag "0". Headers `event-sign`,
`app-id`, `sign-method`; the signature is MD5, or HMAC-SHA256, over app key + body + secret. It covers no time, so a
replay is told by the event id only. The configured `shop` is Douyin's shop_id; without `app_key` the header's is used.

A list cannot know a message's `msg_id`, so a tag with a status of its own has the id of that fact (`orders.fact_id`), pushed or
listed; a tag with other news beside a status (an address, an amount, arbitration, one of several parcels) keeps its `msg_id`.
Lists (`lists/douyin.py`) say no time of a cancellation or of a refund's steps: the last change stands for it. That it is the
push's second is not publicly documented; where it is not, the listed fact is a repeat.
A push does not say whether a refund is of the whole order: price protection is partial, and so is a case of sub-orders that
do not have the order's own number (one of several has it).
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from pydantic import TypeAdapter

from connectors import orders
from connectors.base import MAX_FACTS, BadSignature, Connector, Fact, Push, Reply, TooMany
from connectors.config import CHANNEL, Shop
from connectors.lists import base as lists
from connectors.lists.douyin import PRICE_PROTECTION, READERS, TABLE, kind_of, settled
from connectors.orders import Stated
from connectors.pull.base import PULLED
from connectors.reading import Id, Maybe, Minor, Payload, Prose, digest, elements, epoch, in_zone, key_of, payload, peek
from connectors.signing import hmac_sha256, md5, require
from schemas import couriers
from schemas.facts import Unusable
from schemas.records import Observation, ParcelRef, RawEvent

PROBE: Final = "0"
TIMES: Final[Mapping[str, str]] = {  # tag → the field that holds its time; all others have update_time, or none
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


class Logistics(Payload):
    """The parcel of a shipment."""

    express_company_id: Maybe[Id] = None
    logistics_code: Maybe[Id] = None


class Data(Payload):
    """What a message is about; which time it has depends on its tag."""

    p_id: Id
    s_ids: list[Id] | None = None
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
    aftersale_id: Any = None
    aftersale_type: Any = None
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

    def pulled(self, shop: Shop, feed: str, item: bytes) -> list[Fact]:
        """An order, or an after-sale case."""
        return lists.facts(shop, feed, item, READERS.get(feed))

    def decode(self, event: RawEvent) -> Observation:
        """Read one message, or one object of a list."""
        if PULLED in event.headers:
            return lists.observation(event, READERS.get(event.headers[PULLED]))
        message = payload(MESSAGE, event.payload)
        data = payload(DATA, message.data)
        kind = kind_of(data.aftersale_type)
        said = settled(orders.required(_stated(message.tag, data), f"tag={message.tag}"), kind)
        orders.own(event, data.p_id, data.shop_id)
        aftersale = said.axis == "aftersale"
        if aftersale and not data.aftersale_id:
            raise Unusable("invalid", "aftersale_id is missing")
        at = _time(message.tag, data)
        paid = data.pay_amount if data.pay_amount is not None else data.total_amount
        return orders.observation(
            event,
            (event.source, event.shop),
            data.p_id,
            said,
            event.received_at if at is None else at,  # arbitration and the like have no time: they happened when they came
            case_id=data.aftersale_id if aftersale else None,
            aftersale_kind=kind.aftersale_kind if kind and aftersale else None,
            partial_refund=aftersale and _partial(data),
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
    event_id = None
    try:
        if head.tag is not None and whose.p_id is not None:
            said = _stated(str(head.tag), whose)
            if said is None:
                return None
            event_id = _named(shop, str(head.tag), said, whose)
    except Unusable:
        pass  # an unknown tag is a fact: it ends as a dead letter and is said
    event_id = event_id or key_of(head.msg_id) or digest(shop.name, message)
    return Fact(event_id, key_of(shop.name, shop.shop, whose.p_id) or event_id, shop.name, message)


def _named(shop: Shop, tag: str, said: Stated, whose: Whose) -> str | None:
    """The id that the list gives this fact too; None where the message has news of its own, or no time."""
    at, order_id, case_id = _time(tag, whose), key_of(whose.p_id), key_of(whose.aftersale_id)
    own = orders.looked_up(TABLE, "tag", tag).status
    if own in {None, "PartiallyShipped"} or at is None or order_id is None or (said.axis == "aftersale" and case_id is None):
        return None
    said = settled(said, kind_of(whose.aftersale_type))
    return orders.fact_id(shop.name, shop.shop, order_id, said.axis, said.status, at, case_id if said.axis == "aftersale" else None)


def _stated(tag: str, data: Data | Whose) -> Stated | None:
    """By the tag; a tag without a status of its own repeats what the order's or the case's status field says."""
    entry = orders.looked_up(TABLE, "tag", tag)
    if said := orders.stated(entry):
        return said
    field = "after_sale_status" if entry.axis == "aftersale" else "order_status"
    code = (data.after_sale_status or data.aftersale_status) if entry.axis == "aftersale" else data.order_status
    return None if code is None else orders.stated(orders.looked_up(TABLE, field, code))


def _time(tag: str, data: Data | Whose) -> int | None:
    value = getattr(data, TIMES.get(tag, "update_time")) or data.update_time
    if not value:
        return None
    return in_zone(value) if isinstance(value, str) and not value.isdigit() else epoch(value, 1000)


def _partial(data: Data) -> bool:
    return data.aftersale_type == PRICE_PROTECTION or bool(data.s_ids and data.p_id not in data.s_ids)


def _parcels(data: Data) -> list[ParcelRef]:
    found = data.logistics_msg if isinstance(data.logistics_msg, list) else [data.logistics_msg]
    return [
        ParcelRef(courier=couriers.ours(item.express_company_id), tracking_no=item.logistics_code)
        for item in found
        if item and item.express_company_id and item.logistics_code
    ]
