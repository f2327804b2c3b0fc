"""Xiaohongshu: an unverified signature and a way without it, status 4 twice, fen and yuan, cases by their tag."""

from dataclasses import replace

import pytest

from connectors.base import BadSignature, Push, Stale
from connectors.config import Shop
from connectors.xiaohongshu import TABLE, Xiaohongshu, sign
from ops.simulator.platforms import xiaohongshu as simulated
from schemas.facts import Unusable
from tests.contract.connectors.kit import NOW, array
from tests.contract.connectors.platforms import xiaohongshu as side
from tests.unit.connectors.shop_floor import Floor, at
from tests.unit.connectors.sides import AT, listed, one, played, pushed, row

(CASE,) = side.CASES
CONNECTOR = Xiaohongshu()
TOKEN = replace(side.SHOP, options={"push_auth": "query_token"}, token="a-long-token")


def test_a_query_is_signed_too() -> None:
    """Whatever stands in the address is part of what is signed, sorted among the headers."""
    headers = {"app-key": "a1b2c3d4e5", "timestamp": str(int(NOW))}
    headers["sign"] = sign(f"/hooks/xiaohongshu/{side.SELLER}", {**headers, "zone": "1"}, side.SHOP.secret)
    CONNECTOR.verify(side.SHOP, Push(b"[]", headers, {"zone": "1"}), NOW)
    for query in ({}, {"zone": "2"}):
        with pytest.raises(BadSignature):
            CONNECTOR.verify(side.SHOP, Push(b"[]", headers, query), NOW)


def test_the_path_that_the_platform_knows() -> None:
    """Behind a proxy that changes the path, the option says what is signed."""
    shop = replace(side.SHOP, options={"path": "/push/xhs"})
    headers = {"app-key": "a1b2c3d4e5", "timestamp": str(int(NOW))}
    headers["sign"] = sign("/push/xhs", dict(headers), shop.secret)
    CONNECTOR.verify(shop, Push(b"[]", headers), NOW)
    with pytest.raises(BadSignature):
        CONNECTOR.verify(side.SHOP, Push(b"[]", headers), NOW)


def test_the_time_is_seconds_and_signed() -> None:
    """A time that is none is a bad signature, a late one is stale."""
    with pytest.raises(Stale):
        CONNECTOR.verify(side.SHOP, side.seal(side.SHOP, [], NOW - 601), NOW)
    headers = {"app-key": "a1b2c3d4e5", "timestamp": "soon"}
    headers["sign"] = sign(f"/hooks/xiaohongshu/{side.SELLER}", dict(headers), side.SHOP.secret)
    with pytest.raises(BadSignature, match="seconds since 1970"):
        CONNECTOR.verify(side.SHOP, Push(b"[]", headers), NOW)


def test_another_apps_key_is_refused() -> None:
    """The header's app must be the shop's, where it is configured."""
    with pytest.raises(BadSignature, match="app-key"):
        CONNECTOR.verify(replace(side.SHOP, app_key="other"), CASE.push(), NOW)


def test_a_token_of_the_address_instead() -> None:
    """Where the formula does not hold, the address's own token does: it must be there and exact."""
    CONNECTOR.check(TOKEN)
    CONNECTOR.verify(TOKEN, Push(b"[]", {}, {"token": "a-long-token"}), NOW)
    for query in ({}, {"token": ""}, {"token": "A-LONG-TOKEN"}, {"token": "a-long-toke"}):
        with pytest.raises(BadSignature):
            CONNECTOR.verify(TOKEN, Push(b"[]", {}, query), NOW)


@pytest.mark.parametrize(
    ("shop", "said"),
    [
        (replace(side.SHOP, options={"push_auth": "none"}), "neither header_sign nor query_token"),
        (replace(TOKEN, token=None), "needs token"),
        (replace(side.SHOP, options={"push-auth": "header_sign"}), "there is no option 'push-auth'"),
        (replace(side.SHOP, secret=""), "needs a secret"),
    ],
)
def test_options_are_checked(shop: Shop, said: str) -> None:
    """A wrong option is told when the program starts."""
    with pytest.raises(ValueError, match=said):
        CONNECTOR.check(shop)


def test_status_4_twice_is_a_repeat() -> None:
    """To be shipped, then picked: two messages, one change; it is released once and nothing jumps."""
    floor = Floor(CASE).push(0, side.status(1, updateTime=at(0) * 1000))
    floor.push(1, side.status(4, updateTime=at(1) * 1000)).push(20, side.status(4, updateTime=at(20) * 1000))
    floor.push(21, side.status(6, updateTime=at(21) * 1000))
    assert floor.dispositions == ["change", "change", "repeat", "change"]
    assert (floor.pool, floor.jumps) == (["release"], [])


def test_customs_hold_the_order() -> None:
    """Paid, at the customs, to be shipped: a hold, and no jump when it goes on."""
    floor = Floor(CASE)
    for minute, code in enumerate((2, 3, 4, 5, 6, 7)):
        floor.push(minute, side.status(code, updateTime=at(minute) * 1000))
    assert floor.jumps == []
    assert floor.state(floor.key).status == "Completed"


