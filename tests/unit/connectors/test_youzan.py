"""Youzan: two shapes of `msg`, versions instead of order, payments that may not be shipped yet, refunds old and new."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import BadSignature, Push
from connectors.youzan import TABLE, Youzan, unquoted
from ops.simulator.platforms import youzan as simulated
from schemas.facts import Unusable
from tests.contract.connectors.kit import NOW, text
from tests.contract.connectors.platforms import youzan as side
from tests.unit.connectors.shop_floor import Floor, at
from tests.unit.connectors.sides import AT, listed, one, played, pushed, row

(CASE,) = side.CASES
CONNECTOR = Youzan()


@pytest.mark.parametrize(
    "msg",
    [
        side.encoded(tid=side.TID, update_time=side.CLOCK),
        text({"tid": side.TID, "update_time": side.CLOCK}),
        {"tid": side.TID, "update_time": side.CLOCK},
        f"%7B%22tid%22%3A%22{side.TID}%22%2C%22update_time%22%3A%222026-11-22%2010%3A00%3A00%22%7D",
    ],
    ids=["plus", "plain", "object", "percent 20"],
)
def test_msg_in_all_its_shapes(msg: Any) -> None:
    """Url-encoded with either blank, plain JSON or an object: the same is read."""
    said = one(CASE, side.message("trade_TradeSellerShip", msg, version="v"))
    assert (said.order_id, said.status, said.occurred_at) == (side.TID, "Shipped", AT)


@settings(max_examples=200, deadline=None)
@given(said=st.text(max_size=40), encode=st.sampled_from([quote_plus, quote]))
def test_url_encoding_is_undone_exactly(said: str, encode: Callable[[str], str]) -> None:
    """Whatever an encoder makes of a text is that text again, by the fast way and by the plain one."""
    for encoded in (encode(text([said])), encode(text([said])).replace("%3D", "=")):
        found = unquoted(encoded)
        assert (found.decode() if isinstance(found, bytes) else found) == text([said])


def test_a_payment() -> None:
    """Yuan in a text become fen; buyer and province come along, encrypted fields do not."""
    said = one(CASE, side.trade("trade_TradeBuyerPay", "WAIT_SELLER_SEND_GOODS"))
    assert (said.payable_minor, said.currency, said.customer_id, said.province, said.payment_method) == (4890, "CNY", "o1", "浙江省", "10")


@pytest.mark.parametrize(
    ("status", "canonical"),
    [
        ("WAIT_CONFIRM", "OnHold"),
        ("WAIT_SELLER_SEND_GOODS", "PaymentConfirmed"),
        ("TRADE_PAID", "PaymentConfirmed"),
        ("WAIT_BUYER_PAY", "PaymentPending"),
        ("TRADE_SUCCESS", "Completed"),
    ],
)
def test_paid_is_not_to_be_shipped(status: str, canonical: str) -> None:
    """trade_TradePaid says that money came; its status whether a group is full, or a balance is still to be paid."""
    assert one(CASE, side.trade("trade_TradePaid", status)).status == canonical


def test_a_group_that_fills_goes_on() -> None:
    """Held until the group is full, then released: the message after it is the newer one by its version."""
    floor = Floor(CASE).push(0, side.trade("trade_TradePaid", "WAIT_CONFIRM", version=at(0)))
    assert floor.pool == []
    floor.push(9, side.trade("trade_TradeBuyerPay", "WAIT_SELLER_SEND_GOODS", version=at(9)))
    assert (floor.pool, floor.jumps) == (["release"], [])


def test_messages_in_any_order() -> None:
    """The higher version wins, whatever comes first: what comes late is late, and is no jump."""
    floor = Floor(CASE)
    floor.push(30, side.short("trade_TradeSellerShip", "WAIT_BUYER_CONFIRM_GOODS", version=at(29)))
    floor.push(31, side.trade("trade_TradeBuyerPay", "WAIT_SELLER_SEND_GOODS", version=at(2)))
    floor.push(32, side.trade("trade_TradeCreate", "WAIT_BUYER_PAY", version=at(1)))
    assert floor.dispositions == ["change", "late", "late"]
    assert (floor.state(floor.key).status, floor.jumps, floor.pool) == ("Shipped", [], [])


def test_refunds_within_a_second() -> None:
    """Versions of refunds are ms: two messages of one second keep their order, whichever comes first."""
    floor = Floor(CASE).push(0, side.refund("youzan_trade_RefundSuccess", version=AT + 900))
    floor.push(1, side.refund("youzan_trade_RefundCreated", version=AT + 100))
    assert floor.dispositions == ["change", "late"]
    assert floor.state(floor.key).aftersale_status == "Refunded"


def test_pushed_again_is_a_duplicate() -> None:
    """A push that is tried again counts its tries in the body, and is the same fact."""
    first, again = (side.short("trade_TradeSuccess", "TRADE_SUCCESS", sendCount=count) for count in (0, 3))
    assert one(CASE, first).event_id == one(CASE, again).event_id


def test_without_a_time_the_message_id_counts() -> None:
    """A message without version and time happened when it came, and is one by its msg_id, tried again or not."""
    first, again = (side.message("trade_TradeSuccess", side.encoded(tid=side.TID), version=None, sendCount=count) for count in (0, 1))
    assert one(CASE, first).event_id == one(CASE, again).event_id == "m-trade_TradeSuccess"
    assert one(CASE, first).occurred_at == int(NOW * 1000)


@pytest.mark.parametrize(
    ("refund_type", "canonical", "kind"),
    [
        ("REFUND_ONLY", "Refunded", "refund_only"),
        ("REFUND_AND_RETURN", "Refunded", "return_refund"),
        ("EXCHANGE_GOODS_FLOW", "RefundClosed", None),
    ],
)
def test_what_a_refund_is_of(refund_type: str, canonical: str, kind: str | None) -> None:
    """The type tells refund from return; an exchange refunds nothing."""
    said = one(CASE, side.refund("youzan_trade_RefundSuccess", refund_type))
    assert (said.axis, said.case_id, said.status, said.aftersale_kind) == ("aftersale", "R1", canonical, kind)
    assert (said.payable_minor, said.occurred_at) == (None, AT + 482)


@pytest.mark.parametrize(
    ("kind", "canonical"), [("trade_refund_BuyerCreated", "RefundRequested"), ("trade_refund_RefundSellerAgree", "Refunded")]
)
def test_older_refunds(kind: str, canonical: str) -> None:
    """The older messages are url-encoded; of a refund without return the seller's consent is the last of them."""
    case = side.encoded(tid=side.TID, refund_id="R1", refund_type="REFUND_ONLY", oids="1", update_time=side.CLOCK, version=AT + 5)
    assert one(CASE, side.message(kind, case)).status == canonical


