"""Shopify.

Push: POST of one JSON object; what it is about stands in header `X-Shopify-Topic`, whose it is in `X-Shopify-Shop-Domain`,
and `X-Shopify-Hmac-SHA256` is base64 HMAC-SHA256, keyed with the app's client secret, over the body. No time is signed; a
replay is told by its id. 2xx within 5 s; a retry has the original payload. The configured `shop` is the shop's domain,
`demo.myshopify.com`, or its first label. Topics: orders/*, fulfillments/*, refunds/create.

An order states its fulfilment by `cancelled_at` × `fulfillment_status` × `financial_status`, each of its refunds is a case, and
`refunded` is a case of the order itself: several facts, each an envelope with the order's bytes and a header `about`. A refund
without money (a restock) states nothing; with money it is partial, unless the order says `refunded`. An order on hold has no
word of its own here: its `fulfillment_status` is null.

The lists have no `X-Shopify-Event-Id`, so the id of a fact is `orders.fact_id` in push and list. Its time: `cancelled_at`, the
last fulfillment's or the refund's `created_at`; of payment `updated_at`, which moves when the order is edited. Amounts are
decimal texts in the shop's currency; times are ISO 8601 with an offset; ids are 64-bit integers. `payment_method` is
`payment_gateway_names` by `money.method`, several joined by `+`.
"""

import base64
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from pydantic import TypeAdapter

from connectors import money, orders
from connectors.base import MAX_FACTS, Connector, Fact, Push, Reply, TooMany
from connectors.config import CHANNEL, Shop
from connectors.orders import Stated
from connectors.pull.base import PULLED
from connectors.reading import Id, Maybe, Payload, digest, key_of, payload, peek, with_offset
from connectors.signing import require_exact
from schemas import couriers, mapping
from schemas.facts import Unusable
from schemas.records import Line, Observation, ParcelRef, RawEvent

TABLE: Final = mapping.load("shopify")
ORDERS: Final = "orders"  # the feed
TOPIC, ABOUT, DOMAIN, WEBHOOK = "topic", "about", "domain", "webhook_id"  # headers of an envelope
ORDER, REFUNDED, REFUND, PARCEL = "order", "refunded", "refund:", "parcel"  # what a fact is about
ORDER_TOPICS: Final = frozenset(f"orders/{what}" for what in ("create", "updated", "paid", "partially_fulfilled", "fulfilled", "cancelled"))
HOST: Final = ".myshopify.com"


class Item(Payload):
    """One line."""

    sku: Any = None
    quantity: Any = None
    price: Any = None


class Customer(Payload):
    """Who buys."""

    id: Maybe[Id] = None


class Address(Payload):
    """Where it goes."""

    province: Any = None


class Fulfillment(Payload):
    """A parcel of an order."""

    id: Id
    order_id: Id | None = None
    status: Maybe[Id] = None
    created_at: Any = None
    tracking_company: Maybe[Id] = None
    tracking_number: Maybe[Id] = None
    tracking_numbers: list[Maybe[Id]] | None = None


class Transaction(Payload):
    """Money that went back."""

    kind: Any = None
    status: Maybe[Id] = None
    amount: Any = None
    currency: Any = None


class RefundLine(Payload):
    """Goods of a refund."""

    restock_type: Any = None


class Refund(Payload):
    """A refund."""

    id: Id
    order_id: Id | None = None
    created_at: Any = None
    transactions: list[Transaction] | None = None
    refund_line_items: list[RefundLine] | None = None


class Order(Payload):
    """An order."""

    id: Id
    updated_at: Any = None
    cancelled_at: Any = None
    cancel_reason: Any = None
    financial_status: Maybe[Id] = None
    fulfillment_status: Maybe[Id] = None
    currency: Any = None
    total_price: Any = None
    payment_gateway_names: list[Any] | None = None
    customer: Customer | None = None
    shipping_address: Address | None = None
    line_items: list[Item] | None = None
    fulfillments: list[Fulfillment] | None = None
    refunds: list[Refund] | None = None


ORDER_OBJECT: Final = TypeAdapter(Order)
FULFILLMENT: Final = TypeAdapter(Fulfillment)
REFUND_OBJECT: Final = TypeAdapter(Refund)


