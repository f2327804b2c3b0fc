"""Shopify's side: base64 HMAC-SHA256 over the body, topic and shop in headers."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

from connectors import shopify
from connectors.base import Push
from connectors.config import Shop
from tests.contract.connectors.kit import Case, data

NUMBER = 820982911946154508
AT = "2026-11-21T21:00:00-05:00"
SHOP = Shop("channel", "shopify", "shopify", "demo.myshopify.com", "shpss-secret")
FOREIGN = "other.myshopify.com"


def order(financial: str | None = "paid", fulfillment: str | None = None, **more: Any) -> bytes:
    """An order."""
    head = {"id": NUMBER, "name": "#9999", "created_at": "2026-11-21T20:59:00-05:00", "updated_at": AT, "cancelled_at": None}
    rest = {"financial_status": financial, "fulfillment_status": fulfillment, "total_price": "403.00", "currency": "USD"}
    item = {"id": 866550311766439020, "sku": "IPOD2008PINK", "quantity": 1, "price": "199.00"}
    names = {"payment_gateway_names": ["shopify_payments"], "customer": {"id": 115310627314723954}}
    return data(head | rest | names | {"line_items": [item], "shipping_address": {"province": "Kentucky"}} | more)


def refund(kind: str = "no_restock", amount: str = "41.94", status: str = "success", **more: Any) -> dict[str, Any]:
    """A refund."""
    moved = {"id": 179259969, "kind": "refund", "status": status, "amount": amount, "currency": "USD", "gateway": "bogus"}
    goods = {"id": 104689539, "quantity": 1, "restock_type": kind, "subtotal": 195.66}
    head = {"id": 509562969, "order_id": NUMBER, "created_at": AT, "processed_at": AT, "transactions": [moved]}
    return head | {"refund_line_items": [goods]} | more


def parcel(status: str = "success", **more: Any) -> dict[str, Any]:
    """A fulfillment."""
    head = {"id": 255858046, "order_id": NUMBER, "status": status, "created_at": AT, "updated_at": AT}
    return head | {"tracking_company": "USPS", "tracking_number": "1Z2345", "tracking_numbers": ["1Z2345", "1Z2346"]} | more


TOPICS: dict[bytes, str] = {data(refund()): "refunds/create", data(parcel()): "fulfillments/create"}
SILENT = data({"id": NUMBER})
TOPICS |= {SILENT: "orders/delete", data(parcel("cancelled")): "fulfillments/update"}


def seal(shop: Shop, messages: Sequence[bytes], at: float, topic: str | None = None) -> Push:
    """No time is signed, and no header is."""
    digest = base64.b64encode(hmac.new(shop.secret.encode(), messages[0], hashlib.sha256).digest()).decode()
    domain = FOREIGN if FOREIGN.encode() in messages[0] else "demo.myshopify.com"
    headers = {
        "x-shopify-topic": topic or TOPICS.get(messages[0], "orders/updated"),
        "x-shopify-shop-domain": domain,
        "x-shopify-api-version": "2026-10",
        "x-shopify-webhook-id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
        "x-shopify-event-id": "98880550-7158-44d4-b7cd-2c97c8a091b5",
        "x-shopify-hmac-sha256": digest,
    }
    return Push(messages[0], headers)


KEY = f"shopify:demo.myshopify.com:{NUMBER}"
CASES: tuple[Case, ...] = (
    Case(
        "shopify",
        SHOP,
        seal,
        (
            order(),
            data(refund()),
            order("paid", "partial", fulfillments=[parcel(line_items=[])]),
            order("voided", cancelled_at=AT, cancel_reason="customer"),
            data(parcel()),
        ),
        ((KEY, "PaymentConfirmed"), (KEY, "Refunded"), (KEY, "PartiallyShipped"), (KEY, "Cancelled"), (KEY, "PartiallyShipped")),
        order("teleported"),
        "teleported",
        b"",
        signs_time=False,
        many=False,
        silent=(SILENT, data(parcel("cancelled"))),
        foreign=order(source_url=f"https://{FOREIGN}/"),
        pulled=(
            order(),
            order("partially_refunded", refunds=[refund()]),
            order("paid", "partial", fulfillments=[parcel(line_items=[])]),
            order("voided", cancelled_at=AT, cancel_reason="customer"),
            b"",
        ),
        pulled_feed="orders",
    ),
)
VECTORS = {"shopify.webhook_hmac": lambda given: shopify.sign(given["client_secret"], given["raw_body"].encode())}
