"""Partial, split, merged, exchanged, re-opened and the rest, as the platforms write them, through the real decision core."""

from typing import Any

import pytest

from tests.contract.connectors import cases
from tests.contract.connectors.cases import CASES
from tests.contract.connectors.cases import douyin as dy
from tests.contract.connectors.cases import pinduoduo as pdd
from tests.contract.connectors.cases import taobao as tb
from tests.unit.connectors.shop_floor import Floor, at, local

BY = {case.name: case for case in CASES if case.shop.kind == "channel"}
TID = 1958730012345678901
PID = 4781321000000000001
WECHAT_ORDER = "3705115058471208928"


def floor(name: str) -> Floor:
    """A shop of that channel."""
    return Floor(BY[name])


def paid_taobao(number: int = 1, minute: float = 0, **more: Any) -> bytes:
    """Paid, 48.90."""
    return tb("taobao_trade_TradeBuyerPay", number, payment="48.90", **more).replace(local(0).encode(), local(minute).encode())


def taobao_refund(what: str, number: int, minute: float, **more: Any) -> bytes:
    """A refund's message."""
    case: dict[str, Any] = {
        "refund_id": 5,
        "refund_fee": "48.90",
        "bill_type": "refund_bill",
        "modified": local(minute),
        "refund_phase": "onsale",
    }
    return tb(f"taobao_refund_{what}", number, **(case | more))


def douyin_case(tag: str, number: int, kind: int, minute: float, **more: Any) -> bytes:
    """An after-sale message; every time field that a tag may have is this minute."""
    times = dict.fromkeys(("apply_time", "agree_time", "refuse_time", "success_time", "close_time", "update_time"), at(minute))
    return dy(tag, number, **({"aftersale_id": 7, "aftersale_type": kind} | times | more))


# Refunds of a part


def test_a_partial_refund_withdraws_the_payment_and_ends_nothing() -> None:
    """Less than was paid goes back before the ERP has heard: no conflict of a payment not received, no withdrawal, no stock due."""
    shop = floor("taobao").push(0, paid_taobao())
    shop.push(3, taobao_refund("RefundSuccess", 2, 3, refund_fee="21.32", payment="48.90")).wait(40)
    assert (shop.pool, shop.conflicts, shop.state(shop.key).ended) == (["release"], [], False)
    assert shop.state(shop.key).aftersale_status == "Refunded"


def test_a_whole_refund_withdraws_the_order() -> None:
    """The same message for all that was paid ends the order; the ERP owes a cancellation and its stock."""
    shop = floor("taobao").push(0, paid_taobao()).erp_says(1, so_id=str(TID))
    shop.push(3, taobao_refund("RefundSellerAgreeAgreement", 2, 3)).push(4, taobao_refund("RefundSuccess", 3, 4)).wait(40)
    assert (shop.pool, shop.conflicts) == (["release", "withdraw"], ["cancel_not_acknowledged", "stock_not_restored"])


def test_sub_orders_refunded_one_by_one() -> None:
    """Each sub-order's refund is partial; the trade ends when Taobao closes it, once."""
    shop = floor("taobao").push(0, paid_taobao())
    for number, oid in ((2, TID + 1), (3, TID + 2)):
        shop.push(number, taobao_refund("RefundSuccess", number, number, refund_id=number, oid=oid, refund_fee="24.45"))
    assert shop.pool == ["release"]
    shop.push(5, tb("taobao_trade_TradeClose", 9, status="TRADE_CLOSED"))
    assert (shop.pool, shop.jumps, shop.state(shop.key).status) == (["release", "withdraw"], [], "Closed")


