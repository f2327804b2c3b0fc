"""Kingdee K3 Cloud 金蝶云星空, an ERP. It pushes nothing that is publicly known: its bills are asked for by ExecuteBillQuery.

    orders    SAL_SaleOrder    sales orders
    outstocks SAL_OUTSTOCK     what left the warehouse
    returns   SAL_RETURNSTOCK  what came back into it

An object is a row: an array of the values of FIELDS, in their order. Ours, since no document says how channels' orders are kept:
the channel's order id is `FNetOrderBillNo` of an order and `FThirdBillNo` of the other two, and each shop is a customer, whose
number (`FCustId.FNumber` …) is the shop's number. Money is in the order's currency, times are the server's, GMT+8.

An order that is voided (FCancelStatus B) is cancelled, one that is closed (FCloseStatus B) closed, which K3 also does by itself
when all was delivered; else its document status tells. A stock-out bill ships when it is approved; one that is voided holds the
order. A return bill restores the stock when it is approved.

Not publicly documented: the whole list of order statuses, whether a stock-out bill is all of its order, refunds of money.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec
from pydantic import TypeAdapter

from connectors import orders, systems
from connectors.orders import Details
from connectors.reading import Id, Maybe, Payload, Word, payload, peek
from connectors.systems import Bill, Reader, Statement, System, listed, money, when
from schemas import mapping
from schemas.facts import Unusable

TABLE: Final = mapping.load("kingdee")
FIELDS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {  # feed → form, fields of a row
    "orders": (
        "SAL_SaleOrder",
        (
            "FID",
            "FBillNo",
            "FNetOrderBillNo",
            "FCustId.FNumber",
            "FDocumentStatus",
            "FCloseStatus",
            "FCancelStatus",
            "FModifyDate",
            "FApproveDate",
            "FBillAllAmount",
            "FSettleCurrId.FCode",
        ),
    ),
    "outstocks": (
        "SAL_OUTSTOCK",
        (
            "FID",
            "FBillNo",
            "FThirdBillNo",
            "FCustomerID.FNumber",
            "FDocumentStatus",
            "FCancelStatus",
            "FModifyDate",
            "FApproveDate",
            "FCarrierID.FName",
            "FCarriageNO",
        ),
    ),
    "returns": (
        "SAL_RETURNSTOCK",
        (
            "FID",
            "FBillNo",
            "FThirdBillNo",
            "FRetcustId.FNumber",
            "FDocumentStatus",
            "FCancelStatus",
            "FModifyDate",
            "FApproveDate",
        ),
    ),
}
YUAN: Final = frozenset({None, "CNY", "RMB", "PRE001"})  # PRE001 is the number that K3 delivers the yuan with


class Row(Payload):
    """A bill of any form, by the places of FIELDS."""

    number: Id
    key: Any = None
    order_id: Maybe[Word] = None
    shop: Maybe[Id] = None
    document: Id
    closed: Maybe[Id] = None
    cancelled: Maybe[Id] = None
    modified: Any = None
    approved: Any = None
    amount: Any = None
    currency: Maybe[Word] = None
    carrier: Maybe[Word] = None
    waybill: Maybe[Id] = None


ROW: Final = TypeAdapter(Row)
_NAMES: Final = {
    "FID": "key",
    "FBillNo": "number",
    "FNetOrderBillNo": "order_id",
    "FThirdBillNo": "order_id",
    "FCustId.FNumber": "shop",
    "FCustomerID.FNumber": "shop",
    "FRetcustId.FNumber": "shop",
    "FDocumentStatus": "document",
    "FCloseStatus": "closed",
    "FCancelStatus": "cancelled",
    "FModifyDate": "modified",
    "FApproveDate": "approved",
    "FBillAllAmount": "amount",
    "FSettleCurrId.FCode": "currency",
    "FCarrierID.FName": "carrier",
    "FCarriageNO": "waybill",
}


def _row(feed: str, item: bytes) -> Row:
    """A row with names. Raises Unusable."""
    form, fields = FIELDS[feed]
    values = peek(item, list[msgspec.Raw])
    if values is None:
        raise Unusable("undecodable", f"a row of {form} is a JSON array of {len(fields)} values")
    if len(values) != len(fields):
        raise Unusable("invalid", f"a row of {form} has {len(values)} values, not the {len(fields)} that were asked for")
    named = {_NAMES[field]: value for field, value in zip(fields, values, strict=True)}
    return payload(ROW, msgspec.json.encode(named))


def read_order(item: bytes) -> Bill:
    """A sales order. Raises Unusable."""
    row = _row("orders", item)
    voided = orders.looked_up(TABLE, "FCancelStatus", row.cancelled or "A")
    closed = orders.looked_up(TABLE, "FCloseStatus", row.closed or "A")
    document = orders.looked_up(TABLE, "FDocumentStatus", row.document)
    said = orders.required(orders.stated(voided if voided.status else closed if closed.code == "B" else document), row.number)
    at = when(row.approved, row.modified) if said.status == "Approved" else when(row.modified)
    paid = money(row.amount) if row.currency in YUAN else None
    details = Details(payable_minor=paid, currency=None if paid is None else "CNY")
    return Bill(row.number, row.shop, listed(row.order_id), (Statement(said, at, details),))


def read_outstock(item: bytes) -> Bill:
    """A stock-out bill. Raises Unusable."""
    row = _row("outstocks", item)
    said = orders.required(orders.stated(orders.looked_up(TABLE, "outstock_status", row.document)), row.number)
    if orders.looked_up(TABLE, "FCancelStatus", row.cancelled or "A").status:
        said = said.but("OnHold")
    at = when(row.approved, row.modified) if said.status == "Shipped" else when(row.modified)
    details = Details(parcels=systems.parcels(row.waybill, row.carrier))
    return Bill(row.number, row.shop, listed(row.order_id), (Statement(said, at, details),))


def read_return(item: bytes) -> Bill:
    """A return bill. Raises Unusable."""
    row = _row("returns", item)
    said = orders.stated(orders.looked_up(TABLE, "return_status", row.document))
    if said is None or orders.looked_up(TABLE, "FCancelStatus", row.cancelled or "A").status:
        return Bill(row.number, row.shop, listed(row.order_id), ())
    details = Details(case_id=row.number)
    return Bill(row.number, row.shop, listed(row.order_id), (Statement(said, when(row.approved, row.modified), details),))


class Kingdee(System):
    """See the module."""

    name = "kingdee"
    title = "Kingdee"
    readers: ClassVar[Mapping[str, Reader]] = {"orders": read_order, "outstocks": read_outstock, "returns": read_return}
