"""TikTok Shop's side: HMAC-SHA256 over app key and body."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

from connectors import tiktok_shop
from connectors.base import Push
from connectors.config import Shop
from connectors.signing import hmac_sha256, joined
from tests.contract.connectors.kit import Case, data

AT = 1795312800  # seconds
NUMBER = "576684019603311365"
SHOP = Shop("channel", "tiktok_shop", "tiktok_shop", "7494726673780148744", "tts-secret", app_key="6abc123")


def seal(shop: Shop, messages: Sequence[bytes], at: float) -> Push:
    """No time is signed."""
    digest = hmac.new(shop.secret.encode(), f"{shop.app_key}".encode() + messages[0], hashlib.sha256).hexdigest()
    return Push(messages[0], {"authorization": digest, "content-type": "application/json"})


def push(kind: int, shop: str = "7494726673780148744", **said: Any) -> bytes:
    """One push."""
    return data({"type": kind, "tts_notification_id": "7327112393057371910", "shop_id": shop, "timestamp": AT + 123, "data": said})


def status(word: str, at: int = AT, **more: Any) -> bytes:
    """Type 1."""
    return push(1, order_id=NUMBER, order_status=word, is_on_hold_order=False, update_time=at, **more)


def returned(word: str, kind: str = "REFUND", at: int = AT) -> bytes:
    """Type 12."""
    head = {"order_id": NUMBER, "return_role": "BUYER", "return_type": kind, "return_status": word}
    return push(12, **head, return_id="4035318504086604100", create_time=at - 60, update_time=at)


def cancelled(word: str, **more: Any) -> bytes:
    """Type 11."""
    head = {"order_id": NUMBER, "cancellations_role": "BUYER", "cancel_status": word, "cancel_id": "4035318504086604101"}
    return push(11, **(head | {"create_time": AT} | more))


def order(word: str, **more: Any) -> bytes:
    """An order as the list has it."""
    head = {"id": NUMBER, "status": word, "create_time": AT - 60, "update_time": AT, "user_id": "7021436810468230477"}
    paid = {"currency": "IDR", "sub_total": "5000", "total_amount": "15000"}
    place = {"district_info": [{"address_level": "L0", "address_name": "Indonesia"}, {"address_level": "L1", "address_name": "Bali"}]}
    piece = {"id": "1", "seller_sku": "red-256", "sku_id": "2729382476852921560", "sale_price": "5000"}
    sent = {"tracking_number": "JX12345", "shipping_provider_name": "J&T Express"}
    rest = {"payment": paid, "payment_method_name": "Cash on delivery", "recipient_address": place}
    return data(head | rest | {"line_items": [piece, piece, piece | sent | {"seller_sku": "", "id": "3"}]} | more)


def listed_return(word: str, **more: Any) -> bytes:
    """A return as the list has it."""
    head = {"order_id": NUMBER, "return_id": "4035318504086604100", "return_type": "REFUND", "return_status": word}
    return data(head | {"create_time": AT - 60, "update_time": AT} | more)


def listed_cancellation(word: str, **more: Any) -> bytes:
    """A cancellation as the list has it."""
    head = {"order_id": NUMBER, "cancel_type": "BUYER_CANCEL", "cancel_status": word, "cancel_id": "4035318504086604101"}
    return data(head | {"create_time": AT, "update_time": AT} | more)


KEY = f"tiktok_shop:7494726673780148744:{NUMBER}"
CASES: tuple[Case, ...] = (
    Case(
        "tiktok_shop",
        SHOP,
        seal,
        (
            status("AWAITING_SHIPMENT"),
            returned("RETURN_OR_REFUND_REQUEST_COMPLETE"),
            cancelled("CANCELLATION_REQUEST_PENDING"),
            status("ON_HOLD"),
        ),
        ((KEY, "PaymentConfirmed"), (KEY, "Refunded"), (KEY, "RefundRequested"), (KEY, "OnHold")),
        status("TELEPORTED"),
        "TELEPORTED",
        b"",
        signs_time=False,
        many=False,
        silent=(
            push(3, order_id=NUMBER, update_time=AT),
            push(4, sc_type="COMBINE", role_type="ROLE_USER", package_list=[{"package_id": "1", "order_id_list": [NUMBER]}]),
            push(6, message="deauthorized"),
        ),
        foreign=push(1, shop="1", order_id=NUMBER, order_status="AWAITING_SHIPMENT", update_time=AT),
        pulled=(order("AWAITING_SHIPMENT"), b"", b"", order("ON_HOLD")),
        pulled_feed="orders",
    ),
)


def _api(given: dict[str, Any]) -> str:
    said = f"{given['app_secret']}{given['path']}{joined(given['params'])}{given['body']}{given['app_secret']}"
    assert said == given["string_to_sign"]
    return hmac_sha256(given["app_secret"], said.encode())


VECTORS = {
    "tiktok_shop.webhook_authorization": lambda given: tiktok_shop.sign(given["app_key"], given["app_secret"], given["raw_body"].encode()),
    "tiktok_shop.open_api_sign_sdk": _api,
}