@pytest.mark.parametrize(
    ("name", "feed", "item"),
    [
        ("taobao", "refunds", cases.taobao_refund(status="SUCCESS", refund_fee="21.32", payment="27.58")),
        ("douyin", "aftersales", cases.douyin_case(refund_amount=100)),
        ("douyin", "aftersales", cases.douyin_case(related_id="4781321000000000002")),
        ("douyin", "aftersales", cases.douyin_case(aftersale_type=6)),
        ("pinduoduo", "refunds", cases.pinduoduo_case(after_sales_status=10, refund_amount="1.00")),
    ],
)
def test_a_list_tells_a_part_from_the_whole(name: str, feed: str, item: bytes) -> None:
    """Amounts and sub-orders that only lists have: a part ends nothing."""
    shop = floor(name).push(0, BY[name].messages[0]).pull(2, feed, item)
    assert (shop.pool, shop.state(shop.key).ended, shop.dead) == (["release"], False, [])
    assert shop.observed()[-1].partial_refund


def test_two_cases_of_an_order_are_two_facts() -> None:
    """Two sub-orders asked back in one second: two cases, neither a duplicate of the other."""
    shop = floor("douyin").push(0, BY["douyin"].messages[0])
    shop.push(1, *(douyin_case("200", number, 2, 1, aftersale_id=number, s_ids=[PID + number]) for number in (1, 2)))
    assert (shop.dispositions, len({fact.event_id for fact in shop.observed()})) == (["change"] * 3, 3)


# Exchange, return, re-opened


@pytest.mark.parametrize("kind", [3, 7, 8], ids=["exchange", "resend", "repair"])
def test_an_exchange_refunds_nothing(kind: int) -> None:
    """From the request to its success: nothing is withdrawn, no stock is due, the case is closed."""
    shop = floor("douyin").push(0, BY["douyin"].messages[0]).erp_says(1, so_id=str(PID))
    for number, (tag, status) in enumerate((("200", 6), ("202", 7), ("203", 11), ("211", 13), ("206", 12)), 2):
        shop.push(number, douyin_case(tag, number, kind, number, aftersale_status=status))
    shop.wait(40)
    assert (shop.pool, shop.conflicts, shop.jumps, shop.dead) == (["release"], [], [], [])
    assert shop.state(shop.key).aftersale_status == "RefundClosed"


def test_a_listed_exchange_refunds_nothing() -> None:
    """Taobao's list tells an exchange by its dispute_type; Douyin's by aftersale_type."""
    shop = floor("taobao").push(0, paid_taobao())
    shop.pull(2, "refunds", cases.taobao_refund(status="SUCCESS", dispute_type="TMALL_EXCHANGE"))
    other = floor("douyin").push(0, BY["douyin"].messages[0]).pull(2, "aftersales", cases.douyin_case(aftersale_type=3))
    for one in (shop, other):
        assert (one.pool, one.state(one.key).aftersale_status) == (["release"], "RefundClosed")


def test_a_refund_after_shipping() -> None:
    """refund_phase aftersale, goods come back: agreeing ends nothing, the money does; the ERP owes the stock, then restores it."""
    shop = floor("taobao").push(0, paid_taobao()).erp_says(1, so_id=str(TID))
    shop.push(2, tb("taobao_trade_TradeSellerShip", 2).replace(local(0).encode(), local(2).encode()))
    shop.push(3, tb("taobao_trade_TradeSuccess", 3).replace(local(0).encode(), local(3).encode()))
    late = {"bill_type": "return_bill", "refund_phase": "aftersale"}
    shop.push(4, taobao_refund("RefundCreated", 4, 4, **late)).push(5, taobao_refund("RefundSellerAgreeAgreement", 5, 5, **late))
    shop.push(6, taobao_refund("RefundBuyerReturnGoods", 6, 6, **late)).wait(20)
    assert (shop.pool, shop.conflicts, shop.state(shop.key).status) == (["release"], [], "Completed")
    shop.push(21, taobao_refund("RefundSuccess", 7, 21, **late)).wait(40)
    assert (shop.pool, shop.conflicts) == (["release", "withdraw"], ["stock_not_restored"])
    shop.erp_says(41, so_id=str(TID), io_id=9, o_id=None, as_id=5, status="Confirmed")
    assert shop.state(shop.key).open_conflicts == 0


