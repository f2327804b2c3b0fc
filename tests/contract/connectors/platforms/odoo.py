"""Odoo's records: as an automation rule posts them, and as web_search_read gives them."""

from collections.abc import Sequence
from typing import Any

from connectors.base import Push
from connectors.config import Shop
from tests.contract.connectors.kit import Case, data

SHOP = Shop("system", "odoo", "erp", "main", "odoo-secret", app_key="bot", app_id="db", options={"5": "douyin:900001"})
AT = "2026-11-22 02:00:00"  # UTC


def seal(shop: Shop, messages: Sequence[bytes], _at: float) -> Push:
    """The secret comes with it."""
    return Push(messages[0], {"x-lockstep-token": shop.secret})


def order(**more: Any) -> dict[str, Any]:
    """What push and pull say alike of a sales order."""
    head = {"name": "S00012", "client_order_ref": "A1", "state": "sale", "delivery_status": False, "write_date": AT}
    return head | more


def pushed(**more: Any) -> bytes:
    """Other records are numbers, what is empty is false."""
    return data(order(team_id=5, **more) | {"_action": "Send Webhook(#12)", "_id": 12, "_model": "sale.order"})


def listed(**more: Any) -> bytes:
    """Other records are objects."""
    refs = {"team_id": {"id": 5}, "currency_id": {"id": 6, "name": "CNY"}, "amount_total": 129.0}
    return data({"id": 12, **order(**more), **refs})


CASES = (
    Case(
        "odoo",
        SHOP,
        seal,
        (pushed(), pushed(delivery_status="full"), pushed(state="cancel", delivery_status="pending")),
        tuple(("douyin:900001:A1", status) for status in ("Approved", "Shipped", "Cancelled")),
        pushed(state="teleported"),
        "teleported",
        b"{}",
        signs_time=False,
        many=False,
        silent=(pushed(client_order_ref=False),),
        signs_body=False,
        pulled=(listed(), listed(delivery_status="full"), listed(state="cancel", delivery_status="pending")),
        pulled_feed="orders",
    ),
)
