"""What is special about each platform: which of several fields decides, what a case is, money, times and refused pushes."""

import hashlib
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from connectors.base import BadSignature, Push
from connectors.config import Shop
from connectors.douyin import Douyin
from connectors.douyin import sign as douyin_sign
from connectors.intake import Address, addresses
from connectors.registry import CONNECTORS
from connectors.taobao import sign as taobao_sign
from schemas import codec
from schemas.facts import Unusable
from schemas.records import Line, Observation, ParcelObservation, ParcelRef, RawEvent
from tests.contract.connectors import cases
from tests.contract.connectors.cases import CASES, NOW, Case

BY = {(case.name, case.shop.kind): case for case in CASES}
DOUYIN, TAOBAO = BY["douyin", "channel"], BY["taobao", "channel"]
PINDUODUO, WECHAT = BY["pinduoduo", "channel"], BY["wechat_shop", "channel"]
JUSHUITAN, KUAIDI100, ZTO = BY["jushuitan", "system"], BY["kuaidi100", "courier"], BY["zto", "courier"]


def read(case: Case, *messages: bytes) -> list[Observation | ParcelObservation]:
    """What a push says."""
    records = Address(case.shop, case.connector).receive(case.push(*messages), NOW)
    return [case.connector.decode(codec.decode(record.value, RawEvent)) for record in records]


def order(case: Case, message: bytes) -> Observation:
    """What one message says of an order."""
    (said,) = read(case, message)
    assert isinstance(said, Observation)
    return said


def parcel(case: Case, *messages: bytes) -> list[ParcelObservation]:
    """What nodes say of a parcel."""
    said = [node for node in read(case, *messages) if isinstance(node, ParcelObservation)]
    assert len(said) == len(messages)
    return said


# Douyin


def test_douyin_payment() -> None:
    """Fen stay fen, the id keeps all its digits, the time is the payment's."""
    said = order(DOUYIN, DOUYIN.messages[0])
    assert (said.payable_minor, said.currency, said.order_id) == (12900, "CNY", "4781321000000000001")
    assert (said.occurred_at, said.trigger, said.raw_code) == (1795312800000, "douyin/101", "101")


@pytest.mark.parametrize(
    ("kind", "status", "aftersale_kind", "partial"),
    [
        (0, "Refunded", "return_refund", False),
        (1, "Refunded", "refund_only", False),
        (2, "Refunded", "refund_only", False),
        (3, "RefundClosed", None, False),
        (6, "Refunded", "refund_only", True),
        (7, "RefundClosed", None, False),
    ],
)
def test_douyin_refund(kind: int, status: str, aftersale_kind: str | None, partial: bool) -> None:
    """The after-sale type tells refund from return, and an exchange from both."""
    said = order(DOUYIN, cases.douyin("206", 9, aftersale_id=7, aftersale_type=kind, success_time=1795312800))
    assert (said.axis, said.case_id, said.status, said.aftersale_kind) == ("aftersale", "7", status, aftersale_kind)
    assert (said.partial_refund, said.payable_minor) == (partial, None)


def test_douyin_a_tag_without_status_repeats_the_field() -> None:
    """An arbitration states what its after-sale status says; without a time it happened when it came."""
    said = order(DOUYIN, cases.douyin("212", 9, aftersale_id=7, after_sale_status=27, aftersale_type=1))
    assert (said.status, said.occurred_at) == ("RefundRejected", int(NOW * 1000))
    with pytest.raises(Unusable, match="after_sale_status '77'"):
        read(DOUYIN, cases.douyin("212", 9, aftersale_id=7, aftersale_status=77))


def test_douyin_amount_change() -> None:
    """A changed amount is stated with the order's status."""
    said = order(DOUYIN, cases.douyin("109", 9, order_status=1, total_amount=9900, modify_time=1795312800))
    assert (said.status, said.payable_minor) == ("PaymentPending", 9900)


