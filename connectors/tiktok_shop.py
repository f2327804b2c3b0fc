"""TikTok Shop.

Push: POST of one JSON object `{type, tts_notification_id, shop_id, timestamp, data}`; header `Authorization` is hex
HMAC-SHA256, keyed with the app secret, over app key + body. No time is signed; a replay is told by its id. The answer is 200.
The configured `shop` is TikTok's shop_id, `secret` the app secret, `app_key` the app key. Ids are texts of 18–19 digits.

Type 1 states an order's status, 11 a cancellation's, 12 a return's, 2 the older reverse order's. ON_HOLD is paid, but the
buyer may still cancel freely: OnHold, so nothing is released before AWAITING_SHIPMENT. The list has no notification id, so
the id of a fact is `orders.fact_id` with the status's `update_time`. A cancellation may be of some lines only and ends no
order by itself: TikTok cancels the order with type 1 where it is of all. A push does not say whether a return is of the whole
order; a listed return says where the refund is partial. The push of a cancellation may have `create_time` alone: then its later
statuses are of the push's own time, and have another id in the list.

A push names no payment method; a listed order does (`payment_method_name`, by `money.method`). A shop whose pool rules name
methods should be asked, not told: type 1 left off in the console. Amounts are decimal texts in the currency's units; times are
epoch seconds.
"""

from collections import Counter
from typing import Any, Final

import msgspec
from pydantic import TypeAdapter

from connectors import money, orders
from connectors.base import Connector, Fact, Push, Reply
from connectors.config import CHANNEL, Shop
from connectors.orders import Stated
from connectors.pull.base import PULLED
from connectors.reading import Id, Maybe, Payload, digest, epoch, key_of, payload, peek
from connectors.signing import hmac_sha256, require
from schemas import couriers, mapping
from schemas.facts import Unusable
from schemas.records import Line, Observation, ParcelRef, RawEvent

TABLE: Final = mapping.load("tiktok_shop")
ORDERS, RETURNS, CANCELLATIONS = "orders", "returns", "cancellations"
ORDER, REVERSE, CANCELLATION, RETURN = "1", "2", "11", "12"  # types that state something
FEED_TYPE: Final = {ORDERS: ORDER, RETURNS: RETURN, CANCELLATIONS: CANCELLATION}
PENDING: Final = "CANCELLATION_REQUEST_PENDING"


class Amount(Payload):
    """What is paid."""

    currency: Any = None
    total_amount: Any = None


class LineItem(Payload):
    """One piece of a listed order."""

    seller_sku: Any = None
    sku_id: Any = None
    sale_price: Any = None
    tracking_number: Maybe[Id] = None
    shipping_provider_name: Maybe[Id] = None


class District(Payload):
    """One level of an address."""

    address_level: Any = None
    address_name: Any = None


class Address(Payload):
    """Where it goes."""

    district_info: list[District] | None = None


class Data(Payload):
    """What a push, or an object of a list, is about: which fields it has depends on its type."""

    order_id: Maybe[Id] = None
    id: Maybe[Id] = None  # of a listed order
    order_status: Maybe[Id] = None
    status: Maybe[Id] = None  # of a listed order
    return_id: Maybe[Id] = None
    return_status: Maybe[Id] = None
    return_type: Maybe[Id] = None
    cancel_id: Maybe[Id] = None
    cancel_status: Maybe[Id] = None
    reverse_order_id: Maybe[Id] = None
    reverse_order_status: Maybe[Id] = None
    seller_proposed_return_type: Any = None
    buyer_rejected_partial_refund: Any = None
    create_time: Any = None
    update_time: Any = None
    payment: Amount | None = None
    payment_method_name: Any = None
    user_id: Maybe[Id] = None
    recipient_address: Address | None = None
    line_items: list[LineItem] | None = None
    tracking_number: Maybe[Id] = None
    shipping_provider: Maybe[Id] = None


class Message(Payload):
    """One push."""

    type: Id
    shop_id: Id | None = None
    timestamp: Any = None
    data: Data


MESSAGE: Final = TypeAdapter(Message)
DATA: Final = TypeAdapter(Data)


class Whose(msgspec.Struct):
    """What tells whose a message is, and what it states."""

    order_id: Any = None
    id: Any = None
    order_status: Any = None
    status: Any = None
    return_id: Any = None
    return_status: Any = None
    cancel_id: Any = None
    cancel_status: Any = None
    reverse_order_id: Any = None
    reverse_order_status: Any = None
    create_time: Any = None
    update_time: Any = None


class Head(msgspec.Struct):
    """The same, of a push."""

    type: Any = None
    timestamp: Any = None
    data: Whose | None = None


