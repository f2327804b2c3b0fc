"""Shopify: one object a push, its topic in a header, base64 HMAC-SHA256 over the body."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from ops.simulator.facts import Account, Order, Request, Say
from ops.simulator.platforms.base import Platform, compact, path

ZONE: Final = timezone(timedelta(hours=-5))
STATES: Final = {  # status → financial_status, fulfillment_status
    "Created": ("pending", None),
    "PaymentPending": ("pending", None),
    "PaymentConfirmed": ("paid", None),
    "PartiallyShipped": ("paid", "partial"),
    "Shipped": ("paid", "fulfilled"),
    "Cancelled": ("voided", None),
}
REFUNDS: Final = {"RefundApproved": "pending", "Refunded": "success"}  # a request is no object of the orders API
CARRIERS: Final = {"sf": "SF Express", "zto": "ZTO Express", "yto": "YTO Express"}


def write(account: Account, facts: Sequence[Say]) -> bytes:
    """One object: an order, or a refund of the whole of it."""
    (said,) = facts
    return compact(_refund(said) if said.axis == "aftersale" else _order(said)).encode()


def _order(said: Say) -> dict[str, Any]:
    order, when = said.order, _iso(said.at)
    financial, fulfillment = (said.code, None) if said.code else STATES[said.status]
    item = {"id": int(order.number) + 3, "sku": order.sku, "quantity": 1, "price": _amount(order.payable)}
    head = {"id": int(order.number), "created_at": when, "updated_at": when, "financial_status": financial, "currency": "USD"}
    rest = {"fulfillment_status": fulfillment, "line_items": [item], "payment_gateway_names": ["shopify_payments"], "refunds": []}
    cancelled = {"cancelled_at": when, "cancel_reason": "customer"} if said.status == "Cancelled" else {"cancelled_at": None}
    paid = {} if said.payable is None else {"total_price": _amount(said.payable)}
    parcels = [_parcel(order, when)] if fulfillment and said.with_parcel else []
    return head | rest | cancelled | paid | {"fulfillments": parcels}


def _parcel(order: Order, when: str) -> dict[str, Any]:
    head = {"id": int(order.number) + 1, "order_id": int(order.number), "status": "success", "created_at": when}
    return head | {"tracking_company": CARRIERS.get(order.courier, order.courier), "tracking_numbers": [order.tracking]}


def _refund(said: Say) -> dict[str, Any]:
    order, when = said.order, _iso(said.at)
    moved = {"kind": "refund", "status": REFUNDS[said.status], "amount": _amount(order.payable), "currency": "USD"}
    goods = {"quantity": 1, "restock_type": "no_restock" if said.refund_only else "return"}
    head = {"id": int(order.number) + 2, "order_id": int(order.number), "created_at": when, "processed_at": when}
    return head | {"transactions": [moved], "refund_line_items": [goods]}


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at // 1000, UTC).astimezone(ZONE).isoformat()


def _amount(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def seal(account: Account, body: bytes, now: int) -> Request:
    """Sign the body; only refunds have transactions."""
    digest = base64.b64encode(hmac.new(account.secret.encode(), body, hashlib.sha256).digest()).decode()
    headers = {
        "X-Shopify-Topic": "refunds/create" if b'"transactions":' in body else "orders/updated",
        "X-Shopify-Shop-Domain": account.shop,
        "X-Shopify-Hmac-SHA256": digest,
        "Content-Type": "application/json",
    }
    return Request(path(account), body, headers=headers)


PLATFORM: Final = Platform("shopify", 1, write, seal)
