"""Shopee (Open Platform v2).

Push: POST of one JSON object `{code, shop_id, timestamp, data}`; header `Authorization` is hex HMAC-SHA256, keyed with the
partner key, over callback URL + "|" + body. The URL is signed as it is registered in Shopee's console, so it stands in
`options.callback_url`, byte for byte: behind a proxy our own is another. No time is signed; a replay is told by its id. The
answer is 2xx with an empty body. The configured `shop` is Shopee's shop_id, `secret` the partner key, `app_key` the partner id.

Code 3 states the order's status, 29 that of a return, 30 that of one package: of the order only that it needs a person
(OnHold), for whether all packages have gone is what the order's status says. A push has no message id: the id of a fact is
`orders.fact_id` with the status's `update_time`, which the list has too until the order changes again. The fields of code 29
(`updated_values`) are not in public schemas; what is read of it follows public integrations.

A push names no payment method; a listed order does (`payment_method`, by `money.method`: "ShopeePay Wallet" →
`shopeepay_wallet`). A shop whose pool rules name methods should be asked, not told: code 3 left off in the console. Amounts are
floats in currency units, digits by ISO 4217; times are epoch seconds.
"""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from pydantic import TypeAdapter

from connectors import money, orders
from connectors.base import Connector, Fact, Push, Reply
from connectors.config import CHANNEL, Shop
from connectors.orders import Stated
from connectors.pull.base import PULLED
from connectors.reading import Id, Maybe, Payload, digest, epoch, key_of, payload, peek
from connectors.signing import hmac_sha256, require
from schemas import mapping
from schemas.facts import Unusable
from schemas.records import Line, Observation, RawEvent

TABLE: Final = mapping.load("shopee")
ORDERS: Final = "orders"
RETURNS: Final = "returns"
STATUS, RETURN, PACKAGE = "3", "29", "30"  # codes of pushes that state something
OF_ONE_PACKAGE: Final = frozenset({"OnHold"})  # what one package states of its order; the rest is the order's own to say
GONE: Final = frozenset({"PickedUp", "Signed"})
NOT_YET: Final = frozenset({"PaymentConfirmed", "Packed"})  # an order of these with a package gone is partly shipped
RETURN_STATUS: Final = frozenset({"return_status", "status"})
SOLUTION: Final = frozenset({"return_solution"})


class Data(Payload):
    """What a push is about."""

    ordersn: Maybe[Id] = None
    order_sn: Maybe[Id] = None
    status: Maybe[Id] = None
    return_sn: Maybe[Id] = None
    return_status: Maybe[Id] = None
    fulfillment_status: Maybe[Id] = None
    updated_values: list[dict[str, Any]] | None = None  # update_field, new_value, update_time
    update_time: Any = None


class Message(Payload):
    """One push."""

    code: Id
    shop_id: Id | None = None
    timestamp: Any = None
    data: Data


class Item(Payload):
    """One line of a listed order."""

    item_sku: Any = None
    model_sku: Any = None
    model_quantity_purchased: Any = None
    model_discounted_price: Any = None


class Package(Payload):
    """One package of a listed order."""

    logistics_status: Maybe[Id] = None


class Address(Payload):
    """Where it goes; masked for some."""

    state: Any = None


class Order(Payload):
    """An order of get_order_detail."""

    order_sn: Id
    order_status: Id
    update_time: Any = None
    currency: Any = None
    total_amount: Any = None
    payment_method: Any = None
    buyer_user_id: Maybe[Id] = None
    recipient_address: Address | None = None
    item_list: list[Item] | None = None
    package_list: list[Package] | None = None


class Return(Payload):
    """A return of get_return_list."""

    return_sn: Id
    order_sn: Id
    status: Id
    return_solution: Id | None = None
    update_time: Any = None


