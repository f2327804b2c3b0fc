"""Xiaohongshu's side: an array of messages; headers are signed, the body is not (unverified)."""

from collections.abc import Callable, Sequence
from typing import Any

from connectors import xiaohongshu
from connectors.base import Push
from connectors.config import Shop
from connectors.pull.platforms.xiaohongshu import sign as sign_call
from tests.contract.connectors.kit import Case, array, data, md5, text

SELLER = "5f0c000000000000000000aa"
ORDER = "P700000000000000001"
AT = 1795312800000  # ms


def seal(shop: Shop, messages: Sequence[bytes], at: float) -> Push:
    """MD5 over path, headers and secret."""
    signed = f"/hooks/xiaohongshu/{shop.shop}?app-key={shop.app_key}&timestamp={int(at)}{shop.secret}"
    headers = {"app-key": f"{shop.app_key}", "timestamp": str(int(at)), "sign": md5(signed.encode()).hex()}
    return Push(array(messages), headers)


def message(tag: str, seller: str = SELLER, **more: Any) -> bytes:
    """One message."""
    said = {"orderId": ORDER, "packageId": ORDER, "updateTime": AT} | more
    return data({"msgTag": tag, "sellerId": seller, "data": text(said)})


def status(code: int, **more: Any) -> bytes:
    """A change of an order's status."""
    return message("msg_fulfillment_status_change", orderStatus=code, **more)


def case(tag: str, returns_type: int = 5, **more: Any) -> bytes:
    """A change of an after-sale case; its money is yuan with decimals."""
    return message(tag, returnsId="R1", returnType=returns_type, requestFrom=1, refundFee=0.1, **more)


def listed(code: int, **more: Any) -> bytes:
    """An object of the orders' list."""
    times = {"createdTime": AT - 60_000, "paidTime": AT, "updateTime": AT + 5000, "deliveryTime": 0, "finishTime": 0, "cancelTime": 0}
    order = {"orderId": ORDER, "orderStatus": code, "orderAfterSalesStatus": 1, "cancelStatus": 0, "paymentType": 2, "userId": "u1"}
    return data(order | times | {"receiverProvinceName": "浙江省"} | more)


def listed_case(code: int, returns_type: int = 5, **more: Any) -> bytes:
    """An object of the after-sale list."""
    found = {"returnsId": "R1", "orderId": ORDER, "status": code, "returnType": returns_type, "expectedRefundAmountYuan": 48.9}
    return data(found | {"applyTime": AT - 9000, "updatedAt": AT} | more)


KEYED = f"xiaohongshu:{SELLER}:{ORDER}"
SHOP = Shop("channel", "xiaohongshu", "xiaohongshu", SELLER, "xhs-secret", app_key="a1b2c3d4e5")
CASES: tuple[Case, ...] = (
    Case(
        "xiaohongshu",
        SHOP,
        seal,
        (status(2), status(6), case("msg_after_sale_refund_finished")),
        ((KEYED, "PaymentConfirmed"), (KEYED, "Shipped"), (KEYED, "Refunded")),
        status(77),
        "77",
        b'{"success":true,"error_code":0,"error_msg":""}',
        signs_time=True,
        silent=(message("msg_fulfillment_seller_remark_change", sellerRemarkContent="x"), status(10)),
        foreign=data(
            {
                "msgTag": "msg_fulfillment_status_change",
                "sellerId": "other",
                "data": text({"orderId": "P1", "orderStatus": 2, "updateTime": AT}),
            }
        ),
        signs_body=False,
        pulled=(listed(2), listed(6, deliveryTime=AT), listed_case(4)),
        pulled_feed=("orders", "orders", "aftersales"),
    ),
)
VECTORS: dict[str, Callable[[dict[str, Any]], object]] = {
    "xiaohongshu.open_api_md5": lambda given: sign_call(given["method"], given["appId"], given["timestamp"], given["appSecret"]),
    "xiaohongshu.push_header_sign_UNVERIFIED": lambda given: xiaohongshu.sign(
        given["path"], {"app-key": given["app_key"], "timestamp": given["timestamp"]}, given["appSecret"]
    ),
}