@pytest.mark.parametrize(
    "logistics", [{"express_company_id": "zhongtong", "logistics_code": "77"}, [{"express_company_id": "ZTO", "logistics_code": 77}]]
)
def test_douyin_parcels(logistics: Any) -> None:
    """A shipment links its parcels under our courier names."""
    said = order(DOUYIN, cases.douyin("102", 9, order_status=3, update_time=1795312800, logistics_msg=logistics))
    assert said.parcels == [ParcelRef(courier="zto", tracking_no="77")]


def test_douyin_needs_a_case() -> None:
    """An after-sale push without its case is invalid."""
    with pytest.raises(Unusable, match="invalid: aftersale_id is missing"):
        read(DOUYIN, cases.douyin("206", 9))


def test_douyin_methods() -> None:
    """HMAC-SHA256 is taken, an unknown method is not; without a configured app key the header's counts."""
    body, open_shop = b"[]", replace(DOUYIN.shop, app_key=None)
    digest = douyin_sign("a1", DOUYIN.shop.secret, body, "hmac-sha256")
    headers = {"event-sign": digest, "app-id": "a1", "sign-method": "hmac-sha256"}
    Douyin().verify(open_shop, Push(body, headers), NOW)
    for wrong in ({"sign-method": "crc32"}, {"sign-method": "md5"}, {"app-id": "a2"}):
        with pytest.raises(BadSignature):
            Douyin().verify(open_shop, Push(body, headers | wrong), NOW)
    with pytest.raises(BadSignature):
        Douyin().verify(DOUYIN.shop, Push(body, headers), NOW)


# Taobao


def test_taobao_payment() -> None:
    """Yuan in a text become fen; a masked name is no customer id; the time is Shanghai's."""
    said = order(TAOBAO, cases.taobao("taobao_trade_TradeBuyerPay", 1, payment="48.90", buyer_nick="d**o"))
    assert (said.payable_minor, said.customer_id, said.occurred_at) == (4890, None, 1795312800000)


@pytest.mark.parametrize(("oid", "partial"), [(1958730012345678901, False), (1958730012345678902, True)])
def test_taobao_partial_refund(oid: int, partial: bool) -> None:
    """A refund of one of several sub-orders is a partial one."""
    said = order(TAOBAO, cases.taobao("taobao_refund_RefundSuccess", 1, oid=oid, refund_id=5, bill_type="return_bill"))
    assert (said.partial_refund, said.aftersale_kind, said.case_id) == (partial, "return_refund", "5")


@pytest.mark.parametrize(("status", "canonical"), [("TRADE_CLOSED_BY_TAOBAO", "Cancelled"), ("TRADE_CLOSED", "Closed"), (None, "Closed")])
def test_taobao_close(status: str | None, canonical: str) -> None:
    """An unpaid cancel is told from a refund's close by the content's status."""
    assert order(TAOBAO, cases.taobao("taobao_trade_TradeClose", 1, status=status)).status == canonical


@pytest.mark.parametrize("method", ["md5", "hmac", "hmac-sha256"])
def test_taobao_methods(method: str) -> None:
    """All three of TOP's methods are taken."""
    params = {"app_key": "12345678", "timestamp": cases.local(NOW), "sign_method": method, "message": "[]"}
    body = urlencode(params | {"sign": taobao_sign(TAOBAO.shop.secret, params)}).encode()
    TAOBAO.connector.verify(TAOBAO.shop, Push(body), NOW)


def test_foreign_app_keys() -> None:
    """A push of another app is refused, even with our secret."""
    for case in (TAOBAO, PINDUODUO, JUSHUITAN):
        with pytest.raises(BadSignature):
            case.connector.verify(replace(case.shop, app_key="other"), case.push(), NOW)


# Pinduoduo


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"confirm_status": 1, "group_status": 1, "risk_control_status": 0, "order_status": 1}, "PaymentConfirmed"),
        ({"confirm_status": 1, "group_status": 1, "risk_control_status": 0, "order_status": 2}, "Shipped"),
        ({"confirm_status": 1, "group_status": 1, "risk_control_status": 1, "order_status": 1}, "OnHold"),
        ({"confirm_status": 1, "group_status": 0, "risk_control_status": 0, "order_status": 1}, "OnHold"),
        ({"confirm_status": 2, "group_status": 1, "risk_control_status": 1, "order_status": 3}, "Cancelled"),
        ({"confirm_status": 0, "group_status": 0}, "Created"),
        ({"group_status": 2}, "Cancelled"),
        ({}, "PaymentConfirmed"),
    ],
)
def test_pinduoduo_product_of_fields(fields: dict[str, int], status: str) -> None:
    """The four status fields are combined and go before the type."""
    assert order(PINDUODUO, cases.pinduoduo("pdd_trade_TradeConfirmed", 1, **fields)).status == status


