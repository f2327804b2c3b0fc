"""Every connector with the platform's side of it, written apart from the connector: how it signs, and what it sends.

A connector takes part in the conformance suite by being listed in CASES.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from connectors.base import Push
from connectors.config import Shop
from tests.contract.connectors import platforms
from tests.contract.connectors.kit import AES_KEY, NOW, Case, array, data, local, md5, one, other_secret, signed_form, text


def seal_generic(shop: Shop, messages: Sequence[bytes], at: float) -> Push:
    """contract.md."""
    body = messages[0] if len(messages) == 1 else b'{"events": ' + array(messages) + b"}"
    digest = hmac.new(shop.secret.encode(), f"{int(at)}.".encode() + body, "sha256").hexdigest()
    return Push(body, {"x-lockstep-signature": f"t={int(at)},v1={digest}"})


def seal_douyin(shop: Shop, messages: Sequence[bytes], at: float) -> Push:
    """MD5 over app key, body and secret."""
    body = array(messages)
    digest = md5(f"{shop.app_key}".encode() + body + shop.secret.encode()).hex()
    return Push(body, {"event-sign": digest, "app-id": f"{shop.app_key}", "sign-method": "md5"})


def seal_taobao(shop: Shop, messages: Sequence[bytes], at: float) -> Push:
    """TOP's MD5."""
    params = {"app_key": f"{shop.app_key}", "timestamp": local(at), "sign_method": "md5", "v": "2.0"}
    wrapped = lambda said: md5((shop.secret + said + shop.secret).encode()).hex().upper()  # noqa: E731 -- one use
    return signed_form(params | {"message": one(messages).decode("utf-8", "replace")}, wrapped)


def seal_pinduoduo(shop: Shop, messages: Sequence[bytes], at: float) -> Push:
    """POP's MD5."""
    params = {"client_id": f"{shop.app_key}", "timestamp": str(int(at))}
    wrapped = lambda said: md5((shop.secret + said + shop.secret).encode()).hex().upper()  # noqa: E731 -- one use
    return signed_form(params | {"message": one(messages).decode("utf-8", "replace")}, wrapped)


def seal_jushuitan(shop: Shop, messages: Sequence[bytes], at: float) -> Push:
    """The secret stands before the fields only."""
    params = {"app_key": f"{shop.app_key}", "access_token": "t", "timestamp": str(int(at)), "version": "2"}
    prefixed = lambda said: md5((shop.secret + said).encode()).hex()  # noqa: E731 -- one use
    return signed_form(params | {"biz": one(messages).decode("utf-8", "replace")}, prefixed)


def seal_wechat(shop: Shop, messages: Sequence[bytes], at: float) -> Push:
    """AES, then SHA-1 over the sorted parts."""
    key = base64.b64decode(AES_KEY + "=")
    event = messages[0]
    plain = b"0123456789abcdef" + len(event).to_bytes(4, "big") + event + f"{shop.app_id}".encode()
    pad = 32 - len(plain) % 32
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    sealed = base64.b64encode(encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()).decode()
    query = {"timestamp": str(int(at)), "nonce": "12345678", "encrypt_type": "aes"}
    parts = sorted([f"{shop.token}", query["timestamp"], query["nonce"], sealed])
    query["msg_signature"] = hashlib.sha1("".join(parts).encode(), usedforsecurity=False).hexdigest()
    return Push(data({"ToUserName": "gh_1", "Encrypt": sealed}), query=query)


def seal_kuaidi100(shop: Shop, messages: Sequence[bytes], at: float) -> Push:
    """MD5 over the text of `param` and the salt."""
    head = '{"status":"polling","lastResult":{"com":"yuantong","nu":"V030344422","state":"0","data":'
    param = head + array(messages).decode("utf-8", "replace") + "}}"
    return Push(urlencode({"param": param, "sign": md5((param + shop.secret).encode()).hex().upper()}).encode())


def seal_zto(shop: Shop, messages: Sequence[bytes], at: float) -> Push:
    """Base64 of the raw MD5."""
    scan = messages[0].decode("utf-8", "replace")
    digest = base64.b64encode(md5((scan + shop.secret).encode())).decode()
    return Push(urlencode({"data": scan, "data_digest": digest, "msg_type": "Traces", "company_id": "c"}).encode())