class TiktokShop(Connector):
    """See the module."""

    name = "tiktok_shop"
    kinds = frozenset({CHANNEL})

    def check(self, shop: Shop) -> None:
        """The app key is part of what is signed."""
        super().check(shop)
        if not shop.app_key:
            raise ValueError(f"tiktok_shop {shop.shop} needs app_key: it is part of what TikTok signs")

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """`Authorization` over app key and body."""
        require(sign(shop.app_key or "", shop.secret, push.body), push.headers.get("authorization"))

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """One fact, unless the push states nothing."""
        head = peek(push.body, Head) or Head()
        kind = head.type if isinstance(head.type, str) else str(head.type) if type(head.type) is int else ""
        return _facts(shop, kind, head.data or Whose(), head.timestamp, push.body, {})

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """200 is what counts."""
        return Reply(b"")

    def pulled(self, shop: Shop, feed: str, item: bytes) -> list[Fact]:
        """An order, a return, or a cancellation."""
        return _facts(shop, FEED_TYPE.get(feed, ""), peek(item, Whose) or Whose(), None, item, {PULLED: feed})

    def decode(self, event: RawEvent) -> Observation:
        """Read one push, or one object of a list."""
        if feed := event.headers.get(PULLED):
            kind, data, timestamp = FEED_TYPE.get(feed, ""), payload(DATA, event.payload), None
        else:
            message = payload(MESSAGE, event.payload)
            kind, data, timestamp = message.type, message.data, message.timestamp
            orders.own(event, data.order_id or "", message.shop_id)
        said = orders.required(_stated(kind, data), f"type={kind}")
        order_id, case = data.order_id or data.id, _case(kind, data)
        if not order_id:
            raise Unusable("invalid", "order_id is missing")
        if said.axis == "aftersale" and not case:
            raise Unusable("invalid", f"{'cancel_id' if kind == CANCELLATION else 'return_id'} is missing")
        about = TABLE.get("return_type", data.return_type) if data.return_type else None
        paid, currency = money.payable(data.payment.total_amount, data.payment.currency) if data.payment else (None, None)
        return orders.observation(
            event,
            (event.source, event.shop),
            order_id,
            said,
            _time(data, timestamp),
            case_id=case,
            aftersale_kind=said.aftersale_kind or (about.aftersale_kind if about else None),
            partial_refund=kind == CANCELLATION or _partial(data),
            payable_minor=paid,
            currency=currency,
            payment_method=money.method(data.payment_method_name),
            customer_id=data.user_id,
            province=_province(data.recipient_address),
            lines=_lines(data),
            parcels=_parcels(data),
        )


def sign(app_key: str, secret: str, body: bytes) -> str:
    """`Authorization` of a push, in lower-case hex."""
    return hmac_sha256(secret, app_key.encode() + body)


def _facts(shop: Shop, kind: str, whose: Whose, timestamp: Any, body: bytes, headers: dict[str, str]) -> list[Fact]:
    order_id = key_of(whose.order_id or whose.id)
    event_id = digest(shop.name, body)
    try:
        said = _stated(kind, whose)
        if said is None:
            return []
        if order_id is not None:
            at, case = _time(whose, timestamp), key_of(_case(kind, whose))
            event_id = orders.fact_id(shop.name, shop.shop, order_id, said.axis, said.status, at, case)
    except Unusable:
        pass  # it ends as a dead letter and is said
    return [Fact(event_id, key_of(shop.name, shop.shop, order_id) or event_id, shop.name, body, headers)]


def _stated(kind: str, data: Data | Whose) -> Stated | None:
    """By the type, and the status that it is about."""
    orders.looked_up(TABLE, "type", kind)
    if kind == ORDER:
        code = data.order_status or data.status
        return _by("order_status_legacy" if isinstance(code, str) and code.isdigit() else "order_status", code)
    if kind == CANCELLATION:
        return _by("cancel_status", data.cancel_status)
    if kind in {RETURN, REVERSE}:
        return _by("return_status", data.return_status or data.reverse_order_status)
    return None


def _by(field: str, code: Any) -> Stated | None:
    if code is None:
        raise Unusable("invalid", f"{field.removesuffix('_legacy')} is missing")
    return orders.stated(orders.looked_up(TABLE, field, code))


def _case(kind: str, data: Data | Whose) -> Any:
    if kind == CANCELLATION:
        return data.cancel_id
    return (data.return_id or data.reverse_order_id) if kind in {RETURN, REVERSE} else None


def _time(data: Data | Whose, timestamp: Any) -> int:
    asked_at = data.create_time if data.cancel_status == PENDING else None
    return epoch(data.update_time or asked_at or timestamp or data.create_time, 1000)


def _partial(data: Data) -> bool:
    return data.seller_proposed_return_type == "PARTIAL_REFUND" and data.buyer_rejected_partial_refund is not True


def _province(address: Address | None) -> str | None:
    for district in (address.district_info if address else None) or []:
        name = district.address_name
        if district.address_level == "L1" and isinstance(name, str) and name.isprintable() and "*" not in name:
            return name[:64] or None
    return None


def _lines(data: Data) -> list[Line]:
    """The pieces, of each article together."""
    currency = data.payment.currency if data.payment else None
    counts: Counter[tuple[str, int | None]] = Counter()
    for item in data.line_items or []:
        sku = item.seller_sku if isinstance(item.seller_sku, str) and item.seller_sku.isprintable() and item.seller_sku else item.sku_id
        if isinstance(sku, str) and sku and sku.isprintable():
            counts[sku[:128], money.in_minor(item.sale_price, currency)] += 1
    return [Line(sku=sku, qty=count, price_minor=price) for (sku, price), count in counts.items()]


def _parcels(data: Data) -> list[ParcelRef]:
    """Each parcel once; an order's own tracking number repeats that of its pieces."""
    named = [(item.shipping_provider_name, item.tracking_number) for item in data.line_items or []]
    found = dict.fromkeys([*named, (data.shipping_provider, data.tracking_number)])
    return [ParcelRef(courier=couriers.ours(courier), tracking_no=number) for courier, number in found if courier and number]
