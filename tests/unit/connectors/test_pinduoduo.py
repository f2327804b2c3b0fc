"""Pinduoduo: one id for a frame and the list, and what an order of four status fields and five times states."""

import pytest

from tests.contract.connectors.cases import pinduoduo as pdd
from tests.contract.connectors.cases import pinduoduo_case, pinduoduo_order
from tests.unit.connectors.listed_given import BY, listed, pushed, said

PDD = BY["pinduoduo"]
T = 1795312800


def test_a_frame_that_comes_again_is_the_same_fact() -> None:
    """Whatever id the frame has; a second later, another type or another case is another fact."""
    first = pushed(PDD, pdd("pdd_trade_TradeConfirmed", 1)).event_id
    assert pushed(PDD, pdd("pdd_trade_TradeConfirmed", 2)).event_id == first
    others = (
        pdd("pdd_trade_TradeConfirmed", 1, modified=T * 1000 + 1000),
        pdd("pdd_trade_TradeSellerShip", 1),
        pdd("pdd_trade_TradeConfirmed", 1, tid="231115-000000000000001"),
        pdd("pdd_refund_RefundCreated", 1, refund_id=1),
        pdd("pdd_refund_RefundCreated", 1, refund_id=2),
    )
    assert len({first, *(pushed(PDD, other).event_id for other in others)}) == 6


def test_seconds_of_a_list_and_milliseconds_of_a_frame_are_one_time() -> None:
    """A frame's `modified` of 10:00:00.345 is the list's 10:00:00."""
    (case,) = listed(PDD, "refunds", pinduoduo_case())
    frame = pdd("pdd_refund_RefundAgreeAgreement", 1, refund_id=9012345678, modified=T * 1000 + 345)
    assert pushed(PDD, frame).event_id == case.event_id


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"confirm_status": 0, "group_status": 0}, [("Created", T - 120), ("Created", T + 2)]),
        ({}, [("PaymentConfirmed", T), ("PaymentConfirmed", T + 2)]),
        ({"group_status": 0}, [("OnHold", T + 2)]),
        ({"risk_control_status": 1}, [("OnHold", T + 2)]),
        ({"confirm_status": 2, "order_status": 3}, [("Cancelled", T + 2)]),
        ({"order_status": 2, "shipping_time": "2026-11-22 10:00:01"}, [("Shipped", T + 1), ("Shipped", T + 2)]),
        (
            {"order_status": 3, "shipping_time": "2026-11-22 10:00:01", "receive_time": "2026-11-22 10:00:02"},
            [("Shipped", T + 1), ("Signed", T + 2)],
        ),
        ({"confirm_time": T, "updated_at": str(T + 2)}, [("PaymentConfirmed", T), ("PaymentConfirmed", T + 2)]),
    ],
    ids=["new", "paid", "group", "review", "cancelled", "shipped", "signed", "seconds"],
)
def test_what_a_listed_order_states(fields: dict[str, object], expected: list[tuple[str, int]]) -> None:
    """The product of the fields, when that was reached, and how the order was at its last change."""
    found = listed(PDD, "orders", pinduoduo_order(**fields))
    assert said(found) == expected
    assert len({fact.event_id for fact in found}) == len(found)
    assert {fact.payable_minor for fact in found} == {4890}


@pytest.mark.parametrize(
    ("fields", "status", "kind", "partial"),
    [
        ({}, "RefundApproved", "refund_only", False),
        ({"after_sales_type": 3}, "RefundApproved", "return_refund", False),
        ({"after_sales_status": 7, "after_sales_type": 2}, "RefundApproved", "return_refund", False),
        ({"after_sales_status": 16, "after_sales_type": 4}, "RefundClosed", None, False),
        ({"refund_amount": 10.5}, "RefundApproved", "refund_only", True),
        ({"refund_amount": "45.90", "discount_amount": "3.00"}, "RefundApproved", "refund_only", False),
    ],
)
def test_kinds_and_parts_of_a_listed_case(fields: dict[str, object], status: str, kind: str | None, partial: bool) -> None:
    """The status tells more than the type; only less than the amount after its discount is a part."""
    (case,) = listed(PDD, "refunds", pinduoduo_case(**fields))
    assert (case.status, case.aftersale_kind, case.partial_refund) == (status, kind, partial)


@pytest.mark.parametrize("status", [0, 14, 18, 32])
def test_a_case_that_states_nothing_is_no_fact(status: int) -> None:
    """Exchanges, resends and repairs on their way."""
    assert listed(PDD, "refunds", pinduoduo_case(after_sales_status=status)) == []
