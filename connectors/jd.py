"""JD POP 京东. Pull only: no push of a merchant's orders is publicly known, so every push is refused; the lists are asked for.

Three lists: `orders` (pop.order.enSearch), `refunds` (pop.afs.soa.refundapply.queryPageList: refunds before shipping) and
`services` (asc.query.list: returns, exchanges and repairs). Configured with `app_key` and `secret` (the app secret); the `shop`
is the venderId. An id is a text in one list and a number in another: both are one id. A time of the year 0001 or 1970 is none.

An order's status has the time of its last change (`modified`), not of its payment: an order that was on hold and goes on would
else be older than its hold. LOCKED and PAUSE hold an order, they do not end it. A service bill that is done (10010) refunded
something only where a return or a refund was asked for. Of a parcel only the courier's number at JD is listed, which is
not publicly documented: parcels are not linked. Money is yuan in texts (unverified).
"""

# ruff: noqa: N815 -- the platform's names

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from pydantic import TypeAdapter

from connectors import orders
from connectors.base import BadSignature, Fact, Push, Reply
from connectors.config import Shop
from connectors.orders import Details
from connectors.reading import Id, Maybe, Payload, Word, epoch, in_zone, minor, payload, peek
from connectors.statements import Statement, StatementConnector
from schemas import mapping
from schemas.facts import Unusable
from schemas.records import Line

TABLE: Final = mapping.load("jd")
ORDERS, REFUNDS, SERVICES = "orders", "refunds", "services"  # the feeds
NO_TIME: Final = ("0001-", "1970-")  # what stands where there is no time
DAY_ONE: Final = 86_400_000
PARTIAL: Final = "1"


class Item(Payload):
    """One line of an order."""

    skuId: Maybe[Id] = None
    outerSkuId: Maybe[Id] = None
    itemTotal: Any = None
    jdPrice: Any = None


class Consignee(Payload):
    """Where it goes; the rest of it is encrypted."""

    province: Maybe[Word] = None


class Order(Payload):
    """An object of the orders' list."""

    orderId: Id
    orderState: Id
    venderId: Maybe[Id] = None
    orderPayment: Any = None
    payType: Maybe[Word] = None
    open_id_buyer: Maybe[Word] = None
    modified: Any = None
    orderEndTime: Any = None
    paymentConfirmTime: Any = None
    orderStartTime: Any = None
    itemInfoList: list[Item] | None = None
    consigneeInfo: Consignee | None = None


class Refund(Payload):
    """An object of the refunds' list: paid and cancelled before it was shipped."""

    id: Id
    orderId: Id
    status: Id
    partRefundType: Id | None = None
    modified: Any = None
    checkTime: Any = None
    applyTime: Any = None


class Service(Payload):
    """An object of the services' list."""

    serviceId: Id
    orderId: Id
    serviceStatus: Id
    customerExpect: Id | None = None
    updateDate: Any = None
    approveTime: Any = None
    applyTime: Any = None


ORDER: Final = TypeAdapter(Order)
REFUND: Final = TypeAdapter(Refund)
SERVICE: Final = TypeAdapter(Service)


class Whose(msgspec.Struct):
    """Whose an object is."""

    orderId: Any = None


class Jd(StatementConnector):
    """See the module."""

    name = "jd"
    pull_only = True

    def check(self, shop: Shop) -> None:
        """Calls are signed for an app."""
        if not shop.app_key or not shop.call_secret:
            raise ValueError(f"jd {shop.shop} needs app_key and secret (the app secret): it is polled, and calls are signed with them")

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """Refuse: nothing is pushed."""
        raise BadSignature("JD pushes no orders that is publicly known: this shop is polled (lockstep poll), nothing is to be sent here")

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """None: no push is verified."""
        return []

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """Nothing is acknowledged."""
        return Reply(status=404)

    def read(self, payload: bytes, feed: str | None) -> Statement:
        """See StatementConnector."""
        reader = READERS.get(feed or "")
        if reader is None:
            raise Unusable("invalid", f"jd has no list {feed!r}; known are {', '.join(READERS)}")
        return reader(payload)

    def order_of(self, payload: bytes, feed: str | None) -> Any:
        """See StatementConnector."""
        return (peek(payload, Whose) or Whose()).orderId


def _order(data: bytes) -> Statement:
    order = payload(ORDER, data)
    said = orders.stated(orders.looked_up(TABLE, "order_state", order.orderState))
    ended = order.orderEndTime if said and said.status == "Completed" else None
    paid = minor(order.orderPayment)
    details = Details(
        payable_minor=paid,
        currency=None if paid is None else "CNY",
        payment_method=order.payType,
        customer_id=order.open_id_buyer,
        province=order.consigneeInfo.province if order.consigneeInfo else None,
        lines=[line for item in order.itemInfoList or [] if (line := _line(item))],
    )
    at = _at(ended, order.modified, order.paymentConfirmTime, order.orderStartTime)
    return Statement(order.orderId, said, at, f"orderState={order.orderState}", (order.venderId,), details)


def _line(item: Item) -> Line | None:
    sku = item.outerSkuId or item.skuId
    count = str(item.itemTotal)
    return Line(sku=sku, qty=int(count) if count.isdecimal() and len(count) < 10 else 1, price_minor=minor(item.jdPrice)) if sku else None


def _refund(data: bytes) -> Statement:
    case = payload(REFUND, data)
    said = orders.stated(orders.looked_up(TABLE, "refund_status", case.status))
    times = (case.applyTime,) if said and said.status == "RefundRequested" else (case.checkTime, case.modified, case.applyTime)
    details = Details(case_id=case.id, aftersale_kind="refund_only", partial_refund=case.partRefundType == PARTIAL)
    return Statement(case.orderId, said, _at(*times), f"status={case.status}", (), details)


def _service(data: bytes) -> Statement:
    case = payload(SERVICE, data)
    said = orders.stated(orders.looked_up(TABLE, "service_status", case.serviceStatus))
    kind = TABLE.get("customerExpect", case.customerExpect) if case.customerExpect else None
    if said and said.status == "Refunded" and (kind is None or kind.aftersale_kind is None):
        said = said.but("RefundClosed")  # an exchange or a repair is done: nothing was refunded
    details = Details(case_id=case.serviceId, aftersale_kind=kind.aftersale_kind if kind else None)
    at = _at(case.updateDate, case.approveTime, case.applyTime)
    return Statement(case.orderId, said, at, f"serviceStatus={case.serviceStatus}", (), details)


READERS: Final[Mapping[str, Callable[[bytes], Statement]]] = {ORDERS: _order, REFUNDS: _refund, SERVICES: _service}


def _at(*times: Any) -> int:
    """The first time that is one, in ms. Raises Unusable where there is none."""
    for time in times:
        if time is None or time == "" or (isinstance(time, str) and time.startswith(NO_TIME)):
            continue
        at = epoch(time, 1) if not isinstance(time, str) or time.isdecimal() else in_zone(time)
        if at >= DAY_ONE:
            return at
    raise Unusable("bad_timestamp", "the object has no time of its last change")
