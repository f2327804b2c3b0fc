"""Objects of Pinduoduo's lists: `order_info` of `pdd.order.information.get`, a case of `pdd.refund.list.increment.get`.

Money is yuan, times are `yyyy-MM-dd HH:mm:ss` GMT+8 (or seconds). An order's status is a product of four fields; it says when
it was concluded, shipped and received, of a hold or an end only when it last changed. That these are the seconds of PMC's
frames is not publicly documented; where they are not, the listed fact is a repeat.
An order that was received has no later status: what is told of it is when it was received, not how it was at its last change,
so that it never goes back from what a message has told (pdd_trade_TradeSuccess: completed).
Parcels are not read: `logistics_id` is a number whose names are not publicly documented, and a parcel under a wrong courier
would never be signed. The ERP or WMS names them.
"""

from typing import Any, Final

from pydantic import TypeAdapter

from connectors import orders
from connectors.lists.base import Listed, Read
from connectors.orders import Stated
from connectors.reading import Id, Payload, epoch, in_zone, minor, payload
from schemas import mapping

TABLE: Final = mapping.load("pinduoduo")
PRODUCT: Final = ("confirm_status", "group_status", "risk_control_status", "order_status")  # the first that decides wins
REACHED: Final = {  # canonical status → the field that says when
    "Created": "created_time",
    "PaymentConfirmed": "confirm_time",
    "Shipped": "shipping_time",
    "Signed": "receive_time",
}


class Order(Payload):
    """One order."""

    order_sn: Id
    confirm_status: Id | None = None
    group_status: Id | None = None
    risk_control_status: Id | None = None
    order_status: Id
    refund_status: Id | None = None
    pay_amount: Any = None
    pay_type: Any = None
    province: Any = None
    created_time: Any = None
    confirm_time: Any = None
    shipping_time: Any = None
    receive_time: Any = None
    updated_at: Any = None


class Case(Payload):
    """One after-sale case."""

    id: Id
    order_sn: Id
    after_sales_status: Id
    after_sales_type: Id | None = None
    refund_amount: Any = None
    order_amount: Any = None
    discount_amount: Any = None
    updated_time: Any = None


ORDER: Final = TypeAdapter(Order)
CASE: Final = TypeAdapter(Case)


def combined(about: Any) -> Stated | None:
    """Not concluded, cancelled, group not formed and under review each go before what order_status says. Raises Unusable."""
    said = None
    for field in PRODUCT:
        code = getattr(about, field)
        if code is None:
            continue
        said = orders.stated(orders.looked_up(TABLE, field, code))
        if said and said.status != "PaymentConfirmed":
            return said
    return said


def _order(item: bytes) -> Listed:
    order = payload(ORDER, item)
    said, paid = combined(order), minor(order.pay_amount)
    reached = REACHED.get(said.status) if said else None
    at = _when(getattr(order, reached)) if reached else None
    final = said is not None and said.status == "Signed" and at is not None
    return Listed(
        order.order_sn,
        said,
        at,
        None if final else _when(order.updated_at),
        _when(order.shipping_time),
        details={
            "payable_minor": paid,
            "currency": None if paid is None else "CNY",
            "payment_method": order.pay_type if isinstance(order.pay_type, str) and order.pay_type else None,
            "province": order.province if isinstance(order.province, str) and 0 < len(order.province) <= 64 else None,
        },
    )


def _case(item: bytes) -> Listed:
    case = payload(CASE, item)
    said = orders.stated(orders.looked_up(TABLE, "after_sales_status", case.after_sales_status))
    kind = TABLE.get("after_sales_type", case.after_sales_type) if case.after_sales_type else None
    return Listed(
        case.order_sn,
        said,
        None,
        _when(case.updated_time),
        details={
            "case_id": case.id,
            "aftersale_kind": (said.aftersale_kind if said else None) or (kind.aftersale_kind if kind else None),
            "partial_refund": _partial(case),
        },
    )


def _partial(case: Case) -> bool:
    """Less than the order's amount. It is not documented whether that is before the discount: only less than both is partial."""
    back, amount, discount = minor(case.refund_amount), minor(case.order_amount), minor(case.discount_amount)
    return bool(back and amount and back < amount - (discount or 0))


def _when(value: Any) -> int | None:
    if not value:
        return None
    return in_zone(value) if isinstance(value, str) and not value.isdigit() else epoch(value, 1000)


READERS: Final[dict[str, Read]] = {"orders": _order, "refunds": _case}
