"""Youzan's lists: tokens without a refresh token, errors in two envelopes, limits of pages."""

import json

import pytest

from connectors.pull.base import Access, Answer, PullError, Window
from connectors.pull.platforms.youzan import YouzanPuller
from ops.simulator.standins.youzan import YouzanStandIn
from tests.contract.connectors.kit import NOW
from tests.contract.connectors.platforms import youzan as side
from tests.contract.connectors.pull_kit import START, site
from tests.unit.connectors.sides import AT, one

PULLER = YouzanPuller()
SHOP = YouzanStandIn.example_shop()
(CASE,) = side.CASES


async def test_a_shops_own_app_needs_no_refresh_token() -> None:
    """Without any token one is taken silently, by client id, secret and kdt_id, before the first call."""
    async with site("youzan", access=Access("")) as there:
        there.standin.fill("orders", 3, START)
        assert len(await there.pull("orders")) == 3
        (asked,) = [call.json for call in there.standin.calls if call.path == "/auth/token"]
        assert (asked["authorize_type"], asked["grant_id"]) == ("silent", "63077")


async def test_pages_of_one_size() -> None:
    """100 orders and 50 refunds a page; the first page tells how many there are, then the last is read first."""
    async with site("youzan") as there:
        for feed, pages in (("orders", [1, 2, 1]), ("refunds", [1, 3, 2, 1])):
            there.standin.fill(feed, 137, START)
            there.standin.calls.clear()
            assert len(await there.pull(feed)) == 137
            assert [call.json["page_no"] for call in there.standin.calls] == pages


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"gw_err_resp": {"err_code": 4202, "err_msg": "请求凭证过期"}}, "4202"),
        ({"success": False, "code": 5000, "message": "每页最多显示100条数据", "data": {"full_order_info_list": []}}, "5000"),
        ({"success": True, "code": "106000001", "message": "x", "data": {}}, "106000001"),
        ({"success": True, "code": 200, "data": None}, "no_data"),
        ({"gw_err_resp": {"err_msg": "?"}}, "no_code"),
    ],
)
def test_refusals(said: dict[str, object], code: str) -> None:
    """An empty list beside an error is no list."""
    with pytest.raises(PullError) as refused:
        PULLER.read(SHOP, "orders", Window(0, 1), "count", Answer(200, json.dumps(said).encode()))
    assert refused.value.code == code


def test_more_refunds_than_are_given() -> None:
    """Of refunds 3,000 of a window are given: more asks for a shorter window."""
    answer = Answer(200, json.dumps({"success": True, "code": 200, "data": {"total": 3001, "refunds": []}}).encode())
    with pytest.raises(PullError, match="too_many_pages"):
        PULLER.read(SHOP, "refunds", Window(0, 1), "count", answer)


def test_times_of_the_two_lists() -> None:
    """Orders are asked for by Shanghai's clock, refunds by seconds."""
    window = Window(AT, AT + 60_000)
    orders, refunds = (json.loads(PULLER.call(SHOP, Access("t"), feed, window, "2", NOW).body) for feed in ("orders", "refunds"))
    assert (orders["start_update"], orders["end_update"]) == ("2026-11-22 10:00:00", "2026-11-22 10:01:00")
    assert (refunds["update_time_start"], refunds["update_time_end"]) == (AT // 1000, AT // 1000 + 60)


async def test_pushed_and_pulled_is_one_fact() -> None:
    """A payment and a refund that were pushed and are listed have one id over the wire, too."""
    async with site("youzan") as there:
        there.standin.put("orders", AT, json.loads(side.listed("WAIT_SELLER_SEND_GOODS")))
        there.standin.put("refunds", AT, json.loads(side.listed_refund("SUCCESS")))
        (paid,) = await there.pull("orders", AT - 1000, AT + 60_000)
        (refunded,) = await there.pull("refunds", AT - 1000, AT + 60_000)
        assert paid.event_id == one(CASE, side.trade("trade_TradeBuyerPay", "WAIT_SELLER_SEND_GOODS")).event_id
        assert refunded.event_id == one(CASE, side.refund("youzan_trade_RefundSuccess")).event_id
