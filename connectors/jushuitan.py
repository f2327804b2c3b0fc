"""Jushuitan 聚水潭, an ERP.

No push to merchants is publicly known. What reads its API (or a customer's own export) passes objects on as they came:

    POST /hooks/jushuitan/{shop}, a form of app_key, access_token, timestamp, version, charset, sign and `biz`

signed like every call of its API: lower-case MD5 over secret + all fields but `sign`, sorted and joined. `timestamp` is in
seconds, within 10 minutes. `biz` is JSON: one object, an array, or a query's answer with `orders` or `datas`. Objects:

    order      o_id, so_id, shop_id, status, modified, …      as orders/single/query gives them
    after-sale as_id, so_id, shop_id, status, good_status, …  as refund/single/query
    stock      io_id, so_id, shop_id, status, …               as aftersale/received/query: goods are back in stock

`so_id` is the channel's order id; a merged order has several, with commas there or in `merge_so_id`, and becomes one fact each,
while the orders that went into it (`Merged`) say no more. A part of a split order (`is_split`; the order itself is `Split`) speaks
for a part only: see `systems.of_part`. Of neither the amount is the channel's order's. `shop_id` is
Jushuitan's own number of the shop. Which of our shops it is, is told by the options of this system:
`{"<shop_id>": "<channel>:<shop>"}`; without an option by `shop_site`, the channel's name, and `shop_id` as the shop.
Money is yuan; times are GMT+8. Objects have no message id: theirs is a hash of identity, status and time.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec
from pydantic import Field, TypeAdapter

from connectors import orders
from connectors.base import MAX_FACTS, BadSignature, Connector, Fact, Push, Reply, TooMany
from connectors.config import SYSTEM, Shop
from connectors.orders import Stated
from connectors.pull.base import PULLED
from connectors.reading import Id, Maybe, Payload, Word, digest, in_zone, key_of, minor, payload, peek
from connectors.signing import joined, md5, require, require_recent_seconds
from connectors.systems import of_part
from schemas import couriers, mapping
from schemas.facts import Unusable
from schemas.records import Line, Observation, ParcelRef, RawEvent

TABLE: Final = mapping.load("jushuitan")
WINDOW: Final = 600  # seconds
SHOP: Final = "jushuitan-shop"  # headers of the envelope: whose order, and which of a merged order
ORDER: Final = "jushuitan-order"


class Item(Payload):
    """One line."""

    sku_id: Maybe[Word] = None
    qty: int = Field(1, ge=0, le=2**53)
    price: Any = None


class Bill(Payload):
    """An order, an after-sale bill or a stock movement."""

    o_id: Id | None = None
    as_id: Id | None = None
    io_id: Id | None = None
    so_id: Word | None = None
    merge_so_id: Maybe[Word] = None
    is_split: bool | None = None
    status: Id
    good_status: Maybe[Id] = None
    type: Maybe[Word] = None
    modified: Any = None
    send_date: Any = None
    io_date: Any = None
    pay_date: Any = None
    created: Any = None
    pay_amount: Any = None
    currency: Maybe[Word] = None
    shop_buyer_id: Maybe[Word] = None
    receiver_state: Maybe[Word] = None
    creator_name: Maybe[Word] = None
    logistics_company: Maybe[Word] = None
    l_id: Maybe[Id] = None
    items: list[Item] = Field([], max_length=500)


BILL: Final = TypeAdapter(Bill)


class Head(msgspec.Struct):
    """What tells whose an object is, and what it states."""

    o_id: Any = None
    as_id: Any = None
    io_id: Any = None
    so_id: Any = None
    merge_so_id: Any = None
    shop_id: Any = None
    shop_site: Any = None
    status: Any = None
    good_status: Any = None
    type: Any = None
    modified: Any = None


class Answer(msgspec.Struct):
    """A query's answer."""

    orders: list[msgspec.Raw] | None = None
    datas: list[msgspec.Raw] | None = None


class Jushuitan(Connector):
    """See the module."""

    name = "jushuitan"
    kinds = frozenset({SYSTEM})

    def check(self, shop: Shop) -> None:
        """Every option names one of our shops."""
        super().check(shop)
        for number, linked in shop.options.items():
            if number.isdigit() and (linked.count(":") != 1 or key_of(*linked.split(":")) is None):
                raise ValueError(f"jushuitan {shop.shop}: option {number} must be <channel>:<shop>, not {linked!r}")

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """The API's signature over the form."""
        params = push.form
        if shop.app_key and params.get("app_key") != shop.app_key:
            raise BadSignature("app_key is not this system's")
        require(sign(shop.secret, params), params.get("sign"))
        require_recent_seconds(params.get("timestamp", ""), now, WINDOW)

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """One fact an object and order; statuses that state nothing are none."""
        objects = _objects(push.form.get("biz", "").encode())
        if len(objects) > MAX_FACTS:
            raise TooMany(f"{len(objects)} objects in one push; {MAX_FACTS} are the most")
        facts = [fact for data in objects for fact in _facts(shop, data)]
        if len(facts) > MAX_FACTS:
            raise TooMany(f"{len(facts)} orders in one push; {MAX_FACTS} are the most")
        return facts

    def pulled(self, shop: Shop, feed: str, item: bytes) -> list[Fact]:
        """An object of a list is what is pushed: the same facts."""
        return [replace(fact, headers={**fact.headers, PULLED: feed}) for fact in _facts(shop, item)]

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """Answer as its API does."""
        return Reply(b'{"code":0,"issuccess":true,"msg":""}')

    def decode(self, event: RawEvent) -> Observation:
        """Read one object, for the order that the envelope names."""
        bill = payload(BILL, event.payload)
        order_id = event.headers.get(ORDER)
        if not order_id:
            raise Unusable("invalid", "so_id is missing, or no order id: the channel's order cannot be told")
        channel, _, shop_id = event.headers.get(SHOP, "").partition(":")
        if not shop_id:
            raise Unusable(
                "invalid",
                f"order {order_id} is of a Jushuitan shop that is not linked: "
                "name its shop_id in this system's options, as <channel>:<shop>",
            )
        return _observed(event, bill, (channel, shop_id), order_id)