def test_a_case_that_is_opened_again() -> None:
    """Refused, asked for again, agreed to, refunded: each step is a fact of its own, no jump, and the order ends once."""
    shop = floor("wechat_shop").push(0, BY["wechat_shop"].messages[0]).erp_says(1, so_id=WECHAT_ORDER)
    steps = ("MERCHANT_PROCESSING", "MERCHANT_REJECT_REFUND", "MERCHANT_PROCESSING", "PLATFORM_REFUNDING", "MERCHANT_REFUND_SUCCESS")
    for minute, status in enumerate(steps, 2):
        case = {"status": status, "after_sale_order_id": "777", "order_id": WECHAT_ORDER, "type": "REFUND"}
        head = {"FromUserName": "o1", "CreateTime": at(minute), "Event": "channels_ec_aftersale_update"}
        shop.push(minute, cases.data(head | {"finder_shop_aftersale_status_update": case}))
    assert (shop.dispositions, shop.jumps) == (["change"] * 6, [])
    assert (shop.pool, len({fact.event_id for fact in shop.observed()})) == (["release", "withdraw"], 6)


def test_a_listed_case_that_is_opened_again() -> None:
    """The list keeps apply_time over a second request; its last change tells that the case is open again."""
    shop = floor("douyin").push(0, BY["douyin"].messages[0])
    for minute, status in ((2, 6), (3, 28), (4, 6)):
        shop.pull(minute, "aftersales", cases.douyin_case(aftersale_status=status, apply_time=at(2), update_time=at(minute)))
    assert (shop.state(shop.key).aftersale_status, shop.pool) == ("RefundRequested", ["release"])


# Parcels


def test_partial_shipment_and_several_parcels() -> None:
    """A part, then all: no jump; the order is Signed when both parcels are."""
    shop = floor("douyin").push(0, BY["douyin"].messages[0])
    first, second = ({"express_company_id": "zhongtong", "logistics_code": number} for number in ("771", "772"))
    shop.push(1, dy("108", 2, order_status=101, update_time=at(1), logistics_msg=first))
    assert shop.state(shop.key).status == "PartiallyShipped"
    shop.push(2, dy("102", 3, order_status=3, update_time=at(2), logistics_msg=[first, second]))
    shop.node(3, "771", "PickedUp").node(4, "771", "Signed")
    assert shop.state(shop.key).status == "PickedUp"
    shop.node(5, "772", "Signed")
    assert (shop.state(shop.key).status, shop.jumps, shop.pool) == ("Signed", [], ["release"])


def test_parcels_that_only_the_list_has() -> None:
    """WeChat's pushes name no parcel: the list's second fact does, though the push came first, and changes nothing else."""
    shop = floor("wechat_shop").push(0, BY["wechat_shop"].messages[0])
    shop.push(1, cases.wechat("channels_ec_order_deliver", finish_delivery=1).replace(str(at(0)).encode(), str(at(1)).encode()))
    sent = [{"waybill_id": number, "delivery_id": "ZTO"} for number in ("771", "772")]
    item = cases.wechat_order(30, delivery_info={"ship_done_time": at(1), "delivery_product_info": sent})
    shop.pull(2, "orders", item).pull(3, "orders", item)
    state = shop.state(shop.key)
    assert (sorted(state.parcels), state.payable_minor) == (["zto:771", "zto:772"], 12900)
    (source,) = [one for one in state.sources if one.source == "wechat_shop"]
    assert (source.duplicates, shop.dispositions, shop.jumps) == (3, ["change", "change", "repeat"], [])
    shop.node(4, "771", "Signed").node(5, "772", "Signed")
    assert shop.state(shop.key).status == "Signed"


