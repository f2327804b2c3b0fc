"""Douyin: which messages share their id with a list, which keep their own, and what an object of a list states."""

import pytest

from tests.contract.connectors.cases import douyin as dy
from tests.contract.connectors.cases import douyin_case, douyin_order
from tests.unit.connectors.listed_given import BY, listed, pushed, said

DOUYIN = BY["douyin"]
T = 1795312800


def test_a_status_of_its_own_has_one_id_whatever_the_message() -> None:
    """The same payment under two message ids is one fact; a second later, or of another order, another."""
    first = pushed(DOUYIN, dy("101", 1, pay_time=T)).event_id
    assert pushed(DOUYIN, dy("101", 99, pay_time=T)).event_id == first
    assert pushed(DOUYIN, dy("110", 99, pay_time=T, update_time=T)).event_id == first, "both say that it is paid, since then"
    others = (dy("101", 1, pay_time=T + 1), dy("101", 1, pay_time=T, p_id=5), dy("102", 1, order_status=3, update_time=T))
    assert len({first, *(pushed(DOUYIN, other).event_id for other in others)}) == 4


@pytest.mark.parametrize("tag", ["104", "105", "108", "109", "111"])
def test_news_of_its_own_keeps_its_own_id(tag: str) -> None:
    """A parcel that is added or sent in the second of another one is no duplicate of it."""
    parcel = {"express_company_id": "zhongtong", "logistics_code": "772"}
    news = dy(tag, 77, order_status=3, update_time=T, modify_time=T, apply_time=T, logistics_msg=parcel)
    assert pushed(DOUYIN, news).event_id == "77"
    assert pushed(DOUYIN, dy("102", 1, order_status=3, update_time=T)).event_id != "77"


def test_cases_and_times_are_told_apart() -> None:
    """Two cases, and one that is asked for again, are facts of their own."""
    requests = [dy("200", 1, aftersale_id=case, aftersale_type=2, apply_time=at) for case, at in ((7, T), (8, T), (7, T + 60))]
    assert len({pushed(DOUYIN, request).event_id for request in requests}) == 3


def test_an_exchange_is_no_refund_under_another_name() -> None:
    """The id is of what is stated: an exchange that succeeded is closed, here and there."""
    message = dy("206", 1, aftersale_id=7, aftersale_type=3, aftersale_status=12, success_time=T)
    (case,) = listed(DOUYIN, "aftersales", douyin_case(aftersale_type=3, update_time=T))
    assert (case.status, case.event_id) == ("RefundClosed", pushed(DOUYIN, message).event_id)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"order_status": 1, "pay_time": 0}, [("PaymentPending", T - 180), ("PaymentPending", T + 30)]),
        ({"order_status": 105}, [("PaymentConfirmed", T), ("PaymentConfirmed", T + 30)]),
        ({"order_status": 101, "ship_time": T + 9}, [("PartiallyShipped", T + 9), ("PartiallyShipped", T + 30)]),
        ({"order_status": 3, "ship_time": T + 9}, [("Shipped", T + 9), ("Shipped", T + 30)]),
        ({"order_status": 4}, [("Cancelled", T + 30)]),
        (
            {"order_status": 5, "ship_time": T + 9, "finish_time": T + 20},
            [("Shipped", T + 9), ("Completed", T + 20), ("Completed", T + 30)],
        ),
        ({"order_status": 2, "pay_type": 0, "pay_time": 0}, [("PaymentConfirmed", T + 30)]),
    ],
    ids=["new", "paid", "part", "shipped", "cancelled", "done", "cash on delivery"],
)
def test_what_a_listed_order_states(fields: dict[str, int], expected: list[tuple[str, int]]) -> None:
    """When it was shipped, when its status was reached, and how it was at its last change."""
    found = listed(DOUYIN, "orders", douyin_order(**fields))
    assert said(found) == expected
    assert len({fact.event_id for fact in found}) == len(found)
    assert {(fact.payable_minor, fact.currency) for fact in found} == {(12900, "CNY")}


def test_a_listed_order_of_another_shop_is_not_believed() -> None:
    """A list has a shop's id too."""
    with pytest.raises(Exception, match="foreign_order"):
        listed(DOUYIN, "orders", douyin_order(shop_id=900002))
