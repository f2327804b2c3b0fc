"""Shopee's side: HMAC-SHA256 over the callback URL, a bar and the body."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

from connectors import shopee
from connectors.base import Push
from connectors.config import Shop
from connectors.signing import hmac_sha256
from tests.contract.connectors.kit import Case, data

URL = "https://erp.example.com/push/shopee?from=shopee"
AT = 1795312800  # seconds
SN = "261122QT9S3F7G"
SHOP = Shop("channel", "shopee", "shopee", "727720655", "shpk-secret", app_key="2001887", options={"callback_url": URL})


def seal(shop: Shop, messages: Sequence[bytes], at: float) -> Push:
    """The address is part of what is signed; no time is."""
    digest = hmac.new(shop.secret.encode(), f"{URL}|".encode() + messages[0], hashlib.sha256).hexdigest()
    return Push(messages[0], {"authorization": digest, "content-type": "application/json"})


def push(code: int, shop: int = 727720655, **said: Any) -> bytes:
    """One push."""
    return data({"data": said, "shop_id": shop, "code": code, "timestamp": AT + 1})


def status(word: str, at: int = AT, **more: Any) -> bytes:
    """Code 3."""
    return push(3, items=[], ordersn=SN, status=word, completed_scenario="", update_time=at, **more)


def returned(word: str, solution: str = "REFUND", at: int = AT) -> bytes:
    """Code 29."""
    values = [
        {"update_field": "return_solution", "old_value": "", "new_value": solution, "update_time": at},
        {"update_field": "return_status", "old_value": "", "new_value": word, "update_time": at},
    ]
    return push(29, order_sn=SN, return_sn="261122171852695", updated_values=values)


def order(word: str, **more: Any) -> bytes:
    """An order as get_order_detail has it."""
    head = {"order_sn": SN, "region": "SG", "currency": "SGD", "cod": False, "total_amount": 48.9, "order_status": word}
    rest = {"payment_method": "ShopeePay Wallet", "create_time": AT - 60, "update_time": AT, "buyer_user_id": 9193214}
    item = {"item_id": 2600144043, "item_sku": "sku", "model_sku": "sku-red", "model_quantity_purchased": 2}
    place = {"name": "M*x", "state": "Singapore", "region": "SG"}
    return data(head | rest | {"item_list": [item | {"model_discounted_price": 24.45}], "recipient_address": place} | more)


def listed(word: str, solution: int = 1) -> bytes:
    """A return as get_return_list has it."""
    head = {"reason": "NONRECEIPT", "return_sn": "261122171852695", "refund_amount": 48.9, "currency": "SGD", "status": word}
    return data(head | {"create_time": AT - 60, "update_time": AT, "order_sn": SN, "return_solution": solution})


KEY = f"shopee:727720655:{SN}"
CASES: tuple[Case, ...] = (
    Case(
        "shopee",
        SHOP,
        seal,
        (
            status("READY_TO_SHIP"),
            returned("ACCEPTED"),
            push(30, ordersn=SN, package_number="OFG1", fulfillment_status="LOGISTICS_LOST", update_time=AT),
            status("TO_RETURN"),
        ),
        ((KEY, "PaymentConfirmed"), (KEY, "RefundApproved"), (KEY, "OnHold"), (KEY, "RefundRequested")),
        status("TELEPORTED"),
        "TELEPORTED",
        b"",
        signs_time=False,
        many=False,
        silent=(
            push(1, extra="shop authorized"),
            push(4, ordersn=SN, package_number="OFG1", tracking_no="SG123"),
            push(30, ordersn=SN, package_number="OFG1", fulfillment_status="LOGISTICS_DELIVERY_DONE", update_time=AT),
            push(29, order_sn=SN, return_sn="1", updated_values=[{"update_field": "return_solution", "new_value": "REFUND"}]),
        ),
        foreign=push(3, shop=1, ordersn=SN, status="READY_TO_SHIP", update_time=AT),
        pulled=(order("READY_TO_SHIP"), b"", b"", order("TO_RETURN")),
        pulled_feed="orders",
    ),
)
VECTORS = {
    "shopee.push_authorization": lambda given: shopee.sign(given["partner_key"], given["callback_url"], given["raw_body"].encode()),
    "shopee.v2_shop_api_sign": lambda given: hmac_sha256(
        given["partner_key"],
        f"{given['partner_id']}{given['path']}{given['timestamp']}{given['access_token']}{given['shop_id']}".encode(),
    ),
    "shopee.v2_public_api_sign": lambda given: hmac_sha256(
        given["partner_key"], f"{given['partner_id']}{given['path']}{given['timestamp']}".encode()
    ),
    "shopee.v2_sdk_hmac_primitive": lambda given: hmac_sha256(given["partner_key"], "".join(given["parts"]).encode()),
}