def test_an_order_that_the_erp_splits() -> None:
    """Split says nothing; each of the ERP's orders ships a parcel of the one order, which is Signed when both are."""
    shop = floor("taobao").push(0, paid_taobao()).erp_says(1, so_id=str(TID), o_id=11).erp_says(2, so_id=str(TID), o_id=11, status="Split")
    for minute, o_id in ((3, 12), (4, 13)):
        shop.erp_says(
            minute, so_id=str(TID), o_id=o_id, status="Sent", send_date=local(minute), logistics_company="中通快递", l_id=f"77{o_id}"
        )
    shop.push(5, tb("taobao_trade_TradeSellerShip", 5).replace(local(0).encode(), local(5).encode()))
    shop.node(6, "7712", "Signed")
    assert shop.state(shop.key).status == "Shipped"
    shop.node(7, "7713", "Signed")
    assert (shop.state(shop.key).status, shop.conflicts, shop.jumps) == ("Signed", [], [])


@pytest.mark.parametrize(("nick", "statuses"), [("anna", ["Signed", "Signed"]), ("a**a", ["Signed", "Shipped"])])
def test_orders_that_the_erp_merges(nick: str, statuses: list[str]) -> None:
    """One parcel for two orders of one known customer signs both; of a masked one it stays the first order's."""
    shop = floor("taobao")
    for number, tid in enumerate((TID, TID + 1), 1):
        shop.push(number / 60, paid_taobao(number, tid=tid, oid=tid, buyer_nick=nick))
    both = f"{TID},{TID + 1}"
    shop.erp_says(1, so_id=both).erp_says(2, so_id=both, status="Sent", send_date=local(2), logistics_company="中通快递", l_id="77")
    shop.node(3, "77", "PickedUp").node(4, "77", "Signed").wait(6)
    assert [shop.state(f"taobao:2054718218:{tid}").status for tid in (TID, TID + 1)] == statuses
    assert shop.jumps == []


# Deposits, cash on delivery, holds


def test_a_deposit_is_no_payment() -> None:
    """Nothing is released, nor due at the ERP, until the balance is paid; a deposit that is forfeited ends the order."""
    deposit: dict[str, Any] = {"step_trade_status": "FRONT_PAID_FINAL_NOPAID"}
    shop = floor("taobao").push(0, tb("taobao_trade_TradeBuyerStepPay", 1, **deposit)).wait(20)
    shop.pull(21, "orders", cases.taobao_trade(status="WAIT_BUYER_PAY", pay_time="", modified=local(21), **deposit))
    shop.pull(22, "orders", cases.taobao_trade(status="WAIT_SELLER_SEND_GOODS", modified=local(22), **deposit))
    assert (shop.pool, shop.conflicts, shop.state(shop.key).status) == ([], [], "PaymentPending")
    paid = cases.taobao_trade(step_trade_status="FRONT_PAID_FINAL_PAID", pay_time=local(23), modified=local(23))
    assert shop.pull(23, "orders", paid).pool == ["release"]
    other = floor("taobao").push(0, tb("taobao_trade_TradeBuyerStepPay", 1, **deposit))
    other.pull(2, "orders", cases.taobao_trade(status="WAIT_BUYER_PAY", step_trade_status="FRONT_PAID_FRONT_FORFEITED", modified=local(2)))
    assert (other.pool, other.state(other.key).status) == ([], "Closed")


def test_a_listed_deposit_of_douyin() -> None:
    """A phase that is not paid keeps the order pending, whatever its status."""
    phases = [{"current_phase": 1, "pay_success": True}, {"current_phase": 2, "pay_success": False}]
    shop = floor("douyin").pull(2, "orders", cases.douyin_order(order_status=105, order_phase_list=phases))
    assert (shop.pool, shop.state(shop.key).status) == ([], "PaymentPending")


