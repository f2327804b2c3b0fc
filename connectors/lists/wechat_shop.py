"""Objects of WeChat Shop's lists: `order` of `/channels/ec/order/get`, `after_sale_order` of `/channels/ec/aftersale/getaftersaleorder`.

Money in fen, times in seconds. An order says when it was paid, shipped in full and received; of an end only when it last
changed. A list does not say that an order is new (10 is waiting for payment), and an event's CreateTime is its own: that it is
the order's second is not publicly documented; where it is not, the listed fact is a repeat.
A case has one product and does not say what the order cost: whether a refund is of the whole order is not known from either.
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

TABLE: Final = mapping.load("wechat_shop")


class Pay(Payload):
    """The payment."""

    pay_time: Any = None
    payment_method: Id | None = None


class Price(Payload):
    """What it costs."""

    order_price: Minor | None = None


class Parcel(Payload):
    """One parcel."""

    waybill_id: Maybe[Id] = None
    delivery_id: Maybe[Id] = None


class Address(Payload):
    """Where it goes."""

    province_name: Maybe[Prose] = None


class Delivery(Payload):
    """How it goes."""

    ship_done_time: Any = None
    delivery_product_info: list[Parcel] | None = None
    address_info: Address | None = None


class Ext(Payload):
    """More."""

    confirm_receipt_time: Any = None


class Detail(Payload):
    """What an order is about."""

    pay_info: Pay | None = None
    price_info: Price | None = None
    delivery_info: Delivery | None = None
    ext_info: Ext | None = None


class Order(Payload):
    """One order."""

    order_id: Id
    status: Id
    openid: Maybe[Id] = None
    create_time: Any = None
    update_time: Any = None
    order_detail: Detail | None = None


class Case(Payload):
    """One after-sale case."""

    after_sale_order_id: Id
    order_id: Id
    status: Id
    type: Maybe[Id] = None
    update_time: Any = None


ORDER: Final = TypeAdapter(Order)
CASE: Final = TypeAdapter(Case)


def kind_of(code: Any) -> Entry | None:
    """What a case's type says of its kind."""
    return TABLE.get("type", str(code)) if code else None


def settled(said: Stated, kind: Entry | None) -> Stated:
    """An exchange that succeeded is over: nothing went back."""
    over = said.status == "Refunded" and kind is not None and kind.aftersale_kind is None
    return said.but("RefundClosed") if over else said


def _order(item: bytes) -> Listed:
    order = payload(ORDER, item)
    detail = order.order_detail or Detail()
    pay, price = detail.pay_info or Pay(), detail.price_info or Price()
    delivery, ext = detail.delivery_info or Delivery(), detail.ext_info or Ext()
    said = orders.stated(orders.looked_up(TABLE, "status", order.status))
    reached = {
        "PaymentPending": order.create_time,
        "PaymentConfirmed": pay.pay_time,
        "Shipped": delivery.ship_done_time,
        "Completed": ext.confirm_receipt_time,
    }
    paid = price.order_price
    return Listed(
        order.order_id,
        said,
        _when(reached.get(said.status)) if said else None,
        _when(order.update_time),
        _when(delivery.ship_done_time),
        details={
            "payable_minor": paid,
            "currency": None if paid is None else "CNY",
            "payment_method": pay.payment_method,
            "customer_id": order.openid,
            "province": delivery.address_info.province_name if delivery.address_info else None,
            "parcels": [
                ParcelRef(courier=couriers.ours(parcel.delivery_id), tracking_no=parcel.waybill_id)
                for parcel in delivery.delivery_product_info or ()
                if parcel.delivery_id and parcel.waybill_id
            ],
        },
    )


def _case(item: bytes) -> Listed:
    case = payload(CASE, item)
    said, kind = orders.stated(orders.looked_up(TABLE, "after_sale_status", case.status)), kind_of(case.type)
    return Listed(
        case.order_id,
        settled(said, kind) if said else None,
        None,
        _when(case.update_time),
        details={
            "case_id": case.after_sale_order_id,
            "aftersale_kind": (kind.aftersale_kind if kind else None) or (said.aftersale_kind if said else None),
        },
    )


def _when(value: Any) -> int | None:
    return epoch(value, 1000) if value else None


READERS: Final[dict[str, Read]] = {"orders": _order, "aftersales": _case}