@pytest.mark.parametrize("code", sorted(TABLE.fields["refund_state"]))
def test_the_oldest_refunds(code: str) -> None:
    """TRADE_ORDER_REFUND states by its refund_state."""
    case = side.encoded(tid=side.TID, refund_id="R1", refund_state=code, update_time=side.CLOCK)
    assert one(CASE, side.message("TRADE_ORDER_REFUND", case)).status == TABLE.fields["refund_state"][code].status


@pytest.mark.parametrize("code", sorted(TABLE.fields["status"]))
def test_older_orders(code: str) -> None:
    """TRADE_ORDER_STATE states by its status, and money with it; a list states the same."""
    msg = side.encoded(tid=side.TID, status=code, payment=48.9, update_time=side.CLOCK)
    said = one(CASE, side.message("TRADE_ORDER_STATE", msg, status=code))
    assert (said.status, said.payable_minor) == (TABLE.fields["status"][code].status, 4890)
    assert row(CASE, "orders", side.listed(code)).event_id == said.event_id


@pytest.mark.parametrize("code", sorted(TABLE.fields["refund_status"]))
def test_listed_refunds(code: str) -> None:
    """A list's refund has the status of its code, and its kind by what is demanded."""
    said = row(CASE, "refunds", side.listed_refund(code, demand=2))
    assert (said.status, said.aftersale_kind) == (TABLE.fields["refund_status"][code].status, "return_refund")


def test_a_refund_pushed_and_listed_is_one() -> None:
    """Ms in a push, seconds in a list: one id."""
    assert one(CASE, side.refund("youzan_trade_RefundSuccess")).event_id == row(CASE, "refunds", side.listed_refund("SUCCESS")).event_id
    assert row(CASE, "refunds", side.listed_refund("SUCCESS", demand=3)).status == "RefundClosed"


def test_a_chains_head_may_speak() -> None:
    """A message names its shop and its chain: either may be the shop that is configured."""
    said = side.short("trade_TradeSuccess", "TRADE_SUCCESS", kdt=5, root_kdt_id=63077)
    assert one(CASE, said).status == "Completed"


def test_the_client_id_of_the_header_counts_where_none_is_configured() -> None:
    """One shop's secret does not sign for another app."""
    push = CASE.push()
    CONNECTOR.verify(CASE.shop, Push(push.body, {"event-sign": push.headers["event-sign"]}), NOW)
    with pytest.raises(BadSignature):
        CONNECTOR.verify(CASE.shop, Push(push.body, {"event-sign": ""}), NOW)


def test_what_is_missing_is_said() -> None:
    """A refund without its case, a message without its order, an order without its status."""
    for message, reason in [
        (side.refund("youzan_trade_RefundSuccess", refund_id=None), "refund_id is missing"),
        (side.message("trade_TradeSuccess", {}, id=""), "tid is missing"),
        (side.message("TRADE_ORDER_REFUND", {"tid": side.TID, "refund_id": "R1"}), "refund_state is missing"),
        (side.message("trade_TradeSuccess", "%7B%22tid%22"), "no JSON"),
    ]:
        with pytest.raises(Unusable, match=reason):
            pushed(CASE, message)
    with pytest.raises(Unusable, match="status is missing"):
        listed(CASE, "orders", side.listed(""))


PLAYS = [*(("fulfilment", status) for status in simulated.TRADES), *(("aftersale", status) for status in simulated.REFUNDS)]


@pytest.mark.parametrize(("axis", "status"), PLAYS)
def test_the_simulators_side_is_understood(axis: str, status: str) -> None:
    """What the demo's Youzan writes and signs is taken and states what was to be said."""
    said = played(CASE, side.TID, axis, status)
    assert (said.axis, said.status, said.occurred_at, said.order_id) == (axis, status, AT, side.TID)
