"""Yonyou's sales orders, as its documents list them."""

from typing import Any

from connectors.config import Shop
from tests.contract.connectors.kit import Case, data, unsigned

SHOP = Shop("system", "yonyou", "erp", "yb", "ybsecret", app_key="key", options={"2201": "youzan:63077"})
AT = "2026-11-22 10:00:00"


def order(**more: Any) -> bytes:
    """A sales order's header."""
    head = {
        "code": "UO-20261122000001",
        "id": 2266083398734080,
        "purchaseNo": "A1",
        "agentId": 2201,
        "nextStatus": "CONFIRMORDER",
        "payStatusCode": "NOTPAYMENT",
        "payMoney": 129.00000000,
        "orderPrices": {"currency": "1", "natCurrency": "1", "domesticCode": "CNY"},
        "createTime": "2026-11-22 09:59:00",
        "modifyTime": AT,
        "pubts": AT,
        "auditTime": "",
        "payDate": "",
    }
    return data(head | more)


CASES = (
    Case(
        "yonyou",
        SHOP,
        unsigned,
        (
            order(),
            order(payStatusCode="FINISHPAYMENT", payDate=AT),
            order(nextStatus="DELIVERGOODS", auditTime=AT),
            order(nextStatus="TAKEDELIVERY"),
            order(nextStatus="OPPOSE", purchaseNo="", headItem={"id": 1, "define1": "A1"}),
        ),
        tuple(("youzan:63077:A1", status) for status in ("Created", "PaymentConfirmed", "Approved", "Shipped", "Cancelled")),
        order(nextStatus="TELEPORTED"),
        "TELEPORTED",
        b"{}",
        signs_time=False,
        silent=(order(purchaseNo=""),),
        pulled_feed="orders",
    ),
)
