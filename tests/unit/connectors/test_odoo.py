"""Odoo: an order and its deliveries, pushed and asked for."""

from typing import Any

import pytest

from connectors.base import BadSignature, Push
from connectors.intake import Address
from connectors.odoo import TABLE, Odoo
from schemas import codec
from schemas.facts import Unusable
from schemas.records import ParcelRef, RawEvent
from tests.contract.connectors.kit import NOW, data
from tests.contract.connectors.platforms.odoo import AT, SHOP, listed, order, pushed
from tests.unit.connectors.asked_given import said, states


def picking(state: str, /, **sale: Any) -> bytes:
    """A delivery or a return of the order."""
    whole = {"id": 12, "client_order_ref": "A1", "team_id": {"id": 5}, "state": "sale", "delivery_status": False} | sale
    parcel = {"carrier_id": {"id": 2, "name": "中通快递"}, "carrier_tracking_ref": "7777"}
    times = {"date_done": AT if state == "done" else False, "write_date": AT}
    return data({"id": 3, "name": "WH/OUT/00003", "state": state, "sale_id": whole} | parcel | times)


@pytest.mark.parametrize("state", TABLE.fields["sale_order_state"])
@pytest.mark.parametrize("delivered", [False, *TABLE.fields["sale_order_delivery_status"]])
def test_what_an_order_is(state: str, delivered: object) -> None:
    """A confirmed one is as far as it is delivered; a quotation or a cancelled one is what it is."""
    own = TABLE.fields["sale_order_state"][state].status
    far = TABLE.fields["sale_order_delivery_status"][str(delivered)].status if delivered and state in {"sale", "done"} else own
    assert states(SHOP, "orders", listed(state=state, delivery_status=delivered)) == [far]


@pytest.mark.parametrize(
    ("state", "sale", "stated"),
    [
        ("assigned", {}, "Allocated"),
        ("confirmed", {}, "OnHold"),
        ("done", {}, "Shipped"),
        ("done", {"delivery_status": "full"}, "Shipped"),
        ("done", {"delivery_status": "partial"}, "PartiallyShipped"),
        ("cancel", {}, "OnHold"),
        ("cancel", {"state": "cancel"}, "Cancelled"),
    ],
)
def test_a_delivery_with_its_order(state: str, sale: dict[str, Any], stated: str) -> None:
    """One of several ships a part, and one that is cancelled cancels the order only if the order is."""
    (one,) = said(SHOP, "deliveries", picking(state, **sale))
    assert one.status == stated
    assert one.parcels == [ParcelRef(courier="zto", tracking_no="7777")]


def test_a_return_that_is_done_restores_the_stock() -> None:
    """Before, nothing is stated."""
    assert [states(SHOP, "returns", picking(state)) for state in ("assigned", "done")] == [[], ["Restored"]]


def test_pushed_or_asked_for_it_is_one_fact_with_a_time_in_utc() -> None:
    """The hash of order, status and write_date; ten o'clock in Shanghai is two o'clock of Odoo's."""
    (record,) = Address(SHOP, Odoo()).receive(Push(pushed(), query={"token": SHOP.secret}), NOW)
    event = codec.decode(record.value, RawEvent)
    (one,) = said(SHOP, "orders", listed())
    assert event.event_id == one.event_id
    assert one.occurred_at == Odoo().decode(event).occurred_at == 1795312800000
    assert (one.payable_minor, one.currency, Odoo().decode(event).payable_minor) == (12900, "CNY", None)


@pytest.mark.parametrize("push", [Push(pushed()), Push(pushed(), {"x-lockstep-token": "other"}), Push(pushed(), query={"token": ""})])
def test_without_the_token_nothing_is_taken(push: Push) -> None:
    """Not in the header, not in the address; the refusal does not hold it."""
    with pytest.raises(BadSignature) as refused:
        Odoo().verify(SHOP, push, NOW)
    assert SHOP.secret not in str(refused.value)


def test_a_pushed_picking_says_what_to_push_instead() -> None:
    """It has the number of its sales order only."""
    body = data({"_model": "stock.picking", "_id": 3, "name": "WH/OUT/00003", "state": "done", "sale_id": 12, "write_date": AT})
    (record,) = Address(SHOP, Odoo()).receive(Push(body, {"x-lockstep-token": SHOP.secret}), NOW)
    with pytest.raises(Unusable, match=r"sale\.order only"):
        Odoo().decode(codec.decode(record.value, RawEvent))


@pytest.mark.parametrize("currency", [{"id": 6, "name": "JPY"}, {"id": 6, "name": "XYZ"}, {"id": 6}, False, 6])
def test_an_amount_has_its_currencys_digits(currency: object) -> None:
    """Yen have none; a currency that ISO 4217 does not have says nothing, and neither does a number."""
    item = data({**order(), "id": 12, "team_id": {"id": 5}, "amount_total": 1200.0, "currency_id": currency})
    (one,) = said(SHOP, "orders", item)
    assert (one.payable_minor, one.currency) == ((1200, "JPY") if currency == {"id": 6, "name": "JPY"} else (None, None))
