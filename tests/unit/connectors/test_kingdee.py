"""Kingdee: rows by their places."""

import json
from itertools import product

import pytest

from connectors.kingdee import FIELDS, TABLE
from schemas.records import ParcelRef
from tests.contract.connectors.platforms.kingdee import SHOP, order, outstock, returned
from tests.unit.connectors.asked_given import dead, said, states


@pytest.mark.parametrize(("document", "closed", "cancelled"), list(product("ZABCD", "AB", "AB")))
def test_what_an_order_is(document: str, closed: str, cancelled: str) -> None:
    """Voided goes before closed, closed before the document's status."""
    expected = "Cancelled" if cancelled == "B" else "Closed" if closed == "B" else TABLE.fields["FDocumentStatus"][document].status
    assert states(SHOP, "orders", order(document, closed, cancelled)) == [expected]


@pytest.mark.parametrize(("document", "cancelled"), list(product("ZABCD", "AB")))
def test_what_a_stock_out_is(document: str, cancelled: str) -> None:
    """Its approval ships; a voided one holds the order, which is not its to cancel."""
    expected = "OnHold" if cancelled == "B" else TABLE.fields["outstock_status"][document].status
    assert states(SHOP, "outstocks", outstock(document, cancelled)) == [expected]


def test_only_an_approved_return_restores_the_stock() -> None:
    """Not a draft, not a voided one."""
    assert [states(SHOP, "returns", returned(document)) for document in "ZABCD"] == [[], [], [], ["Restored"], []]
    assert states(SHOP, "returns", returned("C", "B")) == []


def test_details_by_their_places() -> None:
    """Amount in yuan, parcel, time to the millisecond, GMT+8."""
    (placed,), (shipped,) = said(SHOP, "orders", order("C")), said(SHOP, "outstocks", outstock("C"))
    assert (placed.order_key, placed.payable_minor, placed.currency) == ("douyin:900001:A1", 12900, "CNY")
    assert placed.occurred_at == shipped.occurred_at == 1_795_312_800_123
    assert shipped.parcels == [ParcelRef(courier="zto", tracking_no="7777")]


def test_an_amount_in_another_currency_says_nothing() -> None:
    """K3 names currencies by numbers of the merchant's own: only the yuan is known."""
    row = json.loads(order("C"))
    row[FIELDS["orders"][1].index("FSettleCurrId.FCode")] = "PRE007"
    assert said(SHOP, "orders", json.dumps(row).encode())[0].payable_minor is None


@pytest.mark.parametrize(("row", "reason"), [(b"{}", "undecodable"), (b"[]", "invalid"), (b'["1","2"]', "invalid")])
def test_a_row_of_another_length_is_not_read(row: bytes, reason: str) -> None:
    """Values at other places than were asked for would be taken for each other."""
    ((found, detail),) = dead(SHOP, "orders", row)
    assert found == reason
    assert "SAL_SaleOrder" in detail
