"""Every expectation and contradiction of semantics §4, in the real formats of both ends of a link, in time and late.

Wangdiantong's and Guanyi's objects, Kingdee's rows, Yonyou's and Odoo's records come as their lists give them, Jushuitan's and the
channels' messages signed as they push them. Taobao's orders are not in Wangdiantong's open API, so that its link is Jushuitan.
"""

import pytest

from tests.contract.connectors import cases
from tests.contract.connectors.platforms import wangdiantong
from tests.unit.connectors.links_given import BEGIN, CHANNELS, SYSTEMS, World, local

PAIRS = [
    ("douyin", "jushuitan"),
    ("taobao", "jushuitan"),
    ("wechat_shop", "wangdiantong"),
    ("pinduoduo", "guanyi"),
    ("douyin", "kingdee"),
    ("wechat_shop", "odoo"),
    ("youzan", "yonyou"),
    ("douyin", "wangdiantong"),
    ("youzan", "guanyi"),
    ("douyin", "odoo"),
]


def that_can(channel_word: str, system_word: str = "received") -> list[tuple[str, str]]:
    """The pairs whose ends have these words."""
    found = []
    for channel, system in PAIRS:
        end, order = CHANNELS[channel]()
        if channel_word in end.words and system_word in SYSTEMS[system](end.shop, order).words:
            found.append((channel, system))
    return found


def links(channel_word: str, system_word: str = "received") -> pytest.MarkDecorator:
    """For each pair whose ends have these words."""
    pairs = that_can(channel_word, system_word)
    return pytest.mark.parametrize(("channel", "system"), pairs, ids=[f"{channel}→{system}" for channel, system in pairs])


def opened(kind: str) -> tuple[str, str]:
    """A conflict that begins."""
    return kind, "opened"


def resolved(kind: str) -> tuple[str, str]:
    """A conflict that ends."""
    return kind, "resolved"


@links("paid")
def test_a_payment_that_the_erp_receives_in_time_is_no_conflict(channel: str, system: str) -> None:
    """Paid at the channel, received by the ERP within 10 min."""
    world = World(channel, system).ch("paid", 0).erp("received", 9)
    assert world.until(60).conflicts == []


@links("paid")
def test_a_payment_that_the_erp_receives_late_is_a_conflict_until_then(channel: str, system: str) -> None:
    """Opened at the deadline, closed when the ERP says anything."""
    world = World(channel, system).ch("paid", 0)
    assert world.until(9).conflicts == []
    assert world.until(15).conflicts == [opened("paid_not_received")]
    assert world.erp("received", 30).conflicts == [opened("paid_not_received"), resolved("paid_not_received")]


@links("shipped", "shipped")
def test_a_shipment_that_the_channel_hears_of_in_time(channel: str, system: str) -> None:
    """Shipped in the ERP, shipped at the channel within 30 min."""
    world = World(channel, system).ch("paid", 0).erp("received", 1).erp("shipped", 5).ch("shipped", 34)
    assert world.until(120).conflicts == []


@links("shipped", "shipped")
def test_a_shipment_that_the_channel_hears_of_late(channel: str, system: str) -> None:
    """The other direction: the ERP has shipped, and the channel's customers do not know it."""
    world = World(channel, system).ch("paid", 0).erp("received", 1).erp("shipped", 5)
    assert world.until(34).conflicts == []
    assert world.until(40).conflicts == [opened("shipped_not_synced")]
    assert world.ch("shipped", 50).conflicts == [opened("shipped_not_synced"), resolved("shipped_not_synced")]


SIGNING = [pair for pair in that_can("done", "shipped") if pair[1] != "yonyou"]  # its list has no waybill
signing = pytest.mark.parametrize(("channel", "system"), SIGNING, ids=[f"{channel}→{system}" for channel, system in SIGNING])


