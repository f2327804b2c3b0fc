"""Wangdiantong's objects, list by list; `connectors/wangdiantong.py` says where they come from.

What several fields say together:
* An order that was split (`trade_mask` 2048, or 64 without 128) speaks for a part of the channel's order; ours, the bits are
  documented by a word each. What the merchant made by hand, copied, sent again or exchanged is no channel's order.
* A warehouse bill that is cancelled while its order lives on (sent back to review) holds the order.
* A cancelled order that was never shipped and whose lines keep no stock states that the stock is restored, too.
* An after-sale bill is as far as its goods are, if they come back; an exchange refunds nothing.
* A channel's order that came in states that it was received, by `pay_status`; beyond that the ERP's own order says more.
"""

from typing import Any, Final

from pydantic import Field, TypeAdapter

from connectors import orders, systems
from connectors.orders import Details, Stated
from connectors.reading import Id, Maybe, Payload, Word, payload
from connectors.systems import Bill, Statement, listed, money, of_part, when
from schemas import mapping
from schemas.records import Line, ParcelRef

TABLE: Final = mapping.load("wangdiantong")
SPLIT, PARTIAL, WHOLE = 2048, 64, 128  # bits of trade_mask
NO_CHANNEL: Final = frozenset({"2", "4", "6", "7", "8"})  # trade_from: by hand, copied, sent again, sold in a store
EXCHANGE: Final = "3"  # trade_type of an order, type of an after-sale bill
PRICE_PROTECTION: Final = "6"
SENT_BACK: Final = frozenset({"5", "10"})  # stockout_status
DONE: Final = frozenset({"80", "90"})  # refund_bill_status


class Goods(Payload):
    """A line of an order."""

    spec_no: Maybe[Word] = None
    num: Any = None
    share_price: Any = None
    stock_state: Id | None = None


class Trade(Payload):
    """The ERP's order."""

    trade_no: Id
    src_tids: Maybe[Word] = None
    shop_no: Maybe[Id] = None
    trade_status: Id
    trade_type: Id | None = None
    trade_from: Id | None = None
    trade_mask: int = Field(0, ge=0, le=2**31)
    modified: Any = None
    trade_time: Any = None
    pay_time: Any = None
    check_time: Any = None
    consign_time: Any = None
    receivable: Any = None
    currency: Maybe[Word] = None
    customer_no: Maybe[Word] = None
    receiver_area: Maybe[Word] = None
    checker_name: Maybe[Word] = None
    logistics_no: Maybe[Id] = None
    logistics_name: Maybe[Word] = None
    logistics_type_name: Maybe[Word] = None
    detail_list: list[Goods] = Field([], max_length=500)


class Waybill(Payload):
    """One parcel of several."""

    logistics_no: Maybe[Id] = None
    logistics_name: Maybe[Word] = None


class Stockout(Payload):
    """The warehouse's bill of an order."""

    order_no: Id
    trade_no: Maybe[Id] = None
    src_trade_no: Maybe[Word] = None
    shop_no: Maybe[Id] = None
    status: Id
    trade_status: Id | None = None
    trade_type: Id | None = None
    trade_from: Id | None = None
    modified: Any = None
    consign_time: Any = None
    consigner_name: Maybe[Word] = None
    logistics_no: Maybe[Id] = None
    logistics_type: Id | None = None
    logistics_name: Maybe[Word] = None
    logistics_list: list[Waybill] = Field([], max_length=100)


class RawTrade(Payload):
    """A channel's order as it came in."""

    tid: Maybe[Id] = None
    shop_no: Maybe[Id] = None
    process_status: Id
    pay_status: Id
    trade_from: Id | None = None
    modified: Any = None
    created: Any = None
    trade_time: Any = None
    pay_time: Any = None
    receivable: Any = None
    currency: Maybe[Word] = None


class Refund(Payload):
    """An after-sale bill, or a channel's refund as it came in."""

    refund_no: Id
    src_tids: Maybe[Word] = None
    tid_list: Maybe[Word] = None
    tid: Maybe[Word] = None
    shop_no: Maybe[Id] = None
    type: Id
    status: Id
    stockin_status: Id | None = None
    modified: Any = None
    created: Any = None
    refund_time: Any = None
    check_time: Any = None
    settle_time: Any = None
    current_phase_timeout: Any = None
    operator_name: Maybe[Word] = None


