"""Guanyi's lists, as public code that calls its API shows them."""

from typing import Any

from connectors import guanyi
from connectors.config import Shop
from tests.contract.connectors.kit import Case, data, unsigned

SHOP = Shop("system", "guanyi", "erp", "gy", "gysecret", app_key="100000", options={"17": "pinduoduo:445301049"})
AT = "2026-11-22 10:00:00"


def trade(**more: Any) -> bytes:
    """An order."""
    head = {
        "code": "SO546015421746",
        "platform_code": "A1",
        "shop_code": "17",
        "order_type_name": "销售订单",
        "approve": False,
        "cancle": False,
        "cod": False,
        "assignState": 0,
        "delivery_state": 0,
        "refund": 0,
        "hold_info": None,
        "payment": 85.67,
        "amount": 99.0,
        "dealtime": "2026-11-22 09:59:00",
        "paytime": "2026-11-22 09:59:30",
        "createtime": AT,
        "modifytime": AT,
        "approveDate": "",
        "vip_code": "V1",
        "receiver_area": "河南省-新乡市-牧野区",
        "details": [{"oid": "1", "qty": 1.0, "price": 99.0, "item_code": "3021", "sku_code": None}],
        "deliverys": [],
    }
    return data(head | more)


def delivery(state: dict[str, Any], **more: Any) -> bytes:
    """A delivery bill."""
    head = {
        "code": "SDO63355385103",
        "platform_code": "A1",
        "shop_code": "17",
        "express_no": "7777",
        "express_name": "中通-菜鸟面单",
        "create_date": "2026-11-22 09:59:50",
        "modify_date": AT,
        "delivery_statusInfo": {"scan": False, "wms": 0, "delivery": 0, "cancel": False, "intercept": False} | state,
    }
    return data(head | more)


def returned(**more: Any) -> bytes:
    """A return bill."""
    head = {
        "code": "RGO315677282722",
        "platform_code": "A1",
        "platform_refund_id": "101429569742028292",
        "shop_code": "17",
        "approve": 0,
        "receive": 0,
        "cancel": False,
        "agree_refuse": None,
        "refund_type": 1,
        "create_date": AT,
        "modify_date": AT,
        "approve_date": None,
        "receive_date": None,
        "cancel_date": None,
    }
    return data(head | more)


def refund(**more: Any) -> bytes:
    """A refund bill."""
    head = {
        "code": "RMO551478381037",
        "platfrom_code": "A1",
        "refund_code": "192627291270762472",
        "shop_code": "17",
        "approve": False,
        "cancel": False,
        "agree_refuse": None,
        "refund_type": "refund",
        "status": "WAIT_SELLER_AGREE",
        "create_date": AT,
        "modify_date": AT,
        "agree_date": None,
        "amount": "1.0000",
    }
    return data(head | more)


def _case(feed: str, messages: tuple[bytes, ...], says: tuple[str, ...], unknown: bytes, silent: tuple[bytes, ...] = ()) -> Case:
    said = tuple(("pinduoduo:445301049:A1", status) for status in says)
    return Case("guanyi", SHOP, unsigned, messages, said, unknown, "9", b"{}", False, silent=silent, pulled_feed=feed)


CASES = (
    _case(
        "trades",
        (trade(), trade(approve=True, approveDate=AT), trade(approve=True, delivery_state=2), trade(cancle=True)),
        ("PaymentConfirmed", "Approved", "Shipped", "Cancelled"),
        trade(delivery_state=9),
        (trade(order_type_name="补发货订单"), trade(platform_code="")),
    ),
    _case(
        "deliveries",
        (delivery({}), delivery({"delivery": 2, "delivery_date": AT}), delivery({"intercept": True})),
        ("Approved", "PartiallyShipped", "OnHold"),
        delivery({"delivery": 9}),
        (delivery({}, platform_code=""),),
    ),
    _case(
        "returns",
        (returned(), returned(agree_refuse=1), returned(receive=1, receive_date=AT), returned(cancel=True)),
        ("RefundRequested", "RefundApproved", "Restored", "RefundClosed"),
        returned(agree_refuse=9),
    ),
    _case(
        "refunds",
        (refund(), refund(agree_refuse=1, agree_date=AT), refund(status="SUCCESS"), refund(agree_refuse=2)),
        ("RefundRequested", "RefundApproved", "Refunded", "RefundRejected"),
        refund(agree_refuse=9),
    ),
)
VECTORS = {"guanyi.erp_open_md5": lambda given: guanyi.sign(given["secret"], given["json"])}
