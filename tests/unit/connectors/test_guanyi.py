"""Guanyi: an order has no status of its own, so several fields say it in turn."""

from typing import Any

import pytest

from schemas.records import ParcelRef
from tests.contract.connectors.platforms.guanyi import SHOP, delivery, refund, returned, trade
from tests.unit.connectors.asked_given import dead, said, states

AT_MS = 1795312800000
LATER = "2026-11-22 11:00:00"


@pytest.mark.parametrize(
    ("fields", "stated"),
    [
        ({"paytime": None}, "PaymentPending"),
        ({}, "PaymentConfirmed"),
        ({"approve": True}, "Approved"),
        ({"approve": 1}, "Approved"),
        ({"approve": True, "assignState": 1}, "Approved"),
        ({"approve": True, "assignState": 2}, "Allocated"),
        ({"assignState": 2}, "PaymentConfirmed"),
        ({"approve": True, "hold_info": "拦截:退款中"}, "OnHold"),
        ({"approve": True, "assignState": 2, "delivery_state": 1}, "PartiallyShipped"),
        ({"approve": True, "assignState": 2, "delivery_state": 2}, "Shipped"),
        ({"delivery_state": 2, "hold_info": "旧的拦截"}, "Shipped"),
        ({"cancle": True, "delivery_state": 0, "approve": True}, "Cancelled"),
        ({"cancle": 1}, "Cancelled"),
    ],
)
def test_what_an_order_is(fields: dict[str, Any], stated: str) -> None:
    """Cancelled, delivered, intercepted, allocated, approved, paid: the first that says something."""
    assert states(SHOP, "trades", trade(**fields)) == [stated]


def test_since_when_it_is_that() -> None:
    """By the dates of the status where the order has them, else by its last change."""
    exact = {"approveDate": AT_MS - 1000, "cancelDate": AT_MS - 2000, "deliveryDate": AT_MS - 3000}

    def since(**more: Any) -> int:
        return said(SHOP, "trades", trade(trade_order_status_info=exact, **more))[0].occurred_at

    assert since(approve=True) == AT_MS - 1000
    assert since(cancle=True) == AT_MS - 2000
    assert since(approve=True, delivery_state=2) == AT_MS - 3000
    assert since() == AT_MS


def test_details_of_an_order() -> None:
    """Amount, line and every delivery's parcel; a merchant's words behind a courier's name do not hide it."""
    parcels = [{"express_name": "中通-菜鸟面单", "mail_no": "7777"}, {"express_name": None, "express_code": "YTO", "mail_no": "8888"}]
    (one,) = said(SHOP, "trades", trade(approve=True, delivery_state=2, deliverys=parcels))
    assert one.parcels == [ParcelRef(courier="zto", tracking_no="7777"), ParcelRef(courier="yto", tracking_no="8888")]
    assert (one.payable_minor, one.currency, one.province, one.customer_id) == (8567, "CNY", "河南省", "V1")
    assert [(line.sku, line.qty, line.price_minor) for line in one.lines] == [("3021", 1, 9900)]


@pytest.mark.parametrize(
    ("state", "stated"),
    [
        ({"delivery": 0}, "Approved"),
        ({"delivery": 1, "delivery_date": LATER}, "PartiallyShipped"),
        ({"delivery": 2, "delivery_date": LATER}, "PartiallyShipped"),
        ({"delivery": -1}, "OnHold"),
        ({"delivery": 0, "intercept": True}, "OnHold"),
        ({"delivery": 2, "cancel": True}, "OnHold"),
    ],
)
def test_a_delivery_bill_speaks_for_a_part(state: dict[str, Any], stated: str) -> None:
    """That all is shipped, only the order says; a bill that is stopped stops the order for now."""
    assert states(SHOP, "deliveries", delivery(state)) == [stated]


def test_a_delivery_bill_without_a_state_is_not_read() -> None:
    """Neither shipped nor not: a dead letter."""
    assert dead(SHOP, "deliveries", delivery({"delivery": "?"}))[0][0] == "unmapped_status"


def test_returned_goods_are_received_and_in_stock() -> None:
    """Two facts of one bill: the case, by the channel's number of it, and the stock."""
    received, restored = said(SHOP, "returns", returned(receive=1, receive_date=LATER))
    assert (received.axis, received.status, received.case_id) == ("aftersale", "ReturnReceived", "101429569742028292")
    assert (restored.axis, restored.status, restored.occurred_at) == ("stock", "Restored", AT_MS + 3_600_000)
    assert received.event_id != restored.event_id
    assert states(SHOP, "returns", returned(receive=1, cancel=True)) == ["RefundClosed"]


@pytest.mark.parametrize(("kind", "meant"), [(1, "return_refund"), (2, None), (3, None), (4, None), (5, None)])
def test_only_a_return_refunds(kind: int, meant: str | None) -> None:
    """An exchange, a resend and a repair give nothing back."""
    assert [one.aftersale_kind for one in said(SHOP, "returns", returned(refund_type=kind))] == [meant]


@pytest.mark.parametrize(
    ("fields", "stated"),
    [
        ({}, "RefundRequested"),
        ({"approve": True}, "RefundApproved"),
        ({"agree_refuse": 1}, "RefundApproved"),
        ({"agree_refuse": 2, "approve": True}, "RefundRejected"),
        ({"status": "SUCCESS"}, "Refunded"),
        ({"status": "SUCCESS", "cancel": True}, "RefundClosed"),
    ],
)
def test_a_refund_bill(fields: dict[str, Any], stated: str) -> None:
    """Cancelled, succeeded at the channel, refused, agreed."""
    (one,) = said(SHOP, "refunds", refund(**fields))
    assert (one.status, one.aftersale_kind, one.case_id) == (stated, "refund_only", "192627291270762472")