MESSAGE: Final = TypeAdapter(Message)
ORDER: Final = TypeAdapter(Order)
RETURNED: Final = TypeAdapter(Return)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a push or an object of a list states of an order. `speaker` is the shop that it names."""

    order_sn: str
    said: Stated
    at: int
    case_id: str | None = None
    kind: str | None = None
    speaker: str | None = None
    order: Order | None = None


class Inner(msgspec.Struct):
    """What a push is about, as far as its order."""

    ordersn: Any = None
    order_sn: Any = None


class Whose(msgspec.Struct):
    """What tells whose a push, or an object, is."""

    order_sn: Any = None
    data: Inner | None = None


class Shopee(Connector):
    """See the module."""

    name = "shopee"
    kinds = frozenset({CHANNEL})

    def check(self, shop: Shop) -> None:
        """The callback URL is part of what is signed."""
        super().check(shop)
        url = urlsplit(shop.options.get("callback_url", ""))
        if url.scheme not in {"http", "https"} or not url.netloc:
            raise ValueError(f"shopee {shop.shop} needs options.callback_url: the push URL as Shopee's console has it, which is signed")

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """`Authorization` over callback URL and body."""
        require(sign(shop.secret, shop.options.get("callback_url", ""), push.body), push.headers.get("authorization"))

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """One fact, unless the push states nothing."""
        return _facts(shop, push.body, {})

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """2xx and nothing else."""
        return Reply(b"")

    def pulled(self, shop: Shop, feed: str, item: bytes) -> list[Fact]:
        """An order, or a return."""
        return _facts(shop, item, {PULLED: feed})

    def decode(self, event: RawEvent) -> Observation:
        """Read one push, or one object of a list."""
        found = _read(event.headers.get(PULLED), event.payload)
        if found is None:  # for an envelope that is read with a newer table
            raise Unusable("unmapped_status", "the message states no status of an order", "none")
        orders.own(event, found.order_sn, found.speaker)
        details = _details(found.order) if found.order and found.said.axis == "fulfilment" else orders.Details()
        details["case_id"], details["aftersale_kind"] = found.case_id, found.kind
        return orders.observation(event, (event.source, event.shop), found.order_sn, found.said, found.at, **details)


def sign(secret: str, callback_url: str, body: bytes) -> str:
    """`Authorization` of a push, in lower-case hex."""
    return hmac_sha256(secret, callback_url.encode() + b"|" + body)


def _facts(shop: Shop, body: bytes, headers: dict[str, str]) -> list[Fact]:
    try:
        found = _read(headers.get(PULLED), body)
    except Unusable:  # it ends as a dead letter and is said
        event_id, whose = digest(shop.name, body), peek(body, Whose) or Whose()
        inner = whose.data or Inner()
        return [
            Fact(
                event_id,
                key_of(shop.name, shop.shop, inner.ordersn or inner.order_sn or whose.order_sn) or event_id,
                shop.name,
                body,
                headers,
            )
        ]
    if found is None:
        return []
    said, case = found.said, found.case_id
    event_id = orders.fact_id(shop.name, shop.shop, found.order_sn, said.axis, said.status, found.at, case)
    return [Fact(event_id, f"{shop.name}:{shop.shop}:{found.order_sn}", shop.name, body, headers)]


def _read(feed: str | None, body: bytes) -> Statement | None:
    """What is stated; None where nothing is. Raises Unusable."""
    if feed == ORDERS:
        return _order(payload(ORDER, body))
    return _return(payload(RETURNED, body)) if feed == RETURNS else _pushed(payload(MESSAGE, body))


def _pushed(message: Message) -> Statement | None:
    data = message.data
    orders.looked_up(TABLE, "code", message.code)
    kind, changed_at = None, None
    if message.code == STATUS:
        said = _by("order_status", data.status)
    elif message.code == PACKAGE:
        said = _by("logistics_status", data.fulfillment_status)
        said = said if said and said.status in OF_ONE_PACKAGE else None
    elif message.code == RETURN:
        changed, changed_at = _changed(data.updated_values or [], RETURN_STATUS)
        status = changed or data.return_status or data.status
        said = _by("return_status", status) if status else None
        kind = _kind(_changed(data.updated_values or [], SOLUTION)[0])
    else:
        return None
    if said is None:
        return None
    order_sn = _needed(data.ordersn or data.order_sn, "ordersn")
    at = epoch(changed_at or data.update_time or message.timestamp, 1000)
    case = _case(said, order_sn) or (_needed(data.return_sn, "return_sn") if message.code == RETURN else None)
    return Statement(order_sn, said, at, case, kind, message.shop_id)


def _order(order: Order) -> Statement | None:
    """An order that is still to be shipped while some of its packages have gone is partly shipped."""
    said = _by("order_status", order.order_status)
    rows = [TABLE.get("logistics_status", package.logistics_status or "") for package in order.package_list or []]
    gone = [row is not None and row.status in GONE for row in rows]
    if said and said.status in NOT_YET and any(gone) and not all(gone):
        said = said.but("PartiallyShipped")
    if said is None:
        return None
    return Statement(order.order_sn, said, epoch(order.update_time, 1000), _case(said, order.order_sn), order=order)


def _return(found: Return) -> Statement | None:
    said = _by("return_status", found.status)
    if said is None:
        return None
    return Statement(found.order_sn, said, epoch(found.update_time, 1000), found.return_sn, _kind(found.return_solution))


def _by(field: str, code: str | None) -> Stated | None:
    return orders.stated(orders.looked_up(TABLE, field, _needed(code, field)))


def _needed(value: str | None, name: str) -> str:
    if not value:
        raise Unusable("invalid", f"{name} is missing")
    return value


def _case(said: Stated, order_sn: str) -> str | None:
    """An order's own status of a return names none: it is a case of the order itself."""
    return order_sn if said.code == "TO_RETURN" else None


def _changed(values: list[dict[str, Any]], names: frozenset[str]) -> tuple[str, Any]:
    """The last new value of one of these fields, and its time."""
    for value in reversed(values):
        field, new = value.get("update_field"), value.get("new_value")
        if isinstance(field, str) and field in names and (type(new) is int or (isinstance(new, str) and new)):
            return str(new), value.get("update_time")
    return "", None


def _kind(solution: str | None) -> str | None:
    entry = TABLE.get("return_solution", solution or "")
    return entry.aftersale_kind if entry else None


def _details(order: Order) -> orders.Details:
    paid, currency = money.payable(order.total_amount, order.currency)
    return {
        "payable_minor": paid,
        "currency": currency,
        "payment_method": money.method(order.payment_method),
        "customer_id": None if order.buyer_user_id == "0" else order.buyer_user_id,
        "province": _shown(order.recipient_address.state) if order.recipient_address else None,
        "lines": [line for item in order.item_list or [] if (line := _line(item, order.currency))],
    }


def _shown(text: Any) -> str | None:
    """A text that is not masked."""
    return text[:64] if isinstance(text, str) and text and "*" not in text and text.isprintable() else None


def _line(item: Item, currency: Any) -> Line | None:
    sku, count = _shown(item.model_sku) or _shown(item.item_sku), item.model_quantity_purchased
    if sku is None or type(count) is not int or not 0 < count <= 1_000_000:
        return None
    return Line(sku=sku, qty=count, price_minor=money.in_minor(item.model_discounted_price, currency))