class Stockin(Payload):
    """A bill of goods that came back."""

    order_no: Id
    tid_list: Maybe[Word] = None
    shop_no: Maybe[Id] = None
    refund_no: Maybe[Id] = None
    status: Id
    modified: Any = None
    check_time: Any = None
    check_operator_name: Maybe[Word] = None


TRADE, STOCKOUT, RAW = TypeAdapter(Trade), TypeAdapter(Stockout), TypeAdapter(RawTrade)
REFUND, STOCKIN = TypeAdapter(Refund), TypeAdapter(Stockin)


def read_trade(item: bytes) -> Bill:
    """The ERP's order. Raises Unusable."""
    trade = payload(TRADE, item)
    said = orders.stated(orders.looked_up(TABLE, "trade_status", trade.trade_status))
    ids = listed(trade.src_tids)
    if said is None or trade.trade_from in NO_CHANNEL or trade.trade_type == EXCHANGE:
        return Bill(trade.trade_no, trade.shop_no, ids, ())
    at, part = _reached(trade, said), _is_part(trade)
    if part:
        said, at = of_part(said, at, when(trade.pay_time, trade.trade_time, trade.modified))
    statements = [Statement(said, at, _details(trade, alone=not part and len(ids) == 1))]
    if said.status == "Cancelled" and (stock := _released(trade)):
        statements.append(Statement(stock, at, Details(operator=trade.checker_name)))
    return Bill(trade.trade_no, trade.shop_no, ids, tuple(statements))


def _is_part(trade: Trade) -> bool:
    return bool(trade.trade_mask & SPLIT) or trade.trade_mask & (PARTIAL | WHOLE) == PARTIAL


def _reached(trade: Trade, said: Stated) -> int:
    if said.status in {"Shipped", "PartiallyShipped"}:
        return when(trade.consign_time, trade.modified)
    return when(trade.check_time, trade.modified) if said.status == "Approved" else when(trade.modified)


def _released(trade: Trade) -> Stated | None:
    """That a cancelled order's stock is free again, where nothing was shipped and no line keeps any."""
    states = {goods.stock_state for goods in trade.detail_list}
    if trade.consign_time or states != {"0"}:
        return None
    return orders.stated(orders.looked_up(TABLE, "stock_state", "0"))


def _details(trade: Trade, *, alone: bool) -> Details:
    """What an order says besides its status; of merged and split ones neither amount nor lines are the channel's order's."""
    paid = money(trade.receivable) if alone else None
    return Details(
        operator=trade.checker_name,
        payable_minor=paid,
        currency=None if paid is None else trade.currency or "CNY",
        customer_id=trade.customer_no,
        province=trade.receiver_area.split(" ")[0] if trade.receiver_area else None,
        lines=_lines(trade.detail_list) if alone else [],
        parcels=systems.parcels(trade.logistics_no, trade.logistics_type_name, trade.logistics_name),
    )


def _lines(goods: list[Goods]) -> list[Line]:
    return [found for one in goods for found in systems.line(one.spec_no, one.num, one.share_price)]


def read_stockout(item: bytes) -> Bill:
    """The warehouse's bill. Raises Unusable."""
    bill = payload(STOCKOUT, item)
    said = orders.stated(orders.looked_up(TABLE, "stockout_status", bill.status))
    number, ids = bill.trade_no or bill.order_no, listed(bill.src_trade_no)
    if said is None or bill.trade_from in NO_CHANNEL or bill.trade_type == EXCHANGE:
        return Bill(number, bill.shop_no, ids, ())
    if bill.status in SENT_BACK and bill.trade_status not in {"4", "5"}:
        said = said.but("OnHold")
    at = when(bill.consign_time, bill.modified) if said.status == "Shipped" else when(bill.modified)
    return Bill(number, bill.shop_no, ids, (Statement(said, at, Details(operator=bill.consigner_name, parcels=_parcels(bill))),))


