"""What connectors of ERPs and WMSs that are asked share: whose order an object of a list is, and what it states.

A system knows shops by numbers of its own: the `shops` of its configuration say which number is which `<channel>:<shop>`. One
object may be of several orders of a channel (a merged order) and may state two things (cancelled, and its stock is free again);
each order and statement is a fact of its own. An object that is no channel's order, or states nothing, is none.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from connectors import orders
from connectors.base import BadSignature, Connector, Fact, Push, Reply
from connectors.config import SYSTEM, Shop
from connectors.orders import Details, Stated
from connectors.pull.base import PULLED
from connectors.reading import digest, epoch, in_zone, key_of, minor
from schemas import couriers
from schemas.facts import Unusable
from schemas.records import Line, Observation, ParcelRef, RawEvent
from schemas.status import ENDS, ON_HOLD, RANKS

SHOP: Final = "system-shop"  # headers of an envelope: our shop, its order, and which of the object's statements
ORDER: Final = "system-order"
AXIS: Final = "system-axis"
_OWN_WORDS: Final = re.compile(r"[^\u4e00-\u9fff].*$", re.DOTALL)  # what a merchant adds to a courier's name: 中通-菜鸟面单, 中通0002


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that an object states, and when it came about, in ms."""

    said: Stated
    at: int
    details: Details = field(default_factory=Details)


@dataclass(frozen=True, slots=True)
class Bill:
    """An object as it was read. `number` is the system's own document, `shop` its number of the shop."""

    number: str
    shop: str | None
    order_ids: tuple[str, ...]
    statements: tuple[Statement, ...]


Reader = Callable[[bytes], Bill]
"""Raises Unusable."""


class System(Connector):
    """A system whose lists are asked for. Subclasses have one reader a list."""

    kinds = frozenset({SYSTEM})
    pull_only = True

    title: ClassVar[str]  # its name, for people
    readers: ClassVar[Mapping[str, Reader]]  # by feed, how one object of it is read

    def check(self, shop: Shop) -> None:
        """There is a secret to ask with, and every shop number names one of our shops."""
        super().check(shop)
        check_shops(shop)

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """Nothing that is sent is believed."""
        raise BadSignature(f"{self.name} sends nothing: its lists are asked for, with `lockstep poll`")

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """Never reached; whatever it is, it is kept."""
        event_id = digest(shop.name, push.body)
        return [Fact(event_id, event_id, shop.name, push.body)]

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """Never reached."""
        return Reply(b"{}")

    def pulled(self, shop: Shop, feed: str, item: bytes) -> list[Fact]:
        """One fact an order and statement of the object."""
        try:
            bill = self.readers[feed](item)
        except Unusable:
            event_id = digest(shop.name, feed, item)
            return [Fact(event_id, event_id, shop.name, item, {PULLED: feed})]
        return [_fact(shop, feed, item, bill, order, one) for order in bill.order_ids for one in bill.statements]

    def decode(self, event: RawEvent) -> Observation:
        """Read one object again, for the order and the statement that the envelope names."""
        read = self.readers.get(event.headers.get(PULLED, ""))
        if read is None:
            raise Unusable("undecodable", f"nothing of {self.name} is read but what was asked for")
        return said_of(event, read(event.payload), self.title)


def check_shops(shop: Shop) -> None:
    """Raise ValueError unless every option is `<channel>:<shop>`."""
    for number, linked in shop.options.items():
        if linked.count(":") != 1 or key_of(*linked.split(":")) is None:
            raise ValueError(f"{shop.connector} {shop.shop}: shop {number} must be <channel>:<shop>, not {linked!r}")


def said_of(event: RawEvent, bill: Bill, title: str) -> Observation:
    """The observation that an envelope's headers name of its object. Raises Unusable."""
    axis, order_id = event.headers.get(AXIS), event.headers.get(ORDER)
    found = next((one for one in bill.statements if axis in (None, one.said.axis)), None)
    orders.required(found.said if found else None, f"{title} {bill.number}")
    if not found or not order_id:
        raise Unusable("invalid", f"{title} {bill.number} names no order id of a channel")
    channel, _, shop_id = event.headers.get(SHOP, "").partition(":")
    if not shop_id:
        raise Unusable(
            "invalid",
            f"order {order_id} is of the {title} shop {bill.shop or '(none)'}, which is not linked: "
            "name it in this system's shops, as <channel>:<shop>",
        )
    return orders.observation(event, (channel, shop_id), order_id, found.said, found.at, **found.details)


def _fact(shop: Shop, feed: str, item: bytes, bill: Bill, order: str, one: Statement) -> Fact:
    linked = shop.options.get(bill.shop or "")
    key = key_of(*linked.split(":"), order) if linked else None
    whose = linked or f"({bill.shop})"
    event_id = orders.fact_id(shop.name, whose, order, one.said.axis, one.said.status, one.at, bill.number)
    headers = {PULLED: feed, AXIS: one.said.axis} | ({ORDER: order} if key_of(order) else {}) | ({SHOP: linked} if linked else {})
    return Fact(event_id, key or event_id, shop.name, item, headers)


def listed(order_ids: str | None) -> tuple[str, ...]:
    """Order ids that a system writes with commas, each once."""
    return tuple(dict.fromkeys(part for text in (order_ids or "").split(",") if (part := text.strip())))


def when(*values: Any) -> int:
    """The first of these times that is there: Shanghai text, or ms since 1970; in ms. Raises Unusable."""
    for value in values:
        if value in (None, "", 0, "0") or (isinstance(value, str) and value.startswith("0000-")):
            continue
        if isinstance(value, str) and not value.isdigit():
            return in_zone(value)
        return epoch(value, 1)
    raise Unusable("invalid", "no time is there: neither of the change nor of the last modification")


def parcels(number: str | None, *names: str | None) -> list[ParcelRef]:
    """The parcel of a waybill, if it has a number and a courier; merchants write more behind a courier's Chinese name."""
    given = [name.strip() for name in names if name and name.strip()]
    if not number or not given:
        return []
    known = couriers.load()
    tried = [*given, *(_OWN_WORDS.sub("", name) for name in given)]
    courier = next((known[name.lower()] for name in tried if name.lower() in known), couriers.ours(given[0]))
    return [ParcelRef(courier=courier, tracking_no=number)]


def of_part(said: Stated, at: int, begun: int) -> tuple[Stated, int]:
    """What a part of a split order states of the whole, and when.

    Parts go on at paces of their own, and one source has one status: a part that is shipped makes the order partially shipped,
    one that is stopped holds it, and one in work counts as of the order's beginning, so that it never takes another part's
    progress back.
    """
    if said.status in ENDS or said.status == ON_HOLD:
        return said.but(ON_HOLD), at
    return (said.but("PartiallyShipped"), at) if RANKS[said.status] >= RANKS["PartiallyShipped"] else (said, begun)


def money(amount: Any) -> int | None:
    """Yuan with up to four decimals, in fen; nothing for what is no sum in fen. Raises Unusable for what is no number."""
    exact = minor(amount, 4)
    return None if exact is None or exact % 100 else exact // 100


def line(sku: str | None, qty: Any, price: Any = None) -> list[Line]:
    """An order line, if it has a sku and a whole number of them (goods may be sold by weight)."""
    count = minor(qty, 4)
    whole = count is not None and count >= 0 and count % 10_000 == 0
    return [Line(sku=sku, qty=count // 10_000, price_minor=money(price))] if sku and whole and count is not None else []
