"""Objects of Douyin's lists: `order.searchList` (one shop order) and `afterSale.List` (one case with its order).

Money in fen, times in seconds, 0 for none. The list does not say when an order was cancelled, nor when a case was agreed to,
refused or refunded: its last change stands for it, which is the push's time unless something else changed since.
A deposit sale whose later phase is not paid is not paid. A refund is a partial one where it is of one of several products
(`related_id` is not the shop order; one of them has the shop order's own number), or of less than was paid for them.
"""

from typing import Any, Final

from pydantic import TypeAdapter

from connectors import orders
from connectors.lists.base import Listed, Read
from connectors.orders import Stated
from connectors.reading import Id, Maybe, Minor, Payload, Prose, epoch, payload
from schemas import couriers, mapping
from schemas.mapping import Entry
from schemas.records import ParcelRef

TABLE: Final = mapping.load("douyin")
PRICE_PROTECTION: Final = "6"
REACHED: Final = {  # canonical status → the field that says when
    "PaymentPending": "create_time",
    "PaymentConfirmed": "pay_time",
    "PartiallyShipped": "ship_time",
    "Shipped": "ship_time",
    "Completed": "finish_time",
}


class Named(Payload):
    """A place."""

    name: Maybe[Prose] = None


class Address(Payload):
    """Where it goes; only the province is not encrypted for all."""

    province: Named | None = None


class Parcel(Payload):
    """One parcel."""

    tracking_no: Maybe[Id] = None
    company: Maybe[Id] = None


class Phase(Payload):
    """A phase of a deposit sale."""

    pay_success: bool = True


class Order(Payload):
    """One shop order."""

    order_id: Id
    order_status: Id
    shop_id: Id | None = None
    pay_amount: Minor | None = None
    order_amount: Minor | None = None
    pay_type: Id | None = None
    create_time: Any = None
    pay_time: Any = None
    ship_time: Any = None
    finish_time: Any = None
    update_time: Any = None
    logistics_info: list[Parcel] | None = None
    order_phase_list: list[Phase] | None = None
    post_addr: Address | None = None


class Case(Payload):
    """One after-sale case."""

    aftersale_id: Id
    aftersale_status: Id
    aftersale_type: Id | None = None
    related_id: Maybe[Id] = None
    refund_amount: Minor | None = None
    apply_time: Any = None
    update_time: Any = None


class Bought(Payload):
    """One product of the order."""

    sku_order_id: Maybe[Id] = None
    pay_amount: Minor | None = None


class Whose(Payload):
    """The case's order."""

    shop_order_id: Id
    related_order_info: list[Bought] | None = None


class Item(Payload):
    """One element of the after-sale list."""

    aftersale_info: Case
    order_info: Whose


ORDER: Final = TypeAdapter(Order)
ITEM: Final = TypeAdapter(Item)


def kind_of(code: Any) -> Entry | None:
    """What an after-sale type says of the case's kind."""
    return TABLE.get("aftersale_type", str(code)) if code is not None else None


def settled(said: Stated, kind: Entry | None) -> Stated:
    """An exchange, a resend or a repair that succeeded is over: nothing went back."""
    nothing_back = said.status == "Refunded" and kind is not None and kind.aftersale_kind is None
    return said.but("RefundClosed") if nothing_back else said


def _order(item: bytes) -> Listed:
    order = payload(ORDER, item)
    said = orders.stated(orders.looked_up(TABLE, "order_status", order.order_status))
    if said and said.status == "PaymentConfirmed" and not all(phase.pay_success for phase in order.order_phase_list or ()):
        said = said.but("PaymentPending")
    paid = order.pay_amount if order.pay_amount is not None else order.order_amount
    province = order.post_addr and order.post_addr.province
    return Listed(
        order.order_id,
        said,
        _when(getattr(order, REACHED[said.status])) if said and said.status in REACHED else None,
        _when(order.update_time),
        _when(order.ship_time),
        (order.shop_id,),
        {
            "payable_minor": paid,
            "currency": None if paid is None else "CNY",
            "payment_method": order.pay_type,
            "province": province.name if province else None,
            "parcels": [
                ParcelRef(courier=couriers.ours(parcel.company), tracking_no=parcel.tracking_no)
                for parcel in order.logistics_info or ()
                if parcel.company and parcel.tracking_no
            ],
        },
    )


def _case(item: bytes) -> Listed:
    found = payload(ITEM, item)
    case, whose = found.aftersale_info, found.order_info
    kind = kind_of(case.aftersale_type)
    said = orders.stated(orders.looked_up(TABLE, "after_sale_status", case.aftersale_status))
    return Listed(
        whose.shop_order_id,
        settled(said, kind) if said else None,
        _when(case.apply_time) if said and said.status == "RefundRequested" else None,
        _when(case.update_time),
        details={
            "case_id": case.aftersale_id,
            "aftersale_kind": kind.aftersale_kind if kind else None,
            "partial_refund": _partial(case, whose),
        },
    )


def _partial(case: Case, whose: Whose) -> bool:
    if case.aftersale_type == PRICE_PROTECTION or (case.related_id and case.related_id != whose.shop_order_id):
        return True
    paid = [bought.pay_amount for bought in whose.related_order_info or () if bought.pay_amount is not None]
    return bool(paid) and case.refund_amount is not None and 0 < case.refund_amount < sum(paid)


def _when(value: Any) -> int | None:
    return epoch(value, 1000) if value else None


READERS: Final[dict[str, Read]] = {"orders": _order, "aftersales": _case}