def _order(**more: Any) -> dict[str, Any]:
    return {
        "event_id": "e1",
        "order_id": "A1",
        "status": "PaymentConfirmed",
        "occurred_at": "2026-11-22T10:00:00+08:00",
    } | more


def _parcel(event_id: str, **more: Any) -> bytes:
    return data({"event_id": event_id, "tracking_no": "7777", "occurred_at": "2026-11-22T10:00:00+08:00"} | more)


def douyin(tag: str, msg: int, **more: Any) -> bytes:
    """One message of douyin."""
    said = {"p_id": 4781321000000000001, "s_ids": [4781321000000000001], "shop_id": 900001} | more
    return data([{"tag": tag, "msg_id": str(msg), "data": text(said)}])[1:-1]


def taobao(topic: str, number: int, user: int = 2054718218, **more: Any) -> bytes:
    """One message of taobao."""
    content = {"tid": 1958730012345678901, "oid": 1958730012345678901, "seller_nick": "demo"} | more
    head = {"id": number, "topic": topic, "pub_time": "2026-11-22 10:00:00", "user_id": user}
    return data(head | {"content": text(content)})


def pinduoduo(kind: str, number: int, mall: int = 445301049, **more: Any) -> bytes:
    """One message of pinduoduo."""
    content = {"mall_id": mall, "tid": "231115-123456789012345"} | more
    inner = {"type": kind, "mallID": mall, "content": text(content)}
    return data({"id": number, "commandType": "Common", "time": 1795312800000, "message": inner})


def wechat(event: str, **info: Any) -> bytes:
    """One message of wechat."""
    head = {"ToUserName": "gh_1", "FromUserName": "o1", "CreateTime": 1795312800, "MsgType": "event", "Event": event}
    return data(head | {"order_info": {"order_id": "3705115058471208928"} | info})


def douyin_order(**more: Any) -> bytes:
    """One shop order of Douyin's order.searchList, paid."""
    order = {"order_id": "4781321000000000001", "shop_id": 900001, "order_status": 2, "create_time": 1795312620, "pay_type": 1}
    times = {"pay_time": 1795312800, "ship_time": 0, "finish_time": 0, "update_time": 1795312830, "pay_amount": 12900}
    return data(order | times | more)


def douyin_case(paid: int = 12900, **more: Any) -> bytes:
    """One element of Douyin's afterSale.List, refunded in whole."""
    case = {"aftersale_id": "7", "aftersale_type": 2, "aftersale_status": 12, "related_id": "4781321000000000001", "refund_status": 3}
    times = {"apply_time": 1795312700, "update_time": 1795312800, "refund_amount": 12900}
    bought = [{"sku_order_id": "4781321000000000001", "pay_amount": paid}]
    return data(
        {"aftersale_info": case | times | more, "order_info": {"shop_order_id": "4781321000000000001", "related_order_info": bought}}
    )


def taobao_trade(**more: Any) -> bytes:
    """One trade of taobao.trades.sold.increment.get, paid."""
    trade = {"tid": 1958730012345678901, "status": "WAIT_SELLER_SEND_GOODS", "payment": "48.90", "type": "fixed", "buyer_nick": "d**o"}
    times = {"created": "2026-11-22 09:57:00", "pay_time": "2026-11-22 10:00:00", "modified": "2026-11-22 10:00:01"}
    return data(trade | times | more)


def taobao_refund(**more: Any) -> bytes:
    """One refund of taobao.refunds.receive.get, asked for in whole."""
    case = {"refund_id": "592823138", "tid": 1958730012345678901, "oid": 1958730012345678901, "status": "WAIT_SELLER_AGREE"}
    money = {"refund_fee": "48.90", "total_fee": "48.90", "payment": "0.00", "modified": "2026-11-22 10:00:00", "has_good_return": False}
    return data(case | money | more)


def pinduoduo_order(**more: Any) -> bytes:
    """One order_info of pdd.order.information.get, concluded."""
    status = {"confirm_status": 1, "group_status": 1, "risk_control_status": 0, "order_status": 1, "refund_status": 1}
    times = {"created_time": "2026-11-22 09:58:00", "confirm_time": "2026-11-22 10:00:00", "updated_at": "2026-11-22 10:00:02"}
    return data({"order_sn": "231115-123456789012345", "pay_amount": 48.9} | status | times | more)