@signing
def test_a_signature_that_the_channel_knows_in_time(channel: str, system: str) -> None:
    """The parcel is the one that the ERP names; Kuaidi100 says that it is signed; the channel within 2 h."""
    world = World(channel, system).ch("paid", 0).erp("received", 1).erp("shipped", 5).ch("shipped", 6)
    world.hear(world.courier, "signed", 100).ch("done", 210)
    assert world.until(600).conflicts == []


@signing
def test_a_signature_that_the_channel_knows_late(channel: str, system: str) -> None:
    """The parcel's order is found by the ERP's waybill, and the channel's silence is the conflict."""
    world = World(channel, system).ch("paid", 0).erp("received", 1).erp("shipped", 5).ch("shipped", 6)
    world.hear(world.courier, "signed", 100)
    assert world.until(219).conflicts == []
    assert world.until(225).conflicts == [opened("signed_not_synced")]
    assert world.ch("done", 300).conflicts == [opened("signed_not_synced"), resolved("signed_not_synced")]


@links("cancelled", "stopped")
def test_a_cancel_that_the_erp_follows_in_time(channel: str, system: str) -> None:
    """Cancelled at the channel, stopped in the ERP within 10 min."""
    world = World(channel, system).ch("paid", 0).erp("received", 1).ch("cancelled", 5).erp("stopped", 14)
    assert world.until(120).conflicts == []


@links("cancelled", "stopped")
def test_a_cancel_that_the_erp_follows_late(channel: str, system: str) -> None:
    """Goods would leave for nobody: opened at the deadline, closed when the ERP stops."""
    world = World(channel, system).ch("paid", 0).erp("received", 1).ch("cancelled", 5)
    assert world.until(14).conflicts == []
    assert world.until(20).conflicts == [opened("cancel_not_acknowledged")]
    assert world.erp("stopped", 30).conflicts == [opened("cancel_not_acknowledged"), resolved("cancel_not_acknowledged")]


@links("refunding", "stopped")
def test_an_approved_refund_is_a_cancel(channel: str, system: str) -> None:
    """A refund without goods that the seller agreed to has to stop the ERP too: in time, and late."""
    in_time, late = (World(channel, system).ch("paid", 0).erp("received", 1).ch("refunding", 5) for _ in range(2))
    assert in_time.erp("stopped", 14).until(60).conflicts == []
    late.until(20)
    assert late.conflicts == [opened("cancel_not_acknowledged")]
    assert late.erp("stopped", 30).conflicts[1:] == [resolved("cancel_not_acknowledged")]


@links("refunded", "restored")
def test_a_refund_whose_stock_is_restored_in_time(channel: str, system: str) -> None:
    """Refunded at the channel, the goods back in the ERP's stock within 10 min."""
    world = World(channel, system).ch("paid", 0).erp("received", 1).ch("refunded", 5).erp("restored", 14)
    assert world.until(120).conflicts == []


@links("refunded", "restored")
def test_a_refund_whose_stock_is_restored_late(channel: str, system: str) -> None:
    """Else the merchant sells less than there is: opened at the deadline, closed when the goods are booked in."""
    world = World(channel, system).ch("paid", 0).erp("received", 1).ch("refunded", 5)
    assert world.until(14).conflicts == []
    assert world.until(20).conflicts == [opened("stock_not_restored")]
    assert world.erp("restored", 40).conflicts == [opened("stock_not_restored"), resolved("stock_not_restored")]


@links("paid", "dearer")
def test_two_amounts_are_a_conflict_until_they_are_one(channel: str, system: str) -> None:
    """129 yuan paid, 139 to be paid in the ERP: at once; closed when the ERP has the channel's amount."""
    with_amount = {"douyin", "taobao", "youzan"}
    assert channel in with_amount
    world = World(channel, system).ch("paid", 0).erp("received", 1)
    assert world.conflicts == []
    assert world.erp("dearer", 3).conflicts == [opened("amount_mismatch")]
    assert world.erp("received", 4).conflicts == [opened("amount_mismatch"), resolved("amount_mismatch")]


