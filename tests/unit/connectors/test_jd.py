"""JD: nothing is pushed, ids of two types, times that are none, holds that are no ends, services that refunded nothing."""

from dataclasses import replace

import pytest

from connectors.base import BadSignature, Push
from connectors.jd import TABLE, Jd
from schemas.facts import Unusable
from schemas.records import Line
from tests.contract.connectors.kit import NOW
from tests.contract.connectors.platforms import jd as side
from tests.unit.connectors.shop_floor import Floor, local
from tests.unit.connectors.sides import AT, listed, row

(CASE, REFUNDS, SERVICES) = side.CASES
CONNECTOR = Jd()


def test_a_push_is_told_that_jd_is_polled() -> None:
    """Whoever sends something learns why it is not taken; nothing of it is kept."""
    with pytest.raises(BadSignature, match=r"polled \(lockstep poll\)"):
        CONNECTOR.verify(CASE.shop, Push(b"{}"), NOW)
    assert CONNECTOR.split(CASE.shop, Push(b"{}")) == []
    assert CONNECTOR.acknowledge(CASE.shop, 0).status == 404


@pytest.mark.parametrize("missing", [{"app_key": None}, {"secret": ""}])
def test_what_calls_need_is_checked(missing: dict[str, str | None]) -> None:
    """A shop that cannot be asked is told when the program starts."""
    with pytest.raises(ValueError, match="app_key and secret"):
        CONNECTOR.check(replace(CASE.shop, **missing))  # type: ignore[arg-type]  # two fields of it


def test_one_order_under_two_types() -> None:
    """A text in the orders' list, a number in the services': one order key."""
    assert row(CASE, "orders", side.order("FINISHED_L")).order_key == row(CASE, "services", side.service(10001)).order_key == side.KEYED


@pytest.mark.parametrize("end", ["0001-01-01 00:00:00", "1970-01-01 08:00:00", "", None, 0])
def test_a_time_that_is_none(end: object) -> None:
    """Year 0001 and 1970 mean that it is not finished: the last change counts."""
    assert row(CASE, "orders", side.order("FINISHED_L", orderEndTime=end, modified=side.AT)).occurred_at == AT


def test_an_end_has_its_own_time() -> None:
    """A finished order was finished at its end, whatever changed later."""
    said = row(CASE, "orders", side.order("FINISHED_L", orderEndTime=side.AT, modified="2026-11-23 10:00:00"))
    assert said.occurred_at == AT


def test_no_time_at_all_is_said() -> None:
    """An object without any time is no statement."""
    none = dict.fromkeys(("modified", "orderEndTime", "paymentConfirmTime", "orderStartTime"), "0001-01-01 00:00:00")
    with pytest.raises(Unusable, match="bad_timestamp"):
        listed(CASE, "orders", side.order("LOCKED", **none))


@pytest.mark.parametrize("state", ["LOCKED", "PAUSE", "POP_ORDER_PAUSE"])
def test_a_hold_is_no_end_and_can_be_lifted(state: str) -> None:
    """Locked, then on again, shipped and finished: held in between, never cancelled, and no jump."""
    floor = Floor(CASE)
    for minute, said in enumerate(("WAIT_SELLER_STOCK_OUT", state, "WAIT_SELLER_STOCK_OUT", "WAIT_GOODS_RECEIVE_CONFIRM", "FINISHED_L")):
        floor.pull(minute, "orders", side.order(said, modified=local(minute)))
    assert floor.dispositions == ["change"] * 5
    assert (floor.jumps, floor.state(floor.key).ended, floor.pool) == ([], False, ["release"])


def test_the_way_over_a_distribution_centre_is_no_jump() -> None:
    """Sent to JD's centre, received there, on the way: shipped all along."""
    floor = Floor(CASE)
    states = ("WAIT_SELLER_STOCK_OUT", "SEND_TO_DISTRIBUTION_CENER", "DISTRIBUTION_CENTER_RECEIVED", "WAIT_GOODS_RECEIVE_CONFIRM")
    for minute, said in enumerate(states):
        floor.pull(minute, "orders", side.order(said, modified=local(minute)))
    assert floor.jumps == []
    assert floor.dispositions == ["change", "change", "repeat", "repeat"]


def test_read_again_it_is_a_duplicate() -> None:
    """The overlap of two polls states nothing new; a note on the order is a repeat."""
    floor = Floor(CASE).pull(1, "orders", side.order("WAIT_SELLER_STOCK_OUT")).pull(2, "orders", side.order("WAIT_SELLER_STOCK_OUT"))
    floor.pull(5, "orders", side.order("WAIT_SELLER_STOCK_OUT", modified=local(4)))
    assert floor.dispositions == ["change", "repeat"]


def test_an_order() -> None:
    """Yuan become fen; lines, province and payment come along."""
    said = row(CASE, "orders", side.order("WAIT_SELLER_STOCK_OUT"))
    assert (said.payable_minor, said.currency, said.payment_method, said.province) == (4890, "CNY", "4-在线支付", "浙江")
    assert said.lines == [Line(sku="S1", qty=2, price_minor=2445)]


@pytest.mark.parametrize("code", sorted(TABLE.fields["order_state"]))
def test_all_states(code: str) -> None:
    """Each state of the table is read from a list."""
    assert row(CASE, "orders", side.order(code)).status == TABLE.fields["order_state"][code].status


@pytest.mark.parametrize(
    ("expect", "canonical", "kind"),
    [
        (10, "Refunded", "return_refund"),
        (11, "Refunded", "refund_only"),
        (20, "RefundClosed", None),
        (30, "RefundClosed", None),
        (80, "RefundClosed", None),
        (None, "RefundClosed", None),
        (99, "RefundClosed", None),
    ],
)
def test_a_service_that_is_done(expect: int | None, canonical: str, kind: str | None) -> None:
    """10010 is a refund only where a return or a refund was asked for."""
    said = row(SERVICES, "services", side.service(10010, customerExpect=expect))
    assert (said.axis, said.case_id, said.status, said.aftersale_kind) == ("aftersale", "66", canonical, kind)


@pytest.mark.parametrize("updated", ["2026-11-22 10:00:00", side.MS, str(side.MS)])
def test_times_of_services(updated: object) -> None:
    """A text, a number of ms, or digits: one time."""
    assert row(SERVICES, "services", side.service(10005, updateDate=updated)).occurred_at == AT


def test_refunds_before_shipping() -> None:
    """Applied for at one time, decided at another; a part of it is partial. `applyRefundSum` is no order's amount."""
    asked, done = row(REFUNDS, "refunds", side.refund(0)), row(REFUNDS, "refunds", side.refund(3))
    assert (asked.status, asked.occurred_at) == ("RefundRequested", AT - 120_000)
    assert (done.status, done.occurred_at, done.aftersale_kind, done.partial_refund) == ("Refunded", AT, "refund_only", False)
    assert row(REFUNDS, "refunds", side.refund(3, partRefundType=1)).partial_refund
    assert done.payable_minor is None


def test_a_list_that_is_none() -> None:
    """An envelope that names no list of JD's is a dead letter that says so."""
    (fact,) = CONNECTOR.pulled(CASE.shop, "stock", b"{}")
    assert fact.key == fact.event_id
    with pytest.raises(Unusable, match="no list 'stock'"):
        listed(CASE, "stock", b"{}")