class Whose(msgspec.Struct):
    """What tells whose an object is."""

    id: Any = None
    order_id: Any = None


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that an object states. `salt` keeps apart what is said again with more parcels."""

    order_id: str
    said: Stated
    at: int
    case_id: str | None = None
    kind: str | None = None
    partial: bool = False
    salt: str | None = None


class Shopify(Connector):
    """See the module."""

    name = "shopify"
    kinds = frozenset({CHANNEL})

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """`X-Shopify-Hmac-SHA256` over the body."""
        require_exact(sign(shop.secret, push.body), push.headers.get("x-shopify-hmac-sha256"))

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """The facts of one object."""
        topic, domain = _header(push, "x-shopify-topic", 64), _header(push, "x-shopify-shop-domain", 128)
        number = _header(push, "x-shopify-webhook-id", 64)  # for people who look for a push in Shopify's own logs
        facts = list(_facts(shop, topic, push.body, {TOPIC: topic, DOMAIN: domain, WEBHOOK: number}))
        if len(facts) > MAX_FACTS:
            raise TooMany(f"more than {MAX_FACTS} refunds in one order")
        return facts

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """2xx is what counts."""
        return Reply(b"")

    def pulled(self, shop: Shop, feed: str, item: bytes) -> list[Fact]:
        """The facts of a listed order."""
        return list(_facts(shop, "orders/updated", item, {PULLED: feed}))

    def decode(self, event: RawEvent) -> Observation:
        """Read what an envelope is about."""
        topic = "orders/updated" if event.headers.get(PULLED) else event.headers.get(TOPIC, "")
        about = event.headers.get(ABOUT) or ORDER
        found = _read(topic, event.payload)
        statement = None if found is None else _statement(found, about)
        if found is None or statement is None:  # for an envelope that is read with a newer table
            raise Unusable("unmapped_status", f"topic={topic} about={about} states no status of an order", f"topic={topic}")
        domain = event.headers.get(DOMAIN, "")
        orders.own(event, statement.order_id, domain if "." in event.shop else domain.removesuffix(HOST))
        details = _details(found) if isinstance(found, Order) and about == ORDER else orders.Details()
        if isinstance(found, Fulfillment):
            details["parcels"] = _parcels([found])
        details["case_id"], details["aftersale_kind"], details["partial_refund"] = statement.case_id, statement.kind, statement.partial
        shop = (event.source, event.shop)
        return orders.observation(event, shop, statement.order_id, statement.said, statement.at, **details)


def sign(secret: str, body: bytes) -> str:
    """`X-Shopify-Hmac-SHA256` of a push, in base64."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def _header(push: Push, name: str, longest: int) -> str:
    """A header that nobody signed, fit to be written: bytes that are no UTF-8 reach us as lone surrogates."""
    return push.headers.get(name, "").encode(errors="replace").decode()[:longest]


def _facts(shop: Shop, topic: str, body: bytes, headers: dict[str, str]) -> Iterator[Fact]:
    try:
        found = _read(topic, body)
    except Unusable:
        event_id, whose = digest(shop.name, topic, body), peek(body, Whose) or Whose()  # it ends as a dead letter and is said
        number = whose.id if topic in ORDER_TOPICS else whose.order_id
        yield Fact(event_id, key_of(shop.name, shop.shop, number) or event_id, shop.name, body, headers)
        return
    key = found and key_of(shop.name, shop.shop, found.id if isinstance(found, Order) else found.order_id)
    for about in _abouts(found):
        try:
            statement = _statement(found, about) if found is not None else None
            if statement is None:
                continue
            said, case = statement.said, statement.case_id or statement.salt
            event_id = orders.fact_id(shop.name, shop.shop, statement.order_id, said.axis, said.status, statement.at, case)
        except Unusable:
            event_id = digest(shop.name, about, body)
        yield Fact(event_id, key or event_id, shop.name, body, headers | {ABOUT: about})


def _read(topic: str, body: bytes) -> Order | Fulfillment | Refund | None:
    """The object of a push; None where its topic states nothing. Raises Unusable."""
    orders.looked_up(TABLE, "topic", topic)
    if topic in ORDER_TOPICS:
        return payload(ORDER_OBJECT, body)
    if topic == "refunds/create":
        return payload(REFUND_OBJECT, body)
    return payload(FULFILLMENT, body) if topic.startswith("fulfillments/") else None


def _abouts(found: Order | Fulfillment | Refund | None) -> list[str]:
    if isinstance(found, Order):
        cases = [f"{REFUND}{refund.id}" for refund in (found.refunds or [])[: MAX_FACTS + 1]]  # each is looked for by its id
        return [ORDER, *cases, *([REFUNDED] if found.financial_status == "refunded" else [])]
    if isinstance(found, Refund):
        return [f"{REFUND}{found.id}"]
    return [PARCEL] if found else []