@links("cancelled", "shipped")
def test_an_erp_that_ships_a_cancelled_order_is_a_contradiction(channel: str, system: str) -> None:
    """Judged by when it happened, closed when the ERP stops."""
    world = World(channel, system).ch("paid", 0).erp("received", 1).ch("cancelled", 5)
    assert world.erp("shipped", 7).conflicts == [opened("moved_after_end")]
    assert world.erp("stopped", 9).conflicts == [opened("moved_after_end"), resolved("moved_after_end")]


@links("cancelled", "shipped")
def test_a_contradiction_is_found_whoever_is_read_first(channel: str, system: str) -> None:
    """The ERP's shipment of minute 7 is received before the channel's cancel of minute 5."""
    world = World(channel, system).ch("paid", 0).erp("received", 1).erp("shipped", 7)
    assert world.ch("cancelled", 5, received=9).conflicts == [opened("moved_after_end")]


@links("cancelled", "shipped")
def test_what_was_shipped_before_the_cancel_is_no_contradiction(channel: str, system: str) -> None:
    """Shipped at minute 4, cancelled at minute 5: whoever is read first, the goods left in good faith."""
    world = World(channel, system).ch("paid", 0).erp("received", 1).ch("cancelled", 5).erp("shipped", 4, received=6)
    assert ("moved_after_end", "opened") not in world.until(120).conflicts


@pytest.mark.parametrize(("channel", "system"), [("wechat_shop", "wangdiantong"), ("wechat_shop", "odoo"), ("douyin", "jushuitan")])
def test_a_system_that_is_linked_as_a_warehouse(channel: str, system: str) -> None:
    """It need not know of payments; what it ships, the channel must hear of."""
    world = World(channel, system, "wms").ch("paid", 0)
    assert world.until(30).conflicts == []
    assert world.erp("shipped", 35).until(80).conflicts == [opened("shipped_not_synced")]
    assert world.ch("shipped", 90).conflicts[1:] == [resolved("shipped_not_synced")]


def _part(system: str, number: int, at: float, order: str, *, shipped: bool) -> tuple[str, bytes]:
    """A part of a split order, in work or shipped: its list, and the object."""
    changed = {"modified": local(BEGIN + at * 60)}
    if system == "jushuitan":
        status = {"status": "Sent" if shipped else "Delivering", "o_id": number, "is_split": True}
        return "orders", cases.jushuitan(so_id=order, pay_date=local(BEGIN), **status, **changed)
    status = {"trade_status": 95 if shipped else 55, "trade_no": f"JY{number}", "trade_mask": 2048, "pay_time": local(BEGIN)}
    return "trades", wangdiantong.trade(src_tids=order, **status, **changed)


@pytest.mark.parametrize("system", ["jushuitan", "wangdiantong"])
def test_parts_of_a_split_order_never_take_each_others_word_back(system: str) -> None:
    """One is shipped while the other is worked on, whose object changes again and again: no jump, and the order is shipped in part."""
    world = World("wechat_shop", system).ch("paid", 0)
    for number, at, shipped in ((1, 2, False), (2, 3, False), (1, 10, True), (2, 11, False), (2, 20, False), (2, 30, True)):
        world.asked(*_part(system, number, at, world.order, shipped=shipped), at)
    assert world.ch("shipped", 31).until(120).conflicts == []
    assert world.jumps == []


def test_every_kind_and_every_end_is_played() -> None:
    """No channel or system of this module stands aside."""
    assert {channel for channel, _ in PAIRS} == set(CHANNELS)
    assert {system for _, system in PAIRS} == set(SYSTEMS)
    assert all(
        (that_can("cancelled", "stopped"), that_can("refunding", "stopped"), that_can("refunded", "restored"), that_can("paid", "dearer"))
    )