def sign(secret: str, params: Mapping[str, str]) -> str:
    """The API's signature of these fields, in lower-case hex."""
    return md5((secret + joined(params)).encode())


def _observed(event: RawEvent, bill: Bill, shop: tuple[str, str], order_id: str) -> Observation:
    """What an object states of one of its orders."""
    said = orders.required(_stated(bill), f"status={bill.status}")
    kind = TABLE.get("type", bill.type) if bill.as_id and bill.type else None
    order = said.axis == "fulfilment"
    alone = order and not bill.is_split and not bill.merge_so_id and "," not in (bill.so_id or "")
    at = in_zone(_time(bill, said))
    if order and bill.is_split:
        said, at = of_part(said, at, in_zone(bill.pay_date or bill.created or bill.modified))
    paid = minor(bill.pay_amount) if alone else None
    return orders.observation(
        event,
        shop,
        order_id,
        said,
        at,
        operator=bill.creator_name,
        case_id=bill.as_id,
        aftersale_kind=(kind.aftersale_kind if kind else None) or said.aftersale_kind,
        payable_minor=paid,
        currency=None if paid is None else "CNY",
        customer_id=bill.shop_buyer_id,
        province=bill.receiver_state,
        lines=_lines(bill) if alone else [],
        parcels=_parcels(bill) if order else [],
    )


def _objects(biz: bytes) -> list[bytes]:
    found = peek(biz, list[msgspec.Raw])
    if found is None and (answer := peek(biz, Answer)):
        found = answer.orders if answer.orders is not None else answer.datas
    return [biz] if found is None else [bytes(raw) for raw in found]


def _facts(shop: Shop, data: bytes) -> Iterator[Fact]:
    """One fact for each of our orders that an object is about; pushed or pulled, it has the same id."""
    head = peek(data, Head) or Head()
    try:
        if head.status is not None and _stated(head) is None:
            return
    except Unusable:
        pass  # an unknown status is a fact: it ends as a dead letter and is said
    linked = shop.options.get(str(head.shop_id)) or _site(head)
    said = (head.o_id, head.as_id, head.io_id, head.status, head.good_status, head.modified)
    for order_id in _order_ids(head):
        identity = (order_id, *(None if part is None else str(part) for part in said))
        event_id = digest(shop.name, *(identity if any(identity[:4]) else (data,)))
        headers = {ORDER: order_id} if key_of(order_id) else {}
        key = None
        if linked and headers:
            headers[SHOP] = linked
            key = f"{linked}:{order_id}"
        yield Fact(event_id, key or event_id, shop.name, data, headers)


def _order_ids(head: Head) -> list[str]:
    """The channel's order ids, each once; an empty one where there is none."""
    named = [part.strip() for text in (head.so_id, head.merge_so_id) for part in str(text or "").split(",")]
    return list(dict.fromkeys(part for part in named if part)) or [""]


def _site(head: Head) -> str | None:
    """Our shop by the channel's name and Jushuitan's number of the shop, where no option tells."""
    entry = TABLE.get("shop_site", str(head.shop_site)) if head.shop_site else None
    channel = entry.trigger if entry else None
    return key_of(channel, head.shop_id) if channel else None


def _stated(bill: Bill | Head) -> Stated | None:
    if bill.io_id is not None and (bill.as_id is not None or bill.o_id is None):  # a sale's outbound bill has an o_id alone
        return orders.stated(orders.looked_up(TABLE, "io_status", bill.status))
    if bill.as_id is not None:
        goods = TABLE.get("good_status", str(bill.good_status)) if bill.good_status else None
        entry = orders.looked_up(TABLE, "refund_status", bill.status)
        if entry.status == "RefundApproved" and goods and goods.status:
            entry = goods  # how far the goods are says more than that the bill was confirmed
        return orders.stated(entry, goods.aftersale_kind if goods else None)
    return orders.stated(orders.looked_up(TABLE, "status", bill.status))


def _time(bill: Bill, said: Stated) -> Any:
    if said.axis == "stock":
        return bill.io_date or bill.modified
    return (bill.send_date if said.status == "Shipped" else None) or bill.modified


def _lines(bill: Bill) -> list[Line]:
    return [Line(sku=item.sku_id, qty=item.qty, price_minor=minor(item.price)) for item in bill.items if item.sku_id]


def _parcels(bill: Bill) -> list[ParcelRef]:
    if bill.logistics_company and bill.l_id:
        return [ParcelRef(courier=couriers.ours(bill.logistics_company), tracking_no=bill.l_id)]
    return []
