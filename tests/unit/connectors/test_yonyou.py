"""Yonyou: `nextStatus`, and how a drafted order is paid."""

from typing import Any

import pytest

from connectors.yonyou import TABLE
from tests.contract.connectors.platforms.yonyou import SHOP, order
from tests.unit.connectors.asked_given import said, states


@pytest.mark.parametrize("code", TABLE.fields["nextStatus"])
def test_every_status_is_stated(code: str) -> None:
    """As the table says, unpaid."""
    assert states(SHOP, "orders", order(nextStatus=code)) == [TABLE.fields["nextStatus"][code].status]


@pytest.mark.parametrize("paid", TABLE.fields["payStatusCode"])
def test_a_draft_is_paid_when_its_payment_is_complete(paid: str) -> None:
    """And since its payment; one that waits for a confirmation is not."""
    (one,) = said(SHOP, "orders", order(payStatusCode=paid, payDate="2026-11-22 09:30:00"))
    complete = paid == "FINISHPAYMENT"
    assert one.status == ("PaymentConfirmed" if complete else "Created")
    assert one.occurred_at == 1795312800000 - (1_800_000 if complete else 0)


@pytest.mark.parametrize(
    ("prices", "paid"),
    [
        ({"currency": "1", "natCurrency": "1", "domesticCode": "CNY"}, (12900, "CNY")),
        ({"currency": "2", "natCurrency": "1", "domesticCode": "CNY"}, (None, None)),
        (None, (None, None)),
    ],
)
def test_an_amount_needs_its_currency(prices: Any, paid: Any) -> None:
    """Only where the order's currency is the books' own is its code known."""
    (one,) = said(SHOP, "orders", order(orderPrices=prices))
    assert (one.payable_minor, one.currency) == paid


def test_where_the_channels_order_id_is_looked_for() -> None:
    """The customer's order number, else the first own field; an order with neither is no channel's."""
    own = {"headItem": {"id": 1, "define1": "B2"}}
    assert [one.order_id for one in said(SHOP, "orders", order(**own))] == ["A1"]
    assert [one.order_id for one in said(SHOP, "orders", order(purchaseNo="", **own))] == ["B2"]
    assert said(SHOP, "orders", order(purchaseNo="", headItem={})) == []