def pinduoduo_case(**more: Any) -> bytes:
    """One case of pdd.refund.list.increment.get, agreed to."""
    case = {"id": 9012345678, "order_sn": "231115-123456789012345", "after_sales_type": 2, "after_sales_status": 4}
    return data(case | {"refund_amount": "48.90", "order_amount": "48.90", "updated_time": "2026-11-22 10:00:00"} | more)


def wechat_order(status: int = 20, **detail: Any) -> bytes:
    """One order of /channels/ec/order/get, paid."""
    order = {"order_id": "3705115058471208928", "openid": "o1", "status": status}
    paid = {"pay_info": {"pay_time": 1795312800, "payment_method": 1}, "price_info": {"order_price": 12900}}
    return data(order | {"create_time": 1795312620, "update_time": 1795312830, "order_detail": paid | detail})


def wechat_case(**more: Any) -> bytes:
    """One case of /channels/ec/aftersale/getaftersaleorder, refunded."""
    case = {"after_sale_order_id": "777", "order_id": "3705115058471208928", "status": "MERCHANT_REFUND_SUCCESS", "type": "REFUND"}
    return data(case | {"create_time": 1795312700, "update_time": 1795312800, "refund_info": {"amount": 12900}} | more)


def _aftersale(status: str) -> bytes:
    case = {"status": status, "after_sale_order_id": "777", "order_id": "3705115058471208928"}
    head = {"FromUserName": "o1", "CreateTime": 1795312800, "Event": "channels_ec_aftersale_update"}
    return data(head | {"finder_shop_aftersale_status_update": case})


def jushuitan(**more: Any) -> bytes:
    """One message of jushuitan."""
    head = {"o_id": 11, "so_id": "A1", "shop_id": 10001, "status": "WaitConfirm", "modified": "2026-11-22 10:00:00"}
    return data({key: value for key, value in (head | more).items() if value is not None})


def _node(code: str, words: str, at: str = "2026-11-22 10:00:00") -> bytes:
    return data({"context": words, "time": at, "ftime": at, "statusCode": code})


def _scan(action: str, words: str = "快件已揽收") -> bytes:
    scan = {"billCode": "73100000000000", "action": action, "actionTime": "2026-11-22 10:00:00", "desc": words}
    return data(scan | {"city": "杭州市"})


