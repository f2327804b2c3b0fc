"""Yonyou YonBIP / YonSuite 用友, an ERP. Its sales orders are asked for; its event subscriptions were not found described.

    orders  /yonbip/sd/voucherorder/list, headers only (isSum)

Ours, since no document says how channels' orders are kept: the channel's order id is the customer's order number (`purchaseNo`),
else the header's first own field (`headItem.define1`), and each shop is a customer, whose `agentId` is the shop's number. An
amount is taken where the order's currency is the books' own (`domesticCode`). Times are GMT+8.

A drafted order counts as paid once its payment is complete (`payStatusCode`); beyond that `nextStatus` alone tells.

Not publicly documented: the parcels of an order in this list, and what its returns do to stock: no after-sale and no Restored is
read, so that a shop whose only ERP this is does better with `expectations: {stock_not_restored: off}`.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from pydantic import TypeAdapter

from connectors import orders
from connectors.orders import Details
from connectors.reading import Id, Maybe, Payload, Word, payload
from connectors.systems import Bill, Reader, Statement, System, listed, money, when
from schemas import mapping

TABLE: Final = mapping.load("yonyou")


class Prices(Payload):
    """The header's currencies; of the books' own the code is told."""

    currency: Maybe[Id] = None
    natCurrency: Maybe[Id] = None  # noqa: N815 -- the API's name
    domesticCode: Maybe[Word] = None  # noqa: N815 -- the same


class Fields(Payload):
    """A merchant's own fields of a header."""

    define1: Maybe[Word] = None


class Order(Payload):
    """The header of a sales order."""

    code: Id
    purchaseNo: Maybe[Word] = None  # noqa: N815 -- the API's name
    agentId: Maybe[Id] = None  # noqa: N815 -- the same
    nextStatus: Id  # noqa: N815 -- the same
    payStatusCode: Maybe[Id] = None  # noqa: N815 -- the same
    payMoney: Any = None  # noqa: N815 -- the same
    orderPrices: Prices | None = None  # noqa: N815 -- the same
    headItem: Fields | None = None  # noqa: N815 -- the same
    auditTime: Any = None  # noqa: N815 -- the same
    payDate: Any = None  # noqa: N815 -- the same
    modifyTime: Any = None  # noqa: N815 -- the same
    pubts: Any = None
    createTime: Any = None  # noqa: N815 -- the same
    auditor: Maybe[Word] = None


ORDER: Final = TypeAdapter(Order)


def read_order(item: bytes) -> Bill:
    """A sales order. Raises Unusable."""
    order = payload(ORDER, item)
    said = orders.required(orders.stated(orders.looked_up(TABLE, "nextStatus", order.nextStatus)), order.code)
    paid = orders.looked_up(TABLE, "payStatusCode", order.payStatusCode) if order.payStatusCode else None
    own = order.auditTime if said.status == "Approved" else None
    if said.status == "Created" and paid and paid.status == "PaymentConfirmed":
        said, own = said.but("PaymentConfirmed"), order.payDate
    own_fields = order.headItem.define1 if order.headItem else None
    at = when(own, order.modifyTime, order.pubts, order.createTime)
    ids = listed(order.purchaseNo or own_fields)
    return Bill(order.code, order.agentId, ids, (Statement(said, at, _details(order, alone=len(ids) == 1)),))


def _details(order: Order, *, alone: bool) -> Details:
    prices = order.orderPrices or Prices()
    known = alone and prices.domesticCode and prices.currency == prices.natCurrency
    paid = money(order.payMoney) if known else None
    return Details(operator=order.auditor, payable_minor=paid, currency=None if paid is None else prices.domesticCode)


class Yonyou(System):
    """See the module."""

    name = "yonyou"
    title = "Yonyou"
    readers: ClassVar[Mapping[str, Reader]] = {"orders": read_order}
