"""Shopify's REST Admin API, as its documents show it: one shop's orders."""

import base64
import json
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from aiohttp import web

from connectors.config import CHANNEL, Pull, Shop
from ops.simulator.standins.base import Asked, Refusal, StandIn

ZONE: Final = timezone(timedelta(hours=-5))
STATES: Final = (("paid", None), ("paid", "partial"), ("paid", "fulfilled"))
BUCKET: Final = 40  # calls at once
LEAK: Final = 2.0  # calls a second that it makes room for again


class ShopifyStandIn(StandIn):
    """See the module."""

    name = "shopify"
    rate_code = "http_429"
    token_code = "http_401"  # noqa: S105 - a code

    def __init__(self, shop: Shop, clock: Callable[[], float] = time.time) -> None:
        super().__init__(shop, clock)
        self.level, self.filled_at = 0.0, clock()

    @staticmethod
    def example_shop() -> Shop:
        """See StandIn."""
        pull = Pull(token="shpat_first")  # noqa: S106 - made up
        return Shop(CHANNEL, "shopify", "shopify", "demo.myshopify.com", "shpss-secret", app_key="client-1", pull=pull)

    @classmethod
    def says(cls, code: str) -> bool:
        """Its codes are those of HTTP."""
        return code.startswith("http_")

    def example(self, feed: str, number: int, at: int) -> dict[str, Any]:
        """See StandIn."""
        financial, fulfillment = STATES[number % 3]
        when = datetime.fromtimestamp(at / 1000, UTC).astimezone(ZONE).isoformat(timespec="seconds")
        order = 820_982_911_946_000_000 + number
        parcel = {"id": 255_858_046 + number, "order_id": order, "status": "success", "created_at": when, "tracking_company": "USPS"}
        parcels = [parcel | {"tracking_numbers": [f"1Z{number}"]}] if fulfillment else []
        paid = {"financial_status": financial, "currency": "USD", "total_price": "403.00", "payment_gateway_names": ["shopify_payments"]}
        return {"id": order, "updated_at": when, "fulfillment_status": fulfillment, **paid, "fulfillments": parcels, "refunds": []}

    def answer(self, asked: Asked) -> Any:
        """See StandIn."""
        if asked.path == "/admin/oauth/access_token":
            return self._renew(asked.form)
        if not self.room():
            raise Refusal("http_429", "Exceeded 2 calls per second for api client.")
        self.need_token(asked.headers.get("x-shopify-access-token"))
        if asked.method != "GET" or not asked.path.endswith("/orders.json"):
            raise Refusal("http_404", "Not Found")
        return self._page(asked)

    def refusal(self, code: str, said: str) -> web.Response:
        """A status, and words."""
        status = int(code.removeprefix("http_"))
        headers = {"Retry-After": "2.0", "X-Shopify-Shop-Api-Call-Limit": f"{BUCKET}/{BUCKET}"} if status == 429 else {}
        return web.json_response({"errors": said}, status=status, headers=headers)

    def room(self) -> bool:
        """Put one call into the leaky bucket, if it has room."""
        now = self.clock()
        self.level = max(0.0, self.level - (now - self.filled_at) * LEAK)
        self.filled_at = now
        if self.level > BUCKET - 1:
            return False
        self.level += 1
        return True

    def _renew(self, form: dict[str, str]) -> Any:
        if form.get("client_id") != self.shop.app_key or form.get("client_secret") != self.shop.call_secret:
            return web.json_response({"error": "invalid_client"}, status=400)
        if form.get("grant_type") != "client_credentials":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        token, _ = self.rotate()
        self.refresh = ""
        return {"access_token": token, "scope": "read_orders", "expires_in": 86_399}

    def _page(self, asked: Asked) -> web.Response:
        query = dict(asked.query)
        size = int(query.get("limit", "50"))
        if size > 250:
            raise Refusal("http_422", "limit must be at most 250")
        info = query.get("page_info")
        if info and set(query) - {"limit", "page_info", "fields"}:
            raise Refusal("http_400", "page_info: other parameters are not allowed")
        state = json.loads(base64.urlsafe_b64decode(info)) if info else {"from": query["updated_at_min"], "to": query["updated_at_max"]}
        if not info and query.get("status") != "any":
            raise Refusal("http_422", "this shop wants all orders to be asked for")
        begin = int(state.get("at", 0))
        found = self.between("orders", _ms(state["from"]), _ms(state["to"]) + 999)
        headers = {"X-Shopify-Shop-Api-Call-Limit": f"{math.ceil(self.level)}/{BUCKET}"}
        if begin + size < len(found):
            following = base64.urlsafe_b64encode(json.dumps(state | {"at": begin + size}).encode()).decode()
            address = f"https://{self.shop.shop}{asked.path}?limit={size}&page_info={following}"
            headers["Link"] = f'<{address}>; rel="next"'
            if begin:
                headers["Link"] = f'<{address}>; rel="previous", ' + headers["Link"]
        text = json.dumps({"orders": found[begin : begin + size]}, separators=(",", ":"))
        return web.Response(text=text, content_type="application/json", headers=headers)


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


STANDIN: Final = ShopifyStandIn
