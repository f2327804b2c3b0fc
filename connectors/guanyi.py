"""Guanyi 管易云, an ERP. It pushes nothing that is publicly known: its lists are asked for.

    trades     orders          gy.erp.trade.get, with the cancelled ones
    deliveries delivery bills  gy.erp.trade.deliverys.get
    returns    return bills    gy.erp.trade.return.get
    refunds    refund bills    gy.erp.trade.refund.get

`platform_code` (`platfrom_code` of a refund bill, as the API writes it) is the channel's order id, `shop_code` the number of the
shop. Money is yuan, times are GMT+8.

The order has no status of its own: cancelled, intercepted (`hold_info`), how much is delivered, allocated, approved and whether
it was paid say together what it is, in this turn. A delivery bill may be of a part of an order: one that is delivered says that
a part is shipped. A return bill whose goods are in says both that the return was received and that the stock is restored.

Not publicly documented: the API's list of error codes, a refund bill's own status beyond agreed or refused, whether an order is
a part of a split one, and what the stock of a cancelled order is: it states no Restored.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final

from pydantic import BeforeValidator, Field, TypeAdapter

from connectors import orders, systems
from connectors.orders import Details, Stated
from connectors.reading import Id, Maybe, Payload, Prose, Word, payload
from connectors.signing import md5
from connectors.systems import Bill, Reader, Statement, System, listed, money, when
from schemas import mapping
from schemas.records import ParcelRef

TABLE: Final = mapping.load("guanyi")
CHANNELS: Final = frozenset({None, "", "销售订单", "Sales"})  # order_type_name: the others are made in the ERP


def _flag(value: Any) -> Any:
    return {True: "1", False: "0"}[value] if isinstance(value, bool) else str(value) if type(value) is int else value


Code = Annotated[str | None, BeforeValidator(_flag)]
"""A code; the API writes a yes or no as 1 and 0 here, as true and false there."""


class Goods(Payload):
    """A line of an order."""

    item_code: Maybe[Word] = None
    sku_code: Maybe[Word] = None
    qty: Any = None
    price: Any = None


class Delivered(Payload):
    """A delivery of an order, as the order lists it."""

    express_name: Maybe[Word] = None
    express_code: Maybe[Word] = None
    mail_no: Maybe[Id] = None


class Dates(Payload):
    """When an order became what it is, in ms."""

    approveDate: Any = None  # noqa: N815 -- the API's name
    cancelDate: Any = None  # noqa: N815 -- the same
    deliveryDate: Any = None  # noqa: N815 -- the same


class Trade(Payload):
    """An order."""

    code: Id
    platform_code: Maybe[Word] = None
    shop_code: Maybe[Id] = None
    order_type_name: Word | None = None
    cancle: Code = "0"
    approve: Code = "0"
    assignState: Code = "0"  # noqa: N815 -- the API's name
    delivery_state: Code = "0"
    hold_info: Maybe[Prose] = None
    paytime: Any = None
    createtime: Any = None
    modifytime: Any = None
    approveDate: Any = None  # noqa: N815 -- the API's name
    payment: Any = None
    vip_code: Maybe[Word] = None
    receiver_area: Maybe[Word] = None
    create_name: Maybe[Word] = None
    trade_order_status_info: Dates | None = None
    details: list[Goods] = Field([], max_length=500)
    deliverys: list[Delivered] | None = Field(None, max_length=100)


class Progress(Payload):
    """How far a delivery bill is."""

    delivery: Code = None
    cancel: Code = "0"
    intercept: Code = "0"
    delivery_date: Any = None
    delivery_name: Maybe[Word] = None
    cancel_date: Any = None


class Delivery(Payload):
    """A delivery bill."""

    code: Id
    platform_code: Maybe[Word] = None
    shop_code: Maybe[Id] = None
    express_no: Maybe[Id] = None
    express_name: Maybe[Word] = None
    express_code: Maybe[Word] = None
    create_date: Any = None
    modify_date: Any = None
    delivery_statusInfo: Progress  # noqa: N815 -- the API's name


class Return(Payload):
    """A return bill."""

    code: Id
    platform_code: Maybe[Word] = None
    platform_refund_id: Maybe[Id] = None
    shop_code: Maybe[Id] = None
    cancel: Code = "0"
    approve: Code = "0"
    receive: Code = "0"
    agree_refuse: Code = None
    refund_type: Code = None
    create_date: Any = None
    modify_date: Any = None
    approve_date: Any = None
    receive_date: Any = None
    cancel_date: Any = None


class Refund(Payload):
    """A refund bill."""

    code: Id
    platfrom_code: Maybe[Word] = None  # the API's spelling
    refund_code: Maybe[Id] = None
    shop_code: Maybe[Id] = None
    cancel: Code = "0"
    approve: Code = "0"
    agree_refuse: Code = None
    refund_type: Maybe[Word] = None
    status: Maybe[Word] = None
    create_date: Any = None
    modify_date: Any = None
    agree_date: Any = None


TRADE, DELIVERY = TypeAdapter(Trade), TypeAdapter(Delivery)
RETURN, REFUND = TypeAdapter(Return), TypeAdapter(Refund)


def sign(secret: str, request: str) -> str:
    """The API's signature of a request's JSON without `sign`, as it is written: the order of names counts. Upper-case hex."""
    return md5((secret + request + secret).encode()).upper()


def _code(field: str, code: str | None) -> Stated | None:
    return orders.stated(orders.looked_up(TABLE, field, code or "0"))


def read_trade(item: bytes) -> Bill:
    """An order. Raises Unusable."""
    trade = payload(TRADE, item)
    dates = trade.trade_order_status_info or Dates()
    said, at = _order(trade, dates)
    ids = listed(trade.platform_code)
    if trade.order_type_name not in CHANNELS:
        return Bill(trade.code, trade.shop_code, ids, ())
    paid = money(trade.payment) if len(ids) == 1 else None
    details = Details(
        operator=trade.create_name,
        payable_minor=paid,
        currency=None if paid is None else "CNY",
        customer_id=trade.vip_code,
        province=trade.receiver_area.split("-")[0] if trade.receiver_area else None,
        lines=[found for one in trade.details for found in systems.line(one.sku_code or one.item_code, one.qty, one.price)],
        parcels=_parcels(trade.deliverys or []),
    )
    return Bill(trade.code, trade.shop_code, ids, (Statement(said, at, details),))


def _order(trade: Trade, dates: Dates) -> tuple[Stated, int]:
    """What an order is, by the first of these that says something, and since when."""
    if said := _code("cancel", trade.cancle):
        return said, when(dates.cancelDate, trade.modifytime)
    delivered, assigned, approved = (
        _code(field, code)
        for field, code in (("delivery_state", trade.delivery_state), ("assign_state", trade.assignState), ("approve", trade.approve))
    )
    if delivered:
        return delivered, when(dates.deliveryDate if delivered.status == "Shipped" else None, trade.modifytime)
    said = orders.required(approved, f"order {trade.code}")
    if trade.hold_info:
        return said.but("OnHold"), when(trade.modifytime)
    if assigned and said.status == "Approved":
        return assigned, when(trade.modifytime)
    if said.status == "Approved":
        return said, when(dates.approveDate, trade.approveDate, trade.modifytime)
    paid = bool(trade.paytime)
    return (said if paid else said.but("PaymentPending")), when(trade.modifytime, trade.createtime)


def _parcels(deliveries: list[Delivered]) -> list[ParcelRef]:
    return [found for one in deliveries for found in systems.parcels(one.mail_no, one.express_name, one.express_code)]


def read_delivery(item: bytes) -> Bill:
    """A delivery bill. Raises Unusable."""
    bill = payload(DELIVERY, item)
    progress = bill.delivery_statusInfo
    said = orders.required(_code("delivery", progress.delivery), f"delivery bill {bill.code}")
    at = when(bill.modify_date, bill.create_date)
    if _code("cancel", progress.cancel) or _code("cancel", progress.intercept):  # the bill, not the order
        said, at = said.but("OnHold"), when(progress.cancel_date, at)
    elif said.status == "PartiallyShipped":
        at = when(progress.delivery_date, at)
    details = Details(operator=progress.delivery_name, parcels=systems.parcels(bill.express_no, bill.express_name, bill.express_code))
    return Bill(bill.code, bill.shop_code, listed(bill.platform_code), (Statement(said, at, details),))


def read_return(item: bytes) -> Bill:
    """A return bill. Raises Unusable."""
    bill = payload(RETURN, item)
    kind = orders.looked_up(TABLE, "return_type", bill.refund_type).aftersale_kind if bill.refund_type else None
    details = Details(case_id=bill.platform_refund_id or bill.code, aftersale_kind=kind)
    stock = _code("receive", bill.receive)
    agreed = orders.required(_code("agree_refuse", bill.agree_refuse), f"return bill {bill.code}")
    statements = [Statement(agreed, when(bill.modify_date, bill.create_date), details)]
    if _code("cancel", bill.cancel):
        statements = [Statement(agreed.but("RefundClosed"), when(bill.cancel_date, bill.modify_date), details)]
    elif stock:
        at = when(bill.receive_date, bill.modify_date)
        statements = [Statement(agreed.but("ReturnReceived"), at, details), Statement(stock, at, Details(case_id=details["case_id"]))]
    elif agreed.status == "RefundRequested" and bill.approve == "1":
        statements = [Statement(agreed.but("RefundApproved"), when(bill.approve_date, bill.modify_date), details)]
    return Bill(bill.code, bill.shop_code, listed(bill.platform_code), tuple(statements))


def read_refund(item: bytes) -> Bill:
    """A refund bill. Raises Unusable."""
    bill = payload(REFUND, item)
    kind = orders.looked_up(TABLE, "refund_type", bill.refund_type).aftersale_kind if bill.refund_type else None
    details = Details(case_id=bill.refund_code or bill.code, aftersale_kind=kind)
    said = orders.required(_code("agree_refuse", bill.agree_refuse), f"refund bill {bill.code}")
    succeeded = TABLE.get("platform_refund_status", bill.status) if bill.status else None
    at = when(bill.modify_date, bill.create_date)
    if _code("cancel", bill.cancel):
        said = said.but("RefundClosed")
    elif succeeded and succeeded.status:
        said = said.but(succeeded.status)
    elif said.status == "RefundRequested" and bill.approve == "1":
        said = said.but("RefundApproved")
    if said.status == "RefundApproved":
        at = when(bill.agree_date, at)
    return Bill(bill.code, bill.shop_code, listed(bill.platfrom_code), (Statement(said, at, details),))


class Guanyi(System):
    """See the module."""

    name = "guanyi"
    title = "Guanyi"
    readers: ClassVar[Mapping[str, Reader]] = {
        "trades": read_trade,
        "deliveries": read_delivery,
        "returns": read_return,
        "refunds": read_refund,
    }
