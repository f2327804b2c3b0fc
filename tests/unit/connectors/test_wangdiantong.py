"""Wangdiantong: what several fields say together."""

from dataclasses import replace
from typing import Any

import pytest

from connectors.lists.wangdiantong import TABLE
from connectors.registry import CONNECTORS
from schemas.records import Observation, ParcelRef
from tests.contract.connectors.platforms.wangdiantong import AT, AT_MS, SHOP, raw_trade, refund, stockin, stockout, trade
from tests.unit.connectors.asked_given import dead, envelopes, said, states
from tests.unit.connectors.links_given import BEGIN, World, local, patched
from tests.unit.connectors.test_two_way import opened

EARLIER = "2026-11-22 09:00:00"


@pytest.mark.parametrize(("code", "entry"), TABLE.fields["trade_status"].items())
def test_every_status_of_an_order_is_stated(code: str, entry: object) -> None:
    """Whole orders state what the table says."""
    assert states(SHOP, "trades", trade(trade_status=int(code), detail_list=[])) == [TABLE.fields["trade_status"][code].status]


@pytest.mark.parametrize("code", TABLE.fields["stockout_status"])
def test_every_status_of_a_stock_out_is_stated(code: str) -> None:
    """Of an order that is cancelled itself."""
    assert states(SHOP, "stockouts", stockout(status=int(code), trade_status=5)) == [TABLE.fields["stockout_status"][code].status]


@pytest.mark.parametrize("code", [5, 10])
def test_a_stock_out_that_is_sent_back_only_holds_the_order(code: int) -> None:
    """The order lives on: its warehouse bill was cancelled, not the order."""
    assert states(SHOP, "stockouts", stockout(status=code, trade_status=30)) == ["OnHold"]


def test_times_are_those_of_the_status() -> None:
    """Approved since its approval, shipped since its shipment, in text or in ms; else the last change."""

    def at(item: bytes) -> int:
        return said(SHOP, "trades", item)[0].occurred_at

    hour = AT_MS - 3_600_000
    assert at(trade(trade_status=55, check_time=EARLIER)) == hour
    assert at(trade(trade_status=95, consign_time=hour)) == hour
    assert at(trade(trade_status=95)) == AT_MS
    assert at(trade(trade_status=30, check_time=EARLIER)) == AT_MS


def test_a_merged_order_is_a_fact_of_each_of_its_orders_without_its_amount() -> None:
    """Its receivable is of all together, its parcel carries all of them."""
    merged = said(SHOP, "trades", trade(src_tids="A1,A2", logistics_no="7777"))
    assert [one.order_key for one in merged] == ["wechat_shop:4001:A1", "wechat_shop:4001:A2"]
    assert len({one.event_id for one in merged}) == 2
    assert {one.payable_minor for one in merged} == {None}
    assert all(one.parcels == [ParcelRef(courier="zto", tracking_no="7777")] for one in merged)
    (alone,) = said(SHOP, "trades", trade())
    assert (alone.payable_minor, alone.currency, alone.province, alone.lines[0].sku) == (1000, "CNY", "天津市", "951027")


@pytest.mark.parametrize("mask", [2048, 64, 2048 | 128])
def test_a_part_of_a_split_order_speaks_for_a_part(mask: int) -> None:
    """Shipped: a part is shipped. Cancelled: held. In work: as of the order's beginning, so that no part takes another's word back."""

    def part(**more: Any) -> list[Observation]:
        return said(SHOP, "trades", trade(trade_mask=mask, **more))

    assert [one.status for one in part(trade_status=95, consign_time=AT)] == ["PartiallyShipped"]
    assert [one.status for one in part(trade_status=5, detail_list=[{"stock_state": 0}])] == ["OnHold"]
    (working,) = part(trade_status=55, check_time="2026-11-22 10:00:00", pay_time=EARLIER)
    assert (working.status, working.occurred_at, working.payable_minor) == ("Approved", AT_MS - 3_600_000, None)


def test_all_parts_shipped_is_shipped() -> None:
    """Bit 128 without a split says so."""
    assert states(SHOP, "trades", trade(trade_mask=64 | 128, trade_status=95, consign_time=AT)) == ["Shipped"]


@pytest.mark.parametrize(
    ("lines", "consigned", "restored"),
    [
        ([{"stock_state": 0}, {"stock_state": 0}], None, True),
        ([{"stock_state": 0}, {"stock_state": 4}], None, False),
        ([{"stock_state": 0}], AT_MS, False),
        ([], None, False),
        ([{}], None, False),
    ],
)
def test_a_cancelled_order_that_keeps_no_stock_restores_it(lines: object, consigned: object, restored: bool) -> None:
    """Only where every line says so, and nothing was ever shipped; two facts of one object, with two ids."""
    cancelled = trade(trade_status=5, detail_list=lines, consign_time=consigned)
    assert states(SHOP, "trades", cancelled) == ["Cancelled", "Restored"][: 1 + restored]
    assert len({event.event_id for event in envelopes(SHOP, "trades", cancelled)}) == 1 + restored