def test_pinduoduo_refund() -> None:
    """Milliseconds, the case, its kind, and a detailed status where the content has one."""
    said = order(PINDUODUO, cases.pinduoduo("pdd_refund_RefundClosed", 1, refund_id=5, after_sales_status=10, modified=1795312801234))
    assert (said.status, said.case_id, said.occurred_at) == ("Refunded", "5", 1795312801234)
    assert order(PINDUODUO, PINDUODUO.messages[1]).aftersale_kind == "refund_only"


# WeChat shop


@pytest.mark.parametrize(
    ("kind", "status", "trigger"),
    [(1, "Cancelled", "user_cancelled"), (2, "Cancelled", "payment_timeout"), (3, "Closed", "all_refunded"), (4, "Cancelled", "oversold")],
)
def test_wechat_cancel(kind: int, status: str, trigger: str) -> None:
    """Who cancelled is in the trigger; an order whose goods all went back is closed."""
    said = order(WECHAT, cases.wechat("channels_ec_order_cancel", cancel_type=kind))
    assert (said.status, said.trigger) == (status, f"wechat_shop/{trigger}")


def test_wechat_aftersale() -> None:
    """The case's status, id and kind."""
    said = order(WECHAT, WECHAT.messages[2])
    assert (said.axis, said.case_id, said.aftersale_kind) == ("aftersale", "777", "refund_only")


def test_wechat_ids_tell_two_orders_of_a_second_apart() -> None:
    """One buyer's two orders in one second are two facts; the same event again is one."""
    first, second = cases.wechat("channels_ec_order_pay"), cases.wechat("channels_ec_order_pay", order_id="2")
    ids = [read(WECHAT, message)[0].event_id for message in (first, second, first)]
    assert ids[0] == ids[2] != ids[1]


def test_wechat_checks_the_address() -> None:
    """The echo comes back only to who knows the token."""
    query = {"timestamp": "1", "nonce": "2", "echostr": "4375120948345356249"}
    good = CONNECTORS["wechat_shop"].challenge(
        WECHAT.shop, Push(b"", {}, query | {"signature": hashlib.sha1(b"12shopToken", usedforsecurity=False).hexdigest()}), NOW
    )
    assert good is not None
    assert (good.body, good.content_type) == (b"4375120948345356249", "text/plain")
    with pytest.raises(BadSignature):
        CONNECTORS["wechat_shop"].challenge(WECHAT.shop, Push(b"", {}, query | {"signature": "0" * 40}), NOW)


@pytest.mark.parametrize("shop", [replace(WECHAT.shop, app_id="wx99"), replace(WECHAT.shop, aes_key="A" * 43)], ids=["app", "key"])
def test_wechat_what_cannot_be_opened_is_kept(shop: Shop) -> None:
    """Signed but sealed with another key or for another app: acknowledged, and a dead letter that says so."""
    (record,) = Address(shop, WECHAT.connector).receive(WECHAT.push(), NOW)
    with pytest.raises(Unusable, match="still encrypted"):
        WECHAT.connector.decode(codec.decode(record.value, RawEvent))


# Jushuitan


def test_jushuitan_order() -> None:
    """Yuan become fen, the channel's order is named, lines and the parcel are linked."""
    said = order(
        JUSHUITAN,
        cases.jushuitan(
            status="Sent",
            pay_amount=48.9,
            send_date="2026-11-22 10:00:01",
            logistics_company="中通快递",
            l_id="77",
            items=[{"sku_id": "S1", "qty": 2, "price": "24.45"}],
        ),
    )
    assert (said.status, said.payable_minor, said.source, said.source_kind) == ("Shipped", 4890, "erp", "system")
    assert (said.order_key, said.occurred_at) == ("douyin:1001:A1", 1795312801000)
    assert said.parcels == [ParcelRef(courier="zto", tracking_no="77")]
    assert said.lines == [Line(sku="S1", qty=2, price_minor=2445)]