def _statement(found: Order | Fulfillment | Refund, about: str) -> Statement | None:
    if isinstance(found, Fulfillment):
        return _of_parcel(found)
    if isinstance(found, Refund):
        return _of_refund(found, _needed(found.order_id, "order_id"))
    if about == REFUNDED:
        return _of_whole(found)
    if about.startswith(REFUND):
        case = [refund for refund in found.refunds or [] if refund.id == about.removeprefix(REFUND)]
        return _of_refund(case[0], found.id) if case else None
    said = stated(found.cancelled_at, found.cancel_reason, found.fulfillment_status, found.financial_status)
    if said is None:
        return None
    gone = _gone(found) if said.status in {"Shipped", "PartiallyShipped"} else []
    at = with_offset(found.cancelled_at) if said.code == "cancelled_at" else max((with_offset(one.created_at) for one in gone), default=0)
    numbers = ",".join(sorted(number for one in gone for number in _numbers(one)))
    return Statement(found.id, said, at or with_offset(found.updated_at), salt=numbers or None)


def stated(cancelled_at: Any, cancel_reason: Any, fulfillment: str | None, financial: str | None) -> Stated | None:
    """What an order's three fields say together. Raises Unusable for a code that the table does not have.

    Cancelled before all; goods that have gone, or were put back, before money; unpaid and unknown money is no payment.
    """
    if cancelled_at:
        reason = cancel_reason if isinstance(cancel_reason, str) and cancel_reason.isidentifier() else ""
        return Stated("fulfilment", "Cancelled", "cancelled_at", f"cancelled_{reason}"[:32] if reason else "cancelled_at")
    goods = orders.stated(orders.looked_up(TABLE, "fulfillment_status", fulfillment or "null"))
    paid = orders.stated(orders.looked_up(TABLE, "financial_status", financial)) if financial else None
    if fulfillment:
        return goods
    return paid if paid and paid.axis == "fulfilment" else None


def _of_parcel(found: Fulfillment) -> Statement | None:
    said = orders.stated(orders.looked_up(TABLE, "fulfillment_record", _needed(found.status, "status")))
    if said is None:
        return None
    salt = ",".join([found.id, *sorted(_numbers(found))])
    return Statement(_needed(found.order_id, "order_id"), said, with_offset(found.created_at), salt=salt)


def _of_refund(found: Refund, order_id: str) -> Statement | None:
    """Money that went back, or is to; a refund without any is a restock and states nothing."""
    moved = [one for one in found.transactions or [] if one.kind == "refund" and money.in_minor(one.amount, one.currency)]
    rows = [orders.stated(orders.looked_up(TABLE, "refund_transaction", one.status)) for one in moved]
    open_or_done = [row for row in rows if row]
    if not open_or_done:
        return None
    said = next((row for row in open_or_done if row.status != "Refunded"), open_or_done[0])
    return Statement(order_id, said, with_offset(found.created_at), found.id, _kind([found]), partial=True)


def _of_whole(found: Order) -> Statement:
    said = orders.required(orders.stated(orders.looked_up(TABLE, "financial_status", "refunded")), "financial_status=refunded")
    times = [with_offset(refund.created_at) for refund in found.refunds or []]
    return Statement(found.id, said, max(times, default=0) or with_offset(found.updated_at), found.id, _kind(found.refunds or []))


def _kind(refunds: list[Refund]) -> str:
    """Goods come back where a refund says so."""
    back = any(line.restock_type == "return" for refund in refunds for line in refund.refund_line_items or [])
    return "return_refund" if back else "refund_only"


def _needed(value: str | None, name: str) -> str:
    if not value:
        raise Unusable("invalid", f"{name} is missing")
    return value


def _gone(found: Order) -> list[Fulfillment]:
    return [one for one in found.fulfillments or [] if one.status in {None, "success"}]


def _numbers(found: Fulfillment) -> list[str]:
    named = [number for number in found.tracking_numbers or [] if number]
    return named or ([found.tracking_number] if found.tracking_number else [])


def _parcels(found: list[Fulfillment] | None) -> list[ParcelRef]:
    return [
        ParcelRef(courier=couriers.ours(one.tracking_company), tracking_no=number)
        for one in found or []
        if one.tracking_company and one.status in {None, "success"}
        for number in _numbers(one)
    ]


def _details(order: Order) -> orders.Details:
    paid, currency = money.payable(order.total_price, order.currency)
    names = [name for given in order.payment_gateway_names or [] if (name := money.method(given))]
    province = order.shipping_address.province if order.shipping_address else None
    return {
        "payable_minor": paid,
        "currency": currency,
        "payment_method": "+".join(names)[:256] or None,
        "customer_id": order.customer.id if order.customer else None,
        "province": province[:64] if isinstance(province, str) and province.isprintable() and province else None,
        "lines": [line for item in order.line_items or [] if (line := _line(item, order.currency))],
        "parcels": _parcels(order.fulfillments),
    }


def _line(item: Item, currency: Any) -> Line | None:
    if not isinstance(item.sku, str) or not item.sku or not item.sku.isprintable() or type(item.quantity) is not int:
        return None
    if not 0 < item.quantity <= 1_000_000:
        return None
    return Line(sku=item.sku[:256], qty=item.quantity, price_minor=money.in_minor(item.price, currency))