CHANNEL = Shop("channel", "generic", "web", "s1", "k-web-secret")
JUSHUITAN = {"10001": "douyin:1001"}
TAOBAO_REFUND: dict[str, Any] = {"refund_fee": "21.32", "bill_type": "refund_bill", "modified": "2026-11-22 10:00:00"}
CASES: tuple[Case, ...] = (
    Case(
        "generic",
        CHANNEL,
        seal_generic,
        (
            data(_order()),
            data(_order(event_id="e2", axis="aftersale", status="Refunded", case_id="r1", aftersale_kind="refund_only")),
        ),
        (("web:s1:A1", "PaymentConfirmed"), ("web:s1:A1", "Refunded")),
        data(_order(status="Teleported")),
        "Teleported",
        b'{"accepted": 1}',
        signs_time=True,
        foreign=data(_order(shop_id="s2")),
    ),
    Case(
        "generic",
        Shop("system", "generic", "wms", "w1", "k-wms-secret"),
        seal_generic,
        (
            data(_order(channel="douyin", shop_id="1001", status="Picking")),
            data(_order(channel="douyin", shop_id="1001", event_id="e2", axis="stock", status="Restored")),
        ),
        (("douyin:1001:A1", "Picking"), ("douyin:1001:A1", "Restored")),
        data(_order(channel="douyin", shop_id="1001", status="Teleported")),
        "Teleported",
        b'{"accepted": 1}',
        signs_time=True,
    ),
    Case(
        "generic",
        Shop("courier", "generic", "zto", "p1", "k-zto-secret"),
        seal_generic,
        (
            data(
                {
                    "event_id": "p1",
                    "courier": "zto",
                    "tracking_no": "7777",
                    "text": "快件已到达杭州转运中心",
                    "code": None,
                    "occurred_at": "2026-11-22T10:00:00+08:00",
                }
            ),
            data({"event_id": "p2", "tracking_no": "7777", "status": "Signed", "occurred_at": "2026-11-22T10:00:00Z"}),
            data({"event_id": "p3", "tracking_no": "7777", "code": "DISPATCH", "occurred_at": "2026-11-22T10:00:00Z"}),
        ),
        (("zto:7777", "ArrivedAtHub"), ("zto:7777", "Signed"), ("zto:7777", "OutForDelivery")),
        _parcel("p1", code="WARP"),
        "WARP",
        b'{"accepted": 1}',
        signs_time=True,
    ),
    Case(
        "douyin",
        Shop("channel", "douyin", "douyin", "900001", "dy-secret", app_key="6800000000000000001"),
        seal_douyin,
        (
            douyin("101", 1, order_status=2, pay_time=1795312800, pay_amount=12900),
            douyin("206", 2, aftersale_id=7, aftersale_status=12, aftersale_type=2, success_time=1795312800),
            douyin("105", 3, order_status=2, update_time=1795312800),
        ),
        (
            ("douyin:900001:4781321000000000001", "PaymentConfirmed"),
            ("douyin:900001:4781321000000000001", "Refunded"),
            ("douyin:900001:4781321000000000001", "PaymentConfirmed"),
        ),
        douyin("999", 4),
        "999",
        b'{"code":0,"msg":"success"}',
        signs_time=False,
        silent=(data({"tag": "0", "msg_id": "0", "data": "2026"}), douyin("113", 5, remark="x")),
        foreign=douyin("101", 6, shop_id=900002, pay_time=1795312800),
        pulled=(douyin_order(), douyin_case(), b""),
        pulled_feed=("orders", "aftersales", ""),
    ),
    Case(
        "taobao",
        Shop("channel", "taobao", "taobao", "2054718218", "tb-secret", app_key="12345678"),
        seal_taobao,
        (
            taobao("taobao_trade_TradeBuyerPay", 4160600490938325004, payment="48.90"),
            taobao("taobao_refund_RefundSuccess", 2, payment="48.90", refund_id="592823138", **TAOBAO_REFUND),
            taobao("taobao_trade_TradeChanged", 3, status="WAIT_BUYER_CONFIRM_GOODS"),
        ),
        (
            ("taobao:2054718218:1958730012345678901", "PaymentConfirmed"),
            ("taobao:2054718218:1958730012345678901", "Refunded"),
            ("taobao:2054718218:1958730012345678901", "Shipped"),
        ),
        taobao("taobao_trade_TradeTeleported", 4),
        "taobao_trade_TradeTeleported",
        b'{"success":true}',
        signs_time=True,
        silent=(taobao("taobao_trade_TradeMemoModified", 5),),
        foreign=taobao("taobao_trade_TradeBuyerPay", 6, user=1),
        as_sent=False,
        pulled=(taobao_trade(), taobao_refund(status="SUCCESS", payment="27.58", refund_fee="21.32"), b""),
        pulled_feed=("orders", "refunds", ""),
        pull_differs="a list of trades has neither a message's id nor its time: a repeat; a refund has one id",
    ),
    Case(
        "pinduoduo",
        Shop("channel", "pinduoduo", "pinduoduo", "445301049", "pdd-secret", app_key="app"),
        seal_pinduoduo,
        (
            pinduoduo("pdd_trade_TradeConfirmed", 1783550012345),
            pinduoduo("pdd_refund_RefundAgreeAgreement", 2, refund_id=9012345678, bill_type=1, modified=1795312800345),
            pinduoduo("pdd_trade_TradeRiskChanged", 3, risk_control_status=1),
        ),
        (
            ("pinduoduo:445301049:231115-123456789012345", "PaymentConfirmed"),
            ("pinduoduo:445301049:231115-123456789012345", "RefundApproved"),
            ("pinduoduo:445301049:231115-123456789012345", "OnHold"),
        ),
        pinduoduo("pdd_trade_TradeTeleported", 4),
        "pdd_trade_TradeTeleported",
        b'{"success":true}',
        signs_time=True,
        silent=(data({"commandType": "HeartBeat", "time": 1}), pinduoduo("pdd_trade_TradeMemoModified", 5)),
        foreign=pinduoduo("pdd_trade_TradeConfirmed", 6, mall=1),
        as_sent=False,
        pulled=(pinduoduo_order(), pinduoduo_case(), pinduoduo_order(risk_control_status=1, updated_at="2026-11-22 10:00:00")),
        pulled_feed=("orders", "refunds", "orders"),
    ),
    Case(
        "wechat_shop",
        Shop("channel", "wechat_shop", "wechat_shop", "4001", "unused", token="shopToken", aes_key=AES_KEY, app_id="wx01"),
        seal_wechat,
        (
            wechat("channels_ec_order_pay", pay_time=1795312800),
            wechat("channels_ec_order_deliver", finish_delivery=0),
            _aftersale("MERCHANT_REFUND_SUCCESS"),
        ),
        (
            ("wechat_shop:4001:3705115058471208928", "PaymentConfirmed"),
            ("wechat_shop:4001:3705115058471208928", "PartiallyShipped"),
            ("wechat_shop:4001:3705115058471208928", "Refunded"),
        ),
        wechat("channels_ec_order_teleported"),
        "channels_ec_order_teleported",
        b"success",
        signs_time=True,
        many=False,
        silent=(wechat("channels_ec_order_settle", settle_time=1795312800),),
        as_sent=False,
        pulled=(wechat_order(), data({"order_id": "3705115058471208928", "status": 21, "update_time": 1795312800}), wechat_case()),
        pulled_feed=("orders", "orders", "aftersales"),
    ),
    Case(
        "jushuitan",
        Shop("system", "jushuitan", "erp", "main", "jst-secret", app_key="jst_key", options=JUSHUITAN),
        seal_jushuitan,
        (
            jushuitan(),
            jushuitan(as_id=5, status="Confirmed", good_status="SELLER_RECEIVED"),
            jushuitan(io_id=9, o_id=None, as_id=5, status="Confirmed"),
        ),
        (("douyin:1001:A1", "PaymentConfirmed"), ("douyin:1001:A1", "ReturnReceived"), ("douyin:1001:A1", "Restored")),
        jushuitan(status="Teleported"),
        "Teleported",
        b'{"code":0,"issuccess":true,"msg":""}',
        signs_time=True,
        silent=(jushuitan(status="Merged"), jushuitan(status="Split")),
        as_sent=False,
        pulled=(
            jushuitan(),
            jushuitan(as_id=5, status="Confirmed", good_status="SELLER_RECEIVED"),
            jushuitan(io_id=9, o_id=None, as_id=5, status="Confirmed"),
        ),
        pulled_feed="orders",
    ),
    Case(
        "kuaidi100",
        Shop("courier", "kuaidi100", "kuaidi100", "main", "abc123"),
        seal_kuaidi100,
        (_node("103", "已揽收"), _node("5", "【杭州市】正在派件", "2026-11-22 10:00:01"), _node("", "快件已到达杭州转运中心")),
        (("yto:V030344422", "PickedUp"), ("yto:V030344422", "OutForDelivery"), ("yto:V030344422", "ArrivedAtHub")),
        _node("211", "x"),
        "211",
        '{"result":true,"returnCode":"200","message":"成功"}'.encode(),
        signs_time=False,
        as_sent=False,
    ),
    Case(
        "zto",
        Shop("courier", "zto", "zto", "main", "secretKey1"),
        seal_zto,
        (_scan("GOT"), _scan("ARRIVAL"), _scan("INBOUND")),
        (("zto:73100000000000", "PickedUp"), ("zto:73100000000000", "ArrivedAtHub"), ("zto:73100000000000", "AwaitingPickup")),
        _scan("TELEPORT"),
        "TELEPORT",
        '{"status":true,"statusCode":"200","message":"成功","result":"成功"}'.encode(),
        signs_time=False,
        many=False,
        as_sent=False,
    ),
    *platforms.CASES,
)

__all__ = ["AES_KEY", "CASES", "NOW", "Case", "data", "local", "other_secret"]
