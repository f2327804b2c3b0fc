"""Wangdiantong's lists, as its documents show them."""

from typing import Any

from connectors import wangdiantong
from connectors.config import Shop
from tests.contract.connectors.kit import Case, data, unsigned

SHOP = Shop("system", "wangdiantong", "erp", "wdt", "s:salt", app_key="key", app_id="sid", options={"S01": "wechat_shop:4001"})
AT = "2026-11-22 10:00:00"
AT_MS = 1795312800000


def trade(**more: Any) -> bytes:
    """The ERP's order."""
    head = {
        "trade_id": 1028159,
        "trade_no": "JY202611220027",
        "platform_id": 127,
        "shop_no": "S01",
        "src_tids": "A1",
        "trade_status": 30,
        "trade_type": 1,
        "trade_from": 1,
        "trade_mask": 0,
        "trade_time": AT_MS - 60_000,
        "pay_time": "2026-11-22 09:59:30",
        "modified": AT,
        "receivable": 10,
        "paid": 10,
        "currency": "",
        "receiver_area": "天津市 天津市 河北区",
        "logistics_no": "",
        "logistics_type_name": "中通快递",
        "logistics_name": "中通0002",
        "customer_no": "KH1",
        "checker_name": "系统",
        "detail_list": [{"spec_no": "951027", "num": "1.0000", "share_price": 10, "src_tid": "A1", "stock_state": 3}],
    }
    return data(head | more)


def stockout(**more: Any) -> bytes:
    """The warehouse's bill."""
    head = {
        "stockout_id": 700611,
        "order_no": "CK202611220001",
        "trade_no": "JY202611220027",
        "src_order_no": "JY202611220027",
        "src_trade_no": "A1",
        "shop_no": "S01",
        "status": 77,
        "trade_status": 55,
        "trade_type": 1,
        "trade_from": 1,
        "modified": AT,
        "logistics_no": "",
        "logistics_type": 5,
        "logistics_name": "中通0002",
        "logistics_list": [],
    }
    return data(head | more)


def raw_trade(**more: Any) -> bytes:
    """A channel's order as it came in."""
    head = {
        "rec_id": 1,
        "tid": "A1",
        "shop_no": "S01",
        "process_status": 10,
        "trade_status": 30,
        "pay_status": 2,
        "refund_status": 0,
        "trade_from": 1,
        "trade_time": "2026-11-22 09:59:00",
        "pay_time": AT,
        "created": "2026-11-22 10:00:05",
        "modified": "2026-11-22 10:00:20",
        "receivable": "10.0000",
        "currency": "",
    }
    return data(head | more)


def refund(**more: Any) -> bytes:
    """An after-sale bill."""
    head = {
        "refund_id": 1130899,
        "refund_no": "TK2611220021",
        "src_tids": "A1",
        "tid_list": "A1",
        "shop_no": "S01",
        "type": 2,
        "status": 20,
        "stockin_status": 1,
        "modified": AT,
        "created": AT,
        "settle_time": "",
        "check_time": "",
        "operator_name": "客服甲",
    }
    return data(head | more)


def raw_refund(**more: Any) -> bytes:
    """A channel's refund as it came in."""
    head = {
        "refund_id": 5,
        "refund_no": "2000000111",
        "tid": "A1",
        "oid": "A1-1",
        "shop_no": "S01",
        "type": 1,
        "status": 2,
        "refund_time": AT,
        "current_phase_timeout": "",
        "modified": "2026-11-22 10:00:20",
        "created": AT,
    }
    return data(head | more)


def stockin(**more: Any) -> bytes:
    """Goods that came back."""
    head = {
        "stockin_id": 55185,
        "order_no": "RK2026112213",
        "tid_list": "A1",
        "shop_no": "S01",
        "refund_no": "TK2611220021",
        "status": 80,
        "process_status": 30,
        "modified": "2026-11-22 10:00:09",
        "check_time": AT_MS,
        "check_operator_name": "仓管乙",
    }
    return data(head | more)


def _case(feed: str, messages: tuple[bytes, ...], says: tuple[str, ...], unknown: bytes, silent: tuple[bytes, ...] = ()) -> Case:
    said = tuple(("wechat_shop:4001:A1", status) for status in says)
    return Case("wangdiantong", SHOP, unsigned, messages, said, unknown, "999", b"{}", False, silent=silent, pulled_feed=feed)


CASES = (
    _case(
        "trades",
        (trade(), trade(trade_status=55, check_time=AT), trade(trade_status=95, consign_time=AT_MS, logistics_no="7777")),
        ("PaymentConfirmed", "Approved", "Shipped"),
        trade(trade_status=999),
        (trade(trade_from=2), trade(trade_type=3), trade(src_tids="")),
    ),
    _case(
        "stockouts",
        (stockout(), stockout(status=70), stockout(status=110, consign_time=AT, logistics_no="7777")),
        ("Picking", "Packed", "Shipped"),
        stockout(status=999),
        (stockout(trade_from=6), stockout(src_trade_no="")),
    ),
    _case(
        "raw_trades",
        (raw_trade(), raw_trade(pay_status=0), raw_trade(process_status=70)),
        ("PaymentConfirmed", "PaymentPending", "Cancelled"),
        raw_trade(process_status=999),
        (raw_trade(process_status=40), raw_trade(trade_from=4)),
    ),
    _case(
        "refunds",
        (refund(), refund(status=30, check_time=AT), refund(status=80, settle_time=AT)),
        ("RefundRequested", "ReturnInTransit", "Refunded"),
        refund(status=999),
    ),
    _case(
        "raw_refunds",
        (raw_refund(), raw_refund(status=5, current_phase_timeout=AT), raw_refund(status=7)),
        ("RefundRequested", "Refunded", "RefundRejected"),
        raw_refund(status=999),
    ),
    _case("stockins", (stockin(), stockin(order_no="RK2")), ("Restored", "Restored"), stockin(status=999), (stockin(status=30),)),
)


def _signed(given: dict[str, Any]) -> str:
    secret, _, salt = given["appsecret"].partition(":")
    assert given["params"]["salt"] == salt
    return wangdiantong.sign(secret, given["params"])


VECTORS = {"wangdiantong.qjb_api_md5": _signed}
