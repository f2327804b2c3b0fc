"""WeChat Shop: one id for an event and the list, and what a listed order and a listed case state."""

import pytest

from tests.contract.connectors.cases import wechat, wechat_case, wechat_order
from tests.unit.connectors.listed_given import BY, listed, pushed, said

WECHAT = BY["wechat_shop"]
T = 1795312800


def test_an_event_that_comes_again_is_the_same_fact() -> None:
    """By order, status and second; another order, status or case of one buyer in one second is another fact."""
    first = pushed(WECHAT, wechat("channels_ec_order_pay", pay_time=T)).event_id
    assert pushed(WECHAT, wechat("channels_ec_order_pay", pay_time=T)).event_id == first
    others = (
        wechat("channels_ec_order_pay", order_id="2"),
        wechat("channels_ec_order_new"),
        wechat("channels_ec_order_deliver", finish_delivery=0),
        wechat("channels_ec_order_deliver", finish_delivery=1),
        wechat("channels_ec_order_cancel", cancel_type=3),
    )
    assert len({first, *(pushed(WECHAT, other).event_id for other in others)}) == 6


@pytest.mark.parametrize(
    ("status", "detail", "expected"),
    [
        (10, {}, [("PaymentPending", T - 180), ("PaymentPending", T + 30)]),
        (12, {}, [("OnHold", T + 30)]),
        (20, {}, [("PaymentConfirmed", T), ("PaymentConfirmed", T + 30)]),
        (21, {}, [("PartiallyShipped", T + 30)]),
        (30, {"delivery_info": {"ship_done_time": T + 9}}, [("Shipped", T + 9), ("Shipped", T + 30)]),
        (
            100,
            {"delivery_info": {"ship_done_time": T + 9}, "ext_info": {"confirm_receipt_time": T + 20}},
            [("Shipped", T + 9), ("Completed", T + 20), ("Completed", T + 30)],
        ),
        (200, {"delivery_info": {"ship_done_time": T + 9}}, [("Closed", T + 30)]),
        (250, {}, [("Cancelled", T + 30)]),
    ],
)
def test_what_a_listed_order_states(status: int, detail: dict[str, object], expected: list[tuple[str, int]]) -> None:
    """When it was shipped, when its status was reached, and how it was at its last change; what it costs and whose it is."""
    found = listed(WECHAT, "orders", wechat_order(status, **detail))
    assert said(found) == expected
    assert len({fact.event_id for fact in found}) == len(found)
    assert {(fact.payable_minor, fact.customer_id, fact.payment_method) for fact in found} == {(12900, "o1", "1")}


@pytest.mark.parametrize(
    ("fields", "status", "kind"),
    [
        ({}, "Refunded", "refund_only"),
        ({"status": "MERCHANT_RETURN_SUCCESS", "type": "RETURN"}, "Refunded", "return_refund"),
        ({"status": "USER_WAIT_RETURN", "type": ""}, "RefundApproved", "return_refund"),
        ({"status": "MERCHANT_RETURN_SUCCESS", "type": "EXCHANGE"}, "RefundClosed", "return_refund"),
        ({"status": "USER_CANCELD"}, "RefundClosed", "refund_only"),
    ],
)
def test_what_a_listed_case_states(fields: dict[str, str], status: str, kind: str | None) -> None:
    """The status, and whether goods come back; an exchange refunds nothing."""
    (case,) = listed(WECHAT, "aftersales", wechat_case(**fields))
    assert (case.status, case.aftersale_kind, case.case_id) == (status, kind, "777")
