"""Kuaishou: encryption without a signature, heartbeats, doubled and lost messages, refunds by their status and way."""

import base64
from dataclasses import replace

import pytest

from connectors.base import BadSignature, Push
from connectors.intake import Address
from connectors.kuaishou import TABLE, Kuaishou
from ops.simulator.platforms import kuaishou as simulated
from schemas.facts import Unusable
from schemas.records import ParcelRef
from tests.contract.connectors.kit import NOW
from tests.contract.connectors.platforms import kuaishou as side
from tests.unit.connectors.shop_floor import Floor, at
from tests.unit.connectors.sides import AT, listed, one, played, pushed, row

(CASE,) = side.CASES
CONNECTOR = Kuaishou()


@pytest.mark.parametrize("sealed", [False, True])
def test_a_heartbeat_is_acknowledged_and_leaves_nothing(sealed: bool) -> None:
    """`{"test":true}` in the clear (as the address is saved with) and encrypted is taken, else the platform pauses."""
    beat = b'{"test":true}'
    push = Push(side.sealed(base64.b64decode(side.KEY), beat) if sealed else b" " + beat + b"\n")
    assert Address(CASE.shop, CONNECTOR).receive(push, NOW) == []


@pytest.mark.parametrize(
    "body", [b'{"test":false}', b'{"appKey":"ks0001","event":"kwaishop_order_paySuccess"}', b"{}", b"[]", b'{"test":1}']
)
def test_nothing_else_is_taken_in_the_clear(body: bytes) -> None:
    """A message that is not encrypted is refused, whatever app it names."""
    with pytest.raises(BadSignature, match="not encrypted with this shop's message key"):
        CONNECTOR.verify(CASE.shop, Push(body), NOW)


def test_another_apps_message_is_refused() -> None:
    """What decrypts with our key must name our app: there is no MAC to ask."""
    message = side.message("kwaishop_order_paySuccess").replace(b"ks0001", b"ks0002")
    with pytest.raises(BadSignature, match="this shop's app"):
        CONNECTOR.verify(CASE.shop, CASE.push(message), NOW)


@pytest.mark.parametrize("key", ["", "not base64!", base64.b64encode(b"short").decode()])
def test_the_key_is_checked(key: str) -> None:
    """A key that is none is told when the program starts, not at the first push."""
    with pytest.raises(ValueError, match="aes_key"):
        CONNECTOR.check(replace(CASE.shop, aes_key=key))
    with pytest.raises(ValueError, match="app_key"):
        CONNECTOR.check(replace(CASE.shop, app_key=None))


@pytest.mark.parametrize("size", [16, 24, 32])
def test_all_key_sizes(size: int) -> None:
    """The size of the key follows what was issued."""
    shop = replace(CASE.shop, aes_key=base64.b64encode(bytes(size)).decode())
    CONNECTOR.check(shop)
    CONNECTOR.verify(shop, side.seal(shop, CASE.messages[:1], NOW), NOW)


def test_a_payment_pushed() -> None:
    """The id keeps its digits, the time is the order's, and an openId that is null is no problem."""
    said = one(CASE, side.message("kwaishop_order_paySuccess", status=30))
    assert (said.order_id, said.status, said.occurred_at, said.trigger) == (
        "2331500000000001",
        "PaymentConfirmed",
        AT,
        "kuaishou/kwaishop_order_paySuccess",
    )


def test_a_doubled_message_is_a_duplicate() -> None:
    """The same message pushed twice, under another eventId too, is one fact."""
    message = side.message("kwaishop_order_paySuccess", status=30)
    again = message.replace(b"267_2345_", b"267_9999_")
    assert one(CASE, message).event_id == one(CASE, again).event_id
    floor = Floor(CASE).push(0, message, message, again)
    assert len(floor.dispositions) == 1
    assert floor.state(floor.key).sources[0].duplicates == 2


def test_a_lost_message_is_pulled() -> None:
    """Where the payment's push was lost, the list states it in time: it is released, and shipping is no jump."""
    floor = Floor(CASE).push(0, side.message("kwaishop_order_addOrder", createTime=AT, updateTime=None))
    floor.pull(5, "orders", side.listed(30, payTime=at(4) * 1000))
    floor.push(30, side.message("kwaishop_order_delivering", status=40, updateTime=at(30) * 1000))
    floor.pull(35, "orders", side.listed(40, payTime=at(4) * 1000, sendTime=at(30) * 1000))
    assert floor.jumps == []
    assert floor.pool == ["release"]
    assert floor.dispositions == ["change", "change", "change"]


