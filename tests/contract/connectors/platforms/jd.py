"""JD's side: it pushes nothing; objects of its three lists."""

from collections.abc import Callable, Sequence
from typing import Any

from connectors.base import Push
from connectors.config import Shop
from connectors.pull.platforms.jd import sign as sign_call
from tests.contract.connectors.kit import Case, data, one

AT = "2026-11-22 10:00:00"
MS = 1795312800000
SHOP = Shop("channel", "jd", "jd", "10086", "jd-secret", app_key="jd-app")
KEYED = "jd:10086:230100000001"


def unsigned(shop: Shop, messages: Sequence[bytes], at: float) -> Push:
    """There is no signature to make."""
    return Push(one(messages))


def order(state: str, **more: Any) -> bytes:
    """An object of the orders' list; its id is a text here."""
    times = {"modified": AT, "orderStartTime": "2026-11-22 09:50:00", "paymentConfirmTime": "2026-11-22 09:51:00"}
    said = {"orderId": "230100000001", "venderId": "10086", "orderState": state, "orderPayment": "48.90", "payType": "4-在线支付"}
    lines = [{"skuId": "1", "outerSkuId": "S1", "itemTotal": "2", "jdPrice": "24.45"}]
    return data(said | times | {"orderEndTime": "0001-01-01 00:00:00", "itemInfoList": lines, "consigneeInfo": {"province": "浙江"}} | more)


def refund(status: int, **more: Any) -> bytes:
    """An object of the refunds' list: `applyRefundSum` is fen."""
    said = {"id": 55, "orderId": "230100000001", "status": status, "applyRefundSum": 4890, "partRefundType": 0}
    return data(said | {"applyTime": "2026-11-22 09:58:00", "checkTime": AT} | more)


def service(status: int, expect: int = 10, **more: Any) -> bytes:
    """An object of the services' list: the order's id is a number here."""
    said = {"serviceId": 66, "orderId": 230100000001, "serviceStatus": status, "customerExpect": expect}
    return data(said | {"updateDate": AT, "applyTime": "2026-11-22 09:58:00", "approveTime": MS - 1000} | more)


def _case(feed: str, messages: tuple[bytes, ...], statuses: tuple[str, ...], unknown: bytes, silent: tuple[bytes, ...] = ()) -> Case:
    said = tuple((KEYED, status) for status in statuses)
    foreign = order("LOCKED", venderId="1") if feed == "orders" else None
    return Case(
        "jd", SHOP, unsigned, messages, said, unknown, "777", b"", signs_time=False, silent=silent, foreign=foreign, pulled_feed=feed
    )


CASES: tuple[Case, ...] = (
    _case("orders", (order("WAIT_SELLER_STOCK_OUT"), order("LOCKED")), ("PaymentConfirmed", "OnHold"), order("777")),
    _case("refunds", (refund(0), refund(3)), ("RefundRequested", "Refunded"), refund(777)),
    _case("services", (service(10005), service(10010)), ("ReturnInTransit", "Refunded"), service(777), (service(10009),)),
)
VECTORS: dict[str, Callable[[dict[str, Any]], object]] = {
    "jd.routerjson_md5_published": lambda given: sign_call(given["app_secret"], given["params"]),
    "jd.routerjson_md5_computed": lambda given: sign_call(given["app_secret"], given["params"]),
}