def test_pushed_and_pulled_is_said_once() -> None:
    """The list after the push changes nothing: the same facts, or repeats."""
    floor = Floor(CASE).push(0, side.status(2, updateTime=AT))
    floor.pull(5, "orders", side.listed(2))
    floor.pull(6, "orders", side.listed(4, updateTime=at(6) * 1000))
    assert floor.dispositions == ["change", "repeat"]
    assert floor.state(floor.key).sources[0].duplicates == 1


@pytest.mark.parametrize(
    ("tag", "kind", "canonical"),
    [
        ("msg_after_sale_create", 5, "RefundRequested"),
        ("msg_after_sale_audit_pass", 1, "RefundApproved"),
        ("msg_after_sale_audit_reject", 4, "RefundRejected"),
        ("msg_after_sale_confirm_receive", 1, "ReturnReceived"),
        ("msg_after_sale_reject_receive", 1, "RefundRejected"),
        ("msg_after_sale_closed", 4, "RefundClosed"),
        ("msg_after_sale_refund_finished", 5, "Refunded"),
        ("msg_after_sale_refund_finished", 2, "RefundClosed"),
    ],
)
def test_cases_by_their_tag(tag: str, kind: int, canonical: str) -> None:
    """The tag says what happened; of an exchange nothing is refunded. Yuan of a case are never an order's fen."""
    said = one(CASE, side.case(tag, kind))
    kinds = {1: "return_refund", 2: None, 4: "refund_only", 5: "refund_only"}
    assert (said.axis, said.case_id, said.status, said.aftersale_kind) == ("aftersale", "R1", canonical, kinds[kind])
    assert (said.payable_minor, said.currency) == (None, None)


@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        ("msg_after_sale_update", 1),
        ("msg_after_sale_transfer", 1),
        ("msg_after_sale_exchange_ship", 2),
        ("msg_after_sale_confirm_receive", 5),
    ],
)
def test_what_states_nothing_of_a_case(tag: str, kind: int) -> None:
    """Changed wishes, a replacement, and the receipt of nothing leave no envelope."""
    assert pushed(CASE, side.case(tag, kind)) == []


@pytest.mark.parametrize(
    ("code", "kind", "canonical"),
    [(1, 5, "RefundRequested"), (3, 1, "ReturnInTransit"), (4, 5, "Refunded"), (4, 2, "RefundClosed"), (9001, 1, "RefundRejected")],
)
def test_listed_cases(code: int, kind: int, canonical: str) -> None:
    """A list states cases by their status, requested ones by when they were."""
    said = row(CASE, "aftersales", side.listed_case(code, kind))
    assert (said.status, said.case_id) == (canonical, "R1")
    assert said.occurred_at == (AT - 9000 if code == 1 else AT)
    assert listed(CASE, "aftersales", side.listed_case(13, 2)) == []


def test_a_case_pushed_and_listed_is_one() -> None:
    """Where both say the second, there is one id."""
    said = one(CASE, side.case("msg_after_sale_refund_finished", updateTime=AT + 400))
    assert said.event_id == row(CASE, "aftersales", side.listed_case(4)).event_id


def test_a_listed_order() -> None:
    """Fen where the list has them, and the time of the status."""
    said = row(CASE, "orders", side.listed(2, totalPayAmount=4890))
    assert (said.payable_minor, said.currency, said.occurred_at, said.province) == (4890, "CNY", AT, "浙江省")
    assert listed(CASE, "orders", side.listed(10)) == []


def test_what_is_missing_is_said() -> None:
    """A change without its status, a case without its id, a message without its time."""
    for message, reason in [
        (side.message("msg_fulfillment_status_change"), "orderStatus is missing"),
        (side.message("msg_after_sale_create"), "returnsId is missing"),
        (side.status(2, updateTime=None), "no time"),
    ]:
        with pytest.raises(Unusable, match=reason):
            pushed(CASE, message)


def test_an_empty_push_is_no_fact() -> None:
    """An array of nothing is acknowledged."""
    assert CONNECTOR.split(side.SHOP, Push(array([]))) == []


PLAYS = [*(("fulfilment", status) for status in simulated.STATUSES), *(("aftersale", status) for status in simulated.TAGS)]


@pytest.mark.parametrize(("axis", "status"), [each for each in PLAYS if each[1] != "ReturnReceived"])
def test_the_simulators_side_is_understood(axis: str, status: str) -> None:
    """What the demo's Xiaohongshu writes and signs is taken and states what was to be said."""
    said = played(CASE, side.ORDER, axis, status)
    assert (said.axis, said.status, said.occurred_at, said.order_id) == (axis, status, AT, side.ORDER)


def test_every_status_of_the_table_is_read() -> None:
    """Each order status states what its row says, pushed."""
    for code, entry in TABLE.fields["orderStatus"].items():
        assert [said.status for said in pushed(CASE, side.status(int(code)))] == ([entry.status] if entry.status else [])