def test_a_refund_before_shipping_needs_no_goods_to_come_back() -> None:
    """Refunded at the channel, cancelled in the ERP with its stock free: acknowledged and restored, no conflict."""
    world = World("wechat_shop", "wangdiantong").ch("paid", 0).erp("received", 1).ch("refunded", 5)
    cancelled = patched(trade(src_tids=world.order, trade_status=5, detail_list=[{"stock_state": 0}]), modified=local(BEGIN + 420))
    assert world.asked("trades", cancelled, 7).until(60).conflicts == []
    assert World("wechat_shop", "wangdiantong").ch("paid", 0).erp("received", 1).ch("refunded", 5).until(60).conflicts == [
        opened("stock_not_restored")
    ]


@pytest.mark.parametrize(
    ("fields", "stated"),
    [
        ({"process_status": 10, "pay_status": 0}, ["PaymentPending"]),
        ({"process_status": 10, "pay_status": 1}, ["PaymentPending"]),
        ({"process_status": 10, "pay_status": 2}, ["PaymentConfirmed"]),
        ({"process_status": 20, "pay_status": 2}, ["PaymentConfirmed"]),
        ({"process_status": 15}, []),
        ({"process_status": 30}, []),
        ({"process_status": 40}, []),
        ({"process_status": 60}, []),
        ({"process_status": 70}, ["Cancelled"]),
    ],
)
def test_what_came_in_is_received(fields: dict[str, int], stated: list[str]) -> None:
    """A channel's order as it came in says that it is here; how far it is the ERP's own order says."""
    assert states(SHOP, "raw_trades", raw_trade(**fields)) == stated


def test_a_remark_takes_nothing_back() -> None:
    """What came in counts since its payment, not since its last change."""
    (one,) = said(SHOP, "raw_trades", raw_trade(process_status=20, modified="2026-11-22 18:00:00"))
    assert one.occurred_at == AT_MS


@pytest.mark.parametrize(
    ("kind", "status", "goods", "stated"),
    [
        (1, 30, 0, "RefundApproved"),
        (1, 40, 0, "RefundApproved"),
        (1, 80, 0, "Refunded"),
        (2, 30, 0, "RefundApproved"),
        (2, 30, 1, "ReturnInTransit"),
        (2, 40, 2, "ReturnInTransit"),
        (2, 40, 3, "ReturnReceived"),
        (2, 40, 4, "ReturnInTransit"),
        (2, 85, 3, "ReturnReceived"),
        (2, 90, 3, "Refunded"),
        (3, 30, 3, "ReturnReceived"),
        (3, 80, 3, "RefundClosed"),
        (3, 90, 3, "RefundClosed"),
        (4, 40, 0, "RefundApproved"),
        (6, 80, 0, "Refunded"),
        (2, 10, 1, "RefundClosed"),
        (2, 20, 1, "RefundRequested"),
    ],
)
def test_an_after_sale_bill(kind: int, status: int, goods: int, stated: str) -> None:
    """Type, status and how far the goods are, together; an exchange refunds nothing, a price protection a part."""
    (one,) = said(SHOP, "refunds", refund(type=kind, status=status, stockin_status=goods))
    assert one.status == stated
    assert one.aftersale_kind == {1: "refund_only", 2: "return_refund", 4: "refund_only", 6: "refund_only"}.get(kind)
    assert one.partial_refund == (kind == 6)
    assert one.case_id == "TK2611220021"


def test_waybills_of_a_stock_out() -> None:
    """All of them, each once; the courier by its number in the documents' table, or by its name."""
    several = [{"logistics_no": "7777", "logistics_name": "中通0002"}, {"logistics_no": "8888", "logistics_name": "圆通"}]
    shipped = stockout(status=110, consign_time=AT, logistics_no="7777", logistics_list=several)
    (one,) = said(SHOP, "stockouts", shipped)
    assert {(parcel.courier, parcel.tracking_no) for parcel in one.parcels} == {("zto", "7777"), ("yto", "8888")}


def test_a_shop_that_is_not_linked_is_named() -> None:
    """A dead letter tells which number to link, and how."""
    ((reason, detail),) = dead(SHOP, "trades", trade(shop_no="S99"))
    assert reason == "invalid"
    assert "S99" in detail
    assert "<channel>:<shop>" in detail


def test_several_orders_of_returned_goods() -> None:
    """Each is restored."""
    assert [one.order_id for one in said(SHOP, "stockins", stockin(tid_list="A1,A2"))] == ["A1", "A2"]


def test_amounts_with_four_decimals() -> None:
    """10.0000 is ten yuan; a tenth of a fen is no sum, and says nothing."""

    def amount(text: str) -> int | None:
        return said(SHOP, "trades", trade(receivable=text))[0].payable_minor

    assert amount("10.0000") == 1000
    assert amount("10.0010") is None
    assert dead(SHOP, "trades", trade(receivable="ten"))[0][0] == "invalid"


def test_every_shop_must_be_linked_to_one_of_ours() -> None:
    """A shop number that names no channel and shop is a mistake that a person is told."""
    connector = CONNECTORS["wangdiantong"]
    with pytest.raises(ValueError, match="S01"):
        connector.check(replace(SHOP, options={"S01": "wechat_shop"}))
    with pytest.raises(ValueError, match="secret"):
        connector.check(replace(SHOP, secret=""))