def test_without_a_time_the_message_id_counts() -> None:
    """A message that says no time happened when it came, and is one by its eventId."""
    message = side.message("kwaishop_order_paySuccess", updateTime=None).replace(b'"createTime":1795312800500', b'"createTime":0')
    said = one(CASE, message)
    assert (said.event_id, said.occurred_at) == ("267_2345_kwaishop_order_paySuccess", int(NOW * 1000))


@pytest.mark.parametrize(
    ("status", "way", "canonical", "kind"),
    [
        (10, 10, "RefundRequested", "refund_only"),
        (12, 1, "RefundRejected", "return_refund"),
        (20, 1, "RefundRequested", "return_refund"),
        (30, 1, "RefundApproved", "return_refund"),
        (40, 1, "ReturnInTransit", "return_refund"),
        (50, 10, "RefundApproved", "refund_only"),
        (60, 10, "Refunded", "refund_only"),
        (60, 3, "RefundClosed", None),
        (60, 4, "RefundClosed", None),
        (60, 5, "RefundClosed", None),
        (70, 10, "RefundClosed", "refund_only"),
    ],
)
def test_refunds(status: int, way: int, canonical: str, kind: str | None) -> None:
    """The status says how far it is, the way whether anything goes back; pushed and listed alike."""
    said, asked = one(CASE, side.refund(status, way)), row(CASE, "refunds", side.listed_refund(status, way))
    for each in (said, asked):
        assert (each.axis, each.case_id, each.status, each.aftersale_kind) == ("aftersale", "77", canonical, kind)
    assert said.event_id == asked.event_id  # 300 ms apart


def test_price_protection_is_partial() -> None:
    """Money that goes back because the price fell leaves the order as it is."""
    assert one(CASE, side.refund(60, specialRefundType=1)).partial_refund
    assert not one(CASE, side.refund(60)).partial_refund


def test_the_replacement_of_an_exchange_states_nothing() -> None:
    """The seller has sent another one: no envelope, pushed or listed."""
    assert pushed(CASE, side.refund(45, 3)) == listed(CASE, "refunds", side.listed_refund(45, 3)) == []


def test_a_listed_order() -> None:
    """Fen, the payment's own time, and the parcel under our courier's name; an empty waybill is none."""
    said = row(CASE, "orders", side.listed(40, sendTime=AT + 60_000))
    assert (said.status, said.occurred_at, said.payable_minor, said.currency) == ("Shipped", AT + 60_000, 12900, "CNY")
    assert said.parcels == [ParcelRef(courier="zto", tracking_no="77")]
    assert (said.province, said.customer_id, said.payment_method) == ("浙江省", "b1", "2")


@pytest.mark.parametrize(("status", "at_"), [(10, AT - 60_000), (30, AT), (50, AT + 1000), (70, AT + 5_000), (80, AT + 5_000)])
def test_a_listed_orders_time_is_its_statuss(status: int, at_: int) -> None:
    """Each status has the time at which it was reached, and the last change where the list has none."""
    assert row(CASE, "orders", side.listed(status, recvTime=AT + 1000)).occurred_at == at_


def test_unknown_status_states_nothing() -> None:
    """0 is Kuaishou's own `unknown`; a code that no table has is said."""
    assert listed(CASE, "orders", side.listed(0)) == []
    with pytest.raises(Unusable, match="status '31'"):
        listed(CASE, "orders", side.listed(31))


def test_refund_needs_its_ids() -> None:
    """A refund without its case, or without its order, is invalid."""
    with pytest.raises(Unusable, match="refundId or status is missing"):
        pushed(CASE, side.refund(60, refundId=None))
    with pytest.raises(Unusable, match="orderId or status is missing"):
        pushed(CASE, side.refund(60, orderId=None))


PLAYS = [*(("fulfilment", status) for status in simulated.EVENTS), *(("aftersale", status) for status in simulated.REFUNDS)]


@pytest.mark.parametrize(("axis", "status"), PLAYS)
def test_the_simulators_side_is_understood(axis: str, status: str) -> None:
    """What the demo's Kuaishou writes and seals is taken and states what was to be said."""
    said = played(CASE, str(side.OID), axis, status)
    assert (said.axis, said.status, said.occurred_at, said.order_id) == (axis, status, AT, str(side.OID))


def test_every_event_of_the_table_is_read() -> None:
    """Each event that states something by itself is understood."""
    for code, entry in TABLE.fields["event"].items():
        if entry.status:
            assert one(CASE, side.message(code, status=10)).status == entry.status