@pytest.mark.parametrize(
    ("change", "status", "kind"),
    [
        ({"status": "WaitConfirm", "type": "仅退款"}, "RefundRequested", "refund_only"),
        ({"status": "Confirmed", "type": "仅退款", "good_status": "BUYER_NOT_RECEIVED"}, "RefundApproved", "refund_only"),
        ({"status": "Confirmed", "type": "普通退货", "good_status": "BUYER_NOT_RECEIVED"}, "RefundApproved", "return_refund"),
        ({"status": "Confirmed", "good_status": "BUYER_RETURNED_GOODS"}, "ReturnInTransit", "return_refund"),
        ({"status": "Cancelled", "good_status": "SELLER_RECEIVED"}, "RefundClosed", "return_refund"),
    ],
)
def test_jushuitan_aftersale(change: dict[str, str], status: str, kind: str) -> None:
    """A bill's status, then how far its goods are; the bill's own type tells the kind."""
    said = order(JUSHUITAN, cases.jushuitan(as_id=5, **change))
    assert (said.axis, said.status, said.aftersale_kind, said.case_id) == ("aftersale", status, kind, "5")


def test_jushuitan_merged_order() -> None:
    """An ERP order that holds two of the channel's is a fact of each, with ids of their own."""
    both = read(JUSHUITAN, cases.jushuitan(so_id="A1,A2"))
    assert [said.order_key for said in both if isinstance(said, Observation)] == ["douyin:1001:A1", "douyin:1001:A2"]
    assert len({said.event_id for said in both}) == 2


def test_jushuitan_answers_of_queries() -> None:
    """A page of a query is taken as it came."""
    for name in ("orders", "datas"):
        page = b'{"page_index":1,"%s":[%s]}' % (name.encode(), JUSHUITAN.messages[0])
        assert len(read(JUSHUITAN, page)) == 1


@pytest.mark.parametrize(
    ("change", "key"),
    [({"shop_id": 1001, "shop_site": "抖音"}, "douyin:1001:A1"), ({"shop_id": 1001, "shop_site": "taobao"}, "taobao:1001:A1")],
)
def test_jushuitan_without_options(change: dict[str, Any], key: str) -> None:
    """Without a link the channel's name and the shop's number tell whose order it is."""
    assert order(JUSHUITAN, cases.jushuitan(**change)).order_key == key


def test_jushuitan_unlinked_shop() -> None:
    """An order of a shop that nobody linked is a dead letter that says what to do."""
    with pytest.raises(Unusable, match="name its shop_id in this system's options"):
        read(JUSHUITAN, cases.jushuitan(shop_id=5))


def test_jushuitan_cancelled_movement_restores_nothing() -> None:
    """Only a confirmed movement puts goods back."""
    assert read(JUSHUITAN, cases.jushuitan(io_id=9, o_id=None, status="Cancelled")) == []


# Couriers


def test_kuaidi100_nodes_that_come_again_are_duplicates() -> None:
    """Every push repeats the whole trace: a node keeps its id, wherever it stands, and a new one has its own."""
    old, new = KUAIDI100.messages[0], KUAIDI100.messages[1]
    first, both = parcel(KUAIDI100, old), parcel(KUAIDI100, new, old)
    assert both[1].event_id == first[0].event_id != both[0].event_id
    assert (both[0].source, both[0].parcel_key) == ("yto", "yto:V030344422")


def test_kuaidi100_state_is_of_the_newest_node() -> None:
    """Without codes and readable words the parcel's state is the newest node's; an older one has none."""
    plain = cases.data({"context": "上海分拨中心", "ftime": "2012-08-28 16:33:19"})
    assert parcel(KUAIDI100, plain)[0].status == "InTransit"
    with pytest.raises(Unusable, match="unmapped_status"):
        read(KUAIDI100, KUAIDI100.messages[0], plain)


