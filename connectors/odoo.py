"""Odoo, an ERP and WMS, from version 17 on. Its records are asked for; an automation rule may push sales orders besides.

    orders      sale.order     sales orders
    deliveries  stock.picking  what leaves the warehouse (outgoing)
    returns     stock.picking  what comes back to it (incoming, of a sales order)

    POST /hooks/odoo/{shop}  {"_action", "_id", "_model": "sale.order", …the record's fields}

Odoo's `Send Webhook Notification` signs nothing and sets no header, so the secret comes with the push, which is ours: in the
header `X-Lockstep-Token`, where something in between can set one, else in the address, `…?token=SECRET`: keep that address out of
logs. It covers neither body nor time: let only Odoo reach it. The rule's fields are name, client_order_ref, team_id, state,
delivery_status, date_order and write_date. A picking is not read from a push: it does not tell the channel's order.

Ours, since Odoo has no place for it: the channel's order id is the customer reference (`client_order_ref`), and each shop is a
sales team, whose id is the shop's number. Money has the currency's name (not in a push), times are UTC. A record has no message
id: pushed and pulled it has the hash of order, status and `write_date`, which both say.

A confirmed order is as far as its `delivery_status`, which may change without `write_date`: deliveries tell it too. One of
several deliveries ships a part; one that is cancelled while the order lives on holds it. A return that is done restores stock.
`delivery_status` is of the module sale_stock. Refunds (credit notes) are not read; an invoice says nothing of fulfilment.
"""

import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC
from typing import Annotated, Any, ClassVar, Final

from pydantic import BeforeValidator, Field, TypeAdapter

from connectors import money, orders, systems
from connectors.base import BadSignature, Fact, Push, Reply
from connectors.config import Shop
from connectors.orders import Details, Stated
from connectors.pull.base import PULLED
from connectors.reading import Id, Payload, Word, in_zone, payload
from connectors.systems import Bill, Reader, Statement, System, listed
from schemas import mapping
from schemas.facts import Unusable
from schemas.records import Observation, RawEvent

TABLE: Final = mapping.load("odoo")
TOKEN: Final = "x-lockstep-token"  # noqa: S105 -- a header's name
_given = BeforeValidator(lambda value: None if value is False or value == "" else value)  # what Odoo sends for nothing
_named = BeforeValidator(lambda value: None if value is False else {"id": value} if type(value) is int else value)
Text = Annotated[Word | None, _given]
Code = Annotated[Id | None, _given]


class Record(Payload):
    """A record that another refers to."""

    id: Id
    name: Text = None
    display_name: Text = None


Ref = Annotated[Record | None, _named]


class Order(Payload):
    """A sales order; its model only where it was pushed."""

    model: Annotated[Id | None, Field(alias="_model")] = None
    name: Id
    client_order_ref: Text = None
    team_id: Ref = None
    state: Id
    delivery_status: Code = None
    amount_total: Any = None
    currency_id: Ref = None
    write_date: Any = None


class Whole(Payload):
    """The sales order of a picking."""

    id: Id
    client_order_ref: Text = None
    team_id: Ref = None
    state: Code = None
    delivery_status: Code = None


class Picking(Payload):
    """A delivery or a return."""

    name: Id
    state: Id
    sale_id: Annotated[Whole | None, _named] = None
    carrier_id: Ref = None
    carrier_tracking_ref: Text = None
    date_done: Any = None
    write_date: Any = None


ORDER, PICKING = TypeAdapter(Order), TypeAdapter(Picking)


def read_order(item: bytes) -> Bill:
    """A sales order. Raises Unusable."""
    order = payload(ORDER, item)
    if order.model not in {None, "sale.order"}:
        raise Unusable("invalid", f"a push of {order.model} does not tell the channel's order: push sale.order only, the rest is asked for")
    said = orders.required(orders.stated(orders.looked_up(TABLE, "sale_order_state", order.state)), order.name)
    if order.state in {"sale", "done"} and order.delivery_status:
        said = orders.stated(orders.looked_up(TABLE, "sale_order_delivery_status", order.delivery_status)) or said
    ids = listed(order.client_order_ref)
    paid, currency = _payable(order) if len(ids) == 1 else (None, None)
    details = Details(payable_minor=paid, currency=currency)
    return Bill(order.name, order.team_id.id if order.team_id else None, ids, (Statement(said, _utc(order.write_date), details),))


def _payable(order: Order) -> tuple[int | None, str | None]:
    """The total; nothing where its currency is not named, or is of the merchant's own making."""
    if order.currency_id is None or order.currency_id.name not in money.DIGITS:
        return None, None
    return money.payable(order.amount_total, order.currency_id.name)


def read_delivery(item: bytes) -> Bill:
    """What leaves the warehouse. Raises Unusable."""
    picking = payload(PICKING, item)
    said = orders.required(orders.stated(orders.looked_up(TABLE, "stock_picking_state", picking.state)), picking.name)
    whole = picking.sale_id
    if said.status == "Cancelled" and not (whole and whole.state == "cancel"):
        said = said.but("OnHold")
    if said.status == "Shipped" and whole and whole.delivery_status in {"started", "partial"}:
        said = said.but("PartiallyShipped")
    carrier = picking.carrier_id
    parcels = systems.parcels(picking.carrier_tracking_ref, *((carrier.name, carrier.display_name) if carrier else ()))
    return _bill(picking, said, Details(parcels=parcels))


def read_return(item: bytes) -> Bill:
    """What comes back. Raises Unusable."""
    picking = payload(PICKING, item)
    said = orders.stated(orders.looked_up(TABLE, "return_picking_state", picking.state))
    return _bill(picking, said, Details(case_id=picking.name))


def _bill(picking: Picking, said: Stated | None, details: Details) -> Bill:
    whole = picking.sale_id
    team = whole.team_id.id if whole and whole.team_id else None
    at = _utc(picking.date_done or picking.write_date) if picking.state == "done" else _utc(picking.write_date)
    statements = () if said is None else (Statement(said, at, details),)
    return Bill(picking.name, team, listed(whole.client_order_ref if whole else None), statements)


def _utc(value: Any) -> int:
    return in_zone(value, UTC)


class Odoo(System):
    """See the module."""

    name = "odoo"
    title = "Odoo"
    pull_only = False
    readers: ClassVar[Mapping[str, Reader]] = {"orders": read_order, "deliveries": read_delivery, "returns": read_return}

    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """The secret, in a header or in the address."""
        given = push.headers.get(TOKEN) or push.query.get("token") or ""
        if not hmac.compare_digest(given.encode(errors="replace"), shop.secret.encode()):
            raise BadSignature(f"neither the header {TOKEN} nor the address has this shop's token")

    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """The record, as if it had been asked for."""
        found = self.pulled(shop, "orders", push.body)
        return [replace(fact, headers={name: value for name, value in fact.headers.items() if name != PULLED}) for fact in found]

    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """Odoo looks at the status only."""
        return Reply(b"{}")

    def decode(self, event: RawEvent) -> Observation:
        """Read one record, pushed or asked for."""
        if PULLED in event.headers:
            return super().decode(event)
        return systems.said_of(event, read_order(event.payload), self.title)