def _parcels(bill: Stockout) -> list[ParcelRef]:
    """All waybills of the bill, each once."""
    kind = TABLE.get("logistics_type", bill.logistics_type) if bill.logistics_type else None
    courier = kind.trigger if kind else None
    found = systems.parcels(bill.logistics_no, courier, bill.logistics_name)
    for one in bill.logistics_list:
        found += systems.parcels(one.logistics_no, None if one.logistics_name else courier, one.logistics_name)
    return list({one.tracking_no: one for one in reversed(found)}.values())[::-1]


def read_raw_trade(item: bytes) -> Bill:
    """A channel's order as it came in: received, paid or not, until it is submitted; or cancelled. Raises Unusable."""
    raw = payload(RAW, item)
    process = orders.looked_up(TABLE, "raw_process_status", raw.process_status)
    said, at = orders.stated(process), when(raw.modified, raw.created, raw.trade_time)
    if raw.process_status == "10":
        said = orders.stated(orders.looked_up(TABLE, "pay_status", raw.pay_status))
    if raw.trade_from in NO_CHANNEL or said is None or process.status in {"PartiallyShipped", "Shipped", "Completed"}:
        return Bill(raw.tid or "(none)", raw.shop_no, listed(raw.tid), ())
    if said.status != "Cancelled":  # a remark of the buyer changes `modified`, and would take back what the ERP has done since
        at = when(raw.pay_time if said.status == "PaymentConfirmed" else None, raw.trade_time, raw.created, raw.modified)
    paid = money(raw.receivable)
    details = Details(payable_minor=paid, currency=None if paid is None else raw.currency or "CNY")
    return Bill(raw.tid or "(none)", raw.shop_no, listed(raw.tid), (Statement(said, at, details),))


def read_refund(item: bytes) -> Bill:
    """An after-sale bill. Raises Unusable."""
    bill = payload(REFUND, item)
    kind = orders.looked_up(TABLE, "refund_type", bill.type).aftersale_kind
    said = orders.stated(orders.looked_up(TABLE, "refund_bill_status", bill.status), kind)
    ids = listed(bill.src_tids or bill.tid_list)
    if said is None:
        return Bill(bill.refund_no, bill.shop_no, ids, ())
    comes_back = kind == "return_refund" or bill.type == EXCHANGE
    if bill.status in DONE:
        said = said.but("RefundClosed") if bill.type == EXCHANGE else said
    elif said.status in {"RefundApproved", "ReturnInTransit"}:
        goods = orders.looked_up(TABLE, "refund_stockin_status", bill.stockin_status or "0").status
        said = said.but(goods or said.status) if comes_back else said.but("RefundApproved")
    own = {"RefundApproved": bill.check_time, "Refunded": bill.settle_time, "RefundRequested": bill.created}.get(said.status)
    return Bill(bill.refund_no, bill.shop_no, ids, (Statement(said, when(own, bill.modified), _case(bill)),))


def _case(bill: Refund) -> Details:
    return Details(operator=bill.operator_name, case_id=bill.refund_no, partial_refund=bill.type == PRICE_PROTECTION)


def read_raw_refund(item: bytes) -> Bill:
    """A channel's refund as it came in. Raises Unusable."""
    raw = payload(REFUND, item)
    kind = orders.looked_up(TABLE, "refund_type", raw.type).aftersale_kind
    said = orders.stated(orders.looked_up(TABLE, "raw_refund_status", raw.status), kind)
    if said is None:
        return Bill(raw.refund_no, raw.shop_no, listed(raw.tid), ())
    if said.status == "Refunded" and raw.type == EXCHANGE:
        said = said.but("RefundClosed")
    own = {"Refunded": raw.current_phase_timeout, "RefundRequested": raw.refund_time}.get(said.status)
    return Bill(raw.refund_no, raw.shop_no, listed(raw.tid), (Statement(said, when(own, raw.modified), _case(raw)),))


def read_stockin(item: bytes) -> Bill:
    """Goods that came back. Raises Unusable."""
    bill = payload(STOCKIN, item)
    said = orders.stated(orders.looked_up(TABLE, "stockin_status", bill.status))
    details = Details(operator=bill.check_operator_name, case_id=bill.refund_no)
    statements = () if said is None else (Statement(said, when(bill.check_time, bill.modified), details),)
    return Bill(bill.order_no, bill.shop_no, listed(bill.tid_list), statements)
