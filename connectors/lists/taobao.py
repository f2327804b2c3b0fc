"""Objects of Taobao's lists: a trade of `taobao.trades.sold.increment.get`, a refund of `taobao.refunds.receive.get`.

Money is yuan in a text, times are `yyyy-MM-dd HH:mm:ss` GMT+8. A trade knows no message's id and its times are not those of
messages (`pub_time`), so what a message has told of a trade is a repeat here; a refund's `modified` stands in both, so its id
is one for both. A trade's status is refined by `step_trade_status` (a deposit that is paid is not the payment) and, once it
was shipped, by `cod_status`; before that `cod_status` is about the courier's order and says nothing of the trade.
A refund is a partial one where it is of one of several sub-orders (`oid` is not `tid`), or leaves the seller a `payment`.
"""

from typing import Any, Final

from pydantic import TypeAdapter

from connectors import orders
from connectors.lists.base import Listed, Read
from connectors.orders import Stated
from connectors.reading import Id, Maybe, Payload, Word, in_zone, minor, payload
from schemas import couriers, mapping
from schemas.mapping import Entry
from schemas.records import ParcelRef
from schemas.status import ENDS

TABLE: Final = mapping.load("taobao")
REACHED: Final = {  # canonical status → the field that says when
    "Created": "created",
    "PaymentPending": "created",
    "PaymentConfirmed": "pay_time",
    "PartiallyShipped": "consign_time",
    "Shipped": "consign_time",
    "Completed": "end_time",
    "Closed": "end_time",
    "Cancelled": "end_time",
}


class SubOrder(Payload):
    """One product of a trade, with its parcel."""

    logistics_company: Maybe[Word] = None
    invoice_no: Maybe[Id] = None


class SubOrders(Payload):
    """TOP wraps lists."""

    order: list[SubOrder] | None = None


class Trade(Payload):
    """One trade."""

    tid: Id
    status: Id
    step_trade_status: Maybe[Id] = None
    cod_status: Maybe[Id] = None
    payment: Any = None
    type: Maybe[Id] = None
    buyer_nick: Maybe[Word] = None
    receiver_state: Maybe[Word] = None
    seller_nick: Maybe[Id] = None
    created: Any = None
    pay_time: Any = None
    consign_time: Any = None
    end_time: Any = None
    modified: Any = None
    orders: SubOrders | None = None


class Refund(Payload):
    """One refund case."""

    refund_id: Id
    tid: Id
    oid: Maybe[Id] = None
    status: Id
    dispute_type: Maybe[Id] = None
    has_good_return: bool | None = None
    payment: Any = None
    refund_fee: Any = None
    modified: Any = None


TRADE: Final = TypeAdapter(Trade)
REFUND: Final = TypeAdapter(Refund)


def combined(status: str, step: str | None, cod: str | None) -> Stated | None:
    """What a trade's three status fields state together. Raises Unusable for a code of any that is not known."""
    said = orders.stated(orders.looked_up(TABLE, "status", status))
    phase = orders.stated(orders.looked_up(TABLE, "step_trade_status", step)) if step else None
    carried = orders.stated(orders.looked_up(TABLE, "cod_status", cod)) if cod else None
    if said is None or said.status in ENDS:
        return said
    if phase and (phase.status == "Closed" or (phase.status == "PaymentPending" and said.status == "PaymentConfirmed")):
        return phase
    return carried if carried and said.status == "Shipped" and carried.status in {"PickedUp", "Signed", "OnHold"} else said


def nothing_back(said: Stated, kind: Entry | None) -> Stated:
    """An exchange, a repair or a resend that succeeded is over: nothing was refunded."""
    over = said.status == "Refunded" and kind is not None and kind.aftersale_kind is None
    return said.but("RefundClosed") if over else said


def dispute(code: str | None) -> Entry | None:
    """What a case's `dispute_type` says of its kind. Raises Unusable."""
    return orders.looked_up(TABLE, "dispute_type", code) if code else None


def named(nick: str | None) -> str | None:
    """A buyer's nick; a masked one names nobody."""
    return None if nick is None or "*" in nick else nick


def _trade(item: bytes) -> Listed:
    trade = payload(TRADE, item)
    said = combined(trade.status, trade.step_trade_status, trade.cod_status)
    reached = REACHED.get(said.status) if said and said.code == trade.status else None
    paid = minor(trade.payment)
    return Listed(
        trade.tid,
        said,
        _when(getattr(trade, reached)) if reached else None,
        _when(trade.modified),
        _when(trade.consign_time),
        details={
            "payable_minor": paid,
            "currency": None if paid is None else "CNY",
            "payment_method": "cod" if trade.type == "cod" else None,
            "customer_id": named(trade.buyer_nick),
            "province": trade.receiver_state if trade.receiver_state and "*" not in trade.receiver_state else None,
            "parcels": _parcels(trade.orders),
        },
    )


def _parcels(products: SubOrders | None) -> list[ParcelRef]:
    found: dict[tuple[str, str], ParcelRef] = {}
    for product in (products.order if products else None) or ():
        if product.logistics_company and product.invoice_no:
            courier = couriers.ours(product.logistics_company)
            found[courier, product.invoice_no] = ParcelRef(courier=courier, tracking_no=product.invoice_no)
    return list(found.values())


def _refund(item: bytes) -> Listed:
    refund = payload(REFUND, item)
    said, kind = orders.stated(orders.looked_up(TABLE, "refund_status", refund.status)), dispute(refund.dispute_type)
    left = minor(refund.payment)
    returned = None if refund.has_good_return is None else "return_refund" if refund.has_good_return else "refund_only"
    return Listed(
        refund.tid,
        nothing_back(said, kind) if said else None,
        None,
        _when(refund.modified),
        details={
            "case_id": refund.refund_id,
            "aftersale_kind": kind.aftersale_kind if kind else returned,
            "partial_refund": (refund.oid is not None and refund.oid != refund.tid) or bool(left and left > 0),
        },
    )


def _when(value: Any) -> int | None:
    return in_zone(value) if value else None


READERS: Final[dict[str, Read]] = {"orders": _trade, "refunds": _refund}