def test_what_has_no_identity_is_told_apart_by_its_bytes() -> None:
    """Two different broken messages are two dead letters, never one and a duplicate."""
    for case, messages in (
        (KUAIDI100, (b'{"context":"a"}', b'{"context":"a","x":1}')),
        (JUSHUITAN, (b'{"status":"WaitPay"}', b'{"status":"WaitPay","x":1}')),
        (ZTO, (b'{"x":1}', b'{"x":2}')),
        (TAOBAO, (b'{"x":1}', b'{"x":2}')),
        (WECHAT, (b'{"Event":"a"}', b'{"Event":"a","x":2}')),
    ):
        ids = [case.connector.split(case.shop, case.push(message))[0].event_id for message in messages]
        assert len(set(ids)) == 2


def test_kuaidi100_without_nodes() -> None:
    """The end of a subscription without any node is acknowledged and states nothing."""
    param = '{"status":"abort","message":"3天查询无记录","lastResult":{"com":"zto","nu":"1","data":[]}}'
    assert CONNECTORS["kuaidi100"].split(KUAIDI100.shop, Push(urlencode({"param": param}).encode())) == []


def test_zto_json_and_form() -> None:
    """The fields may come as a form or as JSON."""
    fields = dict(cases.seal_zto(ZTO.shop, ZTO.messages[:1], NOW).form)
    push = Push(cases.data(fields))
    ZTO.connector.verify(ZTO.shop, push, NOW)
    assert ZTO.connector.split(ZTO.shop, push) == ZTO.connector.split(ZTO.shop, ZTO.push())


def test_zto_arrival_in_a_push_is_a_hub() -> None:
    """The push's ARRIVAL is a scan at a hub; the query's, a locker, has no say here."""
    (said,) = parcel(ZTO, ZTO.messages[1])
    assert (said.status, said.place) == ("ArrivedAtHub", "杭州市")


# Configuration


@pytest.mark.parametrize(
    ("shop", "said"),
    [
        (Shop("channel", "nowhere", "x", "s", "k"), "no connector 'nowhere'"),
        (Shop("courier", "douyin", "x", "s", "k"), "douyin cannot be a courier"),
        (Shop("channel", "douyin", "x", "s", ""), "needs a secret"),
        (Shop("channel", "wechat_shop", "x", "s", "k"), "needs aes_key"),
        (Shop("channel", "wechat_shop", "x", "s", "k", aes_key="short"), "43 characters"),
        (Shop("system", "jushuitan", "erp", "s", "k", options={"10": "douyin"}), "option 10 must be <channel>:<shop>"),
    ],
)
def test_wrong_configuration(shop: Shop, said: str) -> None:
    """A shop that could not work is refused at the start, in words."""
    with pytest.raises(ValueError, match=said):
        addresses([shop], CONNECTORS)


def test_an_address_is_given_once() -> None:
    """Two shops cannot share an address."""
    with pytest.raises(ValueError, match="/hooks/generic/s1 is configured twice"):
        addresses([Shop("channel", "generic", "web", "s1", "k")] * 2, CONNECTORS)


def test_headers_that_are_no_text() -> None:
    """A header with stray bytes refuses a push where it is signed, and is left out of the envelope where it is not."""
    address = Address(replace(DOUYIN.shop, app_key=None), DOUYIN.connector)
    with pytest.raises(BadSignature):
        address.receive(Push(b"[]", {"event-sign": "00", "app-id": "\udcff"}), NOW)
    good = DOUYIN.push()
    (record,) = Address(DOUYIN.shop, DOUYIN.connector).receive(
        Push(good.body, {**good.headers, "content-type": "\udcff", "traceparent": "\udcff" * 55}), NOW
    )
    assert codec.decode(record.value, RawEvent).headers == {}


def test_secrets_are_not_shown() -> None:
    """A shop can be logged."""
    shown = repr(replace(WECHAT.shop, secret="hidden-1", token="hidden-2"))
    assert not [secret for secret in ("hidden-1", "hidden-2", cases.AES_KEY) if secret in shown]