@pytest.mark.parametrize(
    ("cod", "status"),
    [("TAKEN_IN_SUCCESS", "PickedUp"), ("SIGN_IN", "Signed"), ("REJECTED_BY_OTHER_SIDE", "OnHold"), ("CANCELED", "Shipped")],
)
def test_cash_on_delivery(cod: str, status: str) -> None:
    """Released though nothing was paid yet; once shipped the courier's part refines the trade's, before that it does not."""
    shop = floor("taobao").pull(2, "orders", cases.taobao_trade(type="cod", pay_time="", cod_status="NEW_CREATED", modified=local(1)))
    assert (shop.pool, shop.state(shop.key).payment_method) == (["release"], "cod")
    shipped = {"status": "WAIT_BUYER_CONFIRM_GOODS", "consign_time": local(3), "pay_time": ""}
    shop.pull(5, "orders", cases.taobao_trade(type="cod", cod_status=cod, modified=local(4), **shipped))
    (source,) = shop.state(shop.key).sources
    assert (source.status, shop.jumps, shop.dead) == (status, [], [])


@pytest.mark.parametrize("known", [True, False])
def test_a_list_that_is_read_seldom(known: bool) -> None:
    """Paid, then completed at the next reading: shipped on the way, no skip, and the order is not released again or late."""
    shop = floor("douyin").push(0, BY["douyin"].messages[0]) if known else floor("douyin")
    shop.pull(9, "orders", cases.douyin_order(order_status=5, ship_time=at(2), finish_time=at(8), update_time=at(8)))
    assert (shop.jumps, shop.pool, shop.state(shop.key).status) == ([], ["release"] if known else [], "Completed")
    assert shop.dispositions == ["change"] * (2 + known) + ["repeat"]


def test_held_released_and_held_again() -> None:
    """Risk review twice: four facts with four ids, and the list's word that it is released counts though it was paid before."""
    shop = floor("pinduoduo").push(0, BY["pinduoduo"].messages[0])
    for minute, risk in ((2, 1), (3, 0), (4, 1), (5, 0)):
        shop.pull(minute, "orders", cases.pinduoduo_order(risk_control_status=risk, updated_at=local(minute)))
    said = [fact.status for fact in shop.observed() if fact.occurred_at > at(0) * 1000]
    assert said == ["OnHold", "PaymentConfirmed", "OnHold", "PaymentConfirmed"]
    (source,) = shop.state(shop.key).sources
    assert (source.status, source.duplicates, shop.jumps, shop.pool) == ("PaymentConfirmed", 2, [], ["release"])


def test_a_list_without_a_word_for_completed() -> None:
    """Pinduoduo's messages know a success that its list calls received: read later, it takes nothing back."""
    shop = floor("pinduoduo").push(0, BY["pinduoduo"].messages[0])
    for number, (kind, minute) in enumerate((("pdd_trade_TradeSellerShip", 1), ("pdd_trade_TradeSuccess", 2)), 2):
        shop.push(minute, pdd(kind, number, modified=at(minute) * 1000))
    times = {"shipping_time": local(1), "receive_time": local(2), "updated_at": local(9)}
    shop.pull(10, "orders", cases.pinduoduo_order(order_status=3, **times))
    assert (shop.jumps, shop.state(shop.key).status) == ([], "Completed")


def test_pushed_and_pulled_is_a_duplicate() -> None:
    """Refund and payment of Pinduoduo, pushed, then listed twice: one statement each, and one repeat of the order as it is."""
    shop = floor("pinduoduo").push(0, pdd("pdd_trade_TradeConfirmed", 1), BY["pinduoduo"].messages[1])
    shop.pull(1, "orders", cases.pinduoduo_order()).pull(1, "refunds", cases.pinduoduo_case())
    shop.pull(2, "orders", cases.pinduoduo_order()).pull(2, "refunds", cases.pinduoduo_case())
    (source,) = shop.state(shop.key).sources
    assert (shop.dispositions, source.duplicates, source.payable_minor) == (["change", "change", "repeat"], 5, 4890)
